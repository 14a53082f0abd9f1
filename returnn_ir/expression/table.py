"""The functions that an expression may call, by their last name: ``tf.math.log`` and ``tf.log`` are one."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from returnn_ir.errors import IRError

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["ExpressionFunction", "find_function", "function", "function_names"]

#: The first argument is the builder, the others are those of the expression.
ExpressionFunction = Callable[..., Any]
F = TypeVar("F", bound=ExpressionFunction)

_FUNCTIONS: dict[str, ExpressionFunction] = {}
_FAMILIES = ("complex_numbers", "elementwise", "making", "reductions", "shapes", "special")


def function(*names: str) -> Callable[[F], F]:
    """Register a function under its names."""

    def add(f: F) -> F:
        for name in names:
            if name in _FUNCTIONS:
                raise IRError(f"expression function {name!r} is registered twice")
            _FUNCTIONS[name] = f
        return f

    return add


@functools.cache
def _load() -> None:
    for family in _FAMILIES:
        importlib.import_module(f"returnn_ir.expression.{family}")


def find_function(b: LayerBuilder, name: str) -> Callable[..., Any] | None:
    """The function of that name, ready to be called."""
    _load()
    found = _FUNCTIONS.get(name)
    return functools.partial(found, b) if found is not None else None


def function_names() -> list[str]:
    """All names, sorted."""
    _load()
    return sorted(_FUNCTIONS)
