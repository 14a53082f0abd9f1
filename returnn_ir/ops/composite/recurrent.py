"""LSTM and GRU over a dim, whose bodies are loops, and one step of an LSTM: the meaning and the parameter layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Precision, Scope, Tail, broadcast, get_op
from returnn_ir.ir.signature import DIM, Attr
from returnn_ir.ir.types import TensorType, promote
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


def _lstm_cell(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """What an LSTM does with its gates: h and c after the step.

    Operands: gates [..., gate_dim], before their activations: cell input j, i, f, o; c [..., out_dim] before the step.
    """
    gates, c = operands
    j, i, f, o = (_slice(b, gates, attrs["gate_dim"], attrs["out_dim"], k) for k in range(4))
    kept = b.mul(b.unary("sigmoid", f), c)
    following = b.add(kept, b.mul(b.unary("sigmoid", i), b.unary("tanh", j)))
    return [b.mul(b.unary("sigmoid", o), b.unary("tanh", following)), following]


def _infer_lstm_cell(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    gates, c = types
    gate, out = attrs["gate_dim"], attrs["out_dim"]
    fit = gate in gates.dims and out not in gates.dims and out in c.dims and gate not in c.dims
    if not fit or gate.size != 4 * (out.size or 0):
        raise IRError(f"lstm_cell of {gates} over {gate} and {c} over {out}")
    own = gates.with_dims(tuple(out if d is gate else d for d in gates.dims))
    return [TensorType(promote(gates.dtype, c.dtype), broadcast(scope, [own, c]))] * 2


def _lstm_cell_order(types: Types, attrs: Attrs) -> list[tuple[Dim, ...]]:
    """The blocks and the entries of the state last, what is in front of them in the order of the gates."""
    gates, c = types
    gate, out = attrs["gate_dim"], attrs["out_dim"]
    rest = [d for d in gates.dims if d is not gate]
    rest += [d for d in c.dims if d is not out and d not in rest]
    return [(*rest, gate), (*rest, out)]


def _lstm(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Hochreiter & Schmidhuber (1997) with forget gate, gates in RETURNN's NativeLstm2 order: cell input j, i, f, o.

    Operands: x [dim, ..., in_dim], w [in_dim, gate_dim], w_re [state_in, gate_dim], bias [gate_dim],
    h0, c0 [..., out_dim].
    """
    x, w, w_re, bias, h0, c0 = operands
    out = attrs["out_dim"]
    projected = b.add(b.dot(_reversed(b, x, attrs), w, attrs["in_dim"]), bias)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        h, c = carries
        recurrent = b.dot(b.rename(h, (out, attrs["state_in"])), w_re, attrs["state_in"])
        following = _lstm_cell(b, [b.add(slices[0], recurrent), c], attrs)
        return following, following[:1]

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
    "lstm_cell",
    ("gates", "c"),
    {name: _BOTH_WAYS[name] for name in ("out_dim", "gate_dim")},
    _lstm_cell,
    infer=_infer_lstm_cell,
    order=_lstm_cell_order,
    precision=Precision.ISLAND,  # its state is a sum over all steps
)
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
