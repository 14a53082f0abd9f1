"""Loops as ONNX ``Loop``: scanned values are gathered by step, stacked values are scan outputs; branches as ``If``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compiler.onnx.registry import emits
from compiler.onnx.writer import GraphScope
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.types import TensorType

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []


@emits("loop")
def _loop(e: Emitter, node: Node) -> list[str]:
    """Carries go on to the last step of the longest sequence; where a final one is asked for and sequences end earlier,
    it is carried a second time and stops with its own sequence.
    """
    if node.attrs["ends"]:
        return _loop_until(e, node)
    count, dim = node.attrs["carries"], node.attrs["dim"]
    kept = [i for i in range(count) if _stops_early(e, node, i)]
    initial = e.operands(node)[:count]
    body = _body(e, node, kept)
    stacked = node.results[count:]
    names = e.multi(
        "Loop",
        [e.scalar(e.extent(dim)), "", *initial, *(initial[i] for i in kept)],
        count + len(kept) + len(stacked),
        body=body,
    )
    finals = names[:count]
    for i, name in zip(kept, names[count : count + len(kept)], strict=True):
        finals[i] = name
    return [*finals, *(_shaped(e, v, n) for v, n in zip(stacked, names[count + len(kept) :], strict=True))]


def _loop_until(e: Emitter, node: Node) -> list[str]:
    """The limit is the trip count, and the body says whether it goes on; a carry of its own counts the steps."""
    count, stacked = node.attrs["carries"], node.results[node.attrs["carries"] : -1]
    *initial, limit = e.operands(node)
    carries = [limit, "", e.constant(0, "int64"), *initial]
    steps, *names = e.multi("Loop", carries, 1 + count + len(stacked), body=_body_until(e, node))
    e.bind(node.results[-1], steps)  # the extent of the loop's dim, which stacked values have
    return [*names[:count], *(_shaped(e, v, n) for v, n in zip(stacked, names[count:], strict=True)), steps]


def _body_until(e: Emitter, node: Node) -> Any:
    """One step.

    Inputs: number, condition, number again, carries; outputs: condition, number of steps, next carries, stacked values.
    """
    (region,), count, prefix = node.regions, node.attrs["carries"], e.prefix
    step, go, before = (e.fresh(f"{prefix}{name}") for name in ("step", "go", "steps"))
    carries = [e.fresh(f"{prefix}carry") for _ in range(count)]
    with e.inside(GraphScope(e.scope)) as scope:
        for value, name in zip(region.params, (step, *carries), strict=True):
            e.bind(value, name)
        e.write_region(region)
        e.prefix = prefix
        stacked = zip(region.results[count:-1], node.results[count:-1], strict=True)
        results = [
            e.op("Not", e[region.results[-1]]),
            e.op("Add", before, e.constant(1, "int64")),
            *(_alike(e, v, p.dims) for v, p in zip(region.results, region.params[1:], strict=False)),
            *(_alike(e, v, r.dims[1:]) for v, r in stacked),
        ]
        outputs = e.results(results)
    number, condition, held = TensorType("int64"), TensorType("bool"), [p.type for p in region.params[1:]]
    inner = [r.type.with_dims(r.dims[1:]) for r in node.results[count:-1]]
    return e.graph_proto(
        scope,
        [*zip((step, go, before, *carries), (number, condition, number, *held), strict=True)],
        [*zip(outputs, (condition, number, *held, *inner), strict=True)],
    )


def _stops_early(e: Emitter, node: Node, i: int) -> bool:
    dim = node.attrs["dim"]
    if node.results[i] not in e.used or not e.is_ragged(dim):
        return False
    return all(d in node.results[i].dims for d in e.length(dim)[1])


def _shaped(e: Emitter, value: Value, name: str) -> str:
    """After no step at all onnxruntime gives every dynamic axis the extent zero; the true extents put that right."""
    if all(d.size is not None or e.is_live(d) for d in value.dims[1:]):
        return e.op("Reshape", name, e.shape(value.dims), allowzero=1)
    return name


def _body(e: Emitter, node: Node, kept: list[int]) -> Any:
    """One step.

    Inputs: number, condition, carries, final carries; outputs: condition, next carries, final carries, stacked values.
    """
    (region,), count = node.regions, node.attrs["carries"]
    step, go = e.fresh(f"{e.prefix}step"), e.fresh(f"{e.prefix}go")
    carries = [e.fresh(f"{e.prefix}carry") for _ in range(count)]
    finals = [e.fresh(f"{e.prefix}final") for _ in kept]
    prefix = e.prefix
    with e.inside(GraphScope(e.scope)) as scope:
        _enter(e, node, step, carries)
        e.write_region(region)
        e.prefix = prefix
        following = [_alike(e, v, p.dims) for v, p in zip(region.results, region.params[1 : 1 + count], strict=False)]
        stopped = [_until_end(e, node, i, step, following[i], name) for i, name in zip(kept, finals, strict=True)]
        stacked = [_alike(e, v, r.dims[1:]) for v, r in zip(region.results[count:], node.results[count:], strict=True)]
        outputs = e.results([go, *following, *stopped, *stacked])
    held = [v.type for v in region.params[1 : 1 + count]]
    held += [held[i] for i in kept]
    inner = [t.with_dims(t.dims[1:]) for t in (r.type for r in node.results[count:])]
    number, condition = TensorType("int64"), TensorType("bool")
    return e.graph_proto(
        scope,
        [*zip((step, go, *carries, *finals), (number, condition, *held), strict=True)],
        [*zip(outputs, (condition, *held, *inner), strict=True)],
    )


def _enter(e: Emitter, node: Node, step: str, carries: list[str]) -> None:
    """Bind the parameters of the body's region."""
    count, dim = node.attrs["carries"], node.attrs["dim"]
    params = node.regions[0].params
    e.bind(params[0], step)
    for value, name in zip(params[1:], carries, strict=False):
        e.bind(value, name)
    for value, operand in zip(params[1 + count :], node.operands[count:], strict=True):
        e.bind(value, e.op("Gather", e[operand], step, axis=operand.type.axis(dim)))


def _alike(e: Emitter, value: Value, dims: Sequence[Dim]) -> str:
    return e.positional(e[value], value.dims, dims)


def _until_end(e: Emitter, node: Node, i: int, step: str, following: str, held: str) -> str:
    """The next carry where the sequence goes on, else the one that it ended with."""
    region = node.regions[0]
    carry = region.params[1 + i]
    going = e.op("Less", step, e.align(*e.length(node.attrs["dim"]), carry.dims))
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
