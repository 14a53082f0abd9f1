"""onnxruntime sessions on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from compiler.target.protocol import Array

__all__ = ["FileSession", "ModelSession", "OpenModel", "open_session"]


class ModelSession(Protocol):
    """A model file, loaded."""

    @property
    def inputs(self) -> list[str]:
        """The inputs that must be given."""

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name."""


#: Loads a file: :class:`FileSession`, or what its users load it with.
OpenModel = Callable[[Path], ModelSession]


def open_session(model: bytes | str | Path) -> Any:
    """An ``onnxruntime.InferenceSession`` of a serialized model or a file, errors logged only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    source = str(model) if isinstance(model, Path) else model
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


class FileSession:
    """A model file in onnxruntime, without any check of what it is given."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        self.inputs: list[str] = [i.name for i in self._session.get_inputs()]
        self._outputs: list[str] = [o.name for o in self._session.get_outputs()]

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name; arrays must have the model's types."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(feed)), strict=True))
