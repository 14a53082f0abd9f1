"""``task = "eval"``: the losses of a checkpoint on the evaluation datasets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from compiler.target.protocol import Array
from returnn_ir.config import Config
from runtime.datasets import Batch, Dataset, EpochPlanner
from runtime.learning_rate import LearningRateControl, LearningRateOptions
from runtime.model.step import Step
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import run_epoch
from runtime.tasks.progress import log
from runtime.tasks.run_lock import LockedError, lock_paths
from runtime.tasks.run_options import RunOptions
from runtime.tasks.scores import EpochScores
from runtime.tasks.setup import Setup

__all__ = ["evaluate", "evaluate_dataset"]


def evaluate(config: Config) -> dict[str, EpochScores]:
    """The scores by dataset; they are kept beside those of the training that wrote the checkpoint.

    Raises:
        ConfigError: there is no checkpoint.
        DataError: data that does not fit the network.
    """
    setup = Setup.from_config(config)
    rates = LearningRateOptions.from_config(config)
    setup.require_checkpoint()
    setup.start_tensorflow()
    scores = {}
    with ExitStack() as opened:
        datasets = setup.eval_datasets(opened)
        step = setup.load_step("eval")
        for name, dataset in datasets.items():
            check_dataset(name, dataset, step.program.graph)
        for name, dataset in datasets.items():
            scores[name] = evaluate_dataset(step, name, dataset, setup.start.epoch or 1, setup.options)
            log(f"{name}: {scores[name].line()}")
    _record(rates, setup, scores)
    return scores


def _record(rates: LearningRateOptions, setup: Setup, scores: Mapping[str, EpochScores]) -> None:
    """Add scores to the learning-rate file, as RETURNN does unless a checkpoint was asked for by ``load``."""
    options, epoch = setup.options, setup.start.epoch
    if rates.file is None or options.dry_run or options.load or not epoch:
        return
    try:
        with lock_paths([rates.file]):
            control = LearningRateControl(rates)
            for name, found in scores.items():
                control.set_scores(epoch, found.named(name, exp=options.exp_scores))
            control.save()
    except LockedError as error:  # a training that runs has the file for itself
        log(f"note: the scores are not kept: {error.what}")


def evaluate_dataset(
    step: Step, name: str, dataset: Dataset, epoch: int, options: RunOptions, planner: EpochPlanner | None = None
) -> EpochScores:
    """Mean losses and errors of one pass over a dataset."""
    scores = EpochScores()
    batch_options = replace(options.batch_options_of(name), recurrent=step.program.graph.recurrent)

    def take(batch: Batch, results: Mapping[str, Array]) -> str:
        scores.add(step.program.graph, results)
        return scores.line()

    run_epoch(
        name, step.program, step, take,
        dataset=dataset, epoch=epoch, batch_options=batch_options, planner=planner,
        log_every=options.log_every_seconds, stop_on_nonfinite=options.stop_on_nonfinite,
    )  # fmt: skip
    return scores
