"""Discrete Fourier transforms of real signals: bodies are products with a matrix, kernels are the fast ones.

Definition, scaling and layout (bins 0 to size // 2 only, the inverse divides by the size) are those of
``numpy.fft.rfft`` and ``irfft``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Scope
from returnn_ir.ir.signature import DIM, AtLeast1, Attr
from returnn_ir.ir.types import TensorType
from returnn_ir.ops.composite.spec import composite

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _waves(samples: int, bins: int, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[samples, bins]: cosine and sine of every bin's phase at every sample.

    Whole turns are taken off, and the sine of half a turn is zero: the first bin and a last even one are real numbers.
    """
    turns = np.outer(np.arange(samples), np.arange(bins)) % size
    angles = 2 * np.pi * turns / size
    return np.cos(angles), np.where(2 * turns % size == 0, 0.0, np.sin(angles))


def _rfft(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """The bins ``out`` [size // 2 + 1] of ``size`` samples along ``dim``: others are cut off, missing ones are zero."""
    dim, out, size = attrs["dim"], attrs["out"], attrs["size"]
    cosine, sine = _waves(dim.size, out.size, size)
    used = np.arange(dim.size)[:, None] < size
    parts = [
        b.dot(operands[0], b.const(np.where(used, matrix, 0.0), "float32", (dim, out)), dim)
        for matrix in (cosine, 0.0 - sine)
    ]
    return [b.op("complex", *parts)]


def _irfft(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """The samples ``out`` of the bins along ``dim``; imaginary parts of the first and a last even bin are ignored."""
    dim, out = attrs["dim"], attrs["out"]
    size = out.size
    cosine, sine = (wave.T for wave in _waves(size, dim.size, size))
    bins = np.arange(dim.size)[:, None]
    single = (bins == 0) | (2 * bins == size)  # the others stand for their mirror images too
    weights = np.where(single, 1.0, 2.0) / size
    real = b.dot(b.unary("real", operands[0]), b.const(weights * cosine, "float32", (dim, out)), dim)
    imag = b.dot(b.unary("imag", operands[0]), b.const(weights * sine, "float32", (dim, out)), dim)
    return [b.sub(real, imag)]


def _transformed(type_: TensorType, dtypes: tuple[str, str], dim: Dim, out: Dim) -> list[TensorType]:
    if type_.dtype != dtypes[0] or dim not in type_.dims or dim.size is None or out.size is None:
        raise IRError(f"a Fourier transform of {type_} over {dim} to {out}: needs {dtypes[0]} and static axes")
    rest = type_.without([dim]).dims
    if out in rest:
        raise IRError(f"{type_} has the axis {out} already")
    return [TensorType(dtypes[1], (*rest, out))]


def _infer_rfft(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    if attrs["out"].size != attrs["size"] // 2 + 1:
        raise IRError(f"rfft of {attrs['size']} samples has not {attrs['out']} bins")
    return _transformed(types[0], ("float32", "complex64"), attrs["dim"], attrs["out"])


def _infer_irfft(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    if attrs["dim"].size is not None and attrs["dim"].size != attrs["out"].size // 2 + 1:
        raise IRError(f"irfft of {attrs['dim']} bins does not give {attrs['out']}")
    return _transformed(types[0], ("complex64", "float32"), attrs["dim"], attrs["out"])


def _last(types: Types, attrs: Attrs) -> list[tuple[Dim, ...] | None]:
    """The kernels transform the last axis."""
    return [(*types[0].without([attrs["dim"]]).dims, attrs["dim"])]


composite("rfft", ("x",), {"dim": DIM, "out": DIM, "size": Attr(AtLeast1)}, _rfft, infer=_infer_rfft, order=_last)
composite("irfft", ("x",), {"dim": DIM, "out": DIM}, _irfft, infer=_infer_irfft, order=_last)
