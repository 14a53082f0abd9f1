"""Element types in expressions: ``tf.float32``, ``"float32"`` or a tensor's own."""

from __future__ import annotations

from dataclasses import dataclass

from returnn_ir.errors import UnsupportedError
from returnn_ir.facade.access import shown
from returnn_ir.ir.types import DTYPES, TEXT, is_float, is_integer
from returnn_ir.ops.reduce import highest, lowest

__all__ = ["DType", "dtype_name"]


@shown("name")
@dataclass(frozen=True)
class DType:
    """An element type as TensorFlow's ``DType``."""

    name: str

    @property
    def is_floating(self) -> bool:
        """Whether it has fractions."""
        return is_float(self.name) and not self.is_complex

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer."""
        return is_integer(self.name)

    @property
    def is_bool(self) -> bool:
        """Whether it is a truth value."""
        return self.name == "bool"

    @property
    def is_complex(self) -> bool:
        """Whether it is complex."""
        return self.name.startswith("complex")

    @property
    def base_dtype(self) -> DType:
        """Itself."""
        return self

    @property
    def max(self) -> float:
        """The largest finite number."""
        return highest(self.name)

    @property
    def min(self) -> float:
        """The smallest finite number."""
        return lowest(self.name)

    def __eq__(self, other: object) -> bool:
        return self.name == (other.name if isinstance(other, DType) else other)

    def __hash__(self) -> int:
        return hash(self.name)


def dtype_name(dtype: object) -> str:
    """NumPy's name of an element type, however the expression gives it."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    name = {"int": "int32", "float": "float32"}.get(str(name), str(name))
    if name not in DTYPES or name == TEXT:
        raise UnsupportedError(f"the element type {dtype!r}")
    return name
