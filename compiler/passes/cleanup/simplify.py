"""Local simplification: a table of rules, each a pattern (op names) and a rewrite that checks before it acts.

No rule changes an entry of a result, the tails included, so ops that read behind a sequence's end see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import pinned, rewrite
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import UNIT
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.op import OpSpec, Trait
from returnn_ir.ir.types import is_float

__all__ = ["RULES", "Rule", "Simplify"]


@dataclass(frozen=True)
class Simplify(Pass):
    """Apply the rules of algebra and of axes until none matches."""

    name: ClassVar[str] = "simplify"

    def run(self, graph: Graph, context: Context) -> bool:
        """Every rule makes the graph smaller or moves towards the operands, so this ends."""
        changed = False
        kept = pinned(graph)
        while rewrite(graph, lambda b, node: None if kept & {*node.operands, *node.results} else _apply(b, node)):
            changed = True
        return changed


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        matches: the pattern at the node itself.
        rewrite: gives the value instead of the node's only result, or None where the rest of the pattern fails. A value
            of another type (fewer dims, another label dim) is not taken.
    """

    name: str
    matches: Callable[[OpSpec], bool]
    rewrite: Callable[[Builder, Node], Value | None]


def _apply(b: Builder, node: Node) -> Sequence[Value] | None:
    if len(node.results) != 1 or node.regions:
        return None
    for rule in RULES:
        if not rule.matches(node.op):
            continue
        mark = len(b.region.nodes)
        value = rule.rewrite(b, node)
        if value is not None and _fits(b, value, node.result):
            return [value]
        del b.region.nodes[mark:]  # what a rule made before it gave up
    return None


def _fits(b: Builder, value: Value, result: Value) -> bool:
    return value.type == result.type if b.positional else value.type.same_as(result.type)


# ---------------------------------------------------------------- what rules ask


def _made_by(x: Value, *names: str) -> Node | None:
    return x.node if x.node is not None and x.node.op.name in names else None


def _scalar(x: Value) -> float | None:
    """The value of a constant without axes."""
    node = _made_by(x, "const")
    if node is None or x.dims or isinstance(node.attrs["value"], complex):
        return None
    return node.attrs["value"]  # type: ignore[no-any-return]  # a Python scalar, see the op's inference


def _is(x: Value, number: float) -> bool:
    return _scalar(x) == number


# ---------------------------------------------------------------- rules


def _neutral_operand(b: Builder, node: Node) -> Value | None:
    x, y = node.operands
    number = 0 if node.op.name in ("add", "sub") else 1
    if _is(y, number):
        return x
    return y if node.op.has(Trait.COMMUTATIVE) and _is(x, number) else None


def _involution(b: Builder, node: Node) -> Value | None:
    inner = _made_by(node.operands[0], node.op.name)
    return inner.operands[0] if inner is not None else None


def _identity(b: Builder, node: Node) -> Value | None:
    """Nodes whose attributes say that nothing happens; the types tell."""
    x = node.operands[0]
    return x if not node.attrs.get("dims") or node.op.name == "transpose" else None


def _rename_chain(b: Builder, node: Node) -> Value | None:
    inner = _made_by(node.operands[0], "rename")
    if inner is None:
        return None
    second = dict(node.attrs["dims"])
    pairs = [(old, second.pop(new, new)) for old, new in inner.attrs["dims"]]
    return b.rename(inner.operands[0], *pairs, *second.items())


def _transpose_chain(b: Builder, node: Node) -> Value | None:
    inner = _made_by(node.operands[0], "transpose")
    if inner is None or UNIT in inner.operands[0].dims:
        return None
    x = inner.operands[0]
    return x if x.dims == node.attrs["dims"] else b.op("transpose", x, dims=node.attrs["dims"])


def _where_known(b: Builder, node: Node) -> Value | None:
    condition, x, y = node.operands
    if x is y:
        return x
    known = _scalar(condition)
    return None if known is None else (x if known else y)


def _where_same_condition(b: Builder, node: Node) -> Value | None:
    condition, x, y = node.operands
    inner_x, inner_y = _made_by(x, "where"), _made_by(y, "where")
    if inner_x is not None and inner_x.operand("condition") is condition:
        return b.where(condition, inner_x.operand("x"), y)
    if inner_y is not None and inner_y.operand("condition") is condition:
        return b.where(condition, x, inner_y.operand("y"))
    return None


