"""What a recurrent cell is: a step, and how to run it over an axis."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.construct.initializers import Init
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["SINGLE", "Cell", "CellScope", "Inits", "State", "activation_op"]

#: By RETURNN's key: ``c`` and ``h``; :data:`SINGLE` where the state is one tensor.
State = Mapping[str, Value]

#: The key of a state that is one tensor.
SINGLE = ""


@dataclass(frozen=True)
class Inits:
    """The layer's initialisers; None: the one that comes next.

    A variable without an initialiser of its own takes that of the scope: recurrent, else forward, else Glorot's.
    """

    forward: Init = None
    recurrent: Init = None
    bias: Init = None

    @property
    def default(self) -> Init:
        """For a variable without an initialiser of its own."""
        if self.recurrent is not None:
            return self.recurrent
        return self.forward if self.forward is not None else "glorot_uniform"

    @property
    def input_weights(self) -> Init:
        """For what multiplies the input."""
        return self.forward if self.forward is not None else self.default


@dataclass(frozen=True)
class CellScope:
    """Where a cell is made.

    Attributes:
        feature: of the input; for labels what they number.
        sparse: the input is labels.
        rest: the axes of a state besides ``out``.
        out: of the cell's output.
        input_projection: the input is multiplied with a matrix.
    """

    b: LayerBuilder
    feature: Dim
    sparse: bool
    rest: tuple[Dim, ...]
    out: Dim
    inits: Inits
    input_projection: bool = True

    @property
    def units(self) -> int:
        """The size of the output."""
        return self.b.size(self.out)

    def param(
        self, name: str, dims: tuple[Dim, ...], init: Init, splits: Mapping[Dim, Sequence[int]] | None = None
    ) -> Value:
        """A parameter of the cell; for ``splits`` see ``LayerBuilder.param``. RETURNN has them of its native units."""
        return self.b.param(name, dims, init, splits=splits)

    def gates(self, count: int = 4) -> Dim:
        """The dim of ``count`` blocks of the output's size."""
        return self.b.dim(f"gates{count}", count * self.units, feature=True)

    def previous(self) -> Dim:
        """The output's dim under another tag: the rows of recurrent weights."""
        return self.b.dim("state", self.units, feature=True)

    def split_rows(self, weights: Value, rows: Dim, previous: Dim) -> tuple[Value, Value]:
        """Weights over (input, previous output) as those for the input and those for the previous output."""
        size = self.b.size(self.feature)
        upper = self.b.op("slice", weights, dim=rows, out=self.feature, start=0, end=size)
        return upper, self.b.op("slice", weights, dim=rows, out=previous, start=size, end=None)

    def require_dense(self, unit: str) -> None:
        """Refuse labels."""
        if self.sparse:
            raise ConfigError(
                f"unit {unit!r} does not take labels",
                where=self.b.place("from"),
                hint="put a linear layer in front, or use nativelstm2",
            )

    def mask(self, rate: float, role: str) -> Value | None:
        """A dropout mask for the state, the same in every frame; None where there is none."""
        if not rate or not self.b.training:
            return None
        dims = (*self.rest, self.out)
        if self.b.in_loop:
            with self.b.outside_loop():
                return self.b.dropout(self.b.expand(self.b.const(1.0), *dims), rate, dims, role)
        return self.b.dropout(self.b.expand(self.b.const(1.0), *dims), rate, dims, role)


class Cell(ABC):
    """One recurrent cell with its parameters.

    Attributes:
        keys: of its state, in RETURNN's order.
    """

    keys: tuple[str, ...] = (SINGLE,)

    @abstractmethod
    def inputs(self, b: Builder, x: Value) -> list[Value]:
        """What of the step depends on the input alone: computed for all frames at once."""

    @abstractmethod
    def step(self, b: Builder, inputs: list[Value], state: State) -> tuple[Value, State]:
        """One frame: output and next state."""

    def over(self, b: Builder, x: Value, dim: Dim, state: State, *, reverse: bool) -> tuple[Value, State]:
        """All frames along ``dim``: output (zero behind a sequence's end) and last state."""

        def body(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            output, following = self.step(b, slices, dict(zip(self.keys, carries, strict=True)))
            return [following[k] for k in self.keys], [output]

        turned = b.op("reverse", x, dim=dim, ragged=True) if reverse else x
        last, (y,) = b.loop(dim, [state[k] for k in self.keys], self.inputs(b, turned), body)
        if b.needs_mask(dim):
            y = b.where(b.mask(dim), y, 0.0)
        y = b.op("reverse", y, dim=dim, ragged=True) if reverse else y
        return y, dict(zip(self.keys, last, strict=True))


_ACTIVATIONS = {
    name: name for name in ("relu", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "exp", "silu")
} | {"swish": "silu", "exponential": "exp"}


def activation_op(b: LayerBuilder, given: object, default: str = "tanh") -> str | None:
    """The op of a cell's ``activation``: a name, or a function of TensorFlow; None for the identity."""
    if given is None:
        return default
    name = given if isinstance(given, str) else str(getattr(given, "__name__", given)).rpartition(".")[2].rstrip(">'")
    if name in ("linear", "identity"):
        return None
    if name not in _ACTIVATIONS:
        raise ConfigError(
            f"unit_opts: unknown activation {given!r}",
            where=b.place("unit_opts"),
            expected=", ".join(sorted(_ACTIVATIONS)),
            hint=did_you_mean(name, _ACTIVATIONS),
        )
    return _ACTIVATIONS[name]
