"""Whether there will be the scores that the control of the learning rate is told to watch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from returnn_ir.ir.graph import Graph
from runtime.learning_rate.control import flat_scores
from runtime.learning_rate.history import error_key
from runtime.tasks.scores import EpochScores

__all__ = ["missing_measures"]


def missing_measures(measure: Sequence[str], graph: Graph, datasets: Iterable[str], *, exp: bool) -> str | None:
    """A note where none of the wanted scores will be there, as RETURNN watches another one then.

    Args:
        measure: ``learning_rate_control_error_measure``.
        graph: of the last network.
        datasets: ``train``, and those that are evaluated.
        exp: scores are also kept as exp(score).
    """
    scores = EpochScores.none_of(graph)
    keys: dict[str, float] = {}
    for name in datasets:
        keys |= flat_scores(scores.named(name, exp=exp))
    wanted = {name for key in measure for name in (key, f"{key}_output")}
    if not measure or not keys or wanted & keys.keys():
        return None
    asked = f"{' or '.join(map(repr, measure))}, which learning_rate_control_error_measure asks for"
    watched = f"as in RETURNN {error_key(keys, measure)!r} is watched, of {', '.join(sorted(keys))}"
    return f"there is no score {asked}: {watched}"
