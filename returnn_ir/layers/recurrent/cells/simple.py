"""GRU, the plain recurrent network and the recurrent highway network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from returnn_ir.layers.recurrent.cells.base import SINGLE, Cell, CellScope, State, activation_op
from returnn_ir.options import Finite, Share, Size

__all__ = [
    "GruCell",
    "GruOptions",
    "HighwayCell",
    "HighwayOptions",
    "PlainCell",
    "PlainOptions",
    "basic_rnn",
    "gru",
    "highway",
]


@dataclass(frozen=True)
class GruOptions:
    """``unit_opts`` of TensorFlow's GRUCell.

    Attributes:
        activation: of the candidate; None: tanh.
        kernel_initializer: initial value of the weights.
        bias_initializer: initial value of the biases; None: 1 for gates, 0 for the candidate.
        name: of the cell's variables.
    """

    activation: Any = None
    kernel_initializer: Init = None
    bias_initializer: Init = None
    name: str | None = None


@dataclass(frozen=True)
class GruCell(Cell):
    """GRU, reset before the matrix product (Cho et al. 2014); gate order reset, update.

    Attributes:
        gates: [in, 2n], [n, 2n], [2n].
        candidate: [in, n], [n, n], [n].
    """

    feature: Dim
    out: Dim
    gate: Dim
    previous: Dim
    gates: tuple[Value, Value, Value]
    candidate: tuple[Value, Value, Value]
    activation: str | None = "tanh"

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """Of the gates and of the candidate."""
        return [b.add(b.dot(x, w, self.feature), bias) for w, _, bias in (self.gates, self.candidate)]

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        h, n = state[SINGLE], b.size(self.out)
        recurrent = b.dot(b.rename(h, (self.out, self.previous)), self.gates[1], self.previous)
        z = b.unary("sigmoid", b.add(inputs[0], recurrent))
        r, u = (b.op("slice", z, dim=self.gate, out=self.out, start=k * n, end=(k + 1) * n) for k in range(2))
        reset = b.rename(b.mul(r, h), (self.out, self.previous))
        candidate = b.add(inputs[1], b.dot(reset, self.candidate[1], self.previous))
        if self.activation is not None:
            candidate = b.unary(self.activation, candidate)
        following = b.add(b.mul(u, h), b.mul(b.sub(1.0, u), candidate))
        return following, {SINGLE: following}

    def over(self, b: Builder, x: Value, dim: Dim, state: State, *, reverse: bool) -> tuple[Value, State]:
        """As the composite ``gru``, which has tanh."""
        if self.activation != "tanh":
            return super().over(b, x, dim, state, reverse=reverse)
        attrs = {"dim": dim, "in_dim": self.feature, "out_dim": self.out, "gate_dim": self.gate}
        operands = [x, *self.gates, *self.candidate, state[SINGLE]]
        y, h = b.emit(get_op("gru"), operands, {**attrs, "state_in": self.previous, "reverse": reverse})
        return y, {SINGLE: h}


def gru(scope: CellScope, unit: str, opts: GruOptions) -> GruCell:
    """``gru``: TensorFlow's GRUCell, kernels [in + n, 2n] and [in + n, n]."""
    scope.require_dense(unit)
    b, gate, previous = scope.b, scope.gates(2), scope.previous()
    rows = b.dim("rows", b.size(scope.feature) + scope.units, feature=True)
    init = option_init(opts, "kernel_initializer") or scope.inits.default

    def part(name: str, columns: Dim, bias_init: float) -> tuple[Value, Value, Value]:
        full = f"{opts.name or 'gru_cell'}/{name}"
        w, w_re = scope.split_rows(scope.param(f"{full}/kernel", (rows, columns), init), rows, previous)
        return (
            w,
            w_re,
            scope.param(f"{full}/bias", (columns,), option_init(opts, "bias_initializer") or bias_init),
        )

    gates, candidate = part("gates", gate, 1.0), part("candidate", scope.out, 0.0)
    activation = activation_op(b, opts.activation)
    return GruCell(scope.feature, scope.out, gate, previous, gates, candidate, activation)


