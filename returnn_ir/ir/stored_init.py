"""A parameter's initial value that is in a file, as an attribute of its node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["StoredInit"]


@dataclass(frozen=True)
class StoredInit:
    """A parameter that starts with a checkpoint's.

    Attributes:
        file: the prefix of the checkpoint's files.
        name: the variable in there.
        otherwise: the initialiser where the checkpoint lacks it, if ``optional``.
    """

    file: str
    name: str
    otherwise: Any
    optional: bool
