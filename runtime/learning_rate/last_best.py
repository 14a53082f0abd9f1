"""``use_last_best_model``: which earlier epoch a training goes back to before it trains the next one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from returnn_ir.config.read import read_config, read_option
from returnn_ir.options import Count, Described, Size
from runtime.learning_rate.history import History, error_key_value

__all__ = ["LastBestOptions", "last_best_epoch"]

_KEY = "use_last_best_model"


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's option: whether it is done, or the options of it."""

    use_last_best_model: Annotated[bool | Mapping[str, Any], Described("True, False or a dict")] = False


@dataclass(frozen=True)
class LastBestOptions:
    """When a training goes back, and to which epochs.

    Attributes:
        modulo: only before epochs that are a multiple; before others if the last score is above ``filter_score``.
        first_epoch: none before it; None: the last one of the pretraining, or 1.
        only_last_epochs: none that lies further back; 0: any.
        filter_score: none with a score above it.
        only_last_n: so many of the newest that are left; less than 1: all.
        min_score_dist: by how much the score has to be better than the last one.
    """

    modulo: Size = 1
    first_epoch: Count | None = None
    only_last_epochs: Count | None = None
    filter_score: float = math.inf
    only_last_n: int = -1
    min_score_dist: float = 0.0

    @staticmethod
    def from_config(config: Mapping[str, object]) -> LastBestOptions | None:
        """The options; None where the config does not ask for it.

        Raises:
            UserError: everything that is wrong.
        """
        given = read_config(_Keys, config).use_last_best_model
        if not isinstance(given, Mapping):
            return LastBestOptions() if given else None
        return read_option(LastBestOptions, config, _KEY, given, owner=_KEY) if given else None


def last_best_epoch(
    options: LastBestOptions, history: History, measure: tuple[str, ...], epoch: int, *, pretrain_epochs: int = 0
) -> int | None:
    """The epoch whose parameters are used, instead of those of the epoch before, when ``epoch`` begins; None: no other.

    Args:
        measure: scores to watch, see :func:`error_key_value`.
        pretrain_epochs: of the pretraining, in which nobody goes back.
    """
    if epoch <= pretrain_epochs:
        return None
    found = error_key_value(history, epoch - 1, measure)
    if epoch % options.modulo and (found[1] if found else 0.0) <= options.filter_score:
        return None
    if options.first_epoch is None:
        options = replace(options, first_epoch=pretrain_epochs or 1)
    best = _best(options, history, measure, epoch - 1)
    return best if best != epoch - 1 else None


def _best(options: LastBestOptions, history: History, measure: tuple[str, ...], last: int) -> int | None:
    first = options.first_epoch or 0
    if options.only_last_epochs:
        first = max(first, last - options.only_last_epochs + 1)
    pairs = [(error_key_value(history, e, measure), e) for e in range(first, last + 1)]
    found = [(pair, e) for pair, e in pairs if pair is not None]
    if not found:
        return None
    (newest_key, newest), _ = found[-1]
    scores = [(pair[1], e) for pair, e in found if pair[0] == newest_key and pair[1] <= options.filter_score]
    if options.only_last_n >= 1:
        scores = scores[-options.only_last_n :]
    better = [(score, e) for score, e in scores if score + options.min_score_dist < newest]
    return min(better)[1] if better else None
