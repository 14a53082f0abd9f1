"""What ``tf`` and RETURNN's helpers are inside an expression: stand-ins whose functions emit IR ops."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from returnn_ir.expression.dtypes import DType
from returnn_ir.expression.positional import UnsupportedError
from returnn_ir.expression.table import find_function
from returnn_ir.types import DTYPES

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["Namespace"]

_PARTS = ("math", "nn", "compat", "v1", "v2", "linalg", "dtypes", "random", "keras", "ops", "experimental", "numpy")


class Namespace(ModuleType):
    """A module of functions from the table; ``tf.math`` is the same as ``tf``.

    Args:
        b: where the functions put their ops.
        path: how it is called, for messages.
    """

    def __init__(self, b: LayerBuilder, path: str) -> None:
        super().__init__(path)
        self.__path__: list[str] = []
        self._b = b

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _PARTS:
            return Namespace(self._b, f"{self.__name__}.{name}")
        if name in DTYPES:
            return DType(name)
        if name == "newaxis":
            return None
        if name in ("Tensor", "Variable"):
            from returnn_ir.expression.positional import Positional

            return Positional
        found = find_function(self._b, name)
        return found if found is not None else _Missing(f"{self.__name__}.{name}")


class _Missing:
    """A function that is not in the table; it may be imported, and only what is called is missed."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, *args: object, **options: object) -> Any:
        raise UnsupportedError(f"{self._path} has no counterpart in the IR")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(f"{self._path}.{name} has no counterpart in the IR")
