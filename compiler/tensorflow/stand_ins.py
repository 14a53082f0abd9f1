"""What ``tensorflow`` is to a config's code that runs on TensorFlow's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

__all__ = ["OtherVersion", "Tensorflow"]


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
        both = isinstance(found[0], ModuleType) and len(found) > 1
        return Tensorflow(found, strict=self._strict) if both else found[0]
