"""What ``tensorflow`` is to a config's code that runs on TensorFlow's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar

from returnn_ir.expression.namespaces import TensorNames

__all__ = ["OtherVersion", "TensorFunctions", "Tensorflow"]


class OtherVersion(BaseException):
    """A name that the version of TensorFlow that was meant first does not have."""


class Tensorflow(ModuleType):
    """TensorFlow of one version, with the names of another one where it has none.

    Args:
        modules: the version that is meant first.
        strict: names of the other version raise :class:`OtherVersion`.
    """

    def __init__(self, modules: Sequence[Any], *, strict: bool = False) -> None:
        super().__init__(modules[0].__name__)
        self.__path__: list[str] = []
        self._modules = modules
        self._strict = strict

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = [getattr(module, name) for module in self._modules if hasattr(module, name)]
        if not found:
            raise AttributeError(f"TensorFlow has no {self.__name__}.{name}")
        if self._strict and not hasattr(self._modules[0], name):
            raise OtherVersion(f"{self.__name__}.{name}")
        return self._part(found) if isinstance(found[0], ModuleType) else found[0]

    def _part(self, modules: Sequence[ModuleType]) -> ModuleType:
        return Tensorflow(modules, strict=self._strict) if len(modules) > 1 else modules[0]


class TensorFunctions(Tensorflow):
    """The same for an expression of a config that is data: the functions of the table, none of TensorFlow's modules."""

    expression_names: ClassVar[TensorNames] = TensorNames()

    def __getattr__(self, name: str) -> Any:
        if name not in self.expression_names:
            raise AttributeError(f"TensorFlow's {self.__name__}.{name} is not for a config that is data")
        return None if name == "newaxis" else super().__getattr__(name)

    def _part(self, modules: Sequence[ModuleType]) -> ModuleType:
        return TensorFunctions(modules, strict=self._strict)
