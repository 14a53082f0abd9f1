"""Writing a search in the split layout: four model files, checked and compared with the single program.

With the sizes of its axes left open the parts give the bits of the whole. With fixed sizes, for CUDA graphs, sums have
more zeros in them, so the hypotheses are the same and the scores are nearly so.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from compiler.analysis.bounds import Bounds
from compiler.analysis.fixed_sizes import fixed_sizes
from compiler.onnx.capture import obstacles
from compiler.onnx.memory import Memory
from compiler.onnx.model import batch_axes
from compiler.onnx.placement.contract import PlacementContract
from compiler.onnx.program import OnnxProgram
from compiler.onnx.samples import accepted
from compiler.onnx.session import open_session
from compiler.onnx.verification import compare_results
from compiler.passes.search.split import SplitSearch, split_search
from compiler.target.fixed_batch import FixedBatch
from compiler.target.inputs import input_specs
from compiler.target.protocol import Array
from compiler.target.split_driver import PART, drive
from compiler.target.staged import staged
from returnn_ir.errors import MismatchError, TargetError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph

__all__ = ["SplitExport", "export_split"]


class SplitExport:
    """The parts of a search, ready to be written.

    Args:
        program: the whole search.
        fixed: the sizes of a batch, which no shape of encoder, init and step depends on then; None: any batch.
        batch_scores: the layers whose scores depend on the batch.

    Attributes:
        parts: by name, in their order.
        fixed: with the number of steps, where that is bounded.
        compared: whether the parts were compared with the whole.

    Raises:
        TargetError: there is no search to split.
        ProblemList: sizes cannot be fixed.
    """

    def __init__(
        self, program: OnnxProgram, fixed: FixedBatch | None = None, batch_scores: Collection[str] = ()
    ) -> None:
        self.program = program
        self.compared = False
        split = split_search(program.graph)
        self.fixed = _with_steps(program, split, fixed) if fixed is not None else None
        sizes: dict[Dim, int] = {}
        if self.fixed is not None:
            running = [graph for name, graph in split.graphs.items() if name != "finish"]
            sizes = fixed_sizes(
                program.graph, self.fixed, parts=running, behind=split.behind, batch_scores=batch_scores
            )
        self.parts: dict[str, OnnxProgram] = {}
        for name, graph in split.graphs.items():
            self.parts[name] = OnnxProgram(graph, program.format, self._memory(name, graph, sizes))

    def _memory(self, name: str, graph: Graph, sizes: Mapping[Dim, int]) -> Memory:
        """Each part gets what the parts before it have made, which is never too long unless sizes are fixed.

        What stands behind the search then does as without fixed sizes: it runs once per batch.
        """
        if self.fixed is not None:
            return Memory({}, trims=True, fixed=self.fixed) if name == "finish" else Memory(sizes, fixed=self.fixed)
        given = {node.attrs["name"] for node in graph.nodes("input")}
        return Memory(exact=given - self.program.signature.inputs.keys())

    def models(self, params: Mapping[str, Array]) -> dict[str, Any]:
        """The parts as ``onnx.ModelProto``.

        Raises:
            TargetError: onnx's checker refuses one, or a step with fixed sizes is none for a CUDA graph.
        """
        import onnx

        found: dict[str, Any] = {}
        for name, part in self.parts.items():
            model = found[name] = part.model(params)
            try:
                onnx.checker.check_model(model, full_check=True)
            except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
                raise TargetError(f"onnx's checker refuses the part {name!r}", received=str(error)) from error
        left = obstacles(found["step"]) if self.fixed is not None else []
        if left:
            raise TargetError(
                "a step of this search cannot be captured as a CUDA graph",
                where="--max-length",
                received=", ".join(left),
                hint="the split layout without --batch and --max-length",
            )
        return found


def _with_steps(program: OnnxProgram, split: SplitSearch, fixed: FixedBatch) -> FixedBatch:
    steps = Bounds(program.graph, fixed.batch, fixed.longest).steps(split.loop)
    return FixedBatch(fixed.batch, fixed.longest, steps)


def export_split(
    program: OnnxProgram,
    params: Mapping[str, Array],
    folder: Path,
    *,
    contract: PlacementContract | None = None,
    fixed: FixedBatch | None = None,
    batch_scores: Collection[str] = (),
    seed: int = 1,
) -> SplitExport:
    """Write ``encoder.onnx``, ``init.onnx``, ``step.onnx`` and ``finish.onnx``; all four, or none.

    Args:
        program: the whole search; it has been compared with the reference by its own export.
        params: every parameter under RETURNN's variable name.
        folder: made if it is not there.
        contract: what is asked of where onnxruntime's CUDA provider runs the parts.
        fixed, batch_scores: see :class:`SplitExport`.
        seed: of the random batches.

    Raises:
        TargetError: there is no search to split, its sizes cannot be fixed, or onnx's checker refuses a part.
        ProblemList: the contract does, or sizes cannot be fixed.
        MismatchError: the parts do not give what the whole gives.
    """
    split = SplitExport(program, fixed, batch_scores)
    made = split.models(params)
    if contract is not None:
        contract.check({f"{name}.onnx": model for name, model in made.items()})
    models = _marked({name: model.SerializeToString(deterministic=True) for name, model in made.items()})
    split.compared = _compare(split, params, models, seed)
    with staged(folder) as part:
        for name, content in models.items():
            (part / f"{name}.onnx").write_bytes(content)
    return split


def _marked(models: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with what tells them from those of another export: a hash of all of them."""
    import onnx

    every = sha256(b"".join(sha256(content).digest() for content in models.values())).hexdigest()[:16]
    found = {}
    for name, content in models.items():
        entry = onnx.StringStringEntryProto(key=PART, value=json.dumps({"part": name, "export": every}))
        # messages one behind the other are one that has the fields of both
        found[name] = content + onnx.ModelProto(metadata_props=[entry]).SerializeToString()
    return found


