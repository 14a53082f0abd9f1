"""Keys whose effect depends on more than their value: on other keys, on the task, on what the task loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from returnn_ir.config.key import Run, plain

__all__ = [
    "chunking",
    "context_window",
    "no_backend",
    "pretrain",
    "with_chunking",
]


def chunking(value: object, run: Run) -> object:
    """Chunks are for the training data; ``"1"`` (single frames) is for all data."""
    if value == 0 or (isinstance(value, str) and set(value) <= set("0:")):
        return None
    if isinstance(value, (tuple, list)) and not any(value):
        return None
    trained = run.task == "train" or (run.task == "search" and run.config.get("search_data") == "train")
    return value if trained or plain(value) == 1 else None


def pretrain(value: object, run: Run) -> object:
    """A checkpoint behind the pretraining has the final network."""
    return value if run.task == "train" or ".pretrain." in (run.checkpoint or "") else None


def context_window(value: object, run: Run) -> object:
    """Frames in all, by data key, or a pair of frames to the left and to the right by data key."""
    pair = isinstance(value, (tuple, list))
    parts = value if isinstance(value, (tuple, list)) else (value,)
    frames = [n for part in parts for n in (part.values() if isinstance(part, Mapping) else (part,))]
    return value if any(n not in ((0,) if pair else (0, 1)) for n in frames) else None


def with_chunking(value: object, run: Run) -> object:
    """Without chunks there are none to make of other data."""
    return None if chunking(run.config.get("chunking") or 0, replace(run, task="train")) is None else value


def no_backend(value: object, run: Run) -> object:
    """``backend`` comes before ``use_tensorflow``."""
    return None if run.config.get("backend") else value
