"""Tensor types: an element type, the dims, and for labels the dim that they index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim

__all__ = [
    "BFLOAT16",
    "DTYPES",
    "ELEMENT_TYPES",
    "TEXT",
    "TensorType",
    "in_dtype",
    "is_float",
    "is_integer",
    "numpy_dtype",
    "promote",
    "summed_dtype",
]

#: Texts, which only a config's Python code makes and reads; ops that move entries move them too.
TEXT = "string"
#: Those that a network may name.
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

#: The upper half of a float32, which NumPy does not have: it is kept in a float32 whose lower half is zero.
BFLOAT16 = "bfloat16"
#: Those of the IR: where precision is lowered, one more.
ELEMENT_TYPES = (*DTYPES, BFLOAT16)


def summed_dtype(dtype: str) -> str:
    """What numbers are added up in: those of 16 bits in float32."""
    return "float32" if dtype in (BFLOAT16, "float16") else dtype


@dataclass(frozen=True)
class TensorType:
    """What a value is.

    Attributes:
        dtype: NumPy's name of the element type, :data:`BFLOAT16` or :data:`TEXT`.
        dims: the axes. Up to the MASKED stage their order means nothing; in TARGET it is the order in memory.
        sparse_dim: for labels and indices, the dim whose entries they number.
    """

    dtype: str
    dims: tuple[Dim, ...] = ()
    sparse_dim: Dim | None = None

    def __post_init__(self) -> None:
        if self.dtype not in ELEMENT_TYPES:
            raise IRError(f"unknown dtype {self.dtype!r}, expected one of {', '.join(ELEMENT_TYPES)}")

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
    return dtype.startswith(("float", "complex", BFLOAT16))


def is_integer(dtype: str) -> bool:
    """Whether the element type is a signed or unsigned integer."""
    return dtype.startswith(("int", "uint"))


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The element type of NumPy's arrays that hold it; texts are objects there."""
    return np.dtype({TEXT: object, BFLOAT16: np.float32}.get(dtype, dtype))


def in_dtype(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """An array with each number as the element type has it: the nearest one, of two the even one."""
    held = array.astype(numpy_dtype(dtype), copy=False)
    if dtype != BFLOAT16:
        return held
    bits = np.ascontiguousarray(held).view(np.uint32)
    # half of the last place that stays; what ends in exactly half goes up only if that place is 1
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(held), held, rounded.view(np.float32).reshape(held.shape))


def promote(a: str, b: str) -> str:
    """The element type of ``a op b``: the float one of a mixed pair (float16 + int64 is float16), else the wider."""
    if a == b:
        return a
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    if BFLOAT16 in (a, b):  # no 16 bits hold all numbers of both kinds
        return promote("float32", a if b == BFLOAT16 else b)
    return str(np.promote_types(a, b))
