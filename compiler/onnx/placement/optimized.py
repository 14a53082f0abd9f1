"""The model that onnxruntime partitions: what its basic optimizations, which know no provider, make of a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

__all__ = ["optimized"]


def optimized(model: Any) -> Any:
    """An ``onnx.ModelProto`` after constant folding and removal of what has no effect, as before partitioning."""
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(str(path))
