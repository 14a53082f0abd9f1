"""How a dataset's sequences are cut into pieces: what a config says of it, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from returnn_ir.config.numbers_dict import NumbersDict
from returnn_ir.errors import ConfigError
from returnn_ir.options import MAX_SIZE, Described, Form, shown

__all__ = [
    "ChunkFunction",
    "Chunking",
    "Chunks",
    "Context",
    "ContextWindow",
    "Frames",
    "MinChunkSize",
    "PieceRules",
    "frames_of",
    "read_chunking",
    "read_context",
    "read_min_chunk_size",
]

#: A number of frames, for all data keys or by key.
Frames = int | Mapping[str, int]
ChunkFunction = Callable[..., Any]
_CHUNKING = (
    "'SIZE:STEP', SIZE, (SIZE, STEP), where SIZE and STEP are numbers or dicts from data keys to numbers, or a function"
)
_MIN_CHUNK_SIZE = "a number of at least 0, or a dict from data keys to such numbers"
_CONTEXT = "a number for 'data', a dict from data keys to numbers, or two such dicts: frames to the left, to the right"


@dataclass(frozen=True)
class Chunks:
    """Chunks of at most ``size`` frames, one every ``step`` frames; both have the same keys.

    A key whose step is 0 is not moved; at least one key moves.
    """

    size: Frames
    step: Frames


@dataclass(frozen=True)
class Context:
    """Frames that every piece gets beside its own: (on the left, on the right) by data key."""

    frames: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class PieceRules:
    """How sequences are cut.

    Attributes:
        chunking: None: not at all; a function gets the dataset as RETURNN's functions do.
        variance: up to this share is taken off size and step, at random for each sequence.
        min_chunk_size: no chunk begins where for any key no more than this is left.
    """

    chunking: Chunks | ChunkFunction | None = None
    variance: float = 0.0
    min_chunk_size: Frames = 0
    context: Context = field(default_factory=Context)


def frames_of(frames: Frames, key: str) -> int | None:
    """Of one key; None: nothing is said of it."""
    return frames.get(key) if isinstance(frames, Mapping) else frames


def read_chunking(value: object) -> Chunks | ChunkFunction | None:
    """The option ``chunking``, in each of its forms.

    Raises:
        ConfigError: it is none of them.
    """
    if isinstance(value, Chunks) or callable(value):
        return value
    try:
        size, step = _size_and_step(value)
        if not any(_numbers(size)):
            return None
        step = step if step not in (None, 0) else size
        sizes, steps = _numbers(size), _numbers(step)
    except (TypeError, ValueError):
        raise _wrong("chunking", value, _CHUNKING) from None
    if min(sizes) < 1 or min(steps) < 0 or not any(steps):
        raise _wrong("chunking", value, "sizes of at least 1, steps of at least 0, one of them at least 1")
    if isinstance(size, Mapping) != isinstance(step, Mapping) or (
        isinstance(size, Mapping) and isinstance(step, Mapping) and size.keys() != step.keys()
    ):
        raise _wrong("chunking", value, "the same data keys in sizes and steps")
    return Chunks(_frames(size), _frames(step))


def _size_and_step(value: object) -> tuple[object, object]:
    if isinstance(value, str):
        size, colon, step = value.partition(":")
        return (int(size), int(step)) if colon else (int(size or 0), None)
    if isinstance(value, (tuple, list)):
        size, step = value
        return 0 if size is None else _plain(size), _plain(step)
    return 0 if value is None else _plain(value), None


def read_min_chunk_size(value: object) -> Frames:
    """The option ``min_chunk_size``: a number, or a dict from data keys to numbers.

    Raises:
        ConfigError: it is neither.
    """
    try:
        least = _plain(0 if value is None else value)
        if min(_numbers(least), default=0) >= 0:
            return _frames(least)
    except (TypeError, ValueError):
        pass
    raise _wrong("min_chunk_size", value, _MIN_CHUNK_SIZE)


def read_context(value: object) -> Context:
    """The option ``context_window``.

    A number counts the frame itself: of the other ones the right side gets one more where they are odd.

    Raises:
        ConfigError: it is of no form that the option has.
    """
    if isinstance(value, Context):
        return value
    if isinstance(value, str) and value.strip() in ("0", "1"):  # RETURNN does not read it as a text
        return Context()
    try:
        if isinstance(value, (tuple, list)):
            left, right = (_by_key(side, alone=False) for side in value)
            return Context({key: (left.get(key, 0), right.get(key, 0)) for key in [*left, *right]})
        totals = _plain({} if value is None else value)
        others = {key: max(total, 1) - 1 for key, total in _by_key(totals).items()}
        return Context({key: (total // 2, total - total // 2) for key, total in others.items()})
    except (TypeError, ValueError):
        raise _wrong("context_window", value, _CONTEXT) from None


def _by_key(frames: object, *, alone: bool = True) -> dict[str, int]:
    """Numbers of at least 0 by key; a number ``alone`` is for "data"."""
    frames = _plain(frames)
    if not alone and not isinstance(frames, Mapping):
        raise ValueError("no data keys")
    numbers: dict[str, Any] = dict(frames) if isinstance(frames, Mapping) else {"data": frames}
    if not all(0 <= number <= MAX_SIZE for number in _numbers(numbers)):
        raise ValueError("out of range")
    return numbers


def _plain(frames: object) -> object:
    """RETURNN's own kind of a dict as a plain one, or as a number."""
    if not isinstance(frames, NumbersDict):
        return frames
    if frames.value is not None and frames.dict:
        raise ValueError("numbers for some keys and one for all others")
    return frames.dict if frames.value is None else frames.value


def _numbers(frames: object) -> list[int]:
    """The numbers in it; a ValueError where it has something else."""
    numbers: list[Any] = list(frames.values()) if isinstance(frames, Mapping) else [frames]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise ValueError("no whole number")
    return numbers


def _frames(frames: Any) -> Frames:
    return dict(frames) if isinstance(frames, Mapping) else int(frames)


def _wrong(option: str, value: object, expected: str) -> ConfigError:
    return ConfigError(f"option {option!r} cannot be understood", expected=expected, received=shown(value))


#: Types of the options, for dataclasses of them.
Chunking = Annotated[Chunks | ChunkFunction | None, Form(read_chunking), Described(_CHUNKING)]
MinChunkSize = Annotated[int | Mapping[str, int], Form(read_min_chunk_size), Described(_MIN_CHUNK_SIZE)]
ContextWindow = Annotated[Context, Form(read_context), Described(_CONTEXT)]
