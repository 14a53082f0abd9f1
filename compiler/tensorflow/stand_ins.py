"""What ``tensorflow`` and RETURNN's helpers are to a config's code that runs on TensorFlow's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf

__all__ = ["Helpers", "OtherVersion", "Tensorflow"]


class OtherVersion(BaseException):  # noqa: N818 - no error, and no ``except Exception`` of a config may catch it
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


class Helpers(ModuleType):
    """RETURNN's tensor helpers, as far as they are here."""

    def __init__(self) -> None:
        super().__init__("returnn.tf.util.basic")
        self.__path__: list[str] = []
        self.__dict__.update({f.__name__: f for f in (safe_log, safe_exp, where_bc)})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("tf", "util", "basic"):
            return self
        raise AttributeError(f"RETURNN's {name!r} is not available here")


def safe_log(x: tf.Tensor, eps: float = 1e-20) -> tf.Tensor:
    """``log(max(x, eps))`` with a gradient everywhere."""
    return tf.math.log(x + tf.stop_gradient(tf.maximum(x, eps) - x))


def safe_exp(x: tf.Tensor, eps: float = 1e-20) -> tf.Tensor:
    """``exp`` of ``x`` clipped, with a gradient everywhere."""
    limit = -tf.math.log(tf.cast(eps, x.dtype))
    return tf.exp(x + tf.stop_gradient(tf.clip_by_value(x, -limit, limit) - x))


def where_bc(condition: tf.Tensor, x: Any, y: Any, allow_broadcast_all_sources: Any = None) -> tf.Tensor:
    """``tf.where`` whose missing axes are behind."""
    parts = [tf.convert_to_tensor(p) for p in (condition, x, y)]
    rank = max(p.shape.rank for p in parts)
    for i, part in enumerate(parts):
        for _ in range(rank - part.shape.rank if part.shape.rank else 0):
            parts[i] = tf.expand_dims(parts[i], -1)
    return tf.where(*parts)
