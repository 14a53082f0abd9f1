"""What a program is fed: its inputs as they are declared, and the checks that a host makes before anything runs.

A kernel would compute something from a label that does not exist or from a length beyond its axis; here is who knows
the batch, so here is where it is refused, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import DataError, did_you_mean
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph

__all__ = ["CHECKS", "INPUTS", "PROFILE", "InputAxis", "InputSpec", "check_inputs", "check_labels", "input_specs"]

#: The entries of an exported model's metadata: the inputs by name (``InputSpec.to_json``), and the messages of the
#: outputs that have to hold.
INPUTS, CHECKS, PROFILE = "returnn_ir.inputs", "returnn_ir.checks", "returnn_ir.profile"


@dataclass(frozen=True)
class InputAxis:
    """An axis of an input.

    Attributes:
        name: axes of one name have one size, in whichever inputs they are.
        size: None where it differs from batch to batch.
        lengths: the input that holds its lengths; frames behind them do not count.
        batch: over sequences.
    """

    name: str
    size: int | None = None
    lengths: str | None = None
    batch: bool = False

    def __str__(self) -> str:
        return self.name if self.size is None else f"{self.name} {self.size}"


@dataclass(frozen=True)
class InputSpec:
    """One input.

    Attributes:
        labels: the values index so many entries: 0 to labels - 1 in frames that count. None where they index nothing.
    """

    name: str
    dtype: str
    axes: tuple[InputAxis, ...]
    labels: int | None = None

    def to_json(self) -> dict[str, Any]:
        """For a model's metadata; read by :meth:`from_json`."""
        return {
            "dtype": self.dtype,
            "axes": [axis.name for axis in self.axes],
            "sizes": [axis.size for axis in self.axes],
            "lengths": [axis.lengths for axis in self.axes],
            "batch": [axis.name for axis in self.axes if axis.batch],
            "range": [0, self.labels - 1] if self.labels is not None else None,
        }

    @staticmethod
    def from_json(name: str, given: Mapping[str, Any]) -> InputSpec:
        """What was written by :meth:`to_json`."""
        axes = tuple(
            InputAxis(axis, size, lengths, axis in given["batch"])
            for axis, size, lengths in zip(given["axes"], given["sizes"], given["lengths"], strict=True)
        )
        allowed = given["range"]
        return InputSpec(name, given["dtype"], axes, allowed[1] + 1 if allowed is not None else None)


def input_specs(graph: Graph) -> tuple[InputSpec, ...]:
    """The inputs of a program, in execution order."""
    nodes = list(graph.nodes("input"))
    by_value = {node.result: str(node.attrs["name"]) for node in nodes}
    names = _names(d for node in nodes for d in node.result.dims)

    def axis(dim: Dim) -> InputAxis:
        length = graph.body.lookup(dim) if dim.is_dynamic else None
        return InputAxis(names[dim], dim.size, by_value.get(length) if length is not None else None, dim.is_batch)

    return tuple(
        InputSpec(str(n.attrs["name"]), n.result.dtype, tuple(map(axis, n.result.dims)), n.attrs["labels"])
        for n in nodes
    )


def _names(dims: Iterable[Dim]) -> dict[Dim, str]:
    """A name for each dim; where two are called alike, the second has a number."""
    names: dict[Dim, str] = {}
    for dim in dims:
        if dim not in names:
            taken, name, number = set(names.values()), dim.name, 1
            while name in taken:
                number += 1
                name = f"{dim.name}_{number}"
            names[dim] = name
    return names


# -------------------------------------------------------------------- checks


def check_inputs(
    specs: Sequence[InputSpec], given: Mapping[str, Array], *, tags: Sequence[str] = (), empty_batch: bool = True
) -> dict[str, Array]:
    """What is given, with 0 for labels out of range where no frame is.

    Args:
        specs: what the program reads; whatever else is given stays as it is.
        given: arrays by input name.
        tags: of the sequences, for messages.
        empty_batch: whether a batch without sequences can be run.

    Raises:
        DataError: an input is missing, has another rank, size or kind of numbers than declared, two disagree about an
            axis, a length is not one of its axis, or a label is out of range.
    """
    arrays = {spec.name: _fitting(spec, specs, given) for spec in specs}
    sizes = _sizes(specs, arrays)
    if not empty_batch and any(sizes[axis.name][1] == 0 for spec in specs for axis in spec.axes if axis.batch):
        raise DataError("the batch has no sequence", expected="at least one", received="0", hint="leave the batch out")
    for spec in specs:
        for axis in spec.axes:
            if axis.lengths is not None and axis.lengths in arrays:
                _check_lengths(spec, axis, sizes[axis.name][1], arrays[axis.lengths], tags)
    return check_labels(specs, {**given, **arrays}, tags=tags)


