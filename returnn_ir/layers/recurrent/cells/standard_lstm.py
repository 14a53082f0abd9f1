"""TensorFlow's LSTM cells, and zoneout around them: one kernel [in + n, 4n] with the gates i, j, f, o."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.errors import ConfigError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.cells.base import Cell, CellScope, State, activation_op
from returnn_ir.layers.recurrent.cells.lstm import Extras, LstmCell
from returnn_ir.options import Finite, NonNegative, Share, Size

__all__ = ["BasicOptions", "StandardOptions", "ZoneoutCell", "ZoneoutOptions", "basic_lstm", "standard_lstm", "zoneout"]


@dataclass(frozen=True)
class StandardOptions:
    """``unit_opts`` of TensorFlow's LSTMCell.

    Attributes:
        use_peepholes: gates see the cell (Gers and Schmidhuber 2000).
        cell_clip: the largest absolute value of the cell.
        initializer: initial value of the weights.
        num_proj: size of the projected output, which is n_out.
        proj_clip: the largest absolute value of the projected output.
        forget_bias: added to the forget gate.
        activation: of the input and of the cell; None: tanh.
        name: of the cell's variables.
    """

    use_peepholes: bool = False
    cell_clip: NonNegative | None = None
    initializer: Init = None
    num_proj: Size | None = None
    proj_clip: NonNegative | None = None
    forget_bias: Finite = 1.0
    activation: Any = None
    name: str | None = None


@dataclass(frozen=True)
class BasicOptions:
    """``unit_opts`` of TensorFlow's BasicLSTMCell.

    Attributes:
        forget_bias: added to the forget gate.
        activation: of the input and of the cell; None: tanh.
        name: of the cell's variables.
    """

    forget_bias: Finite = 1.0
    activation: Any = None
    name: str | None = None


def basic_lstm(scope: CellScope, unit: str, opts: BasicOptions) -> LstmCell:
    """``basiclstm``: TensorFlow's BasicLSTMCell."""
    full = StandardOptions(
        forget_bias=opts.forget_bias, activation=opts.activation, name=opts.name or "basic_lstm_cell"
    )
    return _standard(scope, unit, full)


def standard_lstm(scope: CellScope, unit: str, opts: StandardOptions) -> LstmCell:
    """``standardlstm``: TensorFlow's LSTMCell, kernel [in + n, 4n] and gates i, j, f, o, forget bias added."""
    return _standard(scope, unit, opts)


def _standard(scope: CellScope, unit: str, opts: StandardOptions) -> LstmCell:
    scope.require_dense(unit)
    b, gate, previous, n = scope.b, scope.gates(), scope.previous(), scope.units
    rows = b.dim("rows", b.size(scope.feature) + n, feature=True)
    init = option_init(opts, "initializer") or scope.inits.default
    name = opts.name or "lstm_cell"
    kernel = _native_order(b, scope.param(f"{name}/kernel", (rows, gate), init), gate, scope.out)
    bias = _native_order(b, scope.param(f"{name}/bias", (gate,), 0.0), gate, scope.out)
    if opts.forget_bias:
        b.require_room(4, n)
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
    n = b.size(out)
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


@dataclass(frozen=True)
class ZoneoutOptions:
    """``unit_opts`` of ``zoneoutlstm``; ``use_zoneout_output`` by the behaviour version unless given.

    Attributes:
        zoneout_factor_cell: the probability that an entry of the cell stays.
        zoneout_factor_output: the probability that an entry of the output stays.
        use_zoneout_output: the output is the zoned-out one; None: by the behaviour version.
    """

    zoneout_factor_cell: Share = 0.0
    zoneout_factor_output: Share = 0.0
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


def zoneout(scope: CellScope, unit: str, opts: ZoneoutOptions) -> ZoneoutCell:
    """``zoneoutlstm``: around TensorFlow's LSTMCell."""
    factors = {"c": opts.zoneout_factor_cell, "h": opts.zoneout_factor_output}
    zoned = scope.b.behavior.zoneout_output if opts.use_zoneout_output is None else opts.use_zoneout_output
    return ZoneoutCell(_standard(scope, unit, StandardOptions()), factors, zoned, scope)
