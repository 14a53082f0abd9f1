"""The learning-rates file: one Python expression, in the bytes that RETURNN writes, read without ``eval``.

::

    {
    1: EpochData(learningRate=0.001, error={
    ':meta:epoch_num_train_steps': 100,
    'dev_error': 0.25,
    'dev_score': 1.2,
    }),
    2: EpochData(learningRate=0.0005, error={}),
    }
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from returnn_ir.errors import ConfigError
from runtime.learning_rate.history import OLD_FORMAT_KEY, EpochData, History
from runtime.learning_rate.literals import EpochCall, LiteralError, parse_literal

__all__ = ["dump_history", "load_history", "parse_history", "save_history"]

_META = ":meta:"
_INLINE_CHARS = 40  # dicts whose items together have fewer characters stay on one line


def dump_history(history: History) -> str:
    """The file's text, byte for byte as RETURNN would write the same data."""
    return _render(dict(history)) + "\n"


def save_history(path: Path, history: History) -> None:
    """Write atomically: a crash leaves the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new_tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(dump_history(history))
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def load_history(path: Path) -> dict[int, EpochData]:
    """Read the file; anything that is not such a file is a :class:`ConfigError` with the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError("the learning-rates file is not text", where=str(path)) from None
    return parse_history(text, str(path))


def parse_history(text: str, name: str = "learning-rates file") -> dict[int, EpochData]:
    """The epochs in ``text``; ``name`` is for messages."""
    try:
        value = parse_literal(text)
        if not isinstance(value, dict):
            raise LiteralError("a dict from epoch to EpochData(...) is expected", 1)
        return {_epoch(key): _epoch_data(call) for key, call in value.items()}
    except LiteralError as error:
        hint = "restore the file from a backup, or delete it to start with a new history"
        where = f"{name}:{error.line}"
        raise ConfigError(f"the learning-rates file is broken: {error}", where=where, hint=hint) from None


def _epoch(key: object) -> int:
    if not isinstance(key, int) or isinstance(key, bool):
        raise LiteralError(f"{key!r} is not an epoch number", 1)
    return key


def _epoch_data(call: object) -> EpochData:
    if not isinstance(call, EpochCall):
        raise LiteralError(f"EpochData(...) is expected, not {call!r}", 1)
    values = dict(call.values)
    rate = values.pop("learningRate", None)
    rate = values.pop("learning_rate", None) if rate is None else rate
    error, meta = values.pop("error", None), values.pop("meta", None)
    if values:
        raise LiteralError(f"EpochData has no {sorted(values)[0]!r}", call.line)
    if not _is_number(rate):
        raise LiteralError(f"the learning rate must be a number, not {rate!r}", call.line)
    if _is_number(error):
        error = {OLD_FORMAT_KEY: error}
    scores: dict[str, float] = {}
    extra = _string_dict(meta, call.line)
    for key, value in _string_dict(error, call.line).items():
        if key.startswith(_META):
            extra[key.removeprefix(_META)] = value
        elif _is_number(value):
            scores[key] = value  # type: ignore[assignment]  # NumPy scalars stay, so that rewriting keeps the bytes
        else:
            raise LiteralError(f"score {key!r} must be a number, not {value!r}", call.line)
    return EpochData(rate if isinstance(rate, float) else float(rate), scores, extra)  # type: ignore[arg-type]


def _string_dict(value: object, line: int) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise LiteralError(f"a dict with string keys is expected, not {value!r}", line)
    return dict(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _render(value: object) -> str:
    """``repr`` with sorted dicts; long dicts and all lists get one line per item and a comma behind the last."""
    if isinstance(value, EpochData):
        entries: dict[str, object] = {**value.scores, **{_META + key: entry for key, entry in value.meta.items()}}
        return f"EpochData(learningRate={_render(value.learning_rate)}, error={_render(entries)})"
    if isinstance(value, Mapping):
        items = [f"{_render(key)}: {_render(value[key])}" for key in sorted(value)]
        if sum(map(len, items)) < _INLINE_CHARS:
            return "{" + ", ".join(items) + "}"
        return "{\n" + "".join(f"{item},\n" for item in items) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"{_render(item)},\n" for item in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_render, value)) + (",)" if len(value) == 1 else ")")
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{float(value)!r}')"
    if value is None or isinstance(value, (str, bytes, bool, int, float, np.generic)):
        return repr(value)
    raise TypeError(f"a learning-rates file cannot hold {type(value).__name__}")
