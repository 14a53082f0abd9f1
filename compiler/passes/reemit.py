"""Emitting a node again over other operands, nested regions included: types are inferred anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from compiler.analysis.carried_dims import TypeRule, carried_dims
from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopLayout, LoopOptions, OpenLoop

__all__ = ["PendingLengths", "Special", "reemit"]


@dataclass(frozen=True)
class Special:
    """What stands for some nodes instead.

    Attributes:
        emit: emits it over other operands; None: the node itself is to be emitted.
        types: the types of what is going to be emitted, by those of the operands; None: those of the node.
    """

    emit: Callable[[Builder, Node, Sequence[Value]], list[Value] | None]
    types: TypeRule


_NOTHING = Special(lambda b, node, operands: None, lambda node, types: None)


def reemit(
    b: Builder,
    node: Node,
    operands: Sequence[Value],
    env: Mapping[Value, Value],
    special: Special = _NOTHING,
) -> list[Value]:
    """The node's results over ``operands``.

    Args:
        env: what captured values of the nested regions have become.
        special: asked first, for the nodes of nested regions too.

    Carries of a loop whose next value has more dims than they start with start with these dims too.
    """
    instead = special.emit(b, node, operands)
    if instead is not None:
        return instead
    if not node.regions:
        return b.emit(node.op, list(operands), dict(node.attrs))
    if node.op.name == "loop":
        return _loop(b, node, operands, env, special)
    regions = [Region([Value(param.type) for param in region.params], parent=b.region) for region in node.regions]
    for old, region in zip(node.regions, regions, strict=True):
        _fill(b, old, region, env, special)
    if node.op.name == "cond":
        _fill_up(b, regions)
        return b.choose(operands[0], *regions)
    return b.emit(node.op, list(operands), dict(node.attrs), tuple(regions))


def _loop(
    b: Builder, node: Node, operands: Sequence[Value], env: Mapping[Value, Value], special: Special
) -> list[Value]:
    layout, options, (old,) = LoopLayout.of(node.attrs), LoopOptions.of(node.attrs), node.regions
    initial, whole, limit = layout.split_operands(operands)
    loop = OpenLoop.begin(layout.dim, initial, whole, limit, options)
    gained = carried_dims(b, node, loop, env, special.types)
    if any(gained):
        initial = [b.expand(v, *dims) for v, dims in zip(initial, gained, strict=True)]
        loop = OpenLoop.begin(layout.dim, initial, whole, limit, options)
    region = Region(loop.params, parent=b.region)
    _fill(b, old, region, env, special)
    following, stacked, done = layout.split_results(region.results)
    with b.inside(region):
        following = [b.expand(after, *before.dims) for before, after in zip(initial, following, strict=True)]
    for before, after in zip(initial, following, strict=True):
        if len(after.dims) > len(before.dims):
            raise IRError(f"a loop's carry was to start as {before.type}, it goes on as {after.type}")
    return loop.close(b, region, following, stacked, done).node.results


def _fill_up(b: Builder, branches: Sequence[Region]) -> None:
    """Branches give the same dims: what one of them lacks is repeated."""
    for results in zip(*(list(enumerate(region.results)) for region in branches), strict=True):
        dims = list(dict.fromkeys(d for _, v in results for d in v.dims))
        for region, (at, value) in zip(branches, results, strict=True):
            with b.inside(region):
                region.results[at] = b.expand(value, *dims)


def _fill(b: Builder, old: Region, region: Region, env: Mapping[Value, Value], special: Special) -> None:
    """Emit the nodes of ``old`` into ``region``, which has its params."""
    inner = {**env, **dict(zip(old.params, region.params, strict=True))}
    lengths = PendingLengths(old, region, inner)
    with b.inside(region):
        for node in old.nodes:
            with b.at(node.origin):
                results = reemit(b, node, [inner.get(v, v) for v in node.operands], inner, special)
            inner.update(zip(node.results, results, strict=True))
            lengths.define(node.results)
    region.results = [inner.get(v, v) for v in old.results]
    if lengths.left:
        raise IRError(f"lengths of {list(lengths.left.values())} were not emitted")


class PendingLengths:
    """The lengths of a region's dims, which a new region takes over as soon as they have been emitted.

    Attributes:
        left: by length, the dims that it is still to be defined of.
    """

    def __init__(self, old: Region, new: Region, inner: Mapping[Value, Value]) -> None:
        self.left: dict[Value, list[Dim]] = {}
        self._new, self._inner = new, inner
        for dim, length in old.dim_defs.items():
            self.left.setdefault(length, []).append(dim)
        # those that stand outside hold as they are
        self.define([length for length in self.left if length.node is None or length in inner])

    def define(self, lengths: Iterable[Value]) -> None:
        """Take over those of them that are lengths of dims."""
        for length in lengths:
            for dim in self.left.pop(length, ()):
                self._new.dim_defs[dim] = self._inner.get(length, length)
