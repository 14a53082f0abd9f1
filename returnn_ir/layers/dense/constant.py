"""Layers without sources: constants, the train flag, the training step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.settled_dims import known_dim
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import MAX_SIZE, DType, option_class

__all__ = ["static_axes"]


@option_class
class ConstantOptions(LayerOptions):
    """Options of ``constant``.

    Attributes:
        value: a number, or nested lists of numbers.
        shape: the axes, as Dims or sizes.
        dtype: of the entries.
        with_batch_dim: a batch axis of size one is added.
        sparse_dim: what the entries, as labels, number.
        feature_dim: which of the axes is the feature axis.
        shape_deps: layers whose sizes the shape names.
    """

    value: Any = 0.0
    shape: list[Any] | tuple[Any, ...] | None = None
    dtype: DType | None = None
    with_batch_dim: bool = False
    sparse_dim: Dim | None = None
    feature_dim: Dim | None = None
    shape_deps: LayerRef | list[LayerRef] | tuple[LayerRef, ...] = ()


@layer("constant", options=ConstantOptions, sources="none")
def constant(b: LayerBuilder, opt: ConstantOptions) -> LayerOutput:
    """A number or an array; a number fills ``shape``."""
    array = np.asarray(opt.value)
    if array.dtype.kind not in "bifu" or isinstance(opt.value, (str, bytes)):
        raise ConfigError("a constant is a number or an array", where=b.place("value"), received=f"{opt.value!r}")
    dtype = opt.dtype or _dtype_of(opt.value, array)
    deps = [opt.shape_deps] if isinstance(opt.shape_deps, str) else opt.shape_deps
    for dep in deps:
        b.layer(dep)
    axes = static_axes(b, opt.shape if opt.shape is not None else array.shape)
    sizes = [d.size for d in axes]
    if array.ndim and sizes != list(array.shape):
        raise ConfigError(
            "the value has another shape", where=b.place("shape"), expected=sizes, received=list(array.shape)
        )
    value = b.const(array, dtype, axes) if array.ndim else b.expand(b.const(array.item(), dtype), *axes)
    if opt.with_batch_dim and BATCH not in axes:
        value = b.expand(value, b.batch())
        axes = (BATCH, *axes)
    if opt.sparse_dim is not None:
        value = b.op("set_sparse", value, sparse_dim=opt.sparse_dim)
    time = default_time_dim(axes)
    sparse = opt.sparse_dim is not None
    feature = opt.feature_dim if opt.feature_dim is not None else default_feature_dim(axes, time, sparse=sparse)
    return LayerOutput(value, axes, time, feature)


def _dtype_of(value: object, array: np.ndarray[Any, Any]) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return str(array.dtype)
    return {"b": "bool", "i": "int32", "u": "int32", "f": "float32"}[array.dtype.kind]


def static_axes(b: LayerBuilder, shape: Sequence[Any], key: str = "shape") -> tuple[Dim, ...]:
    """The axes of a shape of sizes and dims; the last one is feature-like."""
    axes: list[Dim] = []
    for i, entry in enumerate(shape):
        if isinstance(entry, Dim):
            axes.append(b.batch() if entry.is_batch and entry.expr is None else known_dim(b, entry))
        elif isinstance(entry, (int, np.integer)) and not isinstance(entry, bool) and 0 <= entry <= MAX_SIZE:
            axes.append(b.dim(f"static:{i}", int(entry), feature=i == len(shape) - 1))
        else:
            raise ConfigError(
                "a shape consists of sizes and dims",
                where=b.place(key),
                expected=f"int from 0 to {MAX_SIZE}, or a Dim",
                received=repr(entry),
            )
    return tuple(axes)


@layer("train_flag", options=LayerOptions, sources="none")
def train_flag(b: LayerBuilder, opt: LayerOptions) -> LayerOutput:
    """Whether this program trains."""
    return LayerOutput(b.const(b.training, "bool"), ())


@layer("global_train_step", options=LayerOptions, sources="none")
def global_train_step(b: LayerBuilder, opt: LayerOptions) -> LayerOutput:
    """The number of training steps so far."""
    return LayerOutput(b.train_step(), ())
