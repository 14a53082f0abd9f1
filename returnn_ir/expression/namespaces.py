"""What ``tf`` and RETURNN's helpers are inside an expression: stand-ins whose functions emit IR ops."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Set
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.dtypes import DType
from returnn_ir.expression.table import find_function, tensor_function_names
from returnn_ir.ir.types import DTYPES

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["TENSOR_PARTS", "Missing", "Namespace", "TensorNames"]

#: Modules of TensorFlow in which the functions of the table are looked for.
TENSOR_PARTS = ("math", "nn", "compat", "v1", "v2", "linalg", "dtypes", "random", "signal", "debugging")
_PARTS = (*TENSOR_PARTS, "summary", "keras", "ops", "experimental", "numpy")


class TensorNames(Set[str]):
    """What an expression of a config that is data may look up in ``tf`` and its modules."""

    def _names(self) -> frozenset[str]:
        return tensor_function_names().union(TENSOR_PARTS, DTYPES, ("newaxis",))

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())


class Namespace(ModuleType):
    """A module of functions from the table; ``tf.math`` is the same as ``tf``.

    Args:
        b: where the functions put their ops.
        path: how it is called, for messages.
    """

    expression_names: ClassVar[TensorNames] = TensorNames()

    def __init__(self, b: Tracer, path: str) -> None:
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
            from returnn_ir.expression.numbered import Numbered

            return Numbered
        if name.endswith("_initializer"):
            return functools.partial(_initializer, name)
        found = find_function(self._b, name)
        return found if found is not None else Missing(f"{self.__name__}.{name}")


def _initializer(name: str, *args: object, **options: object) -> str:
    """An initialiser of TensorFlow as RETURNN's options describe it; what seeds it has no meaning here."""
    given = {key: value for key, value in options.items() if key not in ("seed", "dtype")}
    return f"{name}({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in given.items())])})"


class Missing:
    """A function that is not compiled; it may be named and imported, and only what is called is missed."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, *args: object, **options: object) -> Any:
        """Refused: the expression cannot be compiled."""
        raise UnsupportedError(f"{self._path} has no counterpart in the IR")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(f"{self._path}.{name} has no counterpart in the IR")
