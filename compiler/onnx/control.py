"""Loops as ONNX ``Loop``: scanned values are gathered by step, stacked values are scan outputs; branches as ``If``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compiler.onnx.registry import emits
from compiler.onnx.steps import StepTable
from compiler.onnx.writer import GraphScope
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopEnd, LoopView, loop_results
from returnn_ir.ir.types import TensorType

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


@emits("loop")
def _loop(e: Emitter, node: Node) -> list[str]:
    """Carries go on to the last step of the longest sequence; where a final one is asked for and sequences end earlier,
    it is carried a second time and stops with its own sequence.
    """
    loop = LoopView.of(node)
    if loop.end is not None:
        return _loop_until(e, loop, loop.end)
    kept = [i for i in range(len(loop.carries)) if _stops_early(e, loop, i)]
    initial = [e[c.initial] for c in loop.carries]
    count = e.scalar(e.extent(loop.dim))
    body, stacked = _body(e, loop, kept, StepTable.write(e, loop, count))
    given = [count, "", *initial, *(initial[i] for i in kept)]
    names = iter(e.multi("Loop", given, len(initial) + len(kept) + len(loop.stacked), body=body))
    finals = [next(names) for _ in loop.carries]
    for i in kept:
        finals[i] = next(names)
    return loop_results(finals, _stacks(e, loop, stacked, list(names)))


def _loop_until(e: Emitter, loop: LoopView, end: LoopEnd) -> list[str]:
    """The limit is the trip count, and the body says whether it goes on.

    How many steps there were is the extent of what they stacked; where they stack nothing, a carry of its own counts.
    """
    counts = [] if loop.stacked else [e.constant(0, "int64")]
    given = [e[end.limit], "", *counts, *(e[c.initial] for c in loop.carries)]
    table = StepTable.write(e, loop, given[0])
    body, inner = _body_until(e, loop, end, table, counted=bool(counts))
    names = e.multi("Loop", given, len(counts) + len(loop.carries) + len(loop.stacked), body=body)
    steps = names.pop(0) if counts else e.scalar(e.axis_extent(names[len(loop.carries)], 0))
    e.bind(end.steps, steps)  # the extent of the loop's dim, which stacked values have
    finals, stacked = names[: len(loop.carries)], names[len(loop.carries) :]
    return loop_results(finals, _stacks(e, loop, inner, stacked), steps)


def _body_until(
    e: Emitter, loop: LoopView, end: LoopEnd, table: StepTable, *, counted: bool
) -> tuple[Any, list[Value]]:
    """One step, and what it stacks.

    Inputs: number, condition, number again, carries; outputs: condition, number of steps, next carries, stacked values.
    Without ``counted`` the number comes once and is not given back.
    """
    prefix = e.prefix
    step, go, before = (e.fresh(f"{prefix}{name}") for name in ("step", "go", "steps"))
    carries = [e.fresh(f"{prefix}carry") for _ in loop.carries]
    with e.inside(GraphScope(e.scope)) as scope:
        _enter(e, loop, step, carries, table)
        e.write_region(loop.region, table.nodes)
        e.prefix = prefix
        following = [_alike(e, c.next, c.param.dims) for c in loop.carries]
        stacked = [_stacked(e, s.inner, following) for s in loop.stacked]
        results = [
            _goes_on(e, end.done),
            *([e.op("Add", before, e.constant(1, "int64"))] if counted else []),
            *following,
            *(_alike(e, v, s.outer.dims[1:]) for v, s in zip(stacked, loop.stacked, strict=True)),
        ]
        outputs = e.results(results)
    number, condition, held = TensorType("int64"), TensorType("bool"), [c.param.type for c in loop.carries]
    count = [number] if counted else []
    body = e.graph_proto(
        scope,
        [*zip((step, go, *([before] if counted else []), *carries), (number, condition, *count, *held), strict=True)],
        [*zip(outputs, (condition, *count, *held, *_stacked_types(loop, stacked)), strict=True)],
    )
    return body, stacked


def _stacked(e: Emitter, value: Value, following: list[str]) -> Value:
    """What a step stacks of a value: where it goes on to the next one, too, what it was cast from.

    No graph gives an array twice, and the cast can wait until all steps are there.
    """
    node = value.node
    if node is None or node.op.name != "cast" or e[value] not in following or not e.is_made_here(node.operands[0]):
        return value
    return node.operands[0]


def _stacked_types(loop: LoopView, stacked: list[Value]) -> list[TensorType]:
    return [
        TensorType(value.dtype, s.outer.type.without([loop.dim]).dims)
        for value, s in zip(stacked, loop.stacked, strict=True)
    ]


def _stacks(e: Emitter, loop: LoopView, stacked: list[Value], names: list[str]) -> list[str]:
    """The stacked values of all steps, by what the steps stacked."""
    cast = [e.cast(name, v.dtype, s.inner.dtype) for name, v, s in zip(names, stacked, loop.stacked, strict=True)]
    return [_shaped(e, s.outer, name) for s, name in zip(loop.stacked, cast, strict=True)]


def _goes_on(e: Emitter, done: Value) -> str:
    """Whether there is another step.

    Mostly it stops when all hypotheses have ended, and counts the labels of the others by the same ones and zeros.
    """
    node = done.node
    if node is None or node.op.name != "reduce" or node.attrs["kind"] != "all" or not node.attrs["dims"]:
        return e.op("Not", e[done])
    (x,) = node.operands
    left = e.where(e[x], e.constant(0, "int64"), e.constant(1, "int64"), "int64")
    most = e.reduce("ReduceMax", left, sorted(map(x.type.axis, node.attrs["dims"])))
    return e.op("Greater", most, e.constant(0, "int64"))  # of nothing it is the lowest number


def _stops_early(e: Emitter, loop: LoopView, i: int) -> bool:
    result = loop.carries[i].result
    if result not in e.used or not e.is_padded(loop.dim):
        return False
    return all(d in result.dims for d in e.length(loop.dim)[1])


def _shaped(e: Emitter, value: Value, name: str) -> str:
    """After no step at all onnxruntime gives every dynamic axis the extent zero; the true extents put that right."""
    if all(d.size is not None or e.is_live(d) for d in value.dims[1:]):
        return e.op("Reshape", name, e.shape(value.dims), allowzero=1)
    return name


def _body(e: Emitter, loop: LoopView, kept: list[int], table: StepTable) -> tuple[Any, list[Value]]:
    """One step, and what it stacks.

    Inputs: number, condition, carries, final carries; outputs: condition, next carries, final carries, stacked values.
    """
    step, go = e.fresh(f"{e.prefix}step"), e.fresh(f"{e.prefix}go")
    carries = [e.fresh(f"{e.prefix}carry") for _ in loop.carries]
    finals = [e.fresh(f"{e.prefix}final") for _ in kept]
    prefix = e.prefix
    with e.inside(GraphScope(e.scope)) as scope:
        _enter(e, loop, step, carries, table)
        e.write_region(loop.region, table.nodes)
        e.prefix = prefix
        following = [_alike(e, c.next, c.param.dims) for c in loop.carries]
        stopped = [_until_end(e, loop, i, step, following[i], name) for i, name in zip(kept, finals, strict=True)]
        stacked = [_stacked(e, s.inner, following) for s in loop.stacked]
        given = [_alike(e, v, s.outer.dims[1:]) for v, s in zip(stacked, loop.stacked, strict=True)]
        outputs = e.results([go, *following, *stopped, *given])
    held = [c.param.type for c in loop.carries]
    held += [held[i] for i in kept]
    number, condition = TensorType("int64"), TensorType("bool")
    body = e.graph_proto(
        scope,
        [*zip((step, go, *carries, *finals), (number, condition, *held), strict=True)],
        [*zip(outputs, (condition, *held, *_stacked_types(loop, stacked)), strict=True)],
    )
    return body, stacked


def _enter(e: Emitter, loop: LoopView, step: str, carries: list[str], table: StepTable) -> None:
    """Bind the parameters of the body's region, and what is known of all steps."""
    e.bind(loop.index, step)
    for carry, name in zip(loop.carries, carries, strict=True):
        e.bind(carry.param, name)
    for part in loop.slices:
        e.bind(part.param, e.op("Gather", e[part.whole], step, axis=part.whole.type.axis(loop.dim)))
    table.enter(e, step)


def _alike(e: Emitter, value: Value, dims: Sequence[Dim]) -> str:
    return e.positional(e[value], value.dims, dims)


def _until_end(e: Emitter, loop: LoopView, i: int, step: str, following: str, held: str) -> str:
    """The next carry where the sequence goes on, else the one that it ended with."""
    carry = loop.carries[i].param
    going = e.op("Less", step, e.align(*e.length(loop.dim), carry.dims))
    return e.where(going, following, held, carry.dtype)


@emits("cond")
def _cond(e: Emitter, node: Node) -> list[str]:
    """``If``, whose branches see the names around it."""
    (predicate,) = e.operands(node)
    chosen, other = (_branch(e, node, region) for region in node.regions)
    return e.multi("If", [predicate], len(node.results), then_branch=chosen, else_branch=other)


def _branch(e: Emitter, node: Node, region: Region) -> Any:
    prefix = e.prefix
    with e.inside(GraphScope(e.scope)) as scope:
        e.write_region(region)
        e.prefix = prefix
        results = [_alike(e, v, r.dims) for v, r in zip(region.results, node.results, strict=True)]
        outputs = e.results(results)
    return e.graph_proto(scope, [], [*zip(outputs, (v.type for v in node.results), strict=True)])
