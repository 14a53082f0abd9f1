"""Bounds on what an expression may cost: it describes a network, so it computes few and small numbers."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Sized
from typing import Any

import numpy as np

from returnn_ir.errors import ConfigError

__all__ = ["Budget", "TooMuchError", "checked_count", "checked_entries"]

#: Steps of one expression; a step is a node of its syntax tree that is evaluated, or an entry of a sequence it makes.
MAX_STEPS = 200_000
#: Bits of a whole number. Tensors have at most 64, floats reach 2 ** 1024.
MAX_BITS = 2048
#: Entries of a constant that is written as lists.
MAX_LISTED = 1_000_000
#: Entries of a computed constant, and of a tensor whose size an expression gives.
MAX_ENTRIES = 10_000_000
#: What is only read, or computed by NumPy: so many entries take about the time of one step.
_ENTRIES_PER_STEP = 100

_SEQUENCES = (str, bytes, list, tuple, dict, range)
_MAKES_SEQUENCE = (list, tuple, dict, zip, enumerate)
_PLAIN_FORMAT = re.compile(r"(?:[^%]|%[-+ 0#]?\d{0,2}(?:\.\d{1,2})?[sdifgeFGEr%])*")


class TooMuchError(ConfigError):
    """An expression that would take too long or too much memory."""

    def __init__(self, what: str, limit: int | None = None, received: object = None) -> None:
        super().__init__(
            f"the expression is too large: {what}",
            expected=f"at most {limit}" if limit is not None else None,
            received=received,
            hint="make it shorter, or give the numbers themselves",
        )


class Budget:
    """What is left of an expression's steps."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            TooMuchError: there are none left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooMuchError("it takes too many steps", MAX_STEPS)

    def operands(self, op: type[ast.operator], left: Any, right: Any) -> None:
        """Asked before an operator is applied: would the result be too large?"""
        if op is ast.Pow and isinstance(left, int) and isinstance(right, int) and right > 0 and abs(left) > 1:
            _require_bits(left.bit_length() * right)
        elif op is ast.Mult:
            for sequence, times in ((left, right), (right, left)):
                if isinstance(sequence, _SEQUENCES) and isinstance(times, int):
                    self.spend(len(sequence) * max(0, times))
        elif op is ast.Add:
            self.spend(sum(len(x) for x in (left, right) if isinstance(x, _SEQUENCES)))
        elif op is ast.Mod and isinstance(left, (str, bytes)):
            _require_plain_format(left, right)
        shapes = [x.shape for x in (left, right) if isinstance(x, np.ndarray)]
        if shapes:
            checked_count(*np.broadcast_shapes(*shapes))
        self.read(left, right)

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> None:
        """Asked before a function is called."""
        own = getattr(function, "__self__", None)  # of "text".split
        given = (*args, *options.values())
        self.read(own, *given)
        if function in _MAKES_SEQUENCE:
            self.spend(sum(len(a) for a in given if isinstance(a, _SEQUENCES)))
        elif function is range:
            self._range(args)
        elif function is str and any(isinstance(a, Sized) and not isinstance(a, str) for a in given):
            raise TooMuchError("the text of a sequence")
        elif function is sum and any(isinstance(a, _SEQUENCES) for a in given[1:]):
            raise TooMuchError("a sum of sequences")
        elif function is round and any(isinstance(n, int) and abs(n) > MAX_BITS for n in given[1:]):
            raise TooMuchError("rounding to so many digits", MAX_BITS)

    def read(self, *values: Any) -> None:
        """Count what an operator or a function looks through."""
        for value in values:
            size = len(value) if isinstance(value, _SEQUENCES) else value.size if isinstance(value, np.ndarray) else 0
            self.spend(size // _ENTRIES_PER_STEP)

    def _range(self, args: tuple[Any, ...]) -> None:
        bounds = [a for a in args if isinstance(a, int)]
        if len(bounds) == len(args) and 1 <= len(args) <= 3:
            start, stop, step = (0, bounds[0], 1) if len(args) == 1 else (*bounds, 1)[:3]
            self.spend(max(0, (stop - start) // step) if step else 0)

    def result(self, value: Any) -> Any:
        """The value, if it is not too large."""
        if isinstance(value, int):
            _require_bits(value.bit_length())
        return value


def _require_bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise TooMuchError("a whole number of so many bits", MAX_BITS, bits if bits < 1 << 64 else None)


def _require_plain_format(text: str | bytes, values: Any) -> None:
    given = values if isinstance(values, tuple) else (values,)
    if not isinstance(text, str) or not _PLAIN_FORMAT.fullmatch(text):
        raise TooMuchError("a text with such a format")
    if any(isinstance(v, Sized) and not isinstance(v, str) for v in given):
        raise TooMuchError("the text of a sequence")


def checked_entries(values: object) -> None:
    """Asked before nested lists become an array.

    Raises:
        TooMuchError: they hold too many entries; lists may hold one list several times.
    """
    stack, count = [values], 0
    while stack:
        top = stack.pop()
        if isinstance(top, (list, tuple)):
            count += len(top)
            if count > MAX_LISTED:
                raise TooMuchError("a constant with so many entries", MAX_LISTED)
            stack.extend(e for e in top if isinstance(e, (list, tuple)))


def checked_count(*sizes: int) -> None:
    """Asked before a tensor of these sizes is made.

    Raises:
        TooMuchError: it would have too many entries.
    """
    count = math.prod(sizes)
    if count > MAX_ENTRIES:
        raise TooMuchError("a tensor with so many entries", MAX_ENTRIES, count)
