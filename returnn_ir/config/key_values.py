"""Keys whose effect depends on more than their value: on other keys, on the task, on what the task loads."""

from __future__ import annotations

from collections.abc import Mapping

from returnn_ir.config.key import Run

__all__ = [
    "no_backend",
    "preload_from_files",
]


def no_backend(value: object, run: Run) -> object:
    """``backend`` comes before ``use_tensorflow``."""
    return None if run.config.get("backend") else value


def preload_from_files(value: object, run: Run) -> object:
    """The entries that this task uses: ``init_for_train`` ones where a training starts, the others where none is."""
    if not isinstance(value, Mapping):
        return value
    used = {
        name: options
        for name, options in value.items()
        if (run.task == "train") == bool(isinstance(options, Mapping) and options.get("init_for_train"))
    }
    return used if used and (run.first or run.task != "train") else None
