"""onnxruntime sessions on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["open_session"]


def open_session(model: bytes | str | Path) -> Any:
    """An ``onnxruntime.InferenceSession`` of a serialized model or a file, errors logged only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    source = str(model) if isinstance(model, Path) else model
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