def check_labels(
    specs: Sequence[InputSpec],
    given: Mapping[str, Array],
    *,
    tags: Sequence[str] = (),
    where: str | None = None,
    whose: Callable[[str, int, int], tuple[str, int]] | None = None,
) -> dict[str, Array]:
    """What is given, with 0 for labels out of range where no frame is (what RETURNN pads with).

    Args:
        tags: of the sequences, for messages.
        where: what is running, for messages.
        whose: (name, row, frame) -> the tag of the sequence and its frame, where rows are pieces of sequences.

    Raises:
        DataError: a label that counts is out of range; it names the sequence, the position and the range.
    """
    axes = {spec.name: spec.axes for spec in specs}
    found = dict(given)
    for spec in specs:
        if spec.labels is None or spec.name not in given:
            continue
        array = np.asarray(given[spec.name])
        wrong = _outside(array, spec.labels)
        if wrong.any():
            counted = wrong & _valid(spec, array.shape, given, axes)
            if counted.any():
                raise _label_error(spec, array, counted, tags, where, whose)
            found[spec.name] = np.where(wrong, 0, array)
    return found


def _fitting(spec: InputSpec, specs: Sequence[InputSpec], given: Mapping[str, Array]) -> Array:
    if spec.name not in given:
        names = [s.name for s in specs]
        hint = did_you_mean(spec.name, [n for n in given if n not in names])
        raise DataError(f"input {spec.name!r} is missing", expected=", ".join(names), received=sorted(given), hint=hint)
    array = np.asarray(given[spec.name])
    sizes = [axis.size for axis in spec.axes]
    if array.ndim != len(sizes) or any(w not in (None, n) for w, n in zip(sizes, array.shape, strict=True)):
        shown = f"[{', '.join(map(str, spec.axes))}]"
        raise DataError(f"input {spec.name!r} has a wrong shape", expected=shown, received=list(array.shape))
    if not np.can_cast(array.dtype, spec.dtype, "same_kind"):
        raise DataError(f"input {spec.name!r} has a wrong dtype", expected=spec.dtype, received=array.dtype)
    return array


def _sizes(specs: Sequence[InputSpec], arrays: Mapping[str, Array]) -> dict[str, tuple[str, int]]:
    """By axis the first input that has it and its size; inputs agree about the axes that they share."""
    seen: dict[str, tuple[str, int]] = {}
    for spec in specs:
        for axis, size in zip(spec.axes, arrays[spec.name].shape, strict=True):
            other, known = seen.setdefault(axis.name, (spec.name, size))
            if known != size:
                raise DataError(
                    f"inputs {other!r} and {spec.name!r} disagree about axis {axis.name}", expected=known, received=size
                )
    return seen


def _check_lengths(spec: InputSpec, axis: InputAxis, size: int, lengths: Array, tags: Sequence[str]) -> None:
    wrong = (lengths < 0) | (lengths > size)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(np.atleast_1d(wrong))[0])
        of = f" for sequence {_sequence(place[0], tags)}" if lengths.ndim else ""
        raise DataError(
            f"a length in {axis.lengths!r} is out of range",
            expected=f"0 to {size}, the size of axis {axis.name} of {spec.name!r}",
            received=f"{np.atleast_1d(lengths)[place]}{of}",
        )


def _outside(array: Array, labels: int) -> Array:
    """Where the values are none of 0 to labels - 1: integers are read as unsigned, negative ones are large then."""
    if array.dtype.kind == "i":
        return np.asarray(array.view(f"u{array.dtype.itemsize}") >= labels)
    return np.asarray((array < 0) | (array >= labels))


def _valid(
    spec: InputSpec, shape: tuple[int, ...], given: Mapping[str, Array], axes: Mapping[str, tuple[InputAxis, ...]]
) -> Array:
    """Where there are frames, with axes that broadcast against the input."""
    names = [axis.name for axis in spec.axes]
    valid = np.ones((), bool)
    for at, axis in enumerate(spec.axes):
        if axis.lengths is None or axis.lengths not in given or axis.lengths not in axes:
            continue
        own = [a.name for a in axes[axis.lengths]]
        if not set(own) <= set(names):
            continue
        ordered = np.transpose(given[axis.lengths], [own.index(n) for n in names if n in own])
        lengths = np.expand_dims(ordered, [i for i, n in enumerate(names) if n not in own])
        frames = np.arange(shape[at]).reshape([-1 if i == at else 1 for i in range(len(names))])
        valid = valid & (frames < lengths)
    return valid


def _label_error(
    spec: InputSpec,
    array: Array,
    wrong: Array,
    tags: Sequence[str],
    where: str | None,
    whose: Callable[[str, int, int], tuple[str, int]] | None,
) -> DataError:
    place = [int(i) for i in np.argwhere(np.atleast_1d(wrong))[0]]
    value = np.atleast_1d(array)[tuple(place)]
    batch = next((i for i, axis in enumerate(spec.axes) if axis.batch), None)
    rest = [i for at, i in enumerate(place) if at != batch and at < len(spec.axes)]
    sequence = f" of sequence {_sequence(place[batch], tags)}" if batch is not None else ""
    if whose is not None and batch is not None and rest:
        tag, rest[0] = whose(spec.name, place[batch], rest[0])
        sequence = f" of sequence {tag!r}"
    position = f" at position {', '.join(map(str, rest))}" if rest else ""
    more = int(wrong.sum()) - 1
    return DataError(
        f"a label of data {spec.name!r} is out of range",
        where=where,
        expected=f"0 to {(spec.labels or 1) - 1}",
        received=f"{value}{position}{sequence}" + (f" (and {more} more in the batch)" if more else ""),
    )


def _sequence(row: int, tags: Sequence[str]) -> str:
    return repr(tags[row]) if row < len(tags) else f"{row} of the batch"
