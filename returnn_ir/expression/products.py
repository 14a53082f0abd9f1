"""Matrix products in expressions: the last two axes are matrices, those in front broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.numbered import Numbered, as_numbered, binary, copy_of_dim
from returnn_ir.expression.table import function
from returnn_ir.ir.dims import Dim

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["matmul"]


@function("matmul")
def _matmul(
    b: Tracer,
    x: object,
    y: object,
    transpose_a: object = False,
    transpose_b: object = False,
    adjoint_a: object = False,
    adjoint_b: object = False,
    name: object = None,
) -> Numbered:
    left, right = as_numbered(b, x), as_numbered(b, y)
    if "complex64" in (left.value.dtype, right.value.dtype):
        raise UnsupportedError("a matrix product of complex numbers")
    return matmul(
        _transposed(left) if transpose_a or adjoint_a else left,
        _transposed(right) if transpose_b or adjoint_b else right,
    )


def _transposed(x: Numbered) -> Numbered:
    _require_matrix(x)
    return Numbered(x.b, x.value, (*x.axes[:-2], x.axes[-1], x.axes[-2]))


def _require_matrix(x: Numbered) -> None:
    if x.rank < 2:
        raise UnsupportedError(f"a matrix product of a tensor with {x.rank} axes")


def matmul(left: Numbered, right: Numbered) -> Numbered:
    """``left @ right``: [..., M, K] and [..., K, N] give [..., M, N].

    Raises:
        UnsupportedError: axes that do not fit, or a batch axis in the place of M and N.
    """
    _require_matrix(left)
    _require_matrix(right)
    left, right = _without_ones(left), _without_ones(right)
    left, right, batch = _common_batch(left, right)
    if left.axes[-1] is None and right.axes[-2] is None:  # a product over one entry
        return binary("mul", *_rows_apart(left, right))
    inner, other = left.axes[-1], right.axes[-2]
    if inner is None or other is None:
        raise UnsupportedError(f"a matrix product over {inner} and {other}")
    left, right = _rows_apart(left, right)
    if other is not inner:
        if other.size is None or other.size != inner.size:
            raise UnsupportedError(f"a matrix product over {inner} and {other}")
        right = _renamed(right, other, inner)
    first, second = left.b.operands(left.value, right.value)
    value = left.b.dot(first, second, inner, mask=False)
    return Numbered(left.b, value, (*batch, left.axes[-2], right.axes[-1]))


def _without_ones(x: Numbered) -> Numbered:
    """Axes of size one only broadcast."""
    value = x.value
    for dim in x.axes:
        if dim is not None and dim.size == 1:
            value = x.b.op("squeeze", value, dim=dim)
    return Numbered(x.b, value, [None if d is None or d.size == 1 else d for d in x.axes])


def _common_batch(left: Numbered, right: Numbered) -> tuple[Numbered, Numbered, list[Dim | None]]:
    """Both over common axes in front of the matrices, and these axes."""
    batch: list[Dim | None] = []
    for i in range(3, max(left.rank, right.rank) + 1):
        a = left.axes[-i] if i <= left.rank else None
        c = right.axes[-i] if i <= right.rank else None
        if a is not None and c is not None and a is not c:
            if a.size is None or a.size != c.size:
                raise UnsupportedError(f"a matrix product over the axes {a} and {c}")
            right = _renamed(right, c, a)
        batch.insert(0, a if a is not None else c)
    return left, right, batch


def _rows_apart(left: Numbered, right: Numbered) -> tuple[Numbered, Numbered]:
    """M and N as axes of their own, that the other operand does not have."""
    rows, columns = left.axes[-2], right.axes[-1]
    if rows is not None and rows in right.axes[:-2]:
        left = _renamed(left, rows, copy_of_dim(left.b, rows, f"{rows.name}.rows"))
    if columns is not None and columns in left.axes:
        right = _renamed(right, columns, copy_of_dim(right.b, columns, f"{columns.name}.columns"))
    return left, right


def _renamed(x: Numbered, old: Dim, dim: Dim) -> Numbered:
    if dim in x.axes:  # on another axis: that one makes room
        x = _renamed(x, dim, copy_of_dim(x.b, dim, f"{dim.name}.other"))
    return Numbered(x.b, x.b.rename(x.value, (old, dim)), [dim if d is old else d for d in x.axes])
