"""Constant folding: what depends on nothing but constants and static dims is computed by the reference target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned, rewrite
from compiler.reference.named import Named
from compiler.reference.registry import RULES
from compiler.reference.target import evaluate_region
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TEXT

__all__ = ["FoldConstants"]

_KEPT = (Trait.RANDOM, Trait.EFFECT, Trait.INPUT, Trait.COMPOSITE)


@dataclass(frozen=True)
class FoldConstants(Pass):
    """Replace nodes by constants.

    Attributes:
        max_entries: no folding into an array that is larger than this and than its operands together.
    """

    name: ClassVar[str] = "fold_constants"
    max_entries: int = 64

    def run(self, graph: Graph, context: Context) -> bool:
        """One walk suffices: operands come first."""
        kept = pinned(graph)
        return rewrite(graph, lambda b, node: None if kept & {*node.operands, *node.results} else self._fold(b, node))

    def _fold(self, b: Builder, node: Node) -> Sequence[Value] | None:
        if node.regions or any(node.op.has(trait) for trait in _KEPT) or node.op.name not in RULES:
            return None
        if node.op.name == "const" or not all(_is_const(v) for v in node.operands):
            return None
        if not all(d.is_static for v in (*node.operands, *node.results) for d in v.dims):
            return None
        if not all(d.is_static for d in node.mentioned_dims()):
            return None
        if any(v.dtype == TEXT for v in node.results):
            return None
        limit = max(self.max_entries, sum(_entries(v) for v in node.operands))
        if any(_entries(v) > limit for v in node.results):
            return None
        return [_constant(b, v, named) for v, named in zip(node.results, _evaluate(node), strict=True)]


def _is_const(x: Value) -> bool:
    return x.node is not None and x.node.op.name == "const"


def _entries(x: Value) -> int:
    return math.prod(d.require_size(None) for d in x.dims)


def _evaluate(node: Node) -> list[Named]:
    constants = [v.node for v in dict.fromkeys(node.operands) if v.node is not None]
    return evaluate_region(Region(nodes=[*constants, node], results=node.results), {}, {})


def _constant(b: Builder, before: Value, named: Named) -> Value:
    return b.const(named.array, before.dtype, before.dims, before.type.sparse_dim)
