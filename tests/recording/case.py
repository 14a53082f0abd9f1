"""The ``case`` of a config: how it is run. Nothing here needs RETURNN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["Case", "RecordError", "read_case", "sequence_lengths"]

#: The longest sequence of a data key of which the case says nothing.
_LONGEST = 7

#: What the first sequences lack of the longest one: ragged, and the longest is not the first.
_SHORTER = (4, 0, 2)

#: Options that say what is fed; they are arrays and stand in the ``.npz`` as such, not in its ``meta``.
_ARRAYS = ("inputs", "params")


class RecordError(Exception):
    """A case that cannot be recorded as it is, or an environment that cannot record."""


@dataclass(frozen=True)
class Case:
    """How a config is run.

    Attributes:
        batch: number of sequences.
        time: the longest sequence, of every data key or by data key.
        lens: lengths of the sequences by data key, or ``KEY/AXIS`` where it has several dynamic axes.
        train: the train flag.
        search: the search flag.
        grad: also the gradient of the objective.
        fetch: the layers whose outputs are recorded; None: all of the root network.
        fetch_extra: layers in addition, such as those inside of a loop or a subnetwork.
        seed: of all that is drawn.
        inputs: values by data key, in the padded shape, instead of drawn ones.
        int_range: by data key, from and behind what integers are drawn.
        param_scale: standard deviation of drawn parameters.
        params: values by a part of the parameter's name: an array, or ``init`` for what the config's initialiser gives.
        repeat: so many runs, of which the last one is recorded.
    """

    batch: int = 3
    time: int | Mapping[str, int] = _LONGEST
    lens: Mapping[str, Any] | None = None
    train: bool = False
    search: bool = False
    grad: bool = True
    fetch: tuple[str, ...] | None = None
    fetch_extra: tuple[str, ...] = ()
    seed: int = 1
    inputs: Mapping[str, Any] = field(default_factory=dict)
    int_range: Mapping[str, Any] | None = None
    param_scale: float = 0.3
    params: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 1

    def longest(self, key: str) -> int:
        """The longest sequence of a data key."""
        return self.time if isinstance(self.time, int) else self.time.get(key, _LONGEST)

    def initial(self, name: str) -> Any:
        """What the case says about a parameter's value, None if nothing; the longest part of the name decides."""
        parts = [part for part in self.params if part in name]
        return self.params[max(parts, key=len)] if parts else None

    def to_json(self) -> dict[str, Any]:
        """The part of ``meta`` that says how the case was run."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _ARRAYS}
        return {name: _plain(value) for name, value in sorted(values.items())}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def read_case(options: Mapping[str, Any]) -> Case:
    """The case of a config.

    Raises:
        RecordError: an option that there is not, or one whose value is of another type.
    """
    known = [f.name for f in fields(Case)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise RecordError(f"case has no option {', '.join(unknown)}; it has: {', '.join(known)}")
    values = dict(options)
    for name in ("batch", "seed", "repeat"):
        if name in values and (isinstance(values[name], bool) or not isinstance(values[name], int)):
            raise RecordError(f"case: {name} must be an integer, not {values[name]!r}")
    for name in ("train", "search", "grad"):
        if name in values and not isinstance(values[name], bool):
            raise RecordError(f"case: {name} must be True or False, not {values[name]!r}")
    for name in ("fetch", "fetch_extra"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return Case(**values)


def sequence_lengths(case: Case, key: str, axis: int) -> list[int]:
    """The lengths of a dynamic axis (counted with the batch axis): [batch].

    Raises:
        RecordError: the case gives lengths of another number of sequences.
    """
    lens = case.lens or {}
    given = lens.get(f"{key}/{axis}", lens.get(key))
    if given is not None:
        if len(given) != case.batch:
            raise RecordError(f"case: lens of {key!r} are {len(given)} numbers for a batch of {case.batch}")
        return [int(n) for n in given]
    longest = case.longest(key)
    if case.batch == 1:
        return [longest]
    return [max(1, longest - _SHORTER[i % len(_SHORTER)]) for i in range(case.batch)]
