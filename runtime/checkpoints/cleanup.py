"""``cleanup_old_models``: which checkpoints to delete, as RETURNN decides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from returnn_ir.errors import ConfigError, Origin
from runtime.checkpoints.files import delete_checkpoint, existing_checkpoints
from runtime.options import OptionReader, refuse_unknown

__all__ = ["CleanupOptions", "cleanup_old_models", "epochs_to_delete"]

_KEY = "cleanup_old_models"

#: By epoch: score by its name in the learning-rate file; an epoch may lack any.
Scores = Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class CleanupOptions:
    """What is kept: the newest, the best by every score, and fixed epochs (None: RETURNN's pattern)."""

    keep_last_n: int = 2
    keep_best_n: int = 4
    keep: frozenset[int] | None = None

    @staticmethod
    def from_config(config: Mapping[str, object]) -> CleanupOptions | None:
        """The options; None where the config does not ask for a clean-up."""
        value = config.get(_KEY)
        if isinstance(value, (tuple, list)):
            raise ConfigError(
                f"option {_KEY!r} has a wrong value",
                where=Origin(key=_KEY),
                expected="True, False or a dict",
                received=repr(value),
                hint="a comma behind the dict makes a tuple of it" if isinstance(value, tuple) else None,
            )
        if not isinstance(value, Mapping):
            return CleanupOptions() if OptionReader(config).flag(_KEY, False) else None
        if not value:
            return None
        refuse_unknown(value, ("keep", "keep_best_n", "keep_last_n"), _KEY, _KEY)
        reader = OptionReader(value, _KEY, _KEY)
        options = CleanupOptions(
            reader.integer("keep_last_n", 2), reader.integer("keep_best_n", 4), _keep(value.get("keep"))
        )
        if options.keep_last_n < 1 or options.keep_best_n < 0:
            raise ConfigError(
                f"{_KEY} must keep something",
                where=Origin(key=_KEY),
                expected="keep_last_n of at least 1, keep_best_n of at least 0",
                received=f"{options.keep_last_n}, {options.keep_best_n}",
            )
        return options


def _keep(value: object) -> frozenset[int] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple, set, frozenset, range)) or not all(isinstance(e, int) for e in value):
        raise ConfigError(
            f"option 'keep' of {_KEY} has a wrong value",
            where=Origin(key=_KEY), expected="a list of epochs", received=repr(value),
        )  # fmt: skip
    return frozenset(value)


def cleanup_old_models(options: CleanupOptions, model: str, scores: Scores) -> list[int]:
    """Delete what the options do not keep; returns the deleted epochs."""
    existing = existing_checkpoints(model)
    removed = epochs_to_delete(options, existing, scores)
    for epoch in removed:
        delete_checkpoint(existing[epoch])
    return removed


def epochs_to_delete(options: CleanupOptions, epochs: Iterable[int], scores: Scores) -> list[int]:
    """The epochs, of those that have a checkpoint, to delete.

    Without any score nothing is deleted, since the best models are unknown.
    """
    existing = sorted(epochs)
    if not any(scores.values()) or max(options.keep_last_n, options.keep_best_n) >= len(existing):
        return []
    keep = set(_default_pattern(existing[-1]) if options.keep is None else options.keep)
    keep.update(existing[-options.keep_last_n :])
    keep.update(_best(options.keep_best_n, existing, scores))
    return [epoch for epoch in existing if epoch not in keep]


def _best(number: int, epochs: Sequence[int], scores: Scores) -> set[int]:
    """The ``number`` best epochs by every key that tells them apart; an epoch without the key counts as worst."""
    result: set[int] = set()
    for key in {key for epoch in epochs for key in scores.get(epoch, ())}:
        values = {epoch: _comparable(scores[epoch][key]) for epoch in epochs if key in scores.get(epoch, ())}
        worst = max(values.values())
        if min(values.values()) < worst:
            ranked = sorted((values.get(epoch, worst), epoch) for epoch in epochs)
            result.update(epoch for _, epoch in ranked[:number])
    return result


def _comparable(score: float) -> float:
    return math.inf if math.isnan(score) else score


def _default_pattern(last: int) -> set[int]:
    """Multiples of a step, and a smaller number doubled again and again; both grow with the training's length."""
    if last <= 10:
        every, doubled = 4, 5
    elif last <= 50:
        every, doubled = 20, 5
    elif last <= 100:
        every, doubled = 40, 10
    else:
        every, doubled = 80 * (1 << (last // 240).bit_length()), 20
    pattern = set(range(every, last + 1, every))
    while doubled <= last:
        pattern.add(doubled)
        doubled *= 2
    return pattern
