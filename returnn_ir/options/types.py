"""Types of option values, and markers that say more about an option: ``Annotated[int, Range(1), Key("epochs")]``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal, TypeVar, dataclass_transform

__all__ = [
    "MAX_AXES",
    "MAX_SIZE",
    "UNSET",
    "Alias",
    "Count",
    "DType",
    "Described",
    "Finite",
    "Form",
    "Key",
    "LikeField",
    "NonNegative",
    "Positive",
    "Probability",
    "Range",
    "Share",
    "Size",
    "Unset",
    "ZeroOrMore",
    "option_class",
]

#: More axes than a tensor of any target has.
MAX_AXES = 32
#: The largest number of entries on one axis: TensorFlow's shapes, and RETURNN's lengths, are int32.
MAX_SIZE = 2**31 - 1


C = TypeVar("C")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def option_class(cls: type[C]) -> type[C]:
    """A class of options: a frozen dataclass with keywords only.

    Nobody compares or prints options, and there are more than a hundred classes: without the methods for that they are
    made in two thirds of the time, at every start.
    """
    return dataclass(frozen=True, kw_only=True, eq=False, repr=False)(cls)


@dataclass(frozen=True)
class Range:
    """The numbers that mean something; a bound of None is none.

    Attributes:
        above: the lower bound is not in the range itself.
        below: the upper bound is not in the range itself.
    """

    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        low, high = self.low, self.high
        return not (
            (isinstance(value, float) and math.isnan(value))
            or (low is not None and (value <= low if self.above else value < low))
            or (high is not None and (value >= high if self.below else value > high))
        )

    def __str__(self) -> str:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        known = [bound for bound in bounds if math.isfinite(bound)]
        if bounds and not known:
            return "that is finite"
        if len(known) == 2 and not self.above and not self.below:
            return f"from {known[0]} to {known[1]}"
        low = f"{'>' if self.above else '>='} {self.low}" if self.low in known else ""
        high = f"{'<' if self.below else '<='} {self.high}" if self.high in known else ""
        return " and ".join(part for part in (low, high) if part)


@dataclass(frozen=True)
class Key:
    """The option's name in the dict, where the field has another one."""

    name: str


@dataclass(frozen=True)
class Alias:
    """An older spelling of the option's name, which counts where the name itself is not there."""

    name: str


@dataclass(frozen=True)
class Form:
    """Brings other forms that a value may have into the one that the type says, before it is checked.

    Attributes:
        bring: gives back what it does not know; a UserError without a place gets that of the option.
    """

    bring: Callable[[object], object]


@dataclass(frozen=True)
class Described:
    """What a message says that is expected, in words; without it, what follows from the type."""

    text: str


@dataclass(frozen=True)
class LikeField:
    """The default is the value of another field of the dataclass, which stands before this one."""

    field: str


#: Entries on an axis, at least one.
Size = Annotated[int, Range(1, MAX_SIZE)]
#: Entries, steps or frames; there may be none.
Count = Annotated[int, Range(0, MAX_SIZE)]
#: A share of entries that is dropped: the others are scaled up by ``1 / (1 - share)``.
Share = Annotated[float, Range(0, 1, below=True)]
Probability = Annotated[float, Range(0, 1)]
Finite = Annotated[float, Range(-math.inf, math.inf, above=True, below=True)]
NonNegative = Annotated[float, Range(0, math.inf, below=True)]
#: As :data:`NonNegative`, and infinity: a threshold that is never reached.
ZeroOrMore = Annotated[float, Range(0)]
Positive = Annotated[float, Range(0, math.inf, above=True, below=True)]


#: The name of an element type.
DType = Literal[
    "bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64", "complex64"
]


class Unset(Enum):
    """The value of an option that was not given, where None means something else."""

    UNSET = "unset"


UNSET = Unset.UNSET
