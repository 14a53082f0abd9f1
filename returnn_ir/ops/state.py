"""Where values come from: inputs, parameters, constants, random draws; and opaque calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Precision, Scope, Trait, register
from returnn_ir.ir.python_call import PythonCall
from returnn_ir.ir.signature import DIMS, AtLeast1, Attr, ElementType
from returnn_ir.ir.types import TensorType
from returnn_ir.options import DType

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _declared(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """What a run is given under ``name``."""
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


def _external(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """What ``program``, which is not part of this one, computes; every target refuses it."""
    return [TensorType(attrs["dtype"], attrs["dims"], attrs["sparse_dim"])]


def _gradient(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """d(sum of y) / dx; only the tf target accepts it."""
    return [types[1]]


_ROOT = frozenset({Trait.INPUT})
_TYPED = {"dtype": Attr(ElementType | Literal["string"]), "dims": DIMS, "sparse_dim": Attr(Dim | None, None)}
_LABELS = Attr(
    AtLeast1 | None, None, "who feeds it checks that valid frames are below, and puts 0 for others behind them"
)
_INIT = Attr(Any, None, "what an untrained model starts with, see `returnn_ir.construct.initializers`")

register(OpSpec("input", (), {"name": Attr(str), **_TYPED, "labels": _LABELS}, _declared, _ROOT))
register(
    OpSpec("param", (), {"name": Attr(str), "init": _INIT, **_TYPED}, _declared, _ROOT, precision=Precision.FOLLOW)
)
register(OpSpec("train_step", (), {}, _train_step, _ROOT))
_CONST = {"value": Attr(bool | float | complex | str | np.ndarray), **_TYPED}
register(OpSpec("const", (), _CONST, _const, precision=Precision.FOLLOW))
_RANDOM = {
    "kind": Attr(Literal["uniform", "normal", "bits"]),
    "path": Attr(str),
    "dtype": Attr(DType, "float32"),
    "dims": DIMS,
    "state": Attr(tuple[int, int, int] | None, None),
}
register(OpSpec("random", (), _RANDOM, _random, frozenset({Trait.RANDOM}), precision=Precision.FOLLOW))
_PRINT = {"title": Attr(str), "summarize": Attr(int | None, None)}
register(OpSpec("print", ("x",), _PRINT, _print, frozenset({Trait.EFFECT, Trait.MOVES}), precision=Precision.FOLLOW))
_CALL = {
    "function": Attr(PythonCall | Callable[..., Any]),
    "axes": Attr(tuple[tuple[Dim, ...], ...], doc="the order of each operand's"),
    "reason": Attr(str),
}
register(OpSpec("opaque", ("values*",), {**_CALL, **_TYPED}, _opaque, frozenset({Trait.EFFECT})))
#: What another program makes of the operands; no target runs it.
register(OpSpec("external", ("values+",), {"program": Attr(str), **_TYPED}, _external))
register(OpSpec("gradient", ("y", "x"), {}, _gradient, frozenset({Trait.DERIVATIVE}), precision=Precision.FOLLOW))
