"""Python functions of a config, called on symbolic tensors: what they compute becomes IR ops."""

from __future__ import annotations

import functools
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from returnn_ir.config.shim import LazyName
from returnn_ir.expression.namespaces import Namespace, imports_replaced

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder

__all__ = ["traceable"]


def traceable(b: LayerBuilder, value: Any) -> Any:
    """A plain Python function as one in which ``tf`` is the stand-in; other values stay."""
    if not isinstance(value, FunctionType):
        return value
    rebound = _Rebinder(b).function(value)

    @functools.wraps(value)
    def call(*args: Any, **options: Any) -> Any:
        with imports_replaced(b):
            return rebound(*args, **options)

    return call


class _Rebinder:
    """Copies functions into globals where TensorFlow's names are the stand-ins."""

    def __init__(self, b: LayerBuilder) -> None:
        self._b = b
        self._globals: dict[int, dict[str, Any]] = {}

    def function(self, f: FunctionType) -> FunctionType:
        """The same code in replaced globals."""
        copied = FunctionType(f.__code__, self._replaced(f.__globals__), f.__name__, f.__defaults__, f.__closure__)
        copied.__kwdefaults__ = f.__kwdefaults__
        return copied

    def _replaced(self, original: dict[str, Any]) -> dict[str, Any]:
        known = self._globals.get(id(original))
        if known is not None:
            return known
        made = self._globals[id(original)] = dict(original)
        for name, value in original.items():
            made[name] = self._value(value, original)
        return made

    def _value(self, value: Any, original: dict[str, Any]) -> Any:
        if isinstance(value, FunctionType) and value.__globals__ is original:
            return self.function(value)
        path = getattr(value, "__name__", "") if isinstance(value, ModuleType) else ""
        if isinstance(value, LazyName):
            path = repr(value)[1:].partition(",")[0]
        root, *rest = path.split(".")
        if root != "tensorflow" and not path.startswith("returnn.tf"):
            return value
        found: Any = Namespace(self._b, "tf")
        return _last(found, rest)


def _last(namespace: Any, names: list[str]) -> Any:
    """``tensorflow.nn.relu`` is the function relu; a module is the namespace itself."""
    from returnn_ir.expression.table import function_names

    return getattr(namespace, names[-1]) if names and names[-1] in function_names() else namespace
