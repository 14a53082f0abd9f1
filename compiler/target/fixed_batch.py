"""Batches of a fixed size for programs whose axes have one size in every run: what a host pads, and what it cuts again.

Lengths stay inputs of the program, so frames behind them do not count. Missing sequences are the first one once more:
a search ends when all hypotheses have, and a copy has when the first one has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compiler.target.inputs import InputSpec
from compiler.target.protocol import Array
from returnn_ir.errors import DataError, TargetError

__all__ = ["FIXED", "FixedBatch", "sequences"]

#: The entry of an exported model's metadata: ``FixedBatch.to_json``.
FIXED = "returnn_ir.fixed"


@dataclass(frozen=True)
class FixedBatch:
    """The sizes that a program is made for.

    Attributes:
        batch: sequences.
        longest: frames of each axis of an input that has lengths.
        steps: the largest number of steps of a search; None where it is not known, or there is none.
    """

    batch: int
    longest: int
    steps: int | None = None

    def __post_init__(self) -> None:
        for option, size in (("--batch", self.batch), ("--max-length", self.longest)):
            if size < 1:
                raise TargetError("a size must be positive", where=option, expected="at least 1", received=size)

    def to_json(self) -> dict[str, Any]:
        """For a model's metadata."""
        return {"batch": self.batch, "longest": self.longest, "steps": self.steps}

    @staticmethod
    def from_json(given: Mapping[str, Any]) -> FixedBatch:
        """What was written by :meth:`to_json`."""
        return FixedBatch(given["batch"], given["longest"], given["steps"])

    def pad(self, specs: Sequence[InputSpec], given: Mapping[str, Array]) -> dict[str, Array]:
        """Inputs that were checked, with all axes at their size.

        Raises:
            DataError: there are more sequences, or longer ones.
        """
        padded = dict(given)
        for spec in specs:
            array = given[spec.name]
            for axis, held in enumerate(spec.axes):
                if held.batch:
                    array = self._with_copies(spec, array, axis)
                elif held.size is None:
                    lengths = given.get(held.lengths) if held.lengths is not None else None
                    longest = int(lengths.max(initial=0)) if lengths is not None else array.shape[axis]
                    array = self._with_padding(spec, array, axis, longest)
            padded[spec.name] = array
        return padded

    def _with_copies(self, spec: InputSpec, array: Array, axis: int) -> Array:
        missing = self.batch - array.shape[axis]
        if missing < 0:
            raise DataError(
                "the batch is larger than the model was made for",
                where=spec.name,
                expected=f"at most {self.batch} sequences",
                received=array.shape[axis],
                hint=f"smaller batches, or export it with --batch {array.shape[axis]}",
            )
        first = np.take(array, [0] * missing, axis)
        return np.concatenate([array, first], axis) if missing else array

    def _with_padding(self, spec: InputSpec, array: Array, axis: int, longest: int) -> Array:
        if longest > self.longest:
            raise DataError(
                "a sequence is longer than the model was made for",
                where=spec.name,
                expected=f"at most {self.longest} frames",
                received=longest,
                hint=f"cut it, or export the model with --max-length {longest}",
            )
        array = np.take(array, range(min(array.shape[axis], self.longest)), axis)
        behind = [(0, self.longest - n if i == axis else 0) for i, n in enumerate(array.shape)]
        return np.pad(array, behind) if behind[axis][1] else array

    def cut(self, results: Mapping[str, Array], batch_axes: Mapping[str, int], count: int) -> dict[str, Array]:
        """Results without the copies, and no longer than the longest of the sequences that were given.

        Args:
            results: by name; the lengths along an axis are called ``NAME/sizeAXIS``.
            batch_axes: of the results that have one.
        """
        rows = {
            name: np.take(value, range(count), batch_axes[name]) if name in batch_axes else value
            for name, value in results.items()
        }
        return {name: _to_longest(name, value, rows) for name, value in rows.items()}


def sequences(specs: Sequence[InputSpec], given: Mapping[str, Array]) -> int:
    """How many sequences a batch has."""
    counts = [given[spec.name].shape[axis] for spec in specs for axis, held in enumerate(spec.axes) if held.batch]
    return int(counts[0]) if counts else 0


def _to_longest(name: str, value: Array, results: Mapping[str, Array]) -> Array:
    for axis, extent in enumerate(value.shape):
        lengths = results.get(f"{name}/size{axis}")
        longest = int(lengths.max(initial=0)) if lengths is not None else extent
        if longest < extent:
            value = np.take(value, range(longest), axis)
    return value
