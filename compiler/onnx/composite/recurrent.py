"""LSTM and GRU as one node each, and one step of an LSTM behind its products.

Facts (onnxruntime 1.31): arrays are time-major; a sequence of length zero leaves zeros as its last state instead of
the initial one; on CUDA ``direction="reverse"`` ignores the lengths, so that ragged input is reversed around a forward
node, while ``bidirectional`` respects them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compiler.onnx.composite.weights import blocks, is_zero
from compiler.onnx.profile import Format
from compiler.onnx.registry import emits
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__: list[str] = []

#: Where ONNX's gate blocks i, o, f, c (LSTM) are in RETURNN's order: cell input, input, forget, output.
_LSTM_BLOCKS = (1, 3, 2, 0)
#: ONNX's z, r of GRU in the order reset, update; h stands alone.
_GRU_BLOCKS = (1, 0)


@dataclass(frozen=True)
class _Layout:
    """How an operand [dim, *rest, in_dim] becomes [T, N, I] and back.

    Attributes:
        lengths: [N] int64, or None where all sequences are as long as the axis.
    """

    dim: Dim
    rest: tuple[Dim, ...]
    out: Dim
    lengths: str | None

    def enter(self, e: Emitter, x: Value) -> str:
        """The operand with one axis for all sequences."""
        return _merged(e, e[x], [self.dim], self.rest, x.dims[-1])

    def state(self, e: Emitter, value: Value) -> str:
        """An initial state as [1, N, H]."""
        return e.unsqueeze(_merged(e, e[value], [], self.rest, self.out), [0])

    def leave(self, e: Emitter, y: str, *front: Dim) -> str:
        """[T, N, H] or [N, H] with the sequences' own axes."""
        return y if len(self.rest) == 1 else e.reshape(y, (*front, *self.rest, self.out))


def _merged(e: Emitter, name: str, front: Sequence[Dim], rest: Sequence[Dim], last: Dim) -> str:
    if len(rest) == 1:
        return name
    rows = e.product([e.extent(d) for d in rest])
    return e.op("Reshape", name, e.concat([*(e.extent(d) for d in front), rows, e.extent(last)], 0), allowzero=1)


def _layout(e: Emitter, node: Node, x: Value) -> _Layout:
    dim, out = node.attrs["dim"], node.attrs["out_dim"]
    rest = x.dims[1:-1]
    if not e.is_padded(dim):
        return _Layout(dim, rest, out, None)
    lengths = e.align(*e.length(dim), rest)
    if len(rest) != 1:
        lengths = e.op("Reshape", e.op("Expand", lengths, e.shape(rest)), e.ints(-1))
    return _Layout(dim, rest, out, lengths)


def _int32(e: Emitter, layout: _Layout) -> str:
    return e.cast(layout.lengths, "int64", "int32") if layout.lengths else ""


def _reversed(e: Emitter, x: str, layout: _Layout) -> str:
    return e.op("ReverseSequence", x, layout.lengths or "", time_axis=0, batch_axis=1)


def _options(node: Node, layout: _Layout) -> dict[str, Any]:
    whole = node.attrs["reverse"] and layout.lengths is None
    return {"hidden_size": node.attrs["out_dim"].size, "direction": "reverse" if whole else "forward"}


def _last(e: Emitter, value: Value, initial: Value, last: str, layout: _Layout) -> str:
    """A last state [N, H]: the initial one for an empty sequence."""
    if value not in e.used or is_zero(initial):
        return layout.leave(e, last)
    zero = e.constant(0, "int64")
    if layout.lengths is None:
        some = e.op("Greater", e.extent(layout.dim), zero)
    else:
        some = e.unsqueeze(e.op("Greater", layout.lengths, zero), [1])
    held = e.squeeze(layout.state(e, initial), [0])
    return layout.leave(e, e.op("Where", some, last, held))


def _single(e: Emitter, node: Node, op_type: str, weights: list[str], initial: Sequence[Value]) -> list[str]:
    """One direction: the output and the last states."""
    x = node.operands[0]
    layout = _layout(e, node, x)
    turned = node.attrs["reverse"] and layout.lengths is not None
    entered = layout.enter(e, x)
    entered = _reversed(e, entered, layout) if turned else entered
    states = ["" if all(map(is_zero, initial)) else layout.state(e, v) for v in initial]
    inputs = [entered, *weights, _int32(e, layout), *states]
    y, *lasts = e.multi(op_type, inputs, 1 + len(initial), **_options(node, layout))
    y = e.squeeze(y, [1])
    y = _reversed(e, y, layout) if turned else y
    ends = [
        _last(e, value, start, e.squeeze(last, [0]), layout)
        for value, start, last in zip(node.results[1:], initial, lasts, strict=True)
    ]
    return [layout.leave(e, y, layout.dim), *ends]