@dataclass(frozen=True)
class PlainOptions:
    """``unit_opts`` of TensorFlow's BasicRNNCell.

    Attributes:
        activation: of the output; None: tanh.
        name: of the cell's variables.
    """

    activation: Any = None
    name: str | None = None


@dataclass(frozen=True)
class PlainCell(Cell):
    """``h' = activation(x W + h W_re + b)`` (Elman 1990)."""

    feature: Dim
    out: Dim
    previous: Dim
    w: Value
    w_re: Value
    bias: Value
    activation: str | None

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """[..., n]."""
        return [b.add(b.dot(x, self.w, self.feature), self.bias)]

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        recurrent = b.dot(b.rename(state[SINGLE], (self.out, self.previous)), self.w_re, self.previous)
        h = b.add(inputs[0], recurrent)
        h = b.unary(self.activation, h) if self.activation is not None else h
        return h, {SINGLE: h}


def basic_rnn(scope: CellScope, unit: str, opts: PlainOptions) -> PlainCell:
    """``basicrnn``: TensorFlow's BasicRNNCell, kernel [in + n, n]."""
    scope.require_dense(unit)
    b, previous = scope.b, scope.previous()
    rows = b.dim("rows", b.size(scope.feature) + scope.units, feature=True)
    name = opts.name or "basic_rnn_cell"
    kernel = scope.param(f"{name}/kernel", (rows, scope.out), scope.inits.default)
    bias = scope.param(f"{name}/bias", (scope.out,), 0.0)
    w, w_re = scope.split_rows(kernel, rows, previous)
    return PlainCell(scope.feature, scope.out, previous, w, w_re, bias, activation_op(b, opts.activation))


@dataclass(frozen=True)
class HighwayOptions:
    """``unit_opts`` of ``rhn``; the dropout of the state has one mask for all frames.

    Attributes:
        depth: layers in each step.
        dropout: of the state.
        dropout_seed: without effect: draws follow from the config's random_seed.
        transform_bias: initial bias of the transform gates.
    """

    depth: Size = 5
    dropout: Share = 0.0
    dropout_seed: int | None = None
    transform_bias: Finite | None = None


@dataclass(frozen=True)
class HighwayCell(Cell):
    """Recurrent highway network, carry gate 1 - transform gate (Zilly et al. 2017).

    Attributes:
        w, bias: [in, 2n], [2n]: tanh part, transform gate.
        depths: [n, 2n] each.
        mask: [..., n], dropout of the state.
    """

    feature: Dim
    out: Dim
    gate: Dim
    previous: Dim
    w: Value
    bias: Value
    depths: tuple[Value, ...]
    mask: Value | None

    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """[..., 2n]."""
        return [b.add(b.dot(x, self.w, self.feature), self.bias)]

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        s, n = state[SINGLE], b.size(self.out)
        for depth, weights in enumerate(self.depths):
            seen = b.mul(s, self.mask) if self.mask is not None else s
            z = b.dot(b.rename(seen, (self.out, self.previous)), weights, self.previous)
            z = b.add(z, inputs[0]) if depth == 0 else z
            h, t = (b.op("slice", z, dim=self.gate, out=self.out, start=k * n, end=(k + 1) * n) for k in range(2))
            s = b.add(s, b.mul(b.unary("sigmoid", t), b.sub(b.unary("tanh", h), s)))
        return s, {SINGLE: s}


def highway(scope: CellScope, unit: str, opts: HighwayOptions) -> HighwayCell:
    """``rhn``: parameters W, b and rhn_cell/depth_i/W."""
    scope.require_dense(unit)
    gate, previous, n = scope.gates(2), scope.previous(), scope.units
    scope.b.require_room(2, n)
    start = np.repeat([0.0, float(opts.transform_bias or 0.0)], n)
    w = scope.param("W", (scope.feature, gate), scope.inits.input_weights)
    bias = scope.param("b", (gate,), start)
    depths = tuple(
        scope.param(f"rhn_cell/depth_{i}/W", (previous, gate), scope.inits.default) for i in range(opts.depth)
    )
    mask = scope.mask(opts.dropout, "state_dropout")
    return HighwayCell(scope.feature, scope.out, gate, previous, w, bias, depths, mask)
