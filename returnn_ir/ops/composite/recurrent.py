"""LSTM and GRU over a dim. The bodies are loops; they are the meaning and the parameter layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Precision, Scope, Tail, get_op
from returnn_ir.ir.signature import DIM, Attr
from returnn_ir.ir.types import TensorType
from returnn_ir.ops.composite.spec import composite

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _slice(b: Builder, x: Value, dim: Dim, out: Dim, block: int) -> Value:
    size = b.size(out)
    return b.op("slice", x, dim=dim, out=out, start=block * size, end=(block + 1) * size)


def _infer(states: int, scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Output [dim, ..., out_dim] and the last states [..., out_dim]."""
    x = types[0]
    rest = tuple(d for d in x.dims if d not in (attrs["dim"], attrs["in_dim"]))
    y = TensorType(x.dtype, (attrs["dim"], *rest, attrs["out_dim"]))
    state = TensorType(x.dtype, (*rest, attrs["out_dim"]))
    return [y, *[state] * states]


def _masked(b: Builder, y: Value, dim: Dim) -> Value:
    return b.where(b.mask(dim), y, 0.0) if b.needs_mask(dim) else y


def _start(b: Builder, state: Value, x: Value, attrs: Attrs) -> Value:
    """An initial state with all axes of the input: hypotheses may have one, and start from the same state."""
    return b.expand(state, *(d for d in x.dims if d not in (attrs["dim"], attrs["in_dim"])))


def _reversed(b: Builder, x: Value, attrs: Attrs) -> Value:
    return b.op("reverse", x, dim=attrs["dim"], ragged=True) if attrs["reverse"] else x


def _lstm(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Hochreiter & Schmidhuber (1997) with forget gate, gates in RETURNN's NativeLstm2 order: cell input j, i, f, o.

    Operands: x [dim, ..., in_dim], w [in_dim, gate_dim], w_re [state_in, gate_dim], bias [gate_dim],
    h0, c0 [..., out_dim].
    """
    x, w, w_re, bias, h0, c0 = operands
    gate, out = attrs["gate_dim"], attrs["out_dim"]
    projected = b.add(b.dot(_reversed(b, x, attrs), w, attrs["in_dim"]), bias)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        h, c = carries
        recurrent = b.dot(b.rename(h, (out, attrs["state_in"])), w_re, attrs["state_in"])
        z = b.add(slices[0], recurrent)
        j, i_, f, o = (_slice(b, z, gate, out, k) for k in range(4))
        kept = b.mul(b.unary("sigmoid", f), c)
        c_next = b.add(kept, b.mul(b.unary("sigmoid", i_), b.unary("tanh", j)))
        h_next = b.mul(b.unary("sigmoid", o), b.unary("tanh", c_next))
        return [h_next, c_next], [h_next]

    starts = [_start(b, state, x, attrs) for state in (h0, c0)]
    (h, c), (y,) = b.loop(attrs["dim"], starts, [projected], step)
    return [_masked(b, _reversed(b, y, attrs), attrs["dim"]), h, c]


def _gru(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Cho et al. (2014), reset before the matrix product (TensorFlow's GRUCell); gate order reset, update.

    Operands: x [dim, ..., in_dim], w [in_dim, gate_dim], w_re [state_in, gate_dim], bias [gate_dim],
    wc [in_dim, out_dim], wc_re [state_in, out_dim], bias_c [out_dim], h0 [..., out_dim].
    """
    x, w, w_re, bias, wc, wc_re, bias_c, h0 = operands
    gate, out, state_in = attrs["gate_dim"], attrs["out_dim"], attrs["state_in"]
    x = _reversed(b, x, attrs)
    gates = b.add(b.dot(x, w, attrs["in_dim"]), bias)
    candidates = b.add(b.dot(x, wc, attrs["in_dim"]), bias_c)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        h = carries[0]
        z = b.unary("sigmoid", b.add(slices[0], b.dot(b.rename(h, (out, state_in)), w_re, state_in)))
        r, u = _slice(b, z, gate, out, 0), _slice(b, z, gate, out, 1)
        reset = b.rename(b.mul(r, h), (out, state_in))
        candidate = b.unary("tanh", b.add(slices[1], b.dot(reset, wc_re, state_in)))
        following = b.add(b.mul(u, h), b.mul(b.sub(1.0, u), candidate))
        return [following], [following]

    (h,), (y,) = b.loop(attrs["dim"], [_start(b, h0, x, attrs)], [gates, candidates], step)
    return [_masked(b, _reversed(b, y, attrs), attrs["dim"]), h]


def _blstm(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """A forward and a backward LSTM over the same input, which runtimes have one kernel for.

    Operands: x, then w, w_re, bias, h0, c0 of the forward and of the backward one, as ``lstm`` has them.
    Results: y forward, y backward, last h and c forward, last h and c backward.
    """
    x, *rest = operands
    lstm = get_op("lstm")
    y_fw, h_fw, c_fw = b.emit(lstm, [x, *rest[:5]], {**attrs, "reverse": False})
    y_bw, h_bw, c_bw = b.emit(lstm, [x, *rest[5:]], {**attrs, "reverse": True})
    return [y_fw, y_bw, h_fw, c_fw, h_bw, c_bw]


def _infer_blstm(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    y, h, c = _infer(2, scope, types, attrs)
    return [y, y, h, c, h, c]


_BOTH_WAYS = {
    "dim": DIM,
    "in_dim": DIM,
    "out_dim": DIM,
    "gate_dim": Attr(Dim, doc="static, 4 (lstm) or 2 (gru) blocks of out_dim's size"),
    "state_in": Attr(Dim, doc="out_dim under another tag, the rows of the recurrent weights"),
}
_ATTRS = {**_BOTH_WAYS, "reverse": Attr(bool, False)}
_LSTM = ("w", "w_re", "bias", "h0", "c0")
_GRU = ("x", "w", "w_re", "bias", "wc", "wc_re", "bias_c", "h0")


def _lstm_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    rest = tuple(d for d in types[0].dims if d not in (attrs["dim"], attrs["in_dim"]))
    gate, out = attrs["gate_dim"], attrs["out_dim"]
    state = (*rest, out)
    weights = [(attrs["in_dim"], gate), (attrs["state_in"], gate), (gate,)]
    return [(attrs["dim"], *rest, attrs["in_dim"]), *weights, state, state]


def _blstm_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    x, *rest = _lstm_order(types, attrs)
    return [x, *rest, *rest]


def _gru_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    out = attrs["out_dim"]
    x, w, w_re, bias, state, _ = _lstm_order(types, attrs)
    return [x, w, w_re, bias, (attrs["in_dim"], out), (attrs["state_in"], out), (out,), state]


composite(
    "lstm",
    ("x", *_LSTM),
    _ATTRS,
    _lstm,
    infer=lambda s, t, a: _infer(2, s, t, a),
    tail=Tail.ZERO,
    order=_lstm_order,
    precision=Precision.ANY,
)
composite(
    "blstm",
    ("x", *(f"{name}_{way}" for way in ("fw", "bw") for name in _LSTM)),
    _BOTH_WAYS,
    _blstm,
    infer=_infer_blstm,
    tail=Tail.ZERO,
    order=_blstm_order,
    precision=Precision.ANY,
)
composite(
    "gru",
    _GRU,
    _ATTRS,
    _gru,
    infer=lambda s, t, a: _infer(1, s, t, a),
    tail=Tail.ZERO,
    order=_gru_order,
    precision=Precision.ANY,
)
