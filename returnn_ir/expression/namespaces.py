"""What ``tf`` and RETURNN's helpers are inside an expression: stand-ins whose functions emit IR ops."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from returnn_ir.expression.dtypes import DType
from returnn_ir.expression.positional import UnsupportedError
from returnn_ir.expression.table import find_function
from returnn_ir.types import DTYPES

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["Namespace", "imports_replaced"]

_PARTS = ("math", "nn", "compat", "v1", "v2", "linalg", "dtypes", "random", "keras", "ops", "experimental", "numpy")
_LOCK = threading.RLock()
_MODULES = (
    "tensorflow",
    "tensorflow.compat",
    "tensorflow.compat.v1",
    "returnn",
    "returnn.tf",
    "returnn.tf.compat",
    "returnn.tf.util",
    "returnn.tf.util.basic",
    "TFUtil",
    "TFCompat",
)


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
        if found is None:
            raise UnsupportedError(f"{self.__name__}.{name} has no counterpart in the IR")
        return found


@contextmanager
def imports_replaced(b: LayerBuilder) -> Iterator[None]:
    """``import tensorflow`` inside gives the stand-in: for Python functions that are tried out on symbolic tensors."""
    with _LOCK:
        kept = {name: sys.modules[name] for name in _MODULES if name in sys.modules}
        for name in _MODULES:
            sys.modules[name] = Namespace(b, name.replace("tensorflow", "tf"))
        try:
            yield
        finally:
            for name in _MODULES:
                del sys.modules[name]
            sys.modules.update(kept)
