"""Common subexpression elimination: nodes that must give the same values are computed once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.op import Trait

__all__ = ["Cse"]

_DISTINCT = (Trait.RANDOM, Trait.EFFECT, Trait.DERIVATIVE, Trait.INPUT)


@dataclass(frozen=True)
class Cse(Pass):
    """Replace a node by an earlier one with the same op, operands, attributes and lengths."""

    name: ClassVar[str] = "cse"

    def run(self, graph: Graph, context: Context) -> bool:
        """Nested regions find what the regions around them have computed."""
        env: dict[Value, Value] = {}
        _region(graph.body, {}, env, pinned(graph))
        graph.replace_roots(lambda v: env.get(v, v))
        return bool(env)


def _region(region: Region, outer: dict[Hashable, Node], env: dict[Value, Value], kept_apart: set[Value]) -> None:
    seen = dict(outer)
    kept: list[Node] = []
    lookup = _DefinedDims(region, env)
    for node in region.nodes:
        node.operands = [env.get(v, v) for v in node.operands]
        for inner in node.regions:
            _region(inner, seen, env, kept_apart)
        key = _key(node, lookup) if kept_apart.isdisjoint(node.results) else None
        earlier = seen.get(key) if key is not None else None
        if earlier is not None:
            env.update(zip(node.results, earlier.results, strict=True))
            continue
        if key is not None:
            seen[key] = node
        kept.append(node)
    region.nodes = kept
    region.results = [env.get(v, v) for v in region.results]
    region.dim_defs = {d: env.get(v, v) for d, v in region.dim_defs.items()}


@dataclass(frozen=True)
class _DefinedDims:
    region: Region
    env: dict[Value, Value]

    def lengths(self, dim: Dim) -> tuple[Value | None, ...]:
        """The values that stand for a dim here, so that equal tags with other lengths are not mixed up."""
        found = (self.region.lookup(leaf) for leaf in leaves(dim))
        return tuple(self.env.get(v, v) if v is not None else None for v in found)


def _key(node: Node, defined: _DefinedDims) -> Hashable | None:
    """What two nodes must share to be equal; None for nodes that stay apart."""
    if node.regions or any(node.op.has(trait) for trait in _DISTINCT):
        return None
    operands: Sequence[Value] = node.operands
    if node.op.has(Trait.COMMUTATIVE):
        operands = sorted(operands, key=id)
    lengths = tuple(defined.lengths(d) for d in node.mentioned_dims())
    attrs = tuple((name, _frozen(value)) for name, value in node.attrs.items())
    return (node.op.name, tuple(operands), attrs, lengths, tuple(v.type for v in node.results))


def _frozen(value: object) -> Hashable:
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, tuple):
        return tuple(_frozen(part) for part in value)
    # 0 and 0.0 and False, 0.0 and -0.0, are different constants
    return (type(value).__name__, repr(value)) if isinstance(value, float | int | bool) else (0, value)
