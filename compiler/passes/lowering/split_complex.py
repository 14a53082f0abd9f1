"""Complex numbers as two real ones, for a target that has no complex numbers.

A complex result of a network is a real one with the axis :data:`returnn_ir.ir.dims.COMPLEX_PARTS` behind the others,
which is how ONNX's own ``STFT`` and ``DFT`` give them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import rewrite
from compiler.target.protocol import Reject
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import COMPLEX_PARTS, Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage

__all__ = ["SplitComplex"]

#: Real and imaginary part.
Pair = tuple[Value, Value]

#: Ops that do to both parts what they do to the number; operands that are not complex are positions or conditions.
_AXES = frozenset({"rename", "expand", "squeeze", "merge", "split", "concat", "sections", "slice", "resize_axis"})
_PLACES = frozenset({"reverse", "window", "gather", "scatter_add", "masked_select", "where"})
_LINEAR = frozenset({"neg", "add", "sub", "stop_gradient"})
_BOTH = _AXES | _PLACES | _LINEAR


@dataclass(frozen=True)
class SplitComplex(Pass):
    """Replace what complex values are used for by computations with their parts; what is left of them is dead."""

    name: ClassVar[str] = "split_complex"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """Where there is no rule the complex value stays, for the target to refuse it."""
        with graph.frozen():
            refused = {node for node, region in graph.body.placed() if _is_refused(node, region, context)}
        splitting = _Splitting(refused)
        changed = rewrite(graph, splitting.handle)
        for output in graph.outputs.values():
            pair = splitting.pairs.get(output.value)
            if pair is not None:
                builder = Builder(graph.body)
                output.value = _joined(builder, pair)
                output.axes = (*output.axes, COMPLEX_PARTS)
                changed = True
        return changed


def _is_refused(node: Node, region: Region, context: Context) -> bool:
    is_complex = any(v.dtype == "complex64" for v in (*node.operands, *node.results))
    return is_complex and not node.regions and isinstance(context.target.accepts(node, region), Reject)


@dataclass
class _Splitting:
    """The parts of the complex values that were met.

    Attributes:
        refused: the nodes with complex numbers that the target does not take.
    """

    refused: Set[Node]
    pairs: dict[Value, Pair] = field(default_factory=dict)

    def handle(self, b: Builder, node: Node) -> Sequence[Value] | None:
        """The replacement of a node that makes a real number of a complex one; of others the parts are kept."""
        if node not in self.refused:
            return None
        pairs = [self.pairs.get(v) for v in node.operands if v.dtype == "complex64"]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            return None
        if node.op.name in _REAL:
            return [b.expand(_REAL[node.op.name](b, known[0]), *node.result.dims)]
        for result, pair in zip(node.results, self._parts(b, node, known), strict=False):
            self.pairs[result] = pair
        return None

    def _parts(self, b: Builder, node: Node, known: list[Pair]) -> list[Pair]:
        """The parts of the node's results, or nothing."""
        name = node.op.name
        if name in _BOTH or (name == "reduce" and node.attrs["kind"] in ("sum", "mean")):
            parts = [
                b.emit(node.op, [self.pairs[v][k] if v in self.pairs else v for v in node.operands], node.attrs)
                for k in (0, 1)
            ]
            return list(zip(*parts, strict=True))
        rule = _COMPLEX.get(name)
        return [rule(b, node, known)] if rule is not None else []


def _joined(b: Builder, pair: Pair) -> Value:
    ones = (Dim("re", 1), Dim("im", 1))
    wide = [b.expand(part, one) for part, one in zip(pair, ones, strict=True)]
    return b.op("concat", *wide, dims=ones, out=COMPLEX_PARTS)


def _magnitude(b: Builder, pair: Pair) -> Value:
    return b.unary("sqrt", b.add(*(b.mul(part, part) for part in pair)))


def _made(b: Builder, node: Node, known: list[Pair]) -> Pair:
    real, imag = (b.expand(v, *node.result.dims) for v in node.operands)
    return real, imag


def _const(b: Builder, node: Node, known: list[Pair]) -> Pair:
    value = np.asarray(node.attrs["value"])
    real, imag = (b.const(part, "float32", node.result.dims) for part in (value.real, value.imag))
    return real, imag


def _cast(b: Builder, node: Node, known: list[Pair]) -> Pair:
    if known:
        return known[0]
    return b.cast(node.operands[0], "float32"), b.expand(b.const(0.0), *node.result.dims)


def _pad(b: Builder, node: Node, known: list[Pair]) -> Pair:
    real, imag = known[0]
    return b.op("pad", real, **node.attrs), b.op("pad", imag, **{**node.attrs, "value": 0.0})


def _product(b: Builder, node: Node, known: list[Pair]) -> Pair:
    """Of ``mul`` or ``dot``."""
    (a, c), (d, e) = known

    def times(x: Value, y: Value) -> Value:
        return b.emit(node.op, [x, y], node.attrs)[0]

    return b.sub(times(a, d), times(c, e)), b.add(times(a, e), times(c, d))


def _quotient(b: Builder, node: Node, known: list[Pair]) -> Pair:
    (a, c), (d, e) = known
    size = b.add(b.mul(d, d), b.mul(e, e))
    real, imag = b.add(b.mul(a, d), b.mul(c, e)), b.sub(b.mul(c, d), b.mul(a, e))
    return b.div(real, size), b.div(imag, size)


_REAL: dict[str, Callable[[Builder, Pair], Value]] = {
    "real": lambda b, pair: pair[0],
    "imag": lambda b, pair: pair[1],
    "abs": _magnitude,
}
_COMPLEX: dict[str, Callable[[Builder, Node, list[Pair]], Pair]] = {
    "complex": _made,
    "const": _const,
    "cast": _cast,
    "pad": _pad,
    "mul": _product,
    "dot": _product,
    "div": _quotient,
}
