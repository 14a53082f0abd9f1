"""``task = "train"``: epochs over the training data, with evaluation, learning rates and checkpoints between them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from compiler.program.program import Program
from compiler.target.protocol import Array
from returnn_ir.config import Config
from runtime.checkpoints.cleanup import CleanupOptions, cleanup_old_models
from runtime.checkpoints.files import restore_optimizer, save_checkpoint
from runtime.datasets import Batch, BatchOptions, Dataset, EpochPlanner
from runtime.learning_rate import LearningRateControl, LearningRateOptions
from runtime.model.step import Step, TrainStep
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import run_epoch
from runtime.tasks.evaluate import evaluate_dataset
from runtime.tasks.progress import log
from runtime.tasks.run_lock import lock_paths
from runtime.tasks.run_options import RunOptions
from runtime.tasks.scores import EpochScores
from runtime.tasks.setup import Setup, log_notes
from runtime.tasks.start import Start, find_start

__all__ = ["TrainOptions", "train"]


@dataclass(frozen=True)
class TrainOptions:
    """What a training needs beside the options of all runs, some of it only behind an epoch.

    Attributes:
        optimizer: not built yet.
        cleanup: which checkpoints are deleted; None: none.
    """

    rates: LearningRateOptions
    optimizer: Optimizer
    cleanup: CleanupOptions | None

    @staticmethod
    def from_config(config: Config) -> TrainOptions:
        """Read the options; a wrong one is a ConfigError with its place."""
        return TrainOptions(
            LearningRateOptions.from_config(config),
            Optimizer.create(config),
            CleanupOptions.from_config(config),
        )


def train(config: Config) -> None:
    """Train from the newest checkpoint (or from scratch) to ``num_epochs``, if there is a last epoch.

    Raises:
        UserError: what is wrong with the config, the data or the network, or a score that is not finite.
    """
    setup = Setup.from_config(config)
    options = TrainOptions.from_config(config)
    files = [] if setup.options.dry_run else [path for path in (setup.options.model, options.rates.file) if path]
    with lock_paths(files), ExitStack() as opened:
        start = find_start(config, setup.options)  # what others have written is whole now
        training = _Training.prepare(setup, options, start, opened)
        training.run()


@dataclass(frozen=True)
class _Training:
    """A training under way.

    Attributes:
        evaluated: the evaluation datasets by name.
        evaluation: the network's step on them; None where there are none.
        planner: of the batches of all of them.
    """

    options: RunOptions
    start: Start
    rates: LearningRateControl
    cleanup: CleanupOptions | None
    dataset: Dataset
    evaluated: Mapping[str, Dataset]
    step: TrainStep
    evaluation: Step | None
    planner: EpochPlanner = field(default_factory=EpochPlanner)

    @staticmethod
    def prepare(setup: Setup, options: TrainOptions, start: Start, opened: ExitStack) -> _Training:
        """Open the data, compile the network and load what the training starts from."""
        rates = LearningRateControl(options.rates)
        setup.start_tensorflow()
        ordering = setup.options.batching
        dataset = opened.enter_context(setup.dataset("train", setup.options.train, seq_ordering=ordering))
        evaluated = setup.eval_datasets(opened)
        steps = Steps(Variables(setup.options.random_seed), options.optimizer)
        step = steps.train(setup.net)
        evaluation = steps.get(setup.net, "eval") if evaluated else None
        training = _Training(setup.options, start, rates, options.cleanup, dataset, evaluated, step, evaluation)
        training.check_data()
        log_notes(*training.programs)
        if setup.options.dry_run:
            log("dry run: neither checkpoints nor scores are written")
        training.load()
        return training

    @property
    def programs(self) -> list[Program]:
        """Of training, then of evaluation if there is any; a checkpoint has the variables of both."""
        return [self.step.program, *([self.evaluation.program] if self.evaluation is not None else [])]

    def check_data(self) -> None:
        """Do the datasets have what the network reads?"""
        check_dataset("train", self.dataset, self.step.program.graph)
        for name, dataset in self.evaluated.items():
            check_dataset(name, dataset, self.programs[-1].graph)

    def load(self) -> None:
        """Load what the training starts from."""
        prefix = self.start.checkpoint
        if prefix is None:
            return
        self.step.variables.load(prefix, self.programs)
        imported = prefix == self.options.import_model
        remark = None if imported else restore_optimizer(prefix, self.step.optimizer_state())
        how = "resumed" if self.start.resumed else "started"
        log(f"{how} from {prefix}" + (f" ({remark})" if remark else ""))

    # ---------------------------------------------------------------- epochs

    def run(self) -> None:
        """All epochs that are left."""
        options, rates = self.options, self.rates
        if self.start.epoch == 0 and any(data.scores for data in rates.history.values()):
            log(f"note: {rates.options.file} has scores of an earlier training, which this one goes on with")
        last, first = options.num_epochs, self.start.epoch + 1
        if last is not None and first > last:
            log(f"nothing to do: epoch {first - 1} of {last} is done")
        elif first == 1 and options.model and options.save_initial and not options.dry_run:
            save_checkpoint(options.model, 0, self.step.variables.saved(self.programs))
        batch_options = options.batch_options.started(first)
        for epoch in count(first) if last is None else range(first, last + 1):
            batch_options = batch_options.next_epoch()
            self._train(epoch, batch_options)
            self._evaluate(epoch, batch_options)
            if not options.dry_run:
                self._save(epoch)
        best = rates.best_epoch()
        if best is not None:
            log(f"best epoch: {best}")

    def _train(self, epoch: int, batch_options: BatchOptions) -> None:
        rate = self.rates.learning_rate(epoch)
        title, scores, options = f"train epoch {epoch}", EpochScores(), self.options
        batch_options = replace(batch_options, recurrent=self.step.program.graph.recurrent)

        def take(batch: Batch, results: Mapping[str, Array]) -> str:
            scores.add(self.step.program.graph, results)
            return scores.line()

        done = run_epoch(
            title, self.step.program, partial(self.step, learning_rate=rate), take,
            dataset=self.dataset, epoch=epoch, batch_options=batch_options, planner=self.planner,
            log_every=options.log_every_seconds, stop_on_nonfinite=options.stop_on_nonfinite,
        )  # fmt: skip
        log(
            f"{title}, learning rate {rate:.4g}, {done.steps} steps, {done.seconds:.1f} s "
            f"({done.computing_share:.1%} computing time): {scores.line()}"
        )
        self.rates.set_scores(epoch, scores.named("train", exp=options.exp_scores))
        meta = {"epoch_num_train_steps": done.steps, "epoch_train_time_secs": round(done.seconds)}
        self.rates.set_meta(epoch, meta)

    def _evaluate(self, epoch: int, batch_options: BatchOptions) -> None:
        if self.evaluation is None:
            return
        options = replace(self.options, batch_options=batch_options)
        for name, dataset in self.evaluated.items():
            scores = evaluate_dataset(self.evaluation, name, dataset, epoch, options, self.planner)
            log(f"  {name}: {scores.line()}")
            self.rates.set_scores(epoch, scores.named(name, exp=self.options.exp_scores))

    def _save(self, epoch: int) -> None:
        """Write scores and a checkpoint, where the epoch has one, and delete old ones."""
        options, rates = self.options, self.rates
        # the scores before the checkpoint: whoever is killed in between repeats the epoch and overwrites them
        rates.save()
        if options.model and (epoch % options.save_interval == 0 or epoch == options.num_epochs):
            saved = self.step.variables.saved(self.programs)
            save_checkpoint(options.model, epoch, saved, self.step.optimizer_state())
        if self.cleanup is not None and options.model:
            cleanup_old_models(self.cleanup, options.model, {e: data.scores for e, data in rates.history.items()})
