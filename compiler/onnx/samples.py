"""Batches for verifying an export: random inputs whose sequences have lengths from one to the longest.

A network may refuse a batch: a slice ends behind the only frame, a target has more labels than the output has frames.
Then others are tried in its place: labels that are fewer than frames, longer, shorter, and equally long sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.target.fixed_batch import FixedBatch
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.ir.types import is_float

__all__ = ["BATCHES", "Accepted", "accepted", "batches", "sample"]

#: Lengths per batch: one long sequence, one of a single frame, and several of different lengths.
BATCHES: tuple[tuple[int, ...], ...] = ((13,), (1,), (13, 1, 6, 2))
#: The shortest and the longest sequence of what is tried in the place of a batch that is refused.
_INSTEAD = ((2, 13), (4, 13), (1, 6), (1, 3), (4, 6), (5, 5), (30, 60))
#: So many times fewer labels than frames.
_FEWER = (1, 2, 4)

_INTEGERS = DimAlgebra[int](int, lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a // b, lambda a: max(a, 0))


@dataclass(frozen=True)
class Accepted:
    """A batch that a network takes.

    Attributes:
        lengths: of the sequences.
        fewer: so many times shorter are the axes that labels alone have.
        results: what it gives.
    """

    lengths: tuple[int, ...]
    fewer: int
    inputs: Mapping[str, Array]
    results: Mapping[str, Array]

    @property
    def described(self) -> dict[str, list[int]]:
        """The lengths, for a report."""
        labels = {"lengths_of_labels": [max(n // self.fewer, 1) for n in self.lengths]} if self.fewer > 1 else {}
        return {"lengths": list(self.lengths), **labels}


def accepted(
    graph: Graph,
    fixed: FixedBatch | None,
    rng: np.random.Generator,
    run: Callable[[Mapping[str, Array]], Mapping[str, Array]],
) -> tuple[list[Accepted], list[str]]:
    """Batches with what ``run`` gives for them, and for each one without any in its place why it is refused.

    Args:
        run: of the network; it raises ``DataError`` on what it refuses.
    """
    found: list[Accepted] = []
    refused: list[str] = []
    for planned in batches(fixed):
        reasons: list[str] = []
        for lengths, fewer in _attempts(graph, planned, fixed):
            try:
                inputs = sample(graph, lengths, rng, fewer)
                found.append(Accepted(lengths, fewer, inputs, run(inputs)))
                break
            except DataError as error:
                reasons.append(error.what)
        else:
            refused.append(f"lengths {list(planned)}: {reasons[0]}")
    return found, refused


def _attempts(
    graph: Graph, planned: tuple[int, ...], fixed: FixedBatch | None
) -> Iterator[tuple[tuple[int, ...], int]]:
    """The batch that was planned, and then what may be taken in its place."""
    longest = fixed.longest if fixed is not None else _INSTEAD[-1][-1]
    shares = _FEWER if _of_labels_alone(graph) else (1,)
    clipped = [tuple(min(max(n, low), high, longest) for n in planned) for low, high in _INSTEAD]
    tried = [(lengths, fewer) for lengths in (planned, *clipped) for fewer in shares]
    yield from dict.fromkeys(tried)


def _of_labels_alone(graph: Graph) -> set[Dim]:
    """The axes that no input of numbers has: sequences of labels have lengths of their own."""
    types = [node.result.type for node in graph.nodes("input")]
    numbers = {leaf for t in types if is_float(t.dtype) for d in t.dims for leaf in leaves(d)}
    labels = {leaf for t in types if t.sparse_dim is not None for d in t.dims for leaf in leaves(d)}
    return {d for d in labels - numbers if d.is_dynamic and not d.is_batch} if numbers else set()


def batches(fixed: FixedBatch | None) -> list[tuple[int, ...]]:
    """Lengths per batch, as many and as long as a program takes."""
    if fixed is None:
        return list(BATCHES)
    small = [tuple(min(n, fixed.longest) for n in lengths[: fixed.batch]) for lengths in BATCHES]
    return list(dict.fromkeys(small))


def sample(graph: Graph, lengths: Sequence[int], rng: np.random.Generator, fewer: int = 1) -> dict[str, Array]:
    """Random inputs by name; every dynamic axis has these lengths, so that axes that must agree do.

    Args:
        fewer: axes that labels alone have are so many times shorter.
    """
    sizes = {
        v.node.attrs["name"]: d for d, v in graph.body.dim_defs.items() if v.node is not None and _is_size(d, v.node)
    }
    labels_alone = _of_labels_alone(graph) if fewer > 1 else set()
    of_labels = [max(n // fewer, 1) for n in lengths]

    def along(dim: Dim) -> Sequence[int]:
        return of_labels if dim in labels_alone else lengths

    def extent(dim: Dim) -> int:
        return evaluate(dim, _INTEGERS, lambda d: len(lengths) if d.is_batch else max(along(d)))

    inputs: dict[str, Array] = {}
    for node in graph.nodes("input"):
        name, type_ = node.attrs["name"], node.result.type
        shape = [extent(d) for d in type_.dims]
        if name in sizes:
            held = np.asarray(along(sizes[name]), np.int64)
            inputs[name] = np.broadcast_to(held if type_.dims else held.max(), shape).astype(type_.dtype)
        elif is_float(type_.dtype):
            inputs[name] = rng.standard_normal(shape).astype(type_.dtype)
        elif type_.dtype == "bool":
            inputs[name] = rng.integers(0, 2, shape).astype(bool)
        else:
            labels = type_.sparse_dim.size if type_.sparse_dim is not None else None
            inputs[name] = rng.integers(0, labels or 2, shape).astype(type_.dtype)
    return inputs


def _is_size(dim: Dim, node: Node) -> bool:
    return dim.is_dynamic and node.op.name == "input"
