"""One training in a folder of its own, by ours or by RETURNN, and what its learning-rate file says of it."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.learning_rate.file import load_history
from runtime.learning_rate.history import EpochData

__all__ = ["INITIAL", "Run", "failure_of", "train_here", "train_in_returnn"]

_MODEL, _RATES = "net", "rates"
#: What ``++save_epoch1_initial_model 1`` writes.
INITIAL = f"{_MODEL}.000"

_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_RAISED = re.compile(r"^(\w+\.)*\w*(Error|Exception)\b|^returnn-run: ")

#: For a machine where nobody is logged in: some demos ask the terminal who it is. (Ours answers by itself.)
_LOGIN = """import getpass
import os

try:
    os.getlogin()
except OSError:
    os.getlogin = getpass.getuser
"""


@dataclass(frozen=True)
class Run:
    """What a training did.

    Attributes:
        epochs: the scores of each epoch that it finished.
        seconds: of all processors together, imports and the making of the graph included.
        failure: why it stopped, in one line; empty if it did not.
    """

    epochs: dict[int, EpochData]
    seconds: float
    failure: str

    def dev(self, epoch: int) -> tuple[float, float]:
        """Score and error rate on the dev data after an epoch."""
        scores = self.epochs[epoch].scores
        return scores["dev_score"], scores["dev_error"]


def train_in_returnn(python: Path, config: Path, folder: Path, options: Sequence[str], *, seconds: float) -> Run:
    """Train by RETURNN, which also writes the initial values of its parameters (``INITIAL``).

    Args:
        python: of an environment with RETURNN and TensorFlow.
        folder: made here, must be empty; models and the log are left in it.
        options: ``++key``, ``value``, ...
        seconds: the longest that it may take.
    """
    site = folder / "site"
    site.mkdir(parents=True)
    (site / "sitecustomize.py").write_text(_LOGIN, encoding="utf-8")
    command = [str(python), "-m", "returnn", str(config), *_common(), "++save_epoch1_initial_model", "1", *options]
    return _run(command, folder, {"PYTHONPATH": str(site)}, seconds)


def train_here(config: Path, folder: Path, options: Sequence[str], *, seconds: float) -> Run:
    """The same by ``returnn-run`` of this environment."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "runtime.cli", str(config), *_common(), *options]
    return _run(command, folder, {"PYTHONPATH": str(Path(__file__).parents[2])}, seconds)


def _common() -> list[str]:
    return ["++task", "train", "++model", _MODEL, "++learning_rate_file", _RATES, "++log_verbosity", "4"]


def _run(command: Sequence[str], folder: Path, environment: dict[str, str], seconds: float) -> Run:
    log, before, failure = folder / "log", resource.getrusage(resource.RUSAGE_CHILDREN), ""
    with log.open("wb") as stream:
        env = {**os.environ, **environment, "CUDA_VISIBLE_DEVICES": ""}
        try:
            done = subprocess.run(command, cwd=folder, env=env, stdout=stream, stderr=stream, timeout=seconds)
        except subprocess.TimeoutExpired:
            failure = f"not done after {seconds:.0f} s"
        else:
            if done.returncode != 0:
                failure = failure_of(log.read_text(encoding="utf-8", errors="replace"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rates = folder / _RATES
    history = load_history(rates) if rates.exists() else {}
    return Run({n: data for n, data in history.items() if "dev_score" in data.scores}, used, failure)


def failure_of(log: str) -> str:
    """The line of a log that says why the run failed: the last exception or refusal, or else the last line."""
    lines = [line.rstrip() for line in _COLORS.sub("", log).splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.match(line)]
    return (raised or lines or ["it said nothing"])[-1]
