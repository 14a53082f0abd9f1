"""Attention that a network spells out becomes one composite, where the target has a kernel for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from compiler.analysis.attention import AttentionAxes
from compiler.passes.base import Context, Pass
from compiler.passes.lowering.attention_spelling import (
    Energies,
    Further,
    Places,
    Spelling,
    dropout_rate,
    spelling_of,
)
from compiler.passes.rewrite import rewrite
from compiler.target.protocol import Reject
from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import get_op

__all__ = ["FuseAttention"]

#: How far from one the product of two numbers may be, each rounded to float32, that would be one.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class FuseAttention(Pass):
    """Put an ``attention`` in the place of a softmax between two products, whatever layers they come from."""

    name: ClassVar[str] = "fuse_attention"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal learns what is not fused, and why; about what is, :class:`ExpandComposites` tells it."""
        if context.fusion.get("attention") == "never":
            return False
        run = _Run(Places(dict(graph.body.placed()), graph.uses()), context)
        changed = rewrite(graph, run.replacement)
        for region in graph.body.regions():
            region.nodes = [node for node in region.nodes if node not in run.swallowed]
        return changed


@dataclass
class _Run:
    places: Places
    context: Context
    swallowed: set[Node] = field(default_factory=set)

    def replacement(self, b: Builder, node: Node) -> Sequence[Value] | None:
        """The attention that ends in a node, if there is one."""
        spelling = spelling_of(node, b.region, self.places)
        if spelling is None:
            return None
        built = _built(b.region, spelling)
        if isinstance(built, str):
            self.context.journal.add("not fused", "attention", node.origin, built)
            return None
        verdict = self.context.target.accepts(built.node, b.region)
        if isinstance(verdict, Reject) and self.context.fusion.get("attention") != "require":
            self.context.journal.add("not fused", "attention", node.origin, verdict.reason)
            return None
        b.region.nodes.extend(built.scratch.nodes)
        self.swallowed.update((*spelling.nodes, *built.way.nodes))
        return [built.result]


@dataclass(frozen=True)
class _Built:
    """New nodes in a region of their own, inside of the one that they are for."""

    scratch: Region
    node: Node
    result: Value
    way: Energies


def _built(region: Region, spelling: Spelling) -> _Built | str:
    """The composite, made by the best way to a product, or why there is none."""
    if spelling.obstacle is not None:
        return spelling.obstacle
    best: _Built | None = None
    obstacles: list[str] = []
    for way in spelling.ways:
        built = way.obstacle or _Assembly(region, spelling, way).build()
        if isinstance(built, str):
            obstacles.append(built)
            continue
        if isinstance(AttentionAxes.of(built.node, region), AttentionAxes):
            return built
        best = best or built
    return best or obstacles[0]


class _ObstacleError(Exception):
    """Why the parts do not fit together."""


