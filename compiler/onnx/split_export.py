"""Writing a search in the split layout: four model files, checked and compared bit for bit with the single program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.program import OnnxProgram
from compiler.onnx.samples import BATCHES, sample
from compiler.onnx.session import open_session
from compiler.passes.search.split import split_search
from compiler.target.protocol import Array
from compiler.target.split_driver import drive
from compiler.target.staged import staged
from returnn_ir.errors import MismatchError, TargetError

__all__ = ["export_split"]


def export_split(program: OnnxProgram, params: Mapping[str, Array], folder: Path, *, seed: int = 1) -> list[Path]:
    """Write ``encoder.onnx``, ``init.onnx``, ``step.onnx`` and ``finish.onnx``; all four, or none.

    Args:
        program: the whole search; it has been compared with the reference by its own export.
        params: every parameter under RETURNN's variable name.
        folder: made if it is not there.
        seed: of the random batches.

    Raises:
        TargetError: there is no search to split, or onnx's checker refuses a part.
        MismatchError: the parts do not give the bits of the whole.
    """
    import onnx

    models: dict[str, bytes] = {}
    for name, graph in split_search(program.graph).graphs.items():
        model = OnnxProgram(graph, program.format).model(params)
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise TargetError(f"onnx's checker refuses the part {name!r}", received=str(error)) from error
        models[name] = model.SerializeToString()
    _compare(program, params, models, seed)
    with staged(folder) as part:
        for name, content in models.items():
            (part / f"{name}.onnx").write_bytes(content)
    return [folder / f"{name}.onnx" for name in models]


def _compare(program: OnnxProgram, params: Mapping[str, Array], models: Mapping[str, bytes], seed: int) -> None:
    sessions: dict[str, Any] = {name: open_session(content) for name, content in models.items()}

    def run(part: str, feed: Mapping[str, Array]) -> dict[str, Array]:
        session = sessions[part]
        names = [o.name for o in session.get_outputs()]
        values = session.run(names, {i.name: feed[i.name] for i in session.get_inputs()})
        return dict(zip(names, values, strict=True))

    rng = np.random.default_rng(seed)
    for lengths in BATCHES:
        inputs = sample(program.graph, lengths, rng)
        whole, parts = program.run(inputs, params), drive(run, inputs)
        for fetch, name in program.signature.fetches.items():
            if name in parts and not np.array_equal(whole[fetch], parts[name], equal_nan=True):
                raise MismatchError("the parts of the search do not give the bits of the whole", where=name)
