"""The description of an opaque call: Python code of a config, and what it wants to know of its sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CallSource", "PythonCall"]


@dataclass(frozen=True)
class CallSource:
    """One source of a call.

    Attributes:
        operand: which operand of the call it is.
        present: per axis that the code counts, whether the operand has it (else it is of size one).
        batch_axis, time_axis, feature_axis: numbers of those axes.
        lengths: by axis number, the operand that holds the lengths.
        dim: the size of the feature axis, or the number of labels.
    """

    operand: int
    present: tuple[bool, ...]
    batch_axis: int | None
    time_axis: int | None
    feature_axis: int | None
    lengths: Mapping[int, int]
    dim: int | None
    sparse: bool
    dtype: str


@dataclass(frozen=True, eq=False)
class PythonCall:
    """Code that a target with Python callbacks evaluates.

    Attributes:
        code: an eval string, or a function ``f(source, self, **names)``.
        names: the config's ``eval_locals``.
        sources: one per source, over the axes that all have in common.
        own_sources: the same over their own axes (``auto_convert=False``).
        options: the config.
        rec_step: in a loop, the operand that is the number of the step.
        trusted: whether the code may use everything; else it is an eval string of a config that is data.
    """

    code: str | Callable[..., Any]
    names: Mapping[str, Any] = field(repr=False)  # anything that Python has: not printed
    sources: tuple[CallSource, ...]
    own_sources: tuple[CallSource, ...]
    source_names: tuple[str, ...]
    layer: str
    options: Mapping[str, Any] = field(repr=False)
    training: bool
    searching: bool
    evaluating: bool
    trusted: bool
    rec_step: int | None = None
