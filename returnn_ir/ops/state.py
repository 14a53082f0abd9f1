"""Where values come from: inputs, parameters, constants, random draws; and opaque calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.op import OpSpec, Scope, Trait, register
from returnn_ir.ir.types import TensorType

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _declared(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [TensorType(attrs["dtype"], attrs["dims"], attrs["sparse_dim"])]


def _const(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """``value``: a Python scalar, or a NumPy array whose axes are ``dims``."""
    return [TensorType(attrs["dtype"], attrs["dims"], attrs["sparse_dim"])]


def _random(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """A draw of shape ``dims``: ``uniform`` in [0, 1), ``normal`` (0, 1), or ``bits``: integers below 2^32.

    It follows from (random_seed, step, ``path``, loop index) alone; the reference target's ``random`` module says how.
    With ``state``, three integers, it follows from these alone and is the same in every run.
    """
    if attrs["kind"] == "bits" and attrs["dtype"] != "int64":
        raise IRError(f"random bits are int64, not {attrs['dtype']}")
    return [TensorType(attrs["dtype"], attrs["dims"])]


def _print(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The operand; a run shows ``title`` and its first and last ``summarize`` entries along each axis (None: all)."""
    return list(types)


def _train_step(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The global training step, which a run is given as ``random/step`` (0 if absent)."""
    return [TensorType("int64")]


def _opaque(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """A Python callback; only the tf target accepts it. ``function`` takes and gives tensors in the axes' order."""
    return [TensorType(attrs["dtype"], attrs["dims"], attrs["sparse_dim"])]


def _gradient(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """d(sum of y) / dx; only the tf target accepts it."""
    return [types[1]]


_ROOT = frozenset({Trait.INPUT})
_TYPED: dict[str, object] = {"dtype": ..., "dims": ..., "sparse_dim": None}

# labels: whoever feeds it checks that valid frames hold numbers from 0 to labels - 1, and puts 0 for others behind them
register(OpSpec("input", 0, {"name": ..., **_TYPED, "labels": None}, _declared, _ROOT))
# init: what an untrained model starts with, see returnn_ir.construct.initializers
register(OpSpec("param", 0, {"name": ..., "init": None, **_TYPED}, _declared, _ROOT))
register(OpSpec("train_step", 0, {}, _train_step, _ROOT))
register(OpSpec("const", 0, {"value": ..., **_TYPED}, _const))
register(
    OpSpec(
        "random",
        0,
        {"kind": ..., "path": ..., "dtype": "float32", "dims": ..., "state": None},
        _random,
        frozenset({Trait.RANDOM}),
    )
)
register(OpSpec("print", 1, {"title": ..., "summarize": None}, _print, frozenset({Trait.EFFECT, Trait.MOVES})))
register(
    OpSpec("opaque", None, {"function": ..., "axes": ..., "reason": ..., **_TYPED}, _opaque, frozenset({Trait.EFFECT}))
)
register(OpSpec("gradient", 2, {}, _gradient, frozenset({Trait.DERIVATIVE})))
