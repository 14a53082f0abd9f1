"""What an untrained parameter starts with: RETURNN's initialisers, seeded per variable name."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Init", "initial_value"]

#: A number, an array, or RETURNN's description of an initialiser (a name, a call in a string, a dict with "class").
Init = Any


def initial_value(name: str, init: Init, shape: Sequence[int], dtype: str, seed: int = 42) -> NDArray[Any]:
    """The initial value of a parameter.

    The random stream depends on the variable's name and ``seed`` only, so adding a layer does not change the others.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return _draw(init, tuple(shape), rng).astype(dtype)


def _draw(init: Init, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    if isinstance(init, (int, float)):
        return np.full(shape, init)
    if init in ("zeros", None):
        return np.zeros(shape)
    fan_in = int(np.prod(shape[:-1])) if len(shape) > 1 else (shape[0] if shape else 1)
    fan_out = shape[-1] if shape else 1
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape)
