"""One config: loaded, checked and lowered, without TensorFlow as far as the config itself does without."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from compiler.program.named import build_named
from compiler.program.program import compile_net, make_target
from returnn_ir import load
from returnn_ir.errors import ProblemList, TargetError, UserError
from returnn_ir.ir.loop import LoopOptions
from returnn_ir.network.layer_registry import layer_names
from returnn_ir.network.loss_registry import find_loss
from tests.published.stubs import stubbed

__all__ = ["OUTCOMES", "Outcome", "examine", "preload"]

#: From the first thing that can happen to the last.
OUTCOMES = ("not loaded", "refused", "died in the check", "died in a pass", "refused by the target", "lowered")


@dataclass(frozen=True)
class Outcome:
    """What became of one config.

    Attributes:
        config: its path.
        outcome: one of :data:`OUTCOMES`.
        cause: why it is not lowered.
        searches: whether the network that was checked has a search.
        seconds: by step: load, check, lower.
    """

    config: str
    outcome: str
    cause: str
    searches: bool
    seconds: dict[str, float]


@dataclass
class _Examination:
    """The steps that a config goes through, timed."""

    path: Path
    mode: str
    target: str
    seconds: dict[str, float]
    searches: bool = False

    def run(self) -> tuple[str, str]:
        """The outcome and its cause."""
        started = monotonic()
        try:
            with stubbed():
                net = load(self.path, mode=self.mode)
        except Exception as error:
            return ("refused" if _of_network(error) else "not loaded"), cause(error)
        started = self._took("load", started)
        losses = self.mode != "search"  # as returnn-compile builds it
        try:
            with stubbed():
                graph = build_named(net, self.mode, losses=losses).graph
        except UserError as error:
            return "refused", cause(error)
        except Exception as error:
            return "died in the check", cause(error)
        self.searches = any(LoopOptions.of(node.attrs).searches for node in graph.nodes("loop"))
        started = self._took("check", started)
        try:
            with stubbed():
                compile_net(net, target=self.target, mode=self.mode, losses=losses)
        except Exception as error:
            return ("refused by the target" if _of_target(error) else "died in a pass"), cause(error)
        finally:
            self._took("lower", started)
        return "lowered", ""

    def _took(self, step: str, started: float) -> float:
        now = monotonic()
        self.seconds[step] = round(now - started, 2)
        return now


def examine(path: Path, mode: str, target: str) -> Outcome:
    """Load, check and lower one config; whatever happens becomes its outcome."""
    examination = _Examination(path, mode, target, {})
    outcome, why = examination.run()
    return Outcome(str(path), outcome, why, examination.searches, examination.seconds)


def preload(target: str) -> None:
    """Import what every config needs; the processes that examine them are forks of this one."""
    layer_names()
    find_loss("ce")
    make_target(target)


def _of_target(error: Exception) -> bool:
    """Whether it is a target's refusal of one or several ops."""
    problems = error.problems if isinstance(error, ProblemList) else [error]
    return all(isinstance(problem, TargetError) for problem in problems)


def _of_network(error: Exception) -> bool:
    """Whether the config was executed and its network dict is what is wrong."""
    problems: Sequence[Exception] = error.problems if isinstance(error, ProblemList) else [error]
    return all(isinstance(p, UserError) and getattr(p.where, "layer", None) is not None for p in problems)


def cause(error: Exception) -> str:
    """The first problem without its place; of what is no user's error, where it was raised."""
    first = error
    while isinstance(first, ProblemList):
        first = first.problems[0]
    if isinstance(first, UserError):
        details = [f"{k}: {v}" for k, v in (("expected", first.expected), ("received", first.received)) if v]
        return "; ".join([first.what, *details])
    frames = traceback.extract_tb(first.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, {frames[-1].name})" if frames else ""
    return f"{type(first).__name__}: {first}{place}"
