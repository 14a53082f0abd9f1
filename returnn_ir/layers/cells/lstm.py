"""LSTM cells: RETURNN's native ones, TensorFlow's, and zoneout around TensorFlow's.

They differ in parameter layout and options. Inside all weights are in the native layout, which is that of the composite
``lstm``: W [in, 4n], W_re [n, 4n], b [4n] with the gates cell input j, input i, forget f, output o.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from returnn_ir.builder import Builder
from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, IRError
from returnn_ir.graph import Value
from returnn_ir.initializers import Init
from returnn_ir.layers.cells.base import SINGLE, Cell, CellScope, State, activation_op, parse_unit_options
from returnn_ir.ops.spec import get_op

__all__ = [
    "CellStateOnly",
    "LstmCell",
    "ZoneoutCell",
    "basic_lstm",
    "first_native_lstm",
    "native_lstm",
    "native_lstm_low_mem",
    "standard_lstm",
    "vanilla_lstm",
    "zoneout",
]


@dataclass(frozen=True)
class Extras:
    """What the composite ``lstm`` does not have.

    Attributes:
        activation: op name, None for the identity.
        peepholes: weights [n] of the cell in the forget, input and output gate.
        cell_clip: bound of the cell's absolute value.
        projection: [n (as rows), n].
        proj_clip: bound of the projected output's absolute value.
    """

    activation: str | None = "tanh"
    peepholes: tuple[Value, Value, Value] | None = None
    cell_clip: float | None = None
    projection: tuple[Value, Dim] | None = None
    proj_clip: float | None = None

    @property
    def none(self) -> bool:
        """Whether the composite does."""
        return self == Extras()


@dataclass(frozen=True)
class LstmCell(Cell):
    """LSTM with a forget gate (Hochreiter & Schmidhuber 1997, Gers et al. 1999; peepholes: Sak et al. 2014).

    Attributes:
        w: None where the input is the gates' input already.
    """

    feature: Dim
    out: Dim
    gate: Dim
    previous: Dim
    w: Value | None
    w_re: Value
    bias: Value
    sparse: bool = False
    extras: Extras = Extras()

    keys = ("c", "h")

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """[..., 4n]."""
        return [b.add(self._projected(b, x), self.bias)]

    def _projected(self, b: Builder, x: Value) -> Value:
        if self.sparse and self.w is not None:
            return b.op("gather", self.w, b.op("set_sparse", x, sparse_dim=None), dim=self.feature)
        return b.rename(x, (self.feature, self.gate)) if self.w is None else b.dot(x, self.w, self.feature)

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        c, extras = state["c"], self.extras
        z = b.add(inputs[0], b.dot(b.rename(state["h"], (self.out, self.previous)), self.w_re, self.previous))
        j, i, f, o = (_block(b, z, self.gate, self.out, k) for k in range(4))
        if extras.peepholes is not None:
            f = b.add(f, b.mul(extras.peepholes[0], c))
            i = b.add(i, b.mul(extras.peepholes[1], c))
        kept = b.mul(b.unary("sigmoid", f), c)
        c = _clipped(b, b.add(kept, b.mul(b.unary("sigmoid", i), self._activate(b, j))), extras.cell_clip)
        if extras.peepholes is not None:
            o = b.add(o, b.mul(extras.peepholes[2], c))
        h = b.mul(b.unary("sigmoid", o), self._activate(b, c))
        if extras.projection is not None:
            weights, rows = extras.projection
            h = _clipped(b, b.dot(b.rename(h, (self.out, rows)), weights, rows), extras.proj_clip)
        return h, {"c": c, "h": h}

    def _activate(self, b: Builder, x: Value) -> Value:
        return b.unary(self.extras.activation, x) if self.extras.activation is not None else x

    def over(self, b: Builder, x: Value, dim: Dim, state: State, *, reverse: bool) -> tuple[Value, State]:
        """As the composite ``lstm`` where that has all that is asked for."""
        if not self.extras.none:
            return super().over(b, x, dim, state, reverse=reverse)
        feature, w = self.feature, self.w
        if self.sparse or w is None:
            # the composite multiplies its input by a matrix: here that is the identity
            x = self._projected(b, x)
            feature = Dim(f"{self.gate.name}.in", self.gate.size, feature=True)
            x = b.rename(x, (self.gate, feature))
            w = b.const(np.eye(self.gate.size or 0, dtype="float32"), dims=(feature, self.gate))
        attrs = {"dim": dim, "in_dim": feature, "out_dim": self.out, "gate_dim": self.gate, "state_in": self.previous}
        operands = [x, w, self.w_re, self.bias, state["h"], state["c"]]
        y, h, c = b.emit(get_op("lstm"), operands, {**attrs, "reverse": reverse})
        return y, {"c": c, "h": h}


def _block(b: Builder, x: Value, dim: Dim, out: Dim, block: int) -> Value:
    size = out.size or 0
    return b.op("slice", x, dim=dim, out=out, start=block * size, end=(block + 1) * size)


def _clipped(b: Builder, x: Value, bound: float | None) -> Value:
    return x if bound is None else b.minimum(b.maximum(x, -float(bound)), float(bound))


@dataclass(frozen=True)
class CellStateOnly(Cell):
    """An LSTM kernel that shows the cell c alone as its state; the output before the first frame is zero."""

    lstm: LstmCell

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """Those of the LSTM."""
        return self.lstm.inputs(b, x)

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """There is none: the previous output is not part of the state."""
        raise IRError("a kernel for whole sequences has no step")

    def over(self, b: Builder, x: Value, dim: Dim, state: State, *, reverse: bool) -> tuple[Value, State]:
        """All frames."""
        c = state[SINGLE]
        y, last = self.lstm.over(b, x, dim, {"c": c, "h": b.expand(b.const(0.0), *c.dims)}, reverse=reverse)
        return y, {SINGLE: last["c"]}


# ---------------------------------------------------------------- native layout


@dataclass(frozen=True)
class NativeOptions:
    """``unit_opts`` of RETURNN's native LSTM."""

    forget_bias: float = 0.0
    rec_weight_dropout: float = 0.0
    rec_weight_dropout_shape: Any = None


