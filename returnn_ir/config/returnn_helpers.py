"""Helpers of RETURNN that a config calls while it loads: who runs it, parameters to be tuned."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

__all__ = ["HyperParam", "from_utf8", "login_name", "login_without_terminal", "no_exception_hook"]

_login = os.getlogin


def login_name() -> str:
    """The user's name; of the terminal, or where there is none (containers, batch jobs), of the process."""
    try:
        return _login()
    except OSError:
        return _process_owner()


def _process_owner() -> str:
    """The name of the process' user, or its number where the system has no name for it."""
    try:
        import pwd  # not on every system

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USER") or str(os.getuid())


@contextmanager
def login_without_terminal() -> Iterator[None]:
    """``os.getlogin``, which fails where there is no terminal, answers as :func:`login_name` does."""
    with mock.patch.object(os, "getlogin", login_name):
        yield


def from_utf8(text: str) -> str:
    """RETURNN's ``py2_utf8_str_to_unicode``: a str is Unicode in Python 3."""
    return text


def no_exception_hook(*args: object, **options: object) -> None:
    """``better_exchook.install()``: errors of a config are told with its line in any case."""


@dataclass(frozen=True, eq=False)
class HyperParam:
    """A parameter that ``task = "hyper_param_tuning"`` would choose.

    Attributes:
        dtype: float, int or bool, or their names; None: one of ``classes``.
        bounds: the smallest and the largest value.
        classes: the values themselves.
        log: tuned in log space.
        default: the value to begin with.
    """

    dtype: object = None
    bounds: Sequence[float] | None = None
    classes: Sequence[object] | None = None
    log: bool = False
    default: object = None
