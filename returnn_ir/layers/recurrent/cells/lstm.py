"""The LSTM cell that all LSTM units are made of.

All weights are in RETURNN's native layout, which is that of the composite ``lstm``: W [in, 4n], W_re [n, 4n], b [4n]
with the gates cell input j, input i, forget f, output o.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from returnn_ir.layers.recurrent.cells.base import SINGLE, Cell, State

__all__ = ["CellStateOnly", "Extras", "LstmCell"]


@dataclass(frozen=True)
class Extras:
    """What the composites ``lstm`` and ``lstm_cell`` do not have.

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

    @property
    def none_of_cell(self) -> bool:
        """Whether the composite ``lstm_cell`` does for what becomes of the gates: a projection is behind it."""
        return replace(self, projection=None, proj_clip=None).none


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
            return b.op("gather", self.w, b.labels(x, self.feature), dim=self.feature)
        return b.rename(x, (self.feature, self.gate)) if self.w is None else b.dot(x, self.w, self.feature)

    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame."""
        recurrent = b.dot(b.rename(state["h"], (self.out, self.previous)), self.w_re, self.previous)
        z = b.add(inputs[0], recurrent)
        if self.extras.none_of_cell:
            h, c = b.emit(get_op("lstm_cell"), [z, state["c"]], {"out_dim": self.out, "gate_dim": self.gate})
        else:
            h, c = self._by_parts(b, z, state["c"])
        if self.extras.projection is not None:
            weights, rows = self.extras.projection
            h = _clipped(b, b.dot(b.rename(h, (self.out, rows)), weights, rows), self.extras.proj_clip)
        return h, {"c": c, "h": h}

    def _by_parts(self, b: Builder, z: Value, c: Value) -> tuple[Value, Value]:
        """Output and cell of gates before their activations, with what ``lstm_cell`` does not have."""
        extras = self.extras
        j, i, f, o = (_block(b, z, self.gate, self.out, k) for k in range(4))
        if extras.peepholes is not None:
            f = b.add(f, b.mul(extras.peepholes[0], c))
            i = b.add(i, b.mul(extras.peepholes[1], c))
        kept = b.mul(b.unary("sigmoid", f), c)
        c = _clipped(b, b.add(kept, b.mul(b.unary("sigmoid", i), self._activate(b, j))), extras.cell_clip)
        if extras.peepholes is not None:
            o = b.add(o, b.mul(extras.peepholes[2], c))
        return b.mul(b.unary("sigmoid", o), self._activate(b, c)), c

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
            size = b.size(self.gate)
            b.require_room(size, size)
            w = b.const(np.eye(size, dtype="float32"), dims=(feature, self.gate))
        attrs = {"dim": dim, "in_dim": feature, "out_dim": self.out, "gate_dim": self.gate, "state_in": self.previous}
        operands = [x, w, self.w_re, self.bias, state["h"], state["c"]]
        y, h, c = b.emit(get_op("lstm"), operands, {**attrs, "reverse": reverse})
        return y, {"c": c, "h": h}


def _block(b: Builder, x: Value, dim: Dim, out: Dim, block: int) -> Value:
    size = b.size(out)
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
        """One frame, before which the output was zero: it is not part of the state."""
        c = state[SINGLE]
        y, following = self.lstm.step(b, inputs, {"c": c, "h": b.expand(b.const(0.0), *c.dims)})
        return y, {SINGLE: following["c"]}

    def over(self, b: Builder, x: Value, dim: Dim, state: State, *, reverse: bool) -> tuple[Value, State]:
        """All frames."""
        c = state[SINGLE]
        y, last = self.lstm.over(b, x, dim, {"c": c, "h": b.expand(b.const(0.0), *c.dims)}, reverse=reverse)
        return y, {SINGLE: last["c"]}
