"""``task = "train"``: epochs over the training data, with evaluation, learning rates and checkpoints between them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import count

from compiler.program.program import Program
from returnn_ir.config import Config
from returnn_ir.config.epoch_networks import same_network
from returnn_ir.construct.construct import construct
from returnn_ir.network.net import parse_network
from runtime.checkpoints.cleanup import CleanupOptions, cleanup_old_models
from runtime.checkpoints.files import checkpoint_prefix, restore_optimizer, save_checkpoint
from runtime.checkpoints.loading import Loading
from runtime.datasets import EpochPlanner
from runtime.learning_rate import LearningRateControl, LearningRateOptions
from runtime.learning_rate.last_best import LastBestOptions, last_best_epoch
from runtime.model.variables import Variables
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import RunStep, run_epoch
from runtime.tasks.evaluate import evaluate_dataset
from runtime.tasks.evaluation_options import EvaluationOptions
from runtime.tasks.log import epoch_name, hms, log
from runtime.tasks.run_lock import lock_paths
from runtime.tasks.run_options import RunOptions
from runtime.tasks.scores import TakeScores
from runtime.tasks.setup import Setup, log_lines
from runtime.tasks.start import Start, find_start, own_checkpoint
from runtime.tasks.training.callback import NetworkCallback
from runtime.tasks.training.data import TrainingData
from runtime.tasks.training.measures import missing_measures
from runtime.tasks.training.network import TrainedNetwork
from runtime.tasks.training.remains import Remains
from runtime.tasks.training.skipped_steps import SkippedSteps

__all__ = ["TrainOptions", "train"]


@dataclass(frozen=True)
class TrainOptions:
    """What a training needs beside the options of all runs, some of it only behind an epoch.

    Attributes:
        cleanup: which checkpoints are deleted; None: none.
        last_best: when a training goes back to an earlier epoch; None: never.
        evaluation: how the evaluation data are evaluated.
        callback: sees the parameters that a changed network takes over; None: nobody does.
    """

    rates: LearningRateOptions
    cleanup: CleanupOptions | None
    last_best: LastBestOptions | None
    evaluation: EvaluationOptions
    callback: NetworkCallback | None

    @staticmethod
    def from_config(config: Config) -> TrainOptions:
        """Read the options; a wrong one is a ConfigError with its place."""
        return TrainOptions(
            LearningRateOptions.from_config(config),
            CleanupOptions.from_config(config),
            LastBestOptions.from_config(config),
            EvaluationOptions.from_config(config),
            NetworkCallback.from_config(config),
        )


def train(config: Config) -> None:
    """Train from the newest checkpoint (or from scratch) to ``num_epochs``, if there is a last epoch.

    Raises:
        UserError: what is wrong with the config, the data or the network, or a score that is not finite.
    """
    setup = Setup.from_config(config)
    options = TrainOptions.from_config(config)
    files = [] if setup.options.dry_run else [path for path in (setup.options.model, options.rates.file) if path]
    with lock_paths(files), TrainingData() as data:
        start = find_start(config, setup.options)  # what others have written is whole now
        training = _Training(config, setup, options, start, data)
        training.load()
        training.run()


class _Training:
    """A training under way; it begins with the network of the epoch that it loads, or else of the first one.

    Args:
        config: as given.
        start: what it begins with.
        data: opened here, as an epoch wants them.
    """

    def __init__(self, config: Config, setup: Setup, options: TrainOptions, start: Start, data: TrainingData) -> None:
        self.config = config
        self.start = start
        self.data = data
        self.cleanup = options.cleanup
        self.last_best = options.last_best
        self.rates = LearningRateControl(options.rates)
        self.schedule = setup.schedule
        self.planner = EpochPlanner()
        setup.start_tensorflow()
        first = max(start.epoch, 1)
        stage = self._stage = self.schedule.stage(first)
        begun = setup.in_epoch(config, stage)
        self.setup = begun.with_batches(begun.options.batch_options.started(start.epoch + 1))
        self._open_data(epoch=first)
        self.variables = Variables(self.options.random_seed)
        self.network = TrainedNetwork(
            config, stage, self.variables, evaluated=options.evaluation if data.evaluated else None,
            callback=options.callback, always=self.options.reinit_network,
        )  # fmt: skip
        self._check_data()
        self._check_measure()
        if self.options.dry_run:
            log("dry run: neither checkpoints nor scores are written")

    @property
    def options(self) -> RunOptions:
        """Of the epoch."""
        return self.setup.options

    def load(self) -> None:
        """Load what the training starts from."""
        log_lines(f"note: {note}" for note in self.start.notes)
        loading = self.start.loading_of(self.network.net)
        if not loading:
            return
        log_lines(self.variables.load(loading, self.network.programs))
        prefix = loading.checkpoint
        if prefix is None:
            return
        imported = prefix == self.options.import_model
        step = self.network.step
        remark = None if imported else restore_optimizer(prefix, step.optimizer_state(), step.optimizer.optional())
        how = "resumed" if self.start.resumed else "started"
        log(f"{how} from {prefix}" + (f" ({remark})" if remark else ""))

    # ---------------------------------------------------------------- epochs

    def run(self) -> None:
        """All epochs that are left."""
        options, rates = self.options, self.rates
        if self.start.epoch == 0 and any(data.scores for data in rates.history.values()):
            log(f"note: {rates.options.file} has scores of an earlier training, which this one goes on with")
        last, first = options.num_epochs, self.start.epoch + 1
        log(f"start training at epoch {first}")
        log(f"using batch size: {options.batch_options.batch_size}, max seqs: {options.batch_options.max_seqs}", 4)
        if last is not None and first > last:
            log(f"nothing to do: epoch {first - 1} of {last} is done")
        self._evaluate_last()
        for epoch in count(first) if last is None else range(first, last + 1):
            rate = self._begin(epoch)
            self._use_last_best(epoch)
            if epoch == 1 and options.save_initial:
                self._save_checkpoint(0)
            self._train(epoch, rate)
            self._evaluate(epoch)
            if not options.dry_run:
                self._save(epoch)
        best = rates.best_epoch()
        if best is not None:
            log(f"best epoch: {best}")
        if last is not None and first <= last:
            log(f"Finished training in epoch {last}.")

    def _begin(self, epoch: int) -> float:
        """Datasets, options, network and learning rate of an epoch, in this order; returns the last."""
        before, stage = self._stage, self.schedule.stage(epoch)
        batches = self.options.batch_options.next_epoch()
        if stage is not before:
            self._stage, self.setup = stage, self.setup.in_epoch(self.config, stage)
        if "max_seq_length" not in {*before.overlay, *stage.overlay}:
            longest = batches.max_seq_length
            self.setup = self.setup.with_batches(replace(self.options.batch_options, max_seq_length=longest))
        other_data = self._open_data(epoch)
        if self.network.change(stage, epoch) or other_data:
            self._check_data()
        return self.rates.learning_rate(epoch, pretrain_epochs=self.schedule.pretrain_epochs)

    def _open_data(self, epoch: int) -> bool:
        """Datasets and learning rate as ``#config`` says; whether any dataset is another one than before."""
        if self._stage.learning_rate is not None:
            self.rates.overwrite(epoch, self._stage.learning_rate)
        return self.data.update(self.setup)

    def _check_data(self) -> None:
        """Do the datasets have what the network reads?"""
        check_dataset("train", self.data.train, self.network.step.program.graph)
        for name, dataset in self.data.evaluated.items():
            check_dataset(name, dataset, self.network.programs[-1].graph)

    def _check_measure(self) -> None:
        """Will there be the score that controls the learning rate? The last network says so."""
        measure, last = self.rates.options.error_measure, self.schedule.stage(self.schedule.final_epoch)
        if not measure or self.rates.options.control == "constant":
            return
        graph = self.network.step.program.graph
        if not same_network(last.built_from, self._stage.built_from):
            graph = construct(parse_network(last.network, last.config(self.config)), "train").graph
        note = missing_measures(measure, graph, ["train", *self.data.evaluated], exp=self.options.exp_scores)
        if note is not None:
            log(f"warning: {note}", 2)

    def _train(self, epoch: int, rate: float) -> None:
        options, pretrain = self.options, self._stage.is_pretrain
        name = epoch_name(epoch, pretrain=pretrain)
        log(f"start {name} with learning rate {rate} ...", 4)
        title = f"{'pre' if pretrain else ''}train epoch {epoch}"
        step, program = self._step(rate)
        skipped = self._skipped(title, step)
        meta = self._begun(rate)
        batch_options = replace(options.batch_options, recurrent=program.graph.recurrent)

        take = TakeScores(program.graph, options.exp_scores, options.log_batch_size)
        with self._remains(epoch) as remains:
            done = run_epoch(
                title, program, skipped or step, remains.counting(take),
                dataset=self.data.train, epoch=epoch, batch_options=batch_options, planner=self.planner,
                log_every=options.log_every_seconds, stop_on_nonfinite=options.stop_on_nonfinite,
            )  # fmt: skip
        if options.stop_on_nonfinite:
            remains.check(title, take.scores.scores())
        if skipped is not None:
            skipped.summary()
        scores, errors = take.scores.score_text(exp=options.exp_scores), take.scores.error_text()
        log(f"{name} score: {scores} error: {errors} elapsed: {hms(done.seconds)}", 1)
        self.rates.set_scores(epoch, take.scores.named("train", exp=options.exp_scores))
        meta |= {"epoch_num_train_steps": done.steps, "epoch_train_time_secs": round(done.seconds)}
        self.rates.set_meta(epoch, meta)

    def _begun(self, rate: float) -> dict[str, object]:
        """What is told of an epoch that trains: the steps before it, and the rate of its first one."""
        if not self.network.stage.trainable:
            return {}
        effective = self.network.step.effective_rate(rate)
        return {"global_train_step": self.variables.steps_done, "effective_learning_rate": effective}

    def _step(self, rate: float) -> tuple[RunStep, Program]:
        """What runs on each batch; a network that is not trained (``#trainable``) only computes its losses."""
        network = self.network
        if network.stage.trainable or network.evaluation is None:
            return network.step.epoch(rate), network.step.program
        return network.evaluation, network.evaluation.program

    def _skipped(self, title: str, step: RunStep) -> SkippedSteps | None:
        """The step with what tells of those without an update; None where each has one."""
        scale = self.network.step.loss_scale if self.network.stage.trainable else None
        return None if scale is None else SkippedSteps(title, step, scale)

    def _remains(self, epoch: int) -> Remains:
        options, pretrain = self.options, self._stage.is_pretrain
        named = options.model if not options.dry_run else None
        prefix = checkpoint_prefix(named, epoch, pretrain=pretrain) if named else None
        return Remains(prefix, lambda: self.variables.saved(self.network.programs))

    def _use_last_best(self, epoch: int) -> None:
        """``use_last_best_model``: go on from a better epoch than the last one; the optimizer starts anew."""
        rates, pretrain = self.rates, self.schedule.pretrain_epochs
        if self.last_best is None:
            return
        measure = rates.options.error_measure
        best = last_best_epoch(self.last_best, rates.history, measure, epoch, pretrain_epochs=pretrain)
        if best is not None:
            prefix = own_checkpoint(self.options, best)
            log_lines(self.variables.load(Loading(prefix, resumed=True), self.network.programs))
            self.network.step.reset_optimizer()
            log(f"epoch {epoch - 1} has not the best score, epoch {epoch} goes on from {prefix}")

    def _evaluate_last(self) -> None:
        """Scores that the epoch lacks which the training goes on from; a control of the rates may ask for them."""
        epoch = self.start.epoch
        known = self.rates.history[epoch].scores if epoch in self.rates.history else {}
        missing = [name for name in self.data.evaluated if not any(key.startswith(f"{name}_score") for key in known)]
        if not epoch or not self.rates.options.file or not missing:
            return
        log(f"Last epoch model not yet evaluated on {missing[0]}. Doing that now.", 4)
        self._evaluate(epoch, missing)
        if not self.options.dry_run:
            self.rates.save()

    def _evaluate(self, epoch: int, names: Collection[str] | None = None) -> None:
        """The scores of an epoch on the evaluation datasets, of them only ``names``."""
        evaluation = self.network.evaluation
        if evaluation is None:
            return
        exp, pretrain, found = self.options.exp_scores, self._stage.is_pretrain, {}
        for name, dataset in self.data.evaluated.items():
            if names is not None and name not in names:
                continue
            found[name] = evaluate_dataset(
                evaluation, evaluation.program, name, dataset, epoch, self.options, self.planner, pretrain=pretrain
            )
            self.rates.set_scores(epoch, found[name].named(name, exp=exp))
        log(" ".join(f"{name}: {scores.line(exp=exp)}" for name, scores in found.items()), 1)

    def _save(self, epoch: int) -> None:
        """Write scores and a checkpoint, where the epoch has one, and delete old ones."""
        options, rates = self.options, self.rates
        # the scores before the checkpoint: whoever is killed in between repeats the epoch and overwrites them
        rates.save()
        if epoch % options.save_interval == 0 or epoch == options.num_epochs:
            self._save_checkpoint(epoch)
        if self.cleanup is not None and options.model:
            scores = {e: data.scores for e, data in rates.history.items()}
            cleanup_old_models(self.cleanup, options.model, scores, options.num_epochs)

    def _save_checkpoint(self, epoch: int) -> None:
        model, network = self.options.model, self.network
        if model and not self.options.dry_run:
            saved = self.variables.saved(network.programs)
            state = network.step.optimizer_state() if epoch else None
            prefix = save_checkpoint(model, epoch, saved, state, pretrain=network.stage.is_pretrain)
            log(f"Save model under {prefix}", 4)