def native_lstm(scope: CellScope, unit: str, given: Mapping[str, Any], *, input_projection: bool = True) -> LstmCell:
    """``nativelstm``, ``nativelstm2``: parameters W, b and W_re."""
    b, gate, previous = scope.b, scope.gates(), scope.previous()
    opts = parse_unit_options(b, unit, NativeOptions, given)
    if opts.forget_bias:
        raise ConfigError(
            f"unit {unit!r} adds no forget bias", where=b.place("unit_opts"), hint="set it by bias_init instead"
        )
    w, bias = None, b.expand(b.const(0.0), gate)
    if input_projection:
        w = scope.param("W", (scope.feature, gate), scope.inits.input_weights)
        bias = scope.param("b", (gate,), 0.0 if scope.inits.bias is None else scope.inits.bias)
    elif scope.sparse or scope.feature.size != gate.size:
        raise ConfigError(
            "input_projection False needs an input of four times the output's size",
            where=b.place("input_projection"),
            expected=gate.size,
            received="labels" if scope.sparse else scope.feature.size,
        )
    w_re = scope.param("W_re", (previous, gate), scope.inits.default)
    if opts.rec_weight_dropout and b.training:
        w_re = b.dropout(w_re, opts.rec_weight_dropout, _noise(b, opts, (previous, gate)), "rec_weight_dropout")
    return LstmCell(scope.feature, scope.out, gate, previous, w, w_re, bias, scope.sparse)


def _noise(b: Any, opts: NativeOptions, dims: tuple[Dim, Dim]) -> list[Dim]:
    shape = opts.rec_weight_dropout_shape
    if shape is None:
        return list(dims)
    if not isinstance(shape, (list, tuple)) or len(shape) != len(dims):
        raise ConfigError(
            "rec_weight_dropout_shape has one entry for the rows and one for the columns",
            where=b.place("unit_opts"),
            expected="e.g. (None, 1)",
            received=shape,
        )
    return [d for d, size in zip(dims, shape, strict=True) if size != 1]


@dataclass(frozen=True)
class FirstNativeOptions:
    """``unit_opts`` of RETURNN's first native LSTM."""

    forget_bias: float = 0.0


