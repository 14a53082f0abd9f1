"""Writing a model file: checked by onnx, loaded by onnxruntime, compared with the reference, described inside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from compiler.analysis.tails import tail_readers
from compiler.onnx.program import OnnxProgram
from compiler.onnx.verification import Verification, verify_model
from compiler.target.inputs import input_specs
from compiler.target.protocol import Array, Executable
from compiler.target.staged import staged
from returnn_ir.errors import MismatchError, TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.types import TensorType

__all__ = ["Export", "ExportMismatch", "export"]

#: What the entries of the model's metadata begin with.
PREFIX = "returnn_ir."


class ExportMismatch(MismatchError):
    """The model and the reference compute different numbers: exit code 1, and no file is written."""

    def __init__(self, verification: Verification) -> None:
        self.verification = verification
        super().__init__("the ONNX model differs from the reference", received="\n".join(verification.problems))


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        verification: how far the model is from the reference; None if it was not compared.
        tail_readers: layers whose results depend on what stands behind a sequence's end, and so on the batch.
    """

    path: Path
    verification: Verification | None
    tail_readers: list[str]


def export(
    program: OnnxProgram,
    params: Mapping[str, Array],
    path: str | Path,
    *,
    labels: Mapping[str, Sequence[str]] | None = None,
    reference: Executable | None = None,
    seed: int = 1,
) -> Export:
    """Write ``program`` with ``params`` to ``path``.

    Args:
        program: from ``OnnxTarget.lower``.
        params: every parameter under RETURNN's variable name.
        path: the ``.onnx`` file; replaced at once when everything is right.
        labels: names of the entries of sparse inputs and outputs, by data key, for the metadata.
        reference: what to compare with on random ragged batches; None where the file is compared with other numbers
            than ours (a recorded case).
        seed: of the random batches.

    Raises:
        ExportMismatch: the numbers differ.
        TargetError: onnx's checker refuses the model.
    """
    import onnx

    model = program.model(params)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise TargetError("onnx's checker refuses the model", received=str(error)) from error
    verification = verify_model(program, params, reference, seed) if reference is not None else None
    if verification is not None and not verification.ok:
        raise ExportMismatch(verification)
    readers = tail_readers(program.graph)
    held = onnx.ModelProto()
    held.CopyFrom(model)
    report = verification.to_json() if verification is not None else None
    entries = {**_description(program, labels or {}), "report": report, "tail_readers": readers}
    kept = {entry.key: entry.value for entry in model.metadata_props}
    written = {PREFIX + key: json.dumps(value) for key, value in entries.items()}
    onnx.helper.set_model_props(held, {**kept, **written})
    _write(Path(path), held.SerializeToString())
    return Export(Path(path), verification, readers)


def _write(path: Path, content: bytes) -> None:
    """All of the file or nothing of it."""
    with staged(path.parent) as part:
        (part / path.name).write_bytes(content)


# -------------------------------------------------------------------- metadata


def _description(program: OnnxProgram, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    sign = program.signature
    inputs = {name: _axes(type_) for name, type_ in {**sign.inputs, **sign.states}.items()}
    for spec in input_specs(program.graph):
        inputs[spec.name].update(spec.to_json())
    outputs = {name: _axes(type_) for name, type_ in sign.outputs.items()}
    dims = {d for t in (*sign.inputs.values(), *sign.outputs.values()) for d in t.dims}
    return {
        "mode": program.graph.mode,
        "inputs": inputs,
        "outputs": outputs,
        "dims": {
            sign.axis_names.get(d, d.name): d.size if d.size is not None else d.axis_kind.value for d in _sorted(dims)
        },
        "labels": {key: list(names) for key, names in labels.items()},
        "versions": _versions(program),
    }


def _sorted(dims: set[Dim]) -> list[Dim]:
    return sorted(dims, key=lambda d: (d.name, -1 if d.size is None else d.size))


def _axes(type_: TensorType) -> dict[str, Any]:
    sparse = type_.sparse_dim
    labels = {"sparse": sparse.size if sparse.size is not None else sparse.name} if sparse is not None else {}
    return {"dtype": type_.dtype, "axes": [d.name for d in type_.dims], **labels}


def _versions(program: OnnxProgram) -> dict[str, str]:
    found = {"opset": str(program.format.opset), "ir": str(program.format.ir_version)}
    for name in ("returnn-ir", "onnx", "onnxruntime", "onnxruntime-gpu", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
