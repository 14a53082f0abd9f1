"""One config: loaded, checked and lowered, without TensorFlow as far as the config itself does without."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

from compiler.program.named import build_named
from compiler.program.program import compile_net, make_target
from returnn_ir import load
from returnn_ir.errors import ProblemList, TargetError, UserError
from returnn_ir.ir.mode import Mode
from returnn_ir.network.layer_registry import layer_names
from returnn_ir.network.loss_registry import find_loss
from tests.published.surroundings import Surroundings

__all__ = ["ACCEPTED", "OUTCOMES", "Outcome", "examine", "preload"]

#: From the first thing that can happen to the last; a check without a target ends with "accepted".
OUTCOMES = (
    "not loaded",
    "refused",
    "died in the check",
    "accepted",
    "died in a pass",
    "refused by the target",
    "lowered",
)
#: What a check accepts, whatever a target then says.
ACCEPTED = OUTCOMES[OUTCOMES.index("accepted") :]

_CHOICE = re.compile(r"[\"']choice[\"']")


@dataclass(frozen=True)
class Outcome:
    """What became of one config.

    Attributes:
        config: its path.
        outcome: one of :data:`OUTCOMES`.
        cause: why it is not accepted, or not lowered.
        searches: whether its text has a layer that chooses.
        assumed: how many things were taken for given.
        seconds: of the processor, by step: load, check, lower.
    """

    config: str
    outcome: str
    cause: str = ""
    searches: bool = False
    assumed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def check_seconds(self) -> float:
        """Of what ``returnn-compile --mode MODE`` does before it looks at other epochs' networks."""
        return self.seconds.get("load", 0.0) + self.seconds.get("check", 0.0)


@dataclass
class _Examination:
    """The steps that a config goes through, timed."""

    path: Path
    mode: str
    target: str | None
    surroundings: Surroundings
    seconds: dict[str, float]
    assumed: int = 0

    def run(self) -> tuple[str, str]:
        """The outcome and its cause."""
        started = process_time()
        try:
            options = self.surroundings.options(self.path)
            net = load(self.path, options, mode=self.mode, assume=self.surroundings.assume)
        except Exception as error:
            return ("refused" if _of_network(error) else "not loaded"), cause(error)
        started = self._took("load", started)
        self.assumed = len(net.config.assumed) if net.config is not None else 0
        losses = self.mode != Mode.SEARCH  # as returnn-compile builds it
        try:
            build_named(net, self.mode, losses=losses)
        except UserError as error:
            return "refused", cause(error)
        except Exception as error:
            return "died in the check", cause(error)
        started = self._took("check", started)
        if self.target is None:
            return "accepted", ""
        try:
            compile_net(net, target=self.target, mode=self.mode, losses=losses)
        except Exception as error:
            return ("refused by the target" if _of_target(error) else "died in a pass"), cause(error)
        finally:
            self._took("lower", started)
        return "lowered", ""

    def _took(self, step: str, started: float) -> float:
        now = process_time()
        self.seconds[step] = round(now - started, 2)
        return now


def examine(path: Path, mode: str, target: str | None, surroundings: Surroundings) -> Outcome:
    """Load and check one config, and lower it for a target; whatever happens becomes its outcome."""
    examination = _Examination(path, mode, target, surroundings, {})
    outcome, why = examination.run()
    searches = _CHOICE.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    return Outcome(str(path), outcome, why, searches, examination.assumed, examination.seconds)


def preload(target: str | None) -> None:
    """Import what every config needs; the processes that examine them are forks of this one."""
    layer_names()
    find_loss("ce")
    if target is not None:
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