def first_native_lstm(
    scope: CellScope, unit: str, given: Mapping[str, Any], *, input_projection: bool = True
) -> CellStateOnly:
    """``nativelstm``: as ``nativelstm2``, but only the cell is its state."""
    opts = parse_unit_options(scope.b, unit, FirstNativeOptions, given)
    same = {"forget_bias": opts.forget_bias}
    return CellStateOnly(native_lstm(scope, unit, same, input_projection=input_projection))


def native_lstm_low_mem(scope: CellScope, unit: str, given: Mapping[str, Any]) -> CellStateOnly:
    """``nativelstmlowmem``: one matrix W for the input and, below it, the previous output."""
    scope.require_dense(unit)
    parse_unit_options(scope.b, unit, _NoOptions, given)
    b, gate, previous = scope.b, scope.gates(), scope.previous()
    rows = b.dim("rows", (scope.feature.size or 0) + scope.units, feature=True)
    weights = scope.param("W", (rows, gate), scope.inits.default)
    bias = scope.param("b", (gate,), 0.0)
    w, w_re = scope.split_rows(weights, rows, previous)
    return CellStateOnly(LstmCell(scope.feature, scope.out, gate, previous, w, w_re, bias))


@dataclass(frozen=True)
class _NoOptions:
    """A unit without options."""


def vanilla_lstm(scope: CellScope, unit: str, given: Mapping[str, Any]) -> LstmCell:
    """``vanillalstm``: the native layout, as a cell."""
    scope.require_dense(unit)
    parse_unit_options(scope.b, unit, _NoOptions, given)
    return native_lstm(replace(scope, inits=replace(scope.inits, bias=None)), unit, {})


# ---------------------------------------------------------------- TensorFlow's layout


@dataclass(frozen=True)
class StandardOptions:
    """``unit_opts`` of TensorFlow's LSTMCell."""

    use_peepholes: bool = False
    cell_clip: float | None = None
    initializer: Init = None
    num_proj: int | None = None
    proj_clip: float | None = None
    forget_bias: float = 1.0
    activation: Any = None
    name: str | None = None


@dataclass(frozen=True)
class BasicOptions:
    """``unit_opts`` of TensorFlow's BasicLSTMCell."""

    forget_bias: float = 1.0
    activation: Any = None
    name: str | None = None


def basic_lstm(scope: CellScope, unit: str, given: Mapping[str, Any]) -> LstmCell:
    """``basiclstm``: TensorFlow's BasicLSTMCell."""
    opts = parse_unit_options(scope.b, unit, BasicOptions, given)
    full = StandardOptions(
        forget_bias=opts.forget_bias, activation=opts.activation, name=opts.name or "basic_lstm_cell"
    )
    return _standard(scope, unit, full)


def standard_lstm(scope: CellScope, unit: str, given: Mapping[str, Any]) -> LstmCell:
    """``standardlstm``: TensorFlow's LSTMCell, kernel [in + n, 4n] and gates i, j, f, o, forget bias added."""
    return _standard(scope, unit, parse_unit_options(scope.b, unit, StandardOptions, given))


def _standard(scope: CellScope, unit: str, opts: StandardOptions) -> LstmCell:
    scope.require_dense(unit)
    b, gate, previous, n = scope.b, scope.gates(), scope.previous(), scope.units
    rows = b.dim("rows", (scope.feature.size or 0) + n, feature=True)
    init = opts.initializer if opts.initializer is not None else scope.inits.default
    name = opts.name or "lstm_cell"
    kernel = _native_order(b, scope.param(f"{name}/kernel", (rows, gate), init), gate, scope.out)
    bias = _native_order(b, scope.param(f"{name}/bias", (gate,), 0.0), gate, scope.out)
    if opts.forget_bias:
        added = np.repeat([0.0, 0.0, float(opts.forget_bias), 0.0], n)
        bias = b.add(bias, b.const(added, "float32", (gate,)))
    w, w_re = scope.split_rows(kernel, rows, previous)
    extras = Extras(
        activation=activation_op(b, opts.activation),
        peepholes=_peepholes(scope, name, init) if opts.use_peepholes else None,
        cell_clip=opts.cell_clip,
        projection=_projection(scope, name, opts, init),
        proj_clip=opts.proj_clip if opts.num_proj else None,
    )
    return LstmCell(scope.feature, scope.out, gate, previous, w, w_re, bias, extras=extras)


