"""The dims that a loop's carries gain, through each kind of node, and how often a node is looked at for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from compiler.analysis.carried_dims import carried_dims
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView, OpenLoop
from returnn_ir.ir.types import TensorType

BATCH, BEAM, FEATURE = Dim("B", kind=Kind.BATCH), Dim("K", 3), Dim("F", 2)
TIME, FRAMES = Dim("T"), Dim("S")
Step = Callable[[Builder, list[Value]], list[Value]]


def _chain(b: Builder, carries: list[Value]) -> list[Value]:
    """Each takes what the one before it was one step earlier."""
    return [carries[0], *(b.unary("tanh", v) for v in carries[:-1])]


def _backwards(b: Builder, carries: list[Value]) -> list[Value]:
    return [carries[0], *(b.unary("tanh", v) for v in (*carries[2:], carries[0]))]


def _joined(b: Builder, carries: list[Value]) -> list[Value]:
    """All at once in one node."""
    out = Dim("joined", len(carries) * 2)
    joined = b.op("concat", *carries, dims=(FEATURE,) * len(carries), out=out)
    total = b.reduce("sum", joined, out)
    return [*_chain(b, carries[:-1]), b.expand(total, FEATURE)]


def _apart(b: Builder, carries: list[Value]) -> list[Value]:
    """The size of an axis is the same for all hypotheses."""
    extent = b.op("size_of", carries[0], dim=FEATURE)
    return [carries[0], b.expand(b.cast(extent, "float32"), FEATURE), *_chain(b, carries[1:])[1:]]


def _nested(b: Builder, carries: list[Value]) -> list[Value]:
    """In loops and branches, all the way through each."""

    def step(i: Value, inner: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        (chosen,) = b.cond(b.const(True), lambda: [b.add(inner[-1], carries[0])], lambda: [inner[-1]])
        return [chosen, *inner[:-1]], [inner[0]]

    finals, (stacked,) = b.loop(FRAMES, carries[1:], [], step)
    return [carries[0], *finals[:-1], b.reduce("sum", stacked, FRAMES)]


def _lengths(b: Builder, carries: list[Value]) -> list[Value]:
    """A dim whose lengths depend on what comes in: a mean over its valid frames does, too."""
    own = Dim("own")
    b.define(own, b.cast(b.reduce("sum", carries[0], FEATURE), "int64"))
    mean = b.reduce("mean", b.cast(b.iota(own), "float32"), own)
    return [carries[0], b.expand(mean, FEATURE), *_chain(b, carries[1:])[1:]]


STEPS: dict[str, Step] = {
    "chain": _chain,
    "backwards": _backwards,
    "joined": _joined,
    "apart": _apart,
    "nested": _nested,
    "lengths": _lengths,
}


def _loop(step: Step, n: int) -> tuple[Builder, Node]:
    b = Builder(Region())
    b.define(TIME, b.const(5))
    b.define(FRAMES, b.const(4))
    starts = [b.const([float(i)] * 2, dims=(FEATURE,)) for i in range(n)]
    b.loop(TIME, starts, [], lambda i, carries, slices: (step(b, carries), []))
    return b, b.region.nodes[-1]


def _gained(b: Builder, node: Node, count: Counter[Node]) -> list[list[Dim]]:
    """With a beam that comes in at the first carry."""
    starts = [c.initial for c in LoopView.of(node).carries]
    loop = OpenLoop.begin(TIME, [b.expand(starts[0], BEAM), *starts[1:]])

    def counted(inner: Node, types: Sequence[TensorType]) -> None:
        count[inner] += 1

    return carried_dims(b, node, loop, {}, counted)


@pytest.mark.parametrize("kind", STEPS)
def test_what_comes_in_at_one_end(kind: str) -> None:
    """It reaches all carries, but for where the chain is cut."""
    expected = [] if kind == "apart" else [BEAM]
    assert _gained(*_loop(STEPS[kind], 6), Counter()) == [[], *[expected] * 5]


@pytest.mark.parametrize("kind", STEPS)
def test_looks_per_node_do_not_grow(kind: str) -> None:
    """In a body of 48 carries no node is inferred more often than in one of 6."""
    most: list[int] = []
    for n in (6, 48):
        count: Counter[Node] = Counter()
        _gained(*_loop(STEPS[kind], n), count)
        assert count
        most.append(max(count.values()))
    assert most[1] <= most[0]
