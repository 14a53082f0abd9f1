"""The sequences in a program's output: per sequence of the batch its hypotheses, each cut to its own length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Output

__all__ = ["Hypothesis", "nbest_lists"]


@dataclass(frozen=True)
class Hypothesis:
    """One result for one sequence.

    Attributes:
        value: the dynamic axes first, without padding: labels ``[T]``, vectors ``[T, F]``, ...
        score: of the beam; None behind a decision, where no beam is left.
    """

    value: Array
    score: float | None = None


def nbest_lists(results: Mapping[str, Array], name: str, output: Output) -> list[list[Hypothesis]]:
    """The hypotheses of every sequence of the batch, in the order of the beam; one each where there is no beam.

    Args:
        results: what a program has returned.
        name: of the layer.
        output: the layer's output in the program's graph.
    """
    batch = next(d for d in output.axes if d.is_batch)
    outer = [batch] if output.beam is None else [batch, output.beam]
    dynamic = [d for d in output.axes if d not in outer and d.size is None]
    static = [d for d in output.axes if d not in outer and d.size is not None]
    value = _permuted(results[f"output/{name}"], output.axes, [*outer, *dynamic, *static])
    if output.beam is None:
        value = value[:, None]
    lengths = [_lengths(results, name, output, dim, outer, value) for dim in dynamic]
    scores = None
    if output.beam is not None and output.beam_scores is not None:
        scores = _permuted(results[f"output/{name}/beam_scores"], output.beam_scores.dims, outer)
    found: list[list[Hypothesis]] = []
    for row, hypotheses in enumerate(value):
        cuts = [tuple(slice(int(n[row, k])) for n in lengths) for k in range(len(hypotheses))]
        row_scores = [None] * len(hypotheses) if scores is None else [_decimal(s) for s in scores[row]]
        found.append([Hypothesis(v[cut], s) for v, cut, s in zip(hypotheses, cuts, row_scores, strict=True)])
    return found


def _lengths(
    results: Mapping[str, Array], name: str, output: Output, dim: Dim, outer: list[Dim], value: Array
) -> Array:
    """Sizes of one dynamic axis, ``[batch, beam]``; the beam has one entry where there is none."""
    axis = output.axes.index(dim)
    shape = value.shape[:2]
    if axis not in output.lengths:
        position = [d for d in output.axes if d not in outer and d.size is None].index(dim)
        return np.full(shape, value.shape[2 + position])
    own = output.lengths[axis].dims
    sizes = _permuted(results[f"output/{name}/size{axis}"], own, [d for d in outer if d in own])
    missing = tuple(i for i, d in enumerate(outer) if d not in own)
    sizes = np.expand_dims(sizes, missing)
    return np.broadcast_to(sizes if len(outer) == 2 else sizes[:, None], shape)


def _permuted(value: Array, axes: tuple[Dim, ...], wanted: list[Dim]) -> Array:
    return np.transpose(value, [axes.index(d) for d in wanted])


def _decimal(score: Array) -> float:
    """The number that is written as the float32 is: ``-1.2``, not ``-1.2000000476837158``."""
    return float(str(np.float32(score)))