def _lstm_weights(e: Emitter, node: Node, w: Value, w_re: Value, bias: Value) -> list[str]:
    size = node.attrs["out_dim"].size
    return [
        blocks(e, [w], size, _LSTM_BLOCKS, matrix=True),
        blocks(e, [w_re], size, _LSTM_BLOCKS, matrix=True),
        blocks(e, [bias], size, _LSTM_BLOCKS, matrix=False),
    ]


@emits("lstm", kernel="LSTM")
def _lstm(e: Emitter, node: Node) -> list[str]:
    _, w, w_re, bias, h0, c0 = node.operands
    return _single(e, node, "LSTM", _lstm_weights(e, node, w, w_re, bias), [h0, c0])


def _has_gates(node: Node, region: Region, format_: Format) -> str | None:
    dtypes = dict.fromkeys(v.dtype for v in node.operands)
    return None if list(dtypes) == ["float32"] else f"its nodes are written in float32, not in {', '.join(dtypes)}"


@emits("gru", kernel="GRU")
def _gru(e: Emitter, node: Node) -> list[str]:
    _, w, w_re, bias, wc, wc_re, bias_c, h0 = node.operands
    size = node.attrs["out_dim"].size
    order = (*_GRU_BLOCKS, 2)
    weights = [
        blocks(e, [w, wc], size, order, matrix=True),
        blocks(e, [w_re, wc_re], size, order, matrix=True),
        blocks(e, [bias, bias_c], size, order, matrix=False),
    ]
    return _single(e, node, "GRU", weights, [h0])


def _both_ways(node: Node, name: str) -> tuple[Value, Value]:
    """An operand of the forward and of the backward direction."""
    return node.operand(f"{name}_fw"), node.operand(f"{name}_bw")


@emits("blstm", kernel="LSTM, bidirectional")
def _blstm(e: Emitter, node: Node) -> list[str]:
    """Both directions in one node."""
    x, h0, c0 = node.operand("x"), _both_ways(node, "h0"), _both_ways(node, "c0")
    layout = _layout(e, node, x)
    sides = zip(*(_both_ways(node, name) for name in ("w", "w_re", "bias")), strict=True)
    both = [_lstm_weights(e, node, *side) for side in sides]
    weights = [e.join(pair, 0) for pair in zip(*both, strict=True)]
    states = ["", ""]
    if not all(map(is_zero, (*h0, *c0))):
        states = [e.concat([layout.state(e, v) for v in pair], 0) for pair in (h0, c0)]
    inputs = [layout.enter(e, x), *weights, _int32(e, layout), *states]
    options = {"hidden_size": node.attrs["out_dim"].size, "direction": "bidirectional"}
    y, h, c = e.multi("LSTM", inputs, 3, **options)
    ys = e.halves(y, 1)
    (h_fw, h_bw), (c_fw, c_bw) = e.halves(h, 0), e.halves(c, 0)
    lasts = [(h_fw, h0[0]), (c_fw, c0[0]), (h_bw, h0[1]), (c_bw, c0[1])]
    ends = [_last(e, v, start, last, layout) for v, (last, start) in zip(node.results[2:], lasts, strict=True)]
    return [*(layout.leave(e, part, layout.dim) for part in ys), *ends]


@emits("lstm_cell", check=_has_gates, kernel="one Sigmoid for three gates")
def _lstm_cell(e: Emitter, node: Node) -> list[str]:
    """Gates [..., 4n], state [..., n]; a step that makes its gates of several products is no step of ONNX's LSTM."""
    gates, c = e.operands(node)
    size: int = node.attrs["out_dim"].size
    j, opened = e.multi("Split", [gates, e.ints(size, 3 * size)], 2, axis=-1)
    i, f, o = e.multi("Split", [e.op("Sigmoid", opened), e.ints(size, size, size)], 3, axis=-1)
    following = e.op("Add", e.op("Mul", f, c), e.op("Mul", i, e.op("Tanh", j)))
    return [e.op("Mul", o, e.op("Tanh", following)), following]
