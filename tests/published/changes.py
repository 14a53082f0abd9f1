"""One config: really trained for two epochs, the last before a change of its network and the first after it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from unittest import mock

import numpy as np

from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir.config import Config, load_config
from returnn_ir.config.epoch_networks import network_difference
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.errors import UserError
from returnn_ir.network.net import parse_network
from runtime.checkpoints.files import GLOBAL_STEP, save_checkpoint
from runtime.learning_rate import LearningRateControl
from runtime.model.variables import Variables
from runtime.tasks.training.train import train
from tests.published.examine import cause
from tests.published.stand_in import standing_in
from tests.published.surroundings import Surroundings

__all__ = ["OUTCOMES", "ChangeOutcome", "change_of", "spread", "stay_here", "train_over_change"]

#: From the first thing that can happen to the last.
OUTCOMES = ("not loaded", "no change", "refused", "died", "trained")
_SEED = 7  # another one than that of initial values, so that copied values are no new ones
_STEPS = 1000


@dataclass(frozen=True)
class ChangeOutcome:
    """What became of one config.

    Attributes:
        config: its path.
        outcome: one of :data:`OUTCOMES`.
        cause: why it was not trained.
        epochs: the one before the change and the one after it.
        change: in which layers the networks differ.
        taken_over: of the parameters after the change, how many have the values from before, all or some of them.
        anew: how many have none of them.
        scores: of both epochs, by the learning-rate file's names.
        seconds: of all.
    """

    config: str
    outcome: str
    cause: str = ""
    epochs: tuple[int, ...] = ()
    change: str = ""
    taken_over: int = 0
    anew: int = 0
    scores: tuple[Mapping[str, float], ...] = ()
    seconds: float = 0.0


def change_of(path: Path, surroundings: Surroundings) -> tuple[int, str] | None:
    """The last epoch before the first change of a config's network behind epoch 1, and in which layers they differ.

    None where it cannot be loaded, or does not change.
    """
    try:
        config = _loaded(path, surroundings)
        schedule = NetworkSchedule.from_config(config)
        stages = schedule.distinct_stages(config.int("num_epochs", 5))
        found = next(((epoch - 1, stage) for epoch, stage in stages if epoch > 2), None)
        if found is None:
            return None
        last, after = found
        return last, network_difference(schedule.stage(last).definition, after.definition)
    except Exception:
        return None


def _loaded(path: Path, surroundings: Surroundings) -> Config:
    return load_config(path, ["++task", "train", *surroundings.options(path)], assume=surroundings.assume)


def spread(configs: Iterable[Path], checkout: Path) -> Iterator[Path]:
    """The configs in another order: one of each folder, the second of each folder, and so on."""
    folders: dict[str, list[Path]] = {}
    for path in configs:
        folders.setdefault(path.relative_to(checkout).parts[0], []).append(path)
    for number in range(max(map(len, folders.values()), default=0)):
        yield from (paths[number] for paths in folders.values() if number < len(paths))


def train_over_change(path: Path, surroundings: Surroundings) -> ChangeOutcome:
    """Train one config; whatever happens becomes its outcome."""
    started = monotonic()
    found = change_of(path, surroundings)
    if found is None:
        return ChangeOutcome(str(path), "no change")
    last, change = found
    epochs = (last, last + 1)
    try:
        config = _loaded(path, surroundings)
        stay_here(config, last + 1)
        _write_checkpoint(config, last - 1)
        with standing_in(config, Path.cwd()), _watched() as changes:
            train(config)
    except Exception as error:
        outcome = "refused" if isinstance(error, UserError) else "died"
        return ChangeOutcome(str(path), outcome, cause(error), epochs, change, seconds=round(monotonic() - started, 1))
    history = LearningRateControl.from_config(config).history
    scores = tuple(dict(history[epoch].scores) for epoch in epochs)
    wrong = [name for found in scores for name, value in found.items() if not math.isfinite(value)]
    before, after = changes[-1]
    taken = sum(_has_values_of(after[name], before[name]) for name in after if name in before)
    return ChangeOutcome(
        str(path), "died" if wrong else "trained", f"{wrong[0]} is not finite" if wrong else "", epochs,
        change, taken, len(after) - taken, scores, round(monotonic() - started, 1),
    )  # fmt: skip


def stay_here(config: Config, last: int) -> None:
    """Files are written into this folder, and nothing is read that is not here."""
    config.update({"model": str(Path.cwd() / "model"), "learning_rate_file": str(Path.cwd() / "rates"), "log": None})
    config.update({"num_epochs": last, "device": "cpu"})
    for name in ("load", "import_model_train_epoch1", "preload_from_files"):
        config.namespace.pop(name, None)


def _write_checkpoint(config: Config, epoch: int) -> None:
    """A checkpoint of the epoch's network, of seeded values."""
    stage = NetworkSchedule.from_config(config).stage(epoch)
    program: Program = compile_net(parse_network(stage.network, stage.config(config)), target="tf", mode="train")
    values = {name: value for name, value in program.initial_params(_SEED).items() if not program.params[name].is_kept}
    model = str(config["model"])
    save_checkpoint(model, epoch, {**values, GLOBAL_STEP: np.int64(_STEPS)}, pretrain=stage.is_pretrain)


@contextmanager
def _watched() -> Iterator[list[tuple[dict[str, Array], dict[str, Array]]]]:
    """The values of all variables before and after each change of the network."""
    changes: list[tuple[dict[str, Array], dict[str, Array]]] = []
    change = Variables.change

    def watched(self: Variables, *args: Any, **options: Any) -> None:
        before = self.values()
        change(self, *args, **options)
        changes.append((before, self.values()))

    with mock.patch.object(Variables, "change", watched):
        yield changes


def _has_values_of(after: Array, before: Array) -> bool:
    """Whether some of the values are at their places: all, or those of the first block along each axis."""
    if after.ndim != before.ndim or not after.size:
        return False
    if after.shape == before.shape:
        return np.array_equal(after, before)
    corner = tuple(slice(0, 1) for _ in after.shape)
    return np.array_equal(after[corner], before[corner])
