"""What a row of the table of config keys says: the three verdicts, and the values that a verdict is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from returnn_ir.options import from_text

if TYPE_CHECKING:
    from returnn_ir.config.options import Config

__all__ = [
    "ALL",
    "EVAL",
    "FORWARD",
    "PRIORS",
    "SEARCH",
    "TRAIN",
    "Key",
    "Run",
    "Verdict",
    "done",
    "no_effect",
    "plain",
    "refused",
]

Tasks = frozenset[str]
TRAIN: Tasks = frozenset({"train"})
EVAL: Tasks = frozenset({"eval"})
FORWARD: Tasks = frozenset({"forward"})
SEARCH: Tasks = frozenset({"search"})
PRIORS: Tasks = frozenset({"compute_priors"})
ALL: Tasks = TRAIN | EVAL | FORWARD | SEARCH | PRIORS


class Verdict(Enum):
    """What happens with a key."""

    DONE = "done"
    NO_EFFECT = "no effect"
    REFUSED = "refused"


@dataclass(frozen=True)
class Run:
    """What the check of a config's keys has to know about the run.

    Attributes:
        network: the network dict, where it is known.
        checkpoint: what the task loads, None where it loads nothing.
    """

    config: Config
    task: str
    network: Mapping[str, object] = field(default_factory=dict)
    checkpoint: str | None = None


Asked = Callable[[object, Run], object]
"""What is refused of a value in a run: None for nothing, or what to show of it in the message."""


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        text: what the key means, or why it has no effect or is refused; completes "not available: ...".
        tasks: for which RETURNN reads it.
        reader: of a key that is done, the module that reads it.
        off: of a refused key, the values that ask for nothing; None and what is empty are always among them.
        asked: of a refused key, where more than the value matters.
    """

    name: str
    verdict: Verdict
    text: str
    tasks: Tasks = ALL
    reader: str = ""
    off: tuple[object, ...] = ()
    asked: Asked | None = None

    def asks(self, value: object, run: Run) -> object:
        """What the value asks for in a run that is not there, for the message; None if nothing."""
        if self.verdict is not Verdict.REFUSED or run.task not in self.tasks or self.is_off(value):
            return None
        return value if self.asked is None else self.asked(value, run)

    def is_off(self, value: object) -> bool:
        """Whether the value of a refused key asks for nothing."""
        value = plain(value)
        if value is None or (isinstance(value, (str, dict, list, tuple, set)) and not value):
            return True
        return any(type(value) in (bool, int, float, str) and value == off for off in self.off)


def plain(value: object) -> object:
    """A text of a ``key value`` config or an override as the value that it stands for."""
    return from_text(value, None | float | bool | str) if isinstance(value, str) else value


def done(name: str, reader: str, text: str, tasks: Tasks = ALL) -> Key:
    """A key that does what it does in RETURNN."""
    return Key(name, Verdict.DONE, text, tasks, reader=reader)


def no_effect(name: str, text: str) -> Key:
    """A key that changes nothing here, with the reason."""
    return Key(name, Verdict.NO_EFFECT, text)


def refused(name: str, off: object, tasks: Tasks, text: str, asked: Asked | None = None) -> Key:
    """A key that ``returnn-run`` does not take, unless it has an off value (several: a tuple)."""
    return Key(name, Verdict.REFUSED, text, tasks, off=off if isinstance(off, tuple) else (off,), asked=asked)
