"""A model in half precision, and how far its results drift from those in single precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from compiler.target.protocol import Array
from tests.gpu.provider import ProviderSession

__all__ = ["Drift", "drift", "half_feeds", "half_model"]

#: Largest difference relative to the largest entry, or the reason why there is none.
Drift = float | str

#: What masks and neutral elements may be at most.
_LARGEST = 65504.0


def half_model(model: Any) -> Any:
    """A copy whose every float32 is a float16, inputs and outputs too: the most that half precision can cost.

    onnxruntime's own converter keeps some ops in single precision, but makes invalid models of graphs in loops.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _convert(copy.graph)
    return copy


def _convert(graph: Any) -> None:
    from onnx import TensorProto

    for tensor in graph.initializer:
        _convert_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for attribute in (a for node in graph.node for a in node.attribute):
        if attribute.HasField("g"):
            _convert(attribute.g)
        elif attribute.HasField("t"):
            _convert_tensor(attribute.t)
        elif attribute.name in ("to", "dtype") and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16


def _convert_tensor(tensor: Any) -> None:
    from onnx import TensorProto, numpy_helper

    if tensor.data_type == TensorProto.FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(_half(numpy_helper.to_array(tensor)), tensor.name))


def _half(value: Array) -> Array:
    finite = np.isfinite(value)
    clipped = np.clip(value, -_LARGEST, _LARGEST, where=finite, out=value.copy())
    return np.asarray(clipped, np.float16)


def half_feeds(feeds: Mapping[str, Array]) -> dict[str, Array]:
    """The inputs of such a model."""
    return {name: _half(value) if value.dtype == np.float32 else value for name, value in feeds.items()}


def drift(model: Any, feeds: Mapping[str, Array], expected: Mapping[str, Array], provider: str) -> Drift:
    """The largest drift of all float outputs of a run in half precision."""
    try:
        received = ProviderSession(half_model(model), provider).run(half_feeds(feeds))
    except Exception as error:  # onnxruntime's errors have no base class: no number then, but the reason
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    largest = 0.0
    for name, exact in expected.items():
        if exact.dtype.kind != "f" or not exact.size:
            continue
        if received[name].shape != exact.shape:
            return f"{name}: other decisions, so that its shape is {received[name].shape} instead of {exact.shape}"
        counted = np.isfinite(exact) & (np.abs(exact) < _LARGEST)
        found = received[name][counted].astype(np.float64)
        if not np.isfinite(found).all():
            return f"{name}: overflow"
        scale = np.abs(exact[counted]).max(initial=0.0)
        difference = np.abs(exact[counted] - found).max(initial=0.0)
        largest = max(largest, float(difference / max(scale, 1e-5)))
    return largest
