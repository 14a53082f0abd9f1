"""Which variables a run needs values for, and where a value comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from compiler.target.protocol import Array

__all__ = ["Source", "Wanted"]


@dataclass(frozen=True)
class Wanted:
    """A variable that a run needs a value for.

    Attributes:
        is_preset: its initial value is already one from a file (``load_on_init``).
        may_be_missing: a checkpoint may lack it (``non_critical_for_restore``).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    is_preset: bool = False
    may_be_missing: bool = False

    @property
    def layer(self) -> str:
        """The scope of the layer that it belongs to."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class Source:
    """Where the value of a variable comes from.

    Attributes:
        file: the checkpoint.
        names: the variables in there of which it is made; none where a function of the config gives it.
        read: initial values by name to the value.
        needs_initial: ``read`` looks up the initial value of the variable.
    """

    file: str
    names: tuple[str, ...]
    read: Callable[[Mapping[str, Array]], Array] = field(repr=False, compare=False)
    needs_initial: bool = False
