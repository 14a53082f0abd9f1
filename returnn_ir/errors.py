"""The error family: every message says what, where, expected, received and what to try.

A :class:`UserError` is somebody's input being wrong (exit code 2, no traceback). Anything else that escapes is our bug,
which :func:`bug_report` tells in the same form.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from traceback import extract_tb

__all__ = [
    "ConfigError",
    "DataError",
    "DimError",
    "IRError",
    "MismatchError",
    "Origin",
    "ProblemList",
    "TargetError",
    "UnsupportedError",
    "UserError",
    "bug_report",
    "did_you_mean",
]


_BUG = "this is a bug of returnn-ir, not of the config: please report it with the config and"
#: What is wrong with the machine, the disk or the rights of the user.
_NO_BUGS = (errno.EACCES, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENOSPC, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Origin:
    """Where something came from: the layer path, the option key and the place in the config file."""

    layer: str | None = None
    key: str | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file or ""
        key = f"key {self.key!r}" if self.key else ""
        detail = ", ".join(part for part in (place, key) if part)
        head = f"layer {self.layer!r}" if self.layer else ""
        if head and detail:
            return f"{head} ({detail})"
        return head or detail

    def with_key(self, key: str | None, line: int | None = None) -> Origin:
        """The same place, narrowed to one option key (``line`` where the key's own line is known)."""
        return replace(self, key=key, line=line if line is not None else self.line)


class UserError(Exception):
    """Input that is wrong, told in one message; the command lines turn it into exit code 2."""

    def __init__(
        self,
        what: str,
        *,
        where: Origin | str | None = None,
        expected: object = None,
        received: object = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.received = received
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        place = str(self.where) if self.where else ""
        lines = [f"{place}: {self.what}" if place else self.what]
        for label, value in (("expected", self.expected), ("received", self.received), ("try", self.hint)):
            if value is not None:
                lines.append(f"  {label}: {value}")
        return "\n".join(lines)


class ConfigError(UserError):
    """A config or network dict that cannot be understood."""


class DimError(UserError):
    """Dims that do not fit together."""


class DataError(UserError):
    """Input data (HDF files, batches) that is missing, broken or does not fit the network."""


class TargetError(UserError):
    """A program that the chosen target cannot express; the message carries the target's reason."""


class MismatchError(UserError):
    """Two programs that must compute the same do not; the command lines turn it into exit code 1."""


class IRError(Exception):
    """A broken graph: a bug of a pass or a layer function, never of the user. Its traceback says so."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.add_note(f"{_BUG} this traceback")


class ProblemList(UserError):
    """Several problems of one input, reported at once; one that was found twice is reported once.

    Attributes:
        problems: none of them a list itself.
    """

    def __init__(self, problems: Iterable[UserError]) -> None:
        self.problems = list({str(problem): problem for problem in _single(problems)}.values())
        super().__init__(f"{len(self.problems)} problems")

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        body = "\n".join(f"[{i}] {problem}" for i, problem in enumerate(self.problems, 1))
        return f"{len(self.problems)} problems:\n{body}"


def _single(problems: Iterable[UserError]) -> Iterator[UserError]:
    for problem in problems:
        yield from problem.problems if isinstance(problem, ProblemList) else (problem,)


class UnsupportedError(Exception):
    """Something in a config's code that has no counterpart in the IR; who traces the code says where, or goes on."""


def did_you_mean(name: str, valid: Iterable[str]) -> str | None:
    """``"did you mean 'x'?"`` for the nearest valid name, or None where nothing is near."""
    near = get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None


def bug_report(error: Exception) -> str:
    """What a command line says about an exception that is nobody's :class:`UserError`.

    The notes of the exception (``add_note``) say what was being done; the innermost one is shown.
    """
    if isinstance(error, MemoryError):
        return f"there is not enough memory{f': {error}' if str(error) else ''}"
    if isinstance(error, OSError) and error.errno in _NO_BUGS:
        where = f": {error.filename}" if error.filename is not None else ""
        return f"the operating system refuses it{where}: {error.strerror}"
    frames = extract_tb(error.__traceback__)
    lines = [f"internal error: {type(error).__name__}: {error}"]
    notes = [note for note in getattr(error, "__notes__", ()) if not note.startswith(_BUG)]
    lines.extend(f"  {note}" for note in notes[:1])
    if frames:
        place = Path(frames[-1].filename)
        lines.append(f"  at: {place.parent.name}/{place.name}:{frames[-1].lineno}")
    lines.append(f"  {_BUG} what --debug says")
    return "\n".join(lines)
