"""Emitting a node again over other operands, nested regions included: types are inferred anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.types import TensorType

__all__ = ["Special", "define_lengths", "reemit"]

#: What stands for a node instead; None: the node itself.
Special = Callable[[Builder, Node, Sequence[Value]], list[Value] | None]


def _nothing_special(b: Builder, node: Node, operands: Sequence[Value]) -> list[Value] | None:
    return None


def reemit(
    b: Builder,
    node: Node,
    operands: Sequence[Value],
    env: Mapping[Value, Value],
    special: Special = _nothing_special,
) -> list[Value]:
    """The node's results over ``operands``.

    Args:
        env: what captured values of the nested regions have become.
        special: asked first, for the nodes of nested regions too.

    Carries of a loop whose next value has more dims than they start with start with these dims too.
    """
    instead = special(b, node, operands)
    if instead is not None:
        return instead
    if not node.regions:
        return b.emit(node.op, list(operands), dict(node.attrs))
    if node.op.name != "loop":
        regions = tuple(_plain_region(b, region, env, special) for region in node.regions)
        attrs = dict(node.attrs)
        if "branches" in attrs:
            attrs["branches"] = _same_types(b, regions)
        return b.emit(node.op, list(operands), attrs, regions)
    carries = node.attrs["carries"]
    starts = list(operands)
    while True:
        region = _loop_region(b, node, starts, env, special)
        missing = [
            [d for d in after.dims if d not in before.dims]
            for before, after in zip(starts[:carries], region.results, strict=False)
        ]
        if not any(missing):
            break
        starts = [b.expand(v, *dims) for v, dims in zip(starts[:carries], missing, strict=True)] + starts[carries:]
    count = len(node.attrs["stacked"])
    attrs = {**node.attrs, "stacked": tuple(v.type for v in region.results[carries : carries + count])}
    region.results[:carries] = [
        _conform(b, region, after, before.type) for before, after in zip(starts[:carries], region.results, strict=False)
    ]
    return b.emit(node.op, starts, attrs, (region,))


def _same_types(b: Builder, branches: Sequence[Region]) -> tuple[TensorType, ...]:
    """Branches give the same dims: what one of them lacks is repeated."""
    for results in zip(*(list(enumerate(region.results)) for region in branches), strict=True):
        dims = list(dict.fromkeys(d for _, v in results for d in v.dims))
        for region, (at, value) in zip(branches, results, strict=True):
            with b.inside(region):
                region.results[at] = b.expand(value, *dims)
    return tuple(v.type for v in branches[0].results)


def _plain_region(b: Builder, old: Region, env: Mapping[Value, Value], special: Special) -> Region:
    region = Region(parent=b.region)
    inner = dict(env)
    for param in old.params:
        inner[param] = Value(param.type)
        region.params.append(inner[param])
    _fill(b, old, region, inner, special)
    return region


def _loop_region(
    b: Builder, node: Node, starts: Sequence[Value], env: Mapping[Value, Value], special: Special
) -> Region:
    old = node.regions[0]
    carries, dim = node.attrs["carries"], node.attrs["dim"]
    region = Region(parent=b.region)
    types = [TensorType("int64"), *(v.type for v in starts[:carries])]
    types.extend(v.type.without([dim]) for v in starts[carries:][: len(old.params) - 1 - carries])
    inner = dict(env)
    for param, type_ in zip(old.params, types, strict=True):
        inner[param] = Value(type_)
        region.params.append(inner[param])
    _fill(b, old, region, inner, special)
    return region


def _fill(b: Builder, old: Region, region: Region, inner: dict[Value, Value], special: Special) -> None:
    """Emit the nodes of ``old`` into ``region``."""
    pending = dict(old.dim_defs)
    define_lengths(region, pending, inner)
    with b.inside(region):
        for node in old.nodes:
            with b.at(node.origin):
                results = reemit(b, node, [inner.get(v, v) for v in node.operands], inner, special)
            inner.update(zip(node.results, results, strict=True))
            define_lengths(region, pending, inner)
    region.results = [inner.get(v, v) for v in old.results]
    if pending:
        raise IRError(f"lengths of {list(pending)} were not emitted")


def define_lengths(region: Region, pending: dict[Dim, Value], inner: Mapping[Value, Value]) -> None:
    """Take over the lengths ``pending`` that have been emitted by now (those that stand outside hold as they are)."""
    for dim, length in list(pending.items()):
        own = length.node is not None and length not in inner
        if not own:
            region.dim_defs[dim] = inner.get(length, length)
            del pending[dim]


def _conform(b: Builder, region: Region, value: Value, wanted: TensorType) -> Value:
    with b.inside(region):
        return b.expand(value, *wanted.dims)
