"""Python functions of a config, run where ``tensorflow`` and RETURNN's helpers are stand-ins.

With the stand-ins of :mod:`returnn_ir.expression.namespaces` a function is called on symbolic tensors, and what it
computes becomes IR ops.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from returnn_ir.config.shim import LazyName
from returnn_ir.config.tensor_template import TensorTemplate
from returnn_ir.expression.namespaces import Namespace

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["HELPER_MODULES", "rebound", "traceable"]

#: Where configs import RETURNN's tensor helpers from.
HELPER_MODULES = (
    "returnn",
    "returnn.tensor",
    "returnn.tf",
    "returnn.tf.util",
    "returnn.tf.util.basic",
    "returnn.tf.util.data",
    "TFUtil",
)
_COMPAT_MODULES = ("returnn.tf.compat", "TFCompat")
_LOCK = threading.RLock()


def traceable(b: Tracer, value: Any) -> Any:
    """A plain Python function as one that works on symbolic tensors; other values stay."""
    return rebound(value, Namespace(b, "tf"), Namespace(b, "returnn.tf.util.basic"))


def rebound(value: Any, tensorflow: Any, helpers: Any) -> Any:
    """A plain Python function as one that sees stand-ins, in its globals and when it imports; other values stay."""
    if not isinstance(value, FunctionType):
        return value
    replaced = _Rebinder(tensorflow, helpers)
    copied = replaced.function(value)

    @functools.wraps(value)
    def call(*args: Any, **options: Any) -> Any:
        with _imports_replaced(tensorflow, helpers):
            return copied(*args, **options)

    return call


@contextmanager
def _imports_replaced(tensorflow: Any, helpers: Any) -> Iterator[None]:
    modules: dict[str, Any] = {"tensorflow": tensorflow, "tensorflow.compat": tensorflow.compat}
    modules["tensorflow.compat.v1"] = tensorflow.compat.v1
    modules.update(dict.fromkeys(_COMPAT_MODULES, tensorflow.compat))
    modules.update(dict.fromkeys(HELPER_MODULES, helpers))
    with _LOCK:
        kept = {name: sys.modules[name] for name in modules if name in sys.modules}
        sys.modules.update(modules)
        try:
            yield
        finally:
            for name in modules:
                del sys.modules[name]
            sys.modules.update(kept)


class _Rebinder:
    """Copies functions into globals where the names of TensorFlow and RETURNN are the stand-ins."""

    def __init__(self, tensorflow: Any, helpers: Any) -> None:
        self._tensorflow = tensorflow
        self._helpers = helpers
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
        if value is TensorTemplate:  # the name Data, imported while the config was loaded
            made = _member(self._helpers, ["Data"], value)
            return made if isinstance(made, type) else value
        path = getattr(value, "__name__", "") if isinstance(value, ModuleType) else ""
        if isinstance(value, LazyName):
            path = repr(value)[1:].partition(",")[0]
        root, *names = path.split(".")
        if root == "tensorflow":
            return _member(self._tensorflow, names, value)
        for module in sorted(HELPER_MODULES, key=len, reverse=True):
            if path == module or path.startswith(f"{module}."):
                rest = path.removeprefix(module).lstrip(".")
                return _member(self._helpers, rest.split(".") if rest else [], value)
        return value


def _member(stand_in: Any, names: list[str], original: Any) -> Any:
    """``tensorflow.nn.relu`` of the stand-in; a name that it lacks stays, and fails only if it is used."""
    for name in names:
        try:
            stand_in = getattr(stand_in, name)
        except Exception:  # the stand-ins refuse in several ways
            return original
    return stand_in
