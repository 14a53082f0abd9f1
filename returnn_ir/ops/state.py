"""Where values come from: inputs, parameters, constants, random draws; and opaque calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.ops.spec import OpSpec, Scope, Trait, register
from returnn_ir.types import TensorType

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _declared(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [TensorType(attrs["dtype"], attrs["dims"], attrs["sparse_dim"])]


def _const(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """``value``: a Python scalar, or a NumPy array whose axes are ``dims``."""
    return [TensorType(attrs["dtype"], attrs["dims"], attrs["sparse_dim"])]


def _random(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """A draw of shape ``dims``: ``uniform`` in [0, 1) or ``normal`` (0, 1).

    It follows from (random_seed, step, ``path``, loop index) alone; the reference target's ``random`` module says how.
    """
    return [TensorType(attrs["dtype"], attrs["dims"])]


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

register(OpSpec("input", 0, {"name": ..., **_TYPED}, _declared, _ROOT))
# init: what an untrained model starts with, see returnn_ir.initializers
register(OpSpec("param", 0, {"name": ..., "init": None, **_TYPED}, _declared, _ROOT))
register(OpSpec("train_step", 0, {}, _train_step, _ROOT))
register(OpSpec("const", 0, {"value": ..., **_TYPED}, _const))
register(
    OpSpec("random", 0, {"kind": ..., "path": ..., "dtype": "float32", "dims": ...}, _random, frozenset({Trait.RANDOM}))
)
register(
    OpSpec("opaque", None, {"function": ..., "axes": ..., "reason": ..., **_TYPED}, _opaque, frozenset({Trait.EFFECT}))
)
register(OpSpec("gradient", 2, {}, _gradient, frozenset({Trait.EFFECT})))