def _broadcast_expanded(b: Builder, node: Node) -> Value | None:
    """An elementwise op repeats its operands by itself; in TARGET where the operand's order already fits."""
    expanded = [_made_by(v, "expand") for v in node.operands]
    if all(e is None for e in expanded):
        return None
    for keep in (-1, *range(len(expanded))):
        operands = [
            e.operands[0] if e is not None and at != keep else v
            for at, (e, v) in enumerate(zip(expanded, node.operands, strict=True))
        ]
        if operands == node.operands:
            continue
        value = b.emit(node.op, operands, node.attrs)[0]
        if _fits(b, value, node.result):
            return value
        b.region.nodes.pop()
    return None


def _scale_chain(b: Builder, node: Node) -> Value | None:
    inner = _made_by(node.operands[0], "mul")
    outer = _scalar(node.operands[1])
    factor = _scalar(inner.operands[1]) if inner is not None else None
    if inner is None or outer is None or factor is None or not is_float(node.result.dtype):
        return None
    return b.mul(inner.operands[0], float(outer) * float(factor))


def _slice_of_concat(b: Builder, node: Node) -> Value | None:
    """Exactly one of the joined parts."""
    concat = _made_by(node.operands[0], "concat")
    if concat is None or concat.attrs["out"] is not node.attrs["dim"] or node.attrs["step"] != 1:
        return None
    start = 0
    for part, dim in zip(concat.operands, concat.attrs["dims"], strict=True):
        if dim.size is None:
            return None
        if (node.attrs["start"], node.attrs["end"]) == (start, start + dim.size):
            return b.rename(part, (dim, node.attrs["out"]))
        start += dim.size
    return None


def _reduction_chain(b: Builder, node: Node) -> Value | None:
    """Whether all, or any, of what was reduced in the same way before: one reduction."""
    inner, kind = _made_by(node.operands[0], "reduce"), node.attrs["kind"]
    if inner is None or kind not in ("all", "any") or any(inner.attrs[k] != node.attrs[k] for k in ("kind", "mask")):
        return None
    return b.reduce(kind, inner.operands[0], *inner.attrs["dims"], *node.attrs["dims"], mask=node.attrs["mask"])


def _single_axis_later(b: Builder, node: Node) -> Value | None:
    """An axis of size one goes behind what computes entry by entry, or along other axes, to meet who takes it away."""
    expanded = [_made_by(v, "expand") for v in node.operands]
    own = next((e.attrs["dims"] for e in expanded if e is not None), ())
    if not own or any(d.size != 1 for d in own) or not {*own}.isdisjoint(node.named_dims()):
        return None
    operands = [v if e is None else e.operands[0] for v, e in zip(node.operands, expanded, strict=True)]
    if any(e is not None and e.attrs["dims"] != own for e in expanded) or any(
        d in v.dims for v in operands for d in own
    ):
        return None
    return b.expand(b.emit(node.op, operands, node.attrs)[0], *own)


def _squeezed_expand(b: Builder, node: Node) -> Value | None:
    """An axis that was just put there."""
    inner, dim = _made_by(node.operands[0], "expand"), node.attrs["dim"]
    if inner is None or dim not in inner.attrs["dims"]:
        return None
    return b.expand(inner.operands[0], *(d for d in inner.attrs["dims"] if d is not dim))


def _named(*names: str) -> Callable[[OpSpec], bool]:
    return lambda spec: spec.name in names


def _elementwise(spec: OpSpec) -> bool:
    return spec.has(Trait.ELEMENTWISE)


def _keeps_axes(spec: OpSpec) -> bool:
    return spec.has(Trait.ELEMENTWISE) or spec.name in ("softmax", "log_softmax")


#: In the order in which they are tried.
RULES: tuple[Rule, ...] = (
    Rule("neutral operand", _named("add", "sub", "mul", "div"), _neutral_operand),
    Rule("involution", _named("neg", "logical_not"), _involution),
    Rule("identity", _named("rename", "expand", "cast", "transpose", "reduce", "set_sparse"), _identity),
    Rule("rename chain", _named("rename"), _rename_chain),
    Rule("transpose chain", _named("transpose"), _transpose_chain),
    Rule("known condition", _named("where"), _where_known),
    Rule("same condition", _named("where"), _where_same_condition),
    Rule("broadcast of an expanded operand", _elementwise, _broadcast_expanded),
    Rule("axis of size one later", _keeps_axes, _single_axis_later),
    Rule("squeezed axis", _named("squeeze"), _squeezed_expand),
    Rule("scale chain", _named("mul"), _scale_chain),
    Rule("slice of concat", _named("slice"), _slice_of_concat),
    Rule("reduction chain", _named("reduce"), _reduction_chain),
)