def _native_order(b: Builder, x: Value, gate: Dim, out: Dim) -> Value:
    """Gates i, j, f, o as j, i, f, o."""
    n = out.size or 0
    parts = [Dim(f"{gate.name}.{k}", n) for k in "jir"]
    rest = Dim(f"{gate.name}.fo", 2 * n)
    i = b.op("slice", x, dim=gate, out=parts[1], start=0, end=n)
    j = b.op("slice", x, dim=gate, out=parts[0], start=n, end=2 * n)
    others = b.op("slice", x, dim=gate, out=rest, start=2 * n, end=4 * n)
    return b.op("concat", j, i, others, dims=(parts[0], parts[1], rest), out=gate)


def _peepholes(scope: CellScope, name: str, init: Init) -> tuple[Value, Value, Value]:
    f, i, o = (scope.param(f"{name}/w_{k}_diag", (scope.out,), init) for k in "fio")
    return f, i, o


def _projection(scope: CellScope, name: str, opts: StandardOptions, init: Init) -> tuple[Value, Dim] | None:
    if opts.num_proj is None:
        return None
    if opts.num_proj != scope.units:
        raise ConfigError(
            "num_proj must be n_out, which is the number of units too",
            where=scope.b.place("unit_opts"),
            expected=scope.units,
            received=opts.num_proj,
        )
    rows = scope.b.dim("projected", scope.units, feature=True)
    return scope.param(f"{name}/projection/kernel", (rows, scope.out), init), rows


# ---------------------------------------------------------------- zoneout


@dataclass(frozen=True)
class ZoneoutOptions:
    """``unit_opts`` of ``zoneoutlstm``; ``use_zoneout_output`` by the behaviour version unless given."""

    zoneout_factor_cell: float = 0.0
    zoneout_factor_output: float = 0.0
    use_zoneout_output: bool | None = None


@dataclass(frozen=True)
class ZoneoutCell(Cell):
    """Zoneout (Krueger et al. 2017): each entry of the state keeps its old value with some probability.

    Outside of training the state is the expectation.

    Attributes:
        factors: by state key.
        zoned_output: the output is the zoned-out h, not that of the LSTM.
    """

    lstm: LstmCell
    factors: Mapping[str, float]
    zoned_output: bool
    scope: CellScope

    keys = ("c", "h")

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """Those of the LSTM."""
        return self.lstm.inputs(b, x)

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        output, new = self.lstm.step(b, inputs, state)
        zoned = {k: self._zoned(b, k, state[k], new[k]) for k in self.keys}
        return zoned["h"] if self.zoned_output else output, zoned

    def _zoned(self, b: Builder, key: str, old: Value, new: Value) -> Value:
        factor = self.factors[key]
        if not factor:
            return new
        layer = self.scope.b
        if layer.training:
            change = b.sub(new, old)
            kept = layer.dropout(change, factor, (*self.scope.rest, self.scope.out), f"zoneout_{key}")
            return b.add(b.mul(kept, 1.0 - factor), old)
        return b.add(b.mul(new, 1.0 - factor), b.mul(old, factor))

    def over(self, b: Builder, x: Value, dim: Dim, state: State, *, reverse: bool) -> tuple[Value, State]:
        """Without zoneout as the LSTM itself."""
        if any(self.factors.values()):
            return super().over(b, x, dim, state, reverse=reverse)
        return self.lstm.over(b, x, dim, state, reverse=reverse)


def zoneout(scope: CellScope, unit: str, given: Mapping[str, Any]) -> ZoneoutCell:
    """``zoneoutlstm``: around TensorFlow's LSTMCell."""
    opts = parse_unit_options(scope.b, unit, ZoneoutOptions, given)
    factors = {"c": opts.zoneout_factor_cell, "h": opts.zoneout_factor_output}
    for factor in factors.values():
        if not 0.0 <= factor <= 1.0:
            raise ConfigError(
                "a zoneout factor is a probability",
                where=scope.b.place("unit_opts"),
                expected="0 <= factor <= 1",
                received=factor,
            )
    zoned = scope.b.behavior.zoneout_output if opts.use_zoneout_output is None else opts.use_zoneout_output
    return ZoneoutCell(_standard(scope, unit, StandardOptions()), factors, zoned, scope)
