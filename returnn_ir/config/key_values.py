"""Keys whose effect depends on more than their value: on other keys, on the task, on what the task loads."""

from __future__ import annotations

from returnn_ir.config.key import Run

__all__ = [
    "no_backend",
]


def no_backend(value: object, run: Run) -> object:
    """``backend`` comes before ``use_tensorflow``."""
    return None if run.config.get("backend") else value
