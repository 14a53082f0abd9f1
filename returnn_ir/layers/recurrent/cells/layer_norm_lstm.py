"""``layernormvariantslstm``: an LSTM with layer normalisation at the places that its options name.

The variants are those of Ba et al. 2016, RNMT+ (Chen et al. 2018), TensorFlow's LayerNormBasicLSTMCell and Sockeye.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from returnn_ir.construct.initializers import Init
from returnn_ir.errors import ConfigError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.cells.base import Cell, CellScope, State, activation_op
from returnn_ir.options import Finite, Share

__all__ = ["LayerNormLstmCell", "LayerNormOptions", "layer_norm_lstm"]


@dataclass(frozen=True)
class LayerNormOptions:
    """``unit_opts``; norm_gain, norm_shift and forget_bias are initial values.

    Attributes:
        norm_gain: initial scale of a normalisation.
        norm_shift: initial shift of a normalisation.
        forget_bias: initial bias of the forget gate.
        activation: of the input and of the cell; None: tanh.
        dropout: of the cell's input.
        dropout_h: of the previous output.
        dropout_seed: without effect: draws follow from the config's random_seed.
        with_concat: one matrix for input and previous output.
        global_norm: both products are normalised, each by itself.
        global_norm_joined: their sum is normalised.
        per_gate_norm: each gate is normalised.
        cell_norm: the cell is normalised.
        cell_norm_in_output: only where the output is made of it.
        hidden_norm: the output is normalised.
        variance_epsilon: added to a variance.
    """

    norm_gain: Finite = 1.0
    norm_shift: Finite = 0.0
    forget_bias: Finite = 0.0
    activation: Any = None
    dropout: Share = 0.0
    dropout_h: Share = 0.0
    dropout_seed: int | None = None
    with_concat: bool = False
    global_norm: bool = True
    global_norm_joined: bool = False
    per_gate_norm: bool = False
    cell_norm: bool = True
    cell_norm_in_output: bool = True
    hidden_norm: bool = False
    variance_epsilon: float = 1e-12


@dataclass(frozen=True)
class Norm:
    """Normalisation over ``dim`` with gain and, where there is one, shift."""

    dim: Dim
    gamma: Value
    beta: Value | None
    epsilon: float

    def __call__(self, b: Builder, x: Value) -> Value:
        """The normalised value."""
        centred = b.sub(x, b.reduce("mean", x, self.dim))
        variance = b.reduce("mean", b.mul(centred, centred), self.dim)
        y = b.mul(b.mul(centred, b.unary("rsqrt", b.add(variance, self.epsilon))), self.gamma)
        return b.add(y, self.beta) if self.beta is not None else y


@dataclass(frozen=True)
class LayerNormLstmCell(Cell):
    """The cell.

    Attributes:
        w, bias, w_re: gates i, j, f, o.
        norms: by the name in RETURNN's parameters (input_below, state_below, lstm_in, i_gate, ..., new_c, new_h).
        masks: dropout of the previous output (h) and of the cell's input (j).
    """

    opts: LayerNormOptions
    feature: Dim
    out: Dim
    gate: Dim
    previous: Dim
    w: Value
    bias: Value | None
    w_re: Value
    activation: str | None
    norms: Mapping[str, Norm] = field(default_factory=dict)
    masks: Mapping[str, Value | None] = field(default_factory=dict)

    keys = ("c", "h")

    def _norm(self, b: Builder, x: Value, name: str) -> Value:
        norm = self.norms.get(name)
        return norm(b, x) if norm is not None else x

    def _mask(self, b: Builder, x: Value, name: str) -> Value:
        mask = self.masks.get(name)
        return b.mul(x, mask) if mask is not None else x

    def _activate(self, b: Builder, x: Value) -> Value:
        return b.unary(self.activation, x) if self.activation is not None else x

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """[..., 4n], normalised where the input has a norm of its own."""
        z = b.dot(x, self.w, self.feature)
        z = b.add(z, self.bias) if self.bias is not None else z
        return [self._norm(b, z, "input_below")]

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        h, n = self._mask(b, state["h"], "h"), b.size(self.out)
        recurrent = b.dot(b.rename(h, (self.out, self.previous)), self.w_re, self.previous)
        z = self._norm(b, b.add(inputs[0], self._norm(b, recurrent, "state_below")), "lstm_in")
        i, j, f, o = (
            self._norm(b, b.op("slice", z, dim=self.gate, out=self.out, start=k * n, end=(k + 1) * n), f"{name}_gate")
            for k, name in enumerate("ijfo")
        )
        g = self._mask(b, self._activate(b, j), "j")
        raw = b.add(b.mul(b.unary("sigmoid", f), state["c"]), b.mul(b.unary("sigmoid", i), g))
        c = self._norm(b, raw, "new_c")
        shown = c if self.opts.cell_norm_in_output else raw
        new_h = self._norm(b, b.mul(b.unary("sigmoid", o), self._activate(b, shown)), "new_h")
        return new_h, {"c": c, "h": new_h}


def layer_norm_lstm(scope: CellScope, unit: str, opts: LayerNormOptions) -> LayerNormLstmCell:
    """``layernormvariantslstm``."""
    scope.require_dense(unit)
    b = scope.b
    _check(scope, opts)
    gate, previous = scope.gates(), scope.previous()
    biased = not (opts.global_norm or opts.global_norm_joined or opts.per_gate_norm)
    if opts.with_concat:
        rows = b.dim("rows", b.size(scope.feature) + scope.units, feature=True)
        weights = scope.param("W_ff_re", (rows, gate), scope.inits.default)
        bias = scope.param("bias_ff_re", (gate,), _bias_start(scope, opts)) if biased else None
        w, w_re = scope.split_rows(weights, rows, previous)
    else:
        w = scope.param("W_ff", (scope.feature, gate), scope.inits.input_weights)
        bias = scope.param("bias_ff", (gate,), _bias_start(scope, opts)) if biased else None
        w_re = scope.param("W_re", (previous, gate), scope.inits.default)
    masks = {"h": scope.mask(opts.dropout_h, "dropout_h"), "j": scope.mask(opts.dropout, "dropout_j")}
    activation = activation_op(b, opts.activation)
    norms = _norms(scope, opts, gate)
    return LayerNormLstmCell(opts, scope.feature, scope.out, gate, previous, w, bias, w_re, activation, norms, masks)


def _bias_start(scope: CellScope, opts: LayerNormOptions) -> Init:
    scope.b.require_room(4, scope.units)
    return np.repeat([0.0, 0.0, max(opts.forget_bias, 0.0), 0.0], scope.units)


def _norms(scope: CellScope, opts: LayerNormOptions, gate: Dim) -> dict[str, Norm]:
    def norm(name: str, dim: Dim, *, beta: bool = True, forget: bool = False) -> tuple[str, Norm]:
        gamma = scope.param(f"gamma_{name}", (dim,), opts.norm_gain)
        start = opts.norm_shift + (max(opts.forget_bias, 0.0) if forget else 0.0)
        shift = scope.param(f"beta_{name}", (dim,), start) if beta else None
        return name, Norm(dim, gamma, shift, opts.variance_epsilon)

    found = []
    if opts.global_norm:
        found += [norm("input_below", gate, forget=True), norm("state_below", gate, beta=False)]
    if opts.global_norm_joined:
        found += [norm("lstm_in", gate, forget=True)]
    if opts.per_gate_norm:
        found += [norm(f"{name}_gate", scope.out, forget=name == "f") for name in "ijfo"]
    if opts.cell_norm:
        found += [norm("new_c", scope.out)]
    if opts.hidden_norm:
        found += [norm("new_h", scope.out)]
    return dict(found)


def _check(scope: CellScope, opts: LayerNormOptions) -> None:
    exclusive = [n for n in ("global_norm", "global_norm_joined", "per_gate_norm") if getattr(opts, n)]
    if len(exclusive) > 1:
        raise ConfigError(
            f"unit_opts: {' and '.join(exclusive)} exclude each other",
            where=scope.b.place("unit_opts"),
            hint="global_norm is True unless it is given",
        )
    if opts.with_concat and opts.global_norm:
        raise ConfigError("unit_opts: with_concat needs global_norm False", where=scope.b.place("unit_opts"))
