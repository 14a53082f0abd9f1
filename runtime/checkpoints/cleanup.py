"""``cleanup_old_models``: which checkpoints to delete, as RETURNN decides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from returnn_ir.config.read import read_config, read_option
from returnn_ir.options import Count, Described, Form, Size
from runtime.checkpoints.files import delete_checkpoint, existing_checkpoints

__all__ = ["CleanupOptions", "cleanup_old_models", "epochs_to_delete"]

_KEY = "cleanup_old_models"

#: By epoch: score by its name in the learning-rate file; an epoch may lack any.
Scores = Mapping[int, Mapping[str, float]]


def _single(given: object) -> object:
    """A comma behind the dict makes it a tuple; RETURNN then cleans up, but does not see the dict."""
    return given[0] if isinstance(given, tuple) and len(given) == 1 and isinstance(given[0], Mapping) else given


def _collection(given: object) -> object:
    """Any collection of epochs or names as a set."""
    return frozenset(given) if isinstance(given, (list, tuple, set, range)) else given


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's option: whether there is a clean-up, or the options of it."""

    cleanup_old_models: Annotated[bool | Mapping[str, Any], Form(_single), Described("True, False or a dict")] = False


@dataclass(frozen=True)
class CleanupOptions:
    """What is kept.

    Attributes:
        keep_last_n: so many of the newest.
        keep_best_n: so many of the best by every score.
        keep: these epochs; None: those of RETURNN's pattern.
        ignore_score_keys: scores by which no epoch is one of the best, an option that published configs have.
    """

    keep_last_n: Size = 2
    keep_best_n: Count = 4
    keep: Annotated[frozenset[int] | None, Form(_collection), Described("a list of epochs")] = None
    ignore_score_keys: Annotated[frozenset[str], Form(_collection), Described("a list of names of scores")] = (
        frozenset()
    )

    @staticmethod
    def from_config(config: Mapping[str, object]) -> CleanupOptions | None:
        """The options; None where the config does not ask for a clean-up.

        Raises:
            UserError: everything that is wrong.
        """
        given = read_config(_Keys, config).cleanup_old_models
        if not isinstance(given, Mapping):
            return CleanupOptions() if given else None
        return read_option(CleanupOptions, config, _KEY, given, owner=_KEY) if given else None


def cleanup_old_models(options: CleanupOptions, model: str, scores: Scores, last: int | None = None) -> list[int]:
    """Delete what the options do not keep; returns the deleted epochs.

    Args:
        last: the last epoch of the training; as in RETURNN, checkpoints of later ones are left alone.
    """
    existing = existing_checkpoints(model, last)
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
    counted = {e: {k: v for k, v in found.items() if k not in options.ignore_score_keys} for e, found in scores.items()}
    keep.update(_best(options.keep_best_n, existing, counted))
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
