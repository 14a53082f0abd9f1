"""The model that onnxruntime partitions: what its basic optimizations, which know no provider, make of a file.

What they do on the CPU they do for CUDA, too, but for half precision, which the CPU has few kernels for: there
onnxruntime puts casts between. A model with half precision is counted as it is written.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

__all__ = ["optimized"]


def optimized(model: Any) -> Any:
    """An ``onnx.ModelProto`` after constant folding and removal of what has no effect, as before partitioning."""
    import onnx
    import onnxruntime

    if _has_half(model.graph):
        return model
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(str(path))


def _has_half(graph: Any) -> bool:
    from onnx import TensorProto

    half = {TensorProto.FLOAT16, TensorProto.BFLOAT16}
    codes = [held.data_type for held in graph.initializer]
    codes += [held.type.tensor_type.elem_type for held in (*graph.input, *graph.output, *graph.value_info)]
    casts = [attribute.i for node in graph.node for attribute in node.attribute if attribute.name in ("to", "dtype")]
    inner = (attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g"))
    return not half.isdisjoint([*codes, *casts]) or any(map(_has_half, inner))