def _compare(split: SplitExport, params: Mapping[str, Array], models: Mapping[str, bytes], seed: int) -> bool:
    """Both layouts on random ragged batches; False if the network refuses all of them.

    Raises:
        MismatchError: they differ.
    """
    program, sessions = split.program, {name: open_session(content) for name, content in models.items()}

    def run(part: str, feed: Mapping[str, Array]) -> dict[str, Array]:
        session = sessions[part]
        names = [o.name for o in session.get_outputs()]
        values = session.run(names, {i.name: feed[i.name] for i in session.get_inputs()})
        return dict(zip(names, values, strict=True))

    rng = np.random.default_rng(seed)
    taken, _ = accepted(program.graph, split.fixed, rng, lambda inputs: program.run(inputs, params))
    for batch in taken:
        if split.fixed is None:
            _require_same_bits(program, batch.results, drive(run, batch.inputs))
        else:
            parts = drive(run, split.fixed.pad(input_specs(program.graph), batch.inputs))
            cut = split.fixed.cut(parts, batch_axes(program.signature.outputs), len(batch.lengths))
            _require_same_hypotheses(program, batch.results, cut, batch.lengths)
    return bool(taken)


def _require_same_bits(program: OnnxProgram, whole: Mapping[str, Array], parts: Mapping[str, Array]) -> None:
    for fetch, name in program.signature.fetches.items():
        if name in parts and not np.array_equal(whole[fetch], parts[name], equal_nan=True):
            raise MismatchError("the parts of the search do not give the bits of the whole", where=name)


def _require_same_hypotheses(
    program: OnnxProgram, whole: Mapping[str, Array], parts: Mapping[str, Array], lengths: tuple[int, ...]
) -> None:
    problems: list[str] = []
    received = {fetch: parts[name] for fetch, name in program.signature.fetches.items() if name in parts}
    compare_results(program, whole, received, lengths, problems)
    if problems:
        raise MismatchError("the search with fixed sizes differs from the whole", received="\n".join(problems))
