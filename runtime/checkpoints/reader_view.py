"""A checkpoint as a config's function sees it: TensorFlow's ``CheckpointReader``, on ours."""

from __future__ import annotations

from compiler.checkpoint.reader import CheckpointReader
from compiler.target.protocol import Array

__all__ = ["ReaderView"]


class ReaderView:
    """The methods of ``tf.train.NewCheckpointReader(path)``."""

    def __init__(self, reader: CheckpointReader) -> None:
        self._reader = reader

    def has_tensor(self, tensor_str: str) -> bool:
        """Is the variable there?"""
        return tensor_str in self._reader.entries

    def get_tensor(self, tensor_str: str) -> Array:
        """Its value."""
        return self._reader.read(tensor_str)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shapes of all variables by name."""
        return {name: list(entry.shape) for name, entry in self._reader.entries.items()}

    def debug_string(self) -> bytes:
        """The variables with their shapes, one a line."""
        lines = [f"{name} {list(entry.shape)}" for name, entry in sorted(self._reader.entries.items())]
        return "\n".join(lines).encode()
