"""The functions of numbers and small arrays that a text may call: those of ``math`` and NumPy that have no effects.

They are wrapped: NumPy computes with Python's objects if it is told to, and as many entries as one asks for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.limits import checked_count, checked_entries

__all__ = ["NUMBER_NAMES"]

_OF_MATH = frozenset(
    """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees dist e erf erfc exp expm1 fabs floor fmod
    fsum gamma gcd hypot inf isclose isfinite isinf isnan ldexp lgamma log log10 log1p log2 nan pi pow radians remainder
    sin sinh sqrt tan tanh tau trunc
    """.split()  # noqa: SIM905  # one name a line would be long
)
_CONSTANTS_OF_NUMPY = frozenset({"e", "euler_gamma", "inf", "nan", "newaxis", "pi"})
_TYPES = frozenset({f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)} - {"float8"})
_OF_NUMPY = frozenset(
    """
    abs absolute all any arccos arccosh arcsin arcsinh arctan arctan2 arctanh array asarray cbrt ceil clip cos cosh
    cumsum deg2rad dot exp exp2 expand_dims expm1 fabs floor hypot isfinite isinf isnan log log10 log1p log2 max maximum
    mean median min minimum mod outer power prod rad2deg reciprocal reshape round sign sin sinh sqrt square std sum tan
    tanh transpose trunc var where
    """.split()  # noqa: SIM905  # one name a line would be long
)


def _shape_of(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)


#: How many entries a function makes, whose arguments say so.
_MAKERS: Mapping[str, Callable[..., tuple[int, ...]]] = {
    "zeros": lambda shape, dtype=None: _shape_of(shape),
    "ones": lambda shape, dtype=None: _shape_of(shape),
    "full": lambda shape, fill_value, dtype=None: _shape_of(shape),
    "eye": lambda N, M=None, k=0, dtype=None: (N, N if M is None else M),
    "linspace": lambda start, stop, num=50, endpoint=True, dtype=None: (num,),
    "arange": lambda start, stop=None, step=1, dtype=None: (
        max(0, math.ceil((start if stop is None else stop - start) / step)),
    ),
}


def _require_numeric(name: str, value: Any) -> int:
    """The number of entries of an argument that is a number, an array, nested lists of numbers, or a type of these."""
    kind = type(value).__name__
    if isinstance(value, (list, tuple)):
        checked_entries(value)
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return value.size
    a_type = value in _TYPES if isinstance(value, str) else isinstance(value, type) and value in _ALLOWED_TYPES
    whole = isinstance(value, int) and -(2**63) <= value < 2**63
    if a_type or whole or value is None or isinstance(value, (float, complex, np.number, np.bool_)):
        return 1
    raise UnsupportedError(f"numpy.{name} of a {kind}")


_ALLOWED_TYPES = frozenset({bool, int, float, *(getattr(np, name) for name in _TYPES)})


def _wrapped(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(np, name)
    count = _MAKERS.get(name)

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        sizes = [_require_numeric(name, a) for a in (*args, *options.values())]
        checked_count(*(sizes if count is None else count(*args, **options)))
        return function(*args, **options)

    return call


class _Math:
    """The module ``math``."""

    expression_names: ClassVar[frozenset[str]] = _OF_MATH

    def __getattr__(self, name: str) -> Any:
        return getattr(math, name)


class _NumPy:
    """The module ``numpy``."""

    expression_names: ClassVar[frozenset[str]] = _OF_NUMPY | _TYPES | _CONSTANTS_OF_NUMPY | frozenset(_MAKERS)

    def __getattr__(self, name: str) -> Any:
        return _wrapped(name) if name in _OF_NUMPY or name in _MAKERS else getattr(np, name)


#: As RETURNN evaluates an initialiser's text: the names of ``math``, and both modules.
NUMBER_NAMES: Mapping[str, Any] = {
    **{name: getattr(math, name) for name in sorted(_OF_MATH)},
    "math": _Math(),
    "numpy": _NumPy(),
    "np": _NumPy(),
}
