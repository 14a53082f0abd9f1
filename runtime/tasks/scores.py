"""Sums of losses and errors over the batches of an epoch, and their means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.ir.graph import Graph

__all__ = ["EpochScores"]


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
            losses |= {f"{loss}:exp": float(np.exp(value)) for loss, value in losses.items()}
            losses = {f"cost:{loss}": value for loss, value in losses.items()}
        return {f"{dataset}_score": losses, f"{dataset}_error": self.mean_errors()}

    def line(self) -> str:
        """``score 0.1234 error 0.0456``, with loss names where there are several."""
        parts = []
        for word, values in (("score", self.scores()), ("error", self.mean_errors())):
            if len(values) == 1:
                parts.append(f"{word} {next(iter(values.values())):.5g}")
            elif values:
                parts.append(word + " " + " ".join(f"{name}:{value:.5g}" for name, value in values.items()))
        return " ".join(parts)
