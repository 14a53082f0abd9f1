"""Comparing a model in onnxruntime with the reference, on the frames that count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compiler.onnx.program import OnnxProgram
from compiler.onnx.samples import accepted
from compiler.target.protocol import Array, Executable
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Output

__all__ = ["ATOL", "RTOL", "Verification", "compare_results", "verify_model"]

#: Relative to the entry, and to the largest entry of the tensor: kernels add in different orders.
RTOL, ATOL = 1e-4, 1e-5
#: Hypotheses whose scores differ by less may change places: either score may be wrong by the tolerance.
TIE = 2 * RTOL


@dataclass
class Verification:
    """What the comparison found.

    Attributes:
        batches: per batch its lengths, and for each output the largest absolute and relative difference.
        problems: one line for each output that differs.
        left_out: one line for each batch that the network itself refuses (a target longer than the output), and any
            other one in its place, too.
    """

    batches: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.problems

    @property
    def compared(self) -> bool:
        """Whether there was anything to compare: a network may refuse every batch that is tried."""
        return bool(self.batches)

    @property
    def largest(self) -> float:
        """The largest absolute difference of all."""
        found = [d["max_abs"] for batch in self.batches for d in batch["outputs"].values()]
        return max(found, default=0.0)

    def to_json(self) -> dict[str, Any]:
        """For the model's metadata."""
        found = {"batches": self.batches, "left_out": self.left_out, "problems": self.problems}
        return {"ok": self.ok and self.compared, "rtol": RTOL, "atol": ATOL, **found}


def verify_model(program: OnnxProgram, params: Mapping[str, Array], reference: Executable, seed: int) -> Verification:
    """Run random ragged batches on both and compare all fetches."""
    rng = np.random.default_rng(seed)
    graph, fixed = program.graph, program.memory.fixed
    taken, left_out = accepted(graph, fixed, rng, lambda inputs: _real(reference.run(inputs, params)))
    found = Verification(left_out=left_out)
    for batch in taken:
        received = program.run(batch.inputs, params)
        outputs = compare_results(program, batch.results, received, batch.lengths, found.problems)
        found.batches.append({**batch.described, "outputs": outputs})
    return found


def compare_results(
    program: OnnxProgram,
    expected: Mapping[str, Array],
    received: Mapping[str, Array],
    lengths: tuple[int, ...],
    problems: list[str],
) -> dict[str, dict[str, float]]:
    """The differences of two results by output; hypotheses of equal scores may have changed places.

    Args:
        problems: gets a line for each output that differs.
    """
    outputs: dict[str, dict[str, float]] = {}
    for fetch, name in program.signature.fetches.items():
        # where a check does not hold both have raised, and the passes may add some
        if fetch.startswith("check/") or fetch not in received:
            continue
        valid = _valid(program.graph, fetch, expected)
        outputs[name] = _compare(name, expected[fetch], received[fetch], valid, lengths, problems)
    return outputs


def _real(results: Mapping[str, Array]) -> dict[str, Array]:
    """Complex numbers as a model has them: both parts along a last axis."""
    parts = {name: np.stack([a.real, a.imag], -1) for name, a in results.items() if a.dtype.kind == "c"}
    return {**results, **parts}


def _compare(
    name: str, expected: Array, received: Array, valid: Array, lengths: tuple[int, ...], problems: list[str]
) -> dict[str, float]:
    if expected.shape != received.shape:
        problems.append(f"{name}: shape {received.shape}, expected {expected.shape} (lengths {list(lengths)})")
        return {"max_abs": float("inf"), "max_rel": float("inf")}
    chosen = np.broadcast_to(valid, expected.shape)
    a, b = expected[chosen].astype(np.float64), received[chosen].astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        error = np.where(same, 0.0, np.nan_to_num(np.abs(a - b), nan=np.inf))
    size = np.abs(a, where=np.isfinite(a), out=np.zeros_like(a))
    scale = size.max(initial=0.0)
    allowed = (ATOL * max(1.0, float(scale)) + RTOL * size) if expected.dtype.kind == "f" else np.zeros_like(size)
    largest = float(error.max(initial=0.0))
    if (error > allowed).any():
        wrong = int((error > allowed).sum())
        problems.append(f"{name}: {wrong} of {a.size} entries differ by up to {largest:.3g} (lengths {list(lengths)})")
    relative = error / np.maximum(size, ATOL)
    return {"max_abs": largest, "max_rel": float(relative.max(initial=0.0))}


def _valid(graph: Graph, fetch: str, results: Mapping[str, Array]) -> Array:
    """True on what counts in an output, with axes that broadcast against it: valid frames, and slots without a tie."""
    name, _, part = fetch.removeprefix("output/").rpartition("/")
    valid = np.ones((), bool)
    if not fetch.startswith("output/"):
        return valid
    if part.startswith("size") and name in graph.outputs:  # the lengths of hypotheses belong to their slots
        lengths = graph.outputs[name].lengths[int(part.removeprefix("size"))]
        return _told_apart(graph.outputs[name], f"output/{name}", results, lengths.dims)
    output = graph.outputs.get(fetch.removeprefix("output/"))
    if output is None:
        return valid
    for axis, value in output.lengths.items():
        sizes = results[f"{fetch}/size{axis}"]
        if any(d not in output.axes for d in value.dims):
            continue
        extent = results[fetch].shape[axis]
        frames = np.arange(extent).reshape([-1 if i == axis else 1 for i in range(len(output.axes))])
        valid = valid & (frames < _placed(sizes, value.dims, output.axes))
    return valid & _told_apart(output, fetch, results, output.axes)


def _told_apart(output: Output, fetch: str, results: Mapping[str, Array], axes: tuple[Dim, ...]) -> Array:
    """Slots of a beam whose scores are not their neighbours' (the last one's neighbour is not known), over ``axes``."""
    value, beam = output.beam_scores, output.beam
    scores = results.get(f"{fetch}/beam_scores")
    if value is None or beam is None or scores is None or beam not in axes or scores.shape[-1] < 2:
        return np.ones((), bool)
    ordered = np.moveaxis(scores, value.dims.index(beam), -1).astype(np.float64)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(np.diff(ordered, axis=-1)) > TIE * np.maximum(1.0, np.abs(ordered[..., 1:]))
    none = np.zeros((*gaps.shape[:-1], 1), bool)
    apart = np.concatenate([~none, gaps], -1) & np.concatenate([gaps, none], -1)
    return _placed(np.moveaxis(apart, -1, value.dims.index(beam)), value.dims, axes)


def _placed(sizes: Array, dims: tuple[Dim, ...], axes: tuple[Dim, ...]) -> Array:
    """Lengths with an axis for each of ``axes``."""
    ordered = sizes.transpose([dims.index(d) for d in axes if d in dims])
    return np.expand_dims(ordered, tuple(i for i, d in enumerate(axes) if d not in dims))
