"""Tensor types: an element type, the dims, and for labels the dim that they index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim

__all__ = ["DTYPES", "TEXT", "TensorType", "is_float", "is_integer", "numpy_dtype", "promote"]

#: Texts, which only a config's Python code makes and reads; ops that move entries move them too.
TEXT = "string"
DTYPES = (
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    TEXT,
)


@dataclass(frozen=True)
class TensorType:
    """What a value is.

    Attributes:
        dtype: NumPy's name of the element type, or :data:`TEXT`.
        dims: the axes. Up to the MASKED stage their order means nothing; in TARGET it is the order in memory.
        sparse_dim: for labels and indices, the dim whose entries they number.
    """

    dtype: str
    dims: tuple[Dim, ...] = ()
    sparse_dim: Dim | None = None

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise IRError(f"unknown dtype {self.dtype!r}, expected one of {', '.join(DTYPES)}")

    def __str__(self) -> str:
        sparse = f" sparse {self.sparse_dim.name}" if self.sparse_dim else ""
        return f"{self.dtype}[{', '.join(d.name for d in self.dims)}]{sparse}"

    def same_as(self, other: TensorType) -> bool:
        """Equal up to the order of the axes."""
        return (
            self.dtype == other.dtype
            and self.sparse_dim is other.sparse_dim
            and len(self.dims) == len(other.dims)
            and set(self.dims) == set(other.dims)
        )

    def without(self, dims: Iterable[Dim]) -> TensorType:
        """This type with some axes gone."""
        gone = set(dims)
        return replace(self, dims=tuple(d for d in self.dims if d not in gone))

    def with_dims(self, dims: Iterable[Dim]) -> TensorType:
        """This type with other axes."""
        return replace(self, dims=tuple(dims))

    def axis(self, dim: Dim) -> int:
        """The position of ``dim``; only meaningful in the TARGET stage."""
        return self.dims.index(dim)


def is_float(dtype: str) -> bool:
    """Whether the element type has fractions."""
    return dtype.startswith(("float", "complex"))


def is_integer(dtype: str) -> bool:
    """Whether the element type is a signed or unsigned integer."""
    return dtype.startswith(("int", "uint"))


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """NumPy's element type; texts are objects there."""
    return np.dtype(object if dtype == TEXT else dtype)


def promote(a: str, b: str) -> str:
    """The element type of ``a op b``: the float one of a mixed pair (float16 + int64 is float16), else the wider."""
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    return str(np.promote_types(a, b))
