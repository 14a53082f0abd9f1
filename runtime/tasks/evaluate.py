"""``task = "eval"``: the losses of a checkpoint on the evaluation datasets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from compiler.program.program import Program
from returnn_ir.config import Config
from runtime.datasets import Dataset, EpochPlanner
from runtime.learning_rate import LearningRateControl, LearningRateOptions
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import RunStep, run_epoch
from runtime.tasks.evaluation_options import EvaluationOptions
from runtime.tasks.log import epoch_name, log
from runtime.tasks.run_lock import LockedError, lock_paths
from runtime.tasks.run_options import RunOptions
from runtime.tasks.scores import EpochScores, TakeScores
from runtime.tasks.setup import Setup

__all__ = ["evaluate", "evaluate_dataset"]


def evaluate(config: Config) -> dict[str, EpochScores]:
    """The scores by dataset; they are kept beside those of the training that wrote the checkpoint.

    Raises:
        ConfigError: there is no checkpoint.
        DataError: data that does not fit the network.
    """
    setup = Setup.from_config(config)
    rates, options = LearningRateOptions.from_config(config), EvaluationOptions.from_config(config)
    setup.require_checkpoint()
    setup.start_tensorflow()
    scores, epoch = {}, setup.start.epoch or 1
    pretrain = setup.schedule.stage(epoch).is_pretrain
    with ExitStack() as opened:
        datasets = setup.eval_datasets(opened)
        step, program = _step(options, setup)
        for name, dataset in datasets.items():
            check_dataset(name, dataset, program.graph)
        for name, dataset in datasets.items():
            scores[name] = evaluate_dataset(step, program, name, dataset, epoch, setup.options, pretrain=pretrain)
    exp = setup.options.exp_scores
    log(" ".join(f"{name}: {found.line(exp=exp)}" for name, found in scores.items()), 1)
    _record(rates, setup, scores)
    return scores


def _step(options: EvaluationOptions, setup: Setup) -> tuple[RunStep, Program]:
    """What runs on each batch: the losses, or with ``train_in_eval`` an update, too."""
    if not options.train_in_eval:
        step = setup.load_step(options.mode)
        return step, step.program
    log(f"train in eval, learning rate {options.rate:f}", 2)
    trained = setup.load_train_step()
    return trained.epoch(options.rate), trained.program


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
    step: RunStep,
    program: Program,
    name: str,
    dataset: Dataset,
    epoch: int,
    options: RunOptions,
    planner: EpochPlanner | None = None,
    *,
    pretrain: bool = False,
) -> EpochScores:
    """Mean losses and errors of one pass over a dataset."""
    take = TakeScores(program.graph, options.exp_scores, options.log_batch_size)
    batch_options = replace(options.batch_options_of(name), recurrent=program.graph.recurrent)
    run_epoch(
        f"{epoch_name(epoch, pretrain=pretrain)} {name!r} eval", program, step, take,
        dataset=dataset, epoch=epoch, batch_options=batch_options, planner=planner,
        log_every=options.log_every_seconds, stop_on_nonfinite=options.stop_on_nonfinite,
    )  # fmt: skip
    return take.scores
