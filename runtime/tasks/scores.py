"""Sums of losses and errors over the batches of an epoch, and their means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.ir.graph import Graph
from runtime.datasets import Batch
from runtime.tasks.log import logs

__all__ = ["EpochScores", "TakeScores"]


@dataclass
class _Sum:
    """A running sum with the number of frames (or sequences) that it is divided by."""

    total: float = 0.0
    count: float = 0.0

    def add(self, value: float, count: float) -> None:
        self.total += value
        self.count += count

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0


@dataclass
class EpochScores:
    """Means of one epoch: every loss is divided by its own number of frames, as RETURNN does."""

    losses: dict[str, _Sum] = field(default_factory=dict)
    errors: dict[str, _Sum] = field(default_factory=dict)

    @staticmethod
    def none_of(graph: Graph) -> EpochScores:
        """The scores of a network before its first batch."""
        losses = {name: _Sum() for name, loss in graph.losses.items() if loss.value is not None}
        errors = {name: _Sum() for name, loss in graph.losses.items() if loss.error is not None}
        return EpochScores(losses, errors)

    def add(self, graph: Graph, fetches: Mapping[str, Array]) -> None:
        """Take one batch in."""
        for name, loss in graph.losses.items():
            norm = float(fetches[f"loss/{name}/norm_factor"]) if loss.norm_factor is not None else 1.0
            count = 1.0 / norm if norm and math.isfinite(norm) else 0.0
            if loss.value is not None:
                self.losses.setdefault(name, _Sum()).add(float(fetches[f"loss/{name}"]), count)
            if loss.error is not None:
                self.errors.setdefault(name, _Sum()).add(float(fetches[f"loss/{name}/error"]), count)

    def scores(self) -> dict[str, float]:
        """Mean loss by loss name."""
        return {name: value.mean for name, value in self.losses.items()}

    def mean_errors(self) -> dict[str, float]:
        """Mean error by loss name."""
        return {name: value.mean for name, value in self.errors.items()}

    def named(self, dataset: str, *, exp: bool) -> dict[str, dict[str, float]]:
        """Scores and errors under the names of the learning-rate file; ``exp``: exp(score) beside each score."""
        losses = self.scores()
        if exp:
            losses = {f"cost:{name}": value for name, value in _with_exp(losses).items()}
        return {f"{dataset}_score": losses, f"{dataset}_error": self.mean_errors()}

    def score_text(self, *, exp: bool = False) -> str:
        """The scores as RETURNN writes them: ``0.1``; ``aux 0.2 output 0.1``; with ``exp``, ``output 0.1 exp 1.1``."""
        return _text(_with_exp(self.scores()) if exp else self.scores())

    def error_text(self) -> str:
        """The errors likewise."""
        return _text(self.mean_errors())

    def line(self, *, exp: bool = False) -> str:
        """``score 0.1 error 0.05``."""
        return f"score {self.score_text(exp=exp)} error {self.error_text()}"


@dataclass(frozen=True)
class TakeScores:
    """Takes the results of batch after batch into the scores of an epoch; shows them for the progress.

    Attributes:
        graph: of the program that is run.
        exp: the log shows exp(score), too.
        sizes: the log of each step has the number and the lengths of its sequences.
    """

    graph: Graph
    exp: bool = False
    sizes: bool = False
    scores: EpochScores = field(default_factory=EpochScores)

    def __call__(self, batch: Batch, results: Mapping[str, Array]) -> str:
        """The values of this batch where every step is logged, else the means so far."""
        self.scores.add(self.graph, results)
        if not logs(5):
            return self.scores.line(exp=self.exp)
        longest = {f"max_size:{key}": int(axes[1].max()) for key, axes in batch.sizes.items() if 1 in axes}
        sizes = {"num_seqs": batch.num_seqs, **longest} if self.sizes else {}
        return _step_text(self.graph, results, exp=self.exp, sizes=sizes)


def _step_text(graph: Graph, fetches: Mapping[str, Array], *, exp: bool, sizes: Mapping[str, int]) -> str:
    """One batch as RETURNN's log has it: ``cost:output 0.693, error:output 0.39, loss 482.3``, sorted by name.

    Args:
        exp: exp(cost) beside each cost.
        sizes: further numbers by name.
    """
    values: dict[str, object] = dict(sizes)
    for name, loss in graph.losses.items():
        norm = fetches[f"loss/{name}/norm_factor"] if loss.norm_factor is not None else np.float32(1)
        if loss.value is not None:
            values[f"cost:{name}"] = fetches[f"loss/{name}"] * norm
            if exp:
                values[f"cost:{name}:exp"] = np.exp(fetches[f"loss/{name}"] * norm)
        if loss.error is not None:
            values[f"error:{name}"] = fetches[f"loss/{name}/error"] * norm
    if "objective" in fetches:
        values["loss"] = fetches["objective"]
    return ", ".join(f"{name} {values[name]!s}" for name in sorted(values))


def _with_exp(losses: Mapping[str, float]) -> dict[str, float]:
    """Each score and behind it exp(score)."""
    pairs = [[(name, value), (f"{name}:exp", float(np.exp(value)))] for name, value in losses.items()]
    return dict(pair for both in pairs for pair in both)


def _text(values: Mapping[str, float]) -> str:
    if len(values) == 1:
        return str(next(iter(values.values())))
    # of "output:exp" RETURNN shows "exp"
    return " ".join(f"{name.rpartition(':')[2]} {values[name]}" for name in sorted(values)) or "None"