class _Assembly:
    """Makes the composite of a spelling: every value gets the dims that it has at the softmax."""

    def __init__(self, region: Region, spelling: Spelling, way: Energies) -> None:
        if way.product is None:
            raise IRError("a way to no product")
        self._spelling, self._way, self._product = spelling, way, way.product
        self._scratch = Region(parent=region)
        self._b = Builder(self._scratch, origin=spelling.node.origin)
        self._keys: Dim = spelling.softmax.attrs["dims"][0]
        #: how dims are called behind the softmax, by their names there
        self._behind: dict[Dim, Dim] = {}
        for move in reversed(spelling.moves):
            for old, new in move.attrs["dims"] if move.op.name == "rename" else ():
                self._behind[next((k for k, name in self._behind.items() if name is old), old)] = new

    def build(self) -> _Built | str:
        """The composite and what prepares its operands."""
        try:
            query, key = self._factors()
            further = [self._further(step) for step in reversed(self._way.further)]
            operands = [query, key, self._value(), *further, *self._given_draw()]
            attention = self._b.emit(get_op("attention"), operands, self._attrs())[0]
            result = self._moved(attention)
        except (_ObstacleError, IRError) as error:
            return str(error)
        if attention.node is None or not result.type.same_as(self._spelling.node.result.type):
            return f"it would be {result.type}, not {self._spelling.node.result.type}"
        return _Built(self._scratch, attention.node, result, self._way)

    # ---------------------------------------------------------------- operands

    def _factors(self) -> tuple[Value, Value]:
        """Query and key with all that multiplies the energies, but for the number ``scale``."""
        a, b = self._way.operands
        key, query = (a, b) if _has_keys(a, self._way, self._keys) else (b, a)
        for dim in self._way.squeezed:
            query, key = (self._b.op("squeeze", v, dim=dim) if dim in v.dims else v for v in (query, key))
        query, key = (self._named(v, self._way.names) for v in (query, key))
        for factor, names in self._way.factors:
            value = self._named(factor, names)
            if self._keys not in value.dims:
                query = self._b.mul(query, value)
            elif all(d in key.dims for d in value.dims):
                key = self._b.mul(key, value)
            else:
                raise _ObstacleError("the energies are multiplied by a value for each query and key")
        return query, key

    def _value(self) -> Value:
        """The values, with the dims that weights have at the softmax."""
        value = self._spelling.value
        pairs = [(new, old) for old, new in self._behind.items() if new in value.dims and new is not old]
        reduced = self._spelling.node.attrs["reduce"][0]
        if self._behind.get(self._keys, self._keys) is not reduced:
            raise _ObstacleError("the product with the values is over another axis than the softmax")
        value = self._renamed(value, pairs)
        draw = self._spelling.draw
        scale = self._spelling.scale * (draw.kept if draw is not None else 1.0)
        return value if abs(scale - 1.0) < _ROUNDING else self._b.mul(value, scale)

    def _further(self, step: Further) -> Value:
        value = self._named(step.value, step.names)
        if step.fill is not None:
            return self._b.unary("logical_not", value) if step.negated else value
        value = value if step.scale == 1 else self._b.mul(value, step.scale)
        for factor, names in step.factors:
            value = self._b.mul(value, self._named(factor, names))
        return value

    def _given_draw(self) -> list[Value]:
        """The numbers that decide about dropout, where the composite does not draw them itself."""
        draw = self._spelling.draw
        if draw is None or draw.own is not None:
            return []
        value = draw.value
        for dim in draw.value.dims:
            if self._before(dim) is None:
                value = self._b.op("squeeze", value, dim=dim)
        names = [(dim, self._before(dim)) for dim in value.dims]
        return [self._renamed(value, [(dim, name) for dim, name in names if name is not None])]

    def _named(self, value: Value, names: Mapping[Dim, Dim]) -> Value:
        return self._renamed(value, [(old, new) for old, new in names.items() if old in value.dims])

    def _renamed(self, value: Value, pairs: Sequence[tuple[Dim, Dim]]) -> Value:
        mapping = dict(pairs)
        if len({mapping.get(d, d) for d in value.dims}) < len(value.dims):
            raise _ObstacleError("two axes of one operand have the same name at the softmax")
        return self._b.rename(value, *pairs)

    # ---------------------------------------------------------------- attributes

    def _attrs(self) -> dict[str, Any]:
        way, draw = self._way, self._spelling.draw
        masks = [step for step in reversed(way.further) if step.fill is not None]
        own = draw.own if draw is not None else None
        drawn = map(self._before, own.attrs["dims"]) if own is not None else ()
        return {
            "features": tuple(way.names.get(d, d) for d in self._product.attrs["reduce"]),
            "keys": self._keys,
            "scale": way.scale,
            "mask": self._spelling.softmax.attrs["mask"],
            "fills": tuple(step.fill for step in masks),
            "zeroed": self._zeroed(masks),
            "dropout": dropout_rate(draw.kept) if draw is not None else 0.0,
            "path": own.attrs["path"] if own is not None else None,
            "drawn": tuple(d for d in drawn if d is not None),
        }

    def _zeroed(self, masks: Sequence[Further]) -> bool:
        zeroing = set(self._spelling.zeroing)
        if not zeroing:
            return False
        if zeroing != {step.value for step in masks} or any(step.negated for step in masks) or self._spelling.moves:
            raise _ObstacleError("weights are set to zero by other masks than the energies")
        return True

    def _before(self, dim: Dim) -> Dim | None:
        """A dim of the weights as it is called at the softmax; None for one of size one that is not there."""
        name = next((old for old, new in self._behind.items() if new is dim), dim)
        taken_away = {m.attrs["dim"] for m in self._spelling.moves if m.op.name == "squeeze"}
        own = self._spelling.softmax.result.dims
        absent = name in self._way.expanded or (dim in taken_away and name not in own)
        return None if absent and name.size == 1 else name

    # ---------------------------------------------------------------- the result

    def _moved(self, result: Value) -> Value:
        """The result with the axes that it had: what happened to those of the weights happens to it."""
        moves = list(reversed(self._spelling.moves))
        dropped = {move.attrs["dim"] for move in moves if move.op.name == "squeeze"}
        gone = dropped & set(self._way.expanded)
        result = self._b.expand(result, *(d for d in self._way.expanded if d not in gone))
        for move in moves:
            if move.op.name == "rename":
                result = self._b.rename(result, *((a, b) for a, b in move.attrs["dims"] if a in result.dims))
            elif move.op.name == "expand":
                result = self._b.expand(result, *move.attrs["dims"])
            elif move.attrs["dim"] in result.dims:
                result = self._b.op("squeeze", result, dim=move.attrs["dim"])
        return result


def _has_keys(value: Value, way: Energies, keys: Dim) -> bool:
    return any(way.names.get(d, d) is keys for d in value.dims)
