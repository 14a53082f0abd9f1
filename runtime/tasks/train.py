"""The engine: runs epochs over datasets, keeps scores, learning rates and checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from compiler.target.protocol import Array
from compiler.tensorflow.start import hide_gpus, start_tensorflow
from returnn_ir.config import Config
from returnn_ir.config.key import Run
from returnn_ir.errors import DataError
from returnn_ir.ir.graph import Graph
from returnn_ir.network.net import Net
from runtime.checkpoints.cleanup import CleanupOptions, cleanup_old_models
from runtime.checkpoints.files import save_checkpoint
from runtime.datasets import Batch, BatchLimits, BatchLoader, Dataset, init_dataset, make_batches
from runtime.learning_rate import LearningRateControl, LearningRateOptions
from runtime.model.model import Model
from runtime.optimizers import Optimizer
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.feeding import checked_feed
from runtime.tasks.key_check import check_network_of_epochs, checked_net
from runtime.tasks.progress import log, progress
from runtime.tasks.run_lock import lock_paths
from runtime.tasks.run_options import RunOptions
from runtime.tasks.scores import EpochScores
from runtime.tasks.start import find_checkpoint, find_start

__all__ = ["Engine"]


class Engine:
    """One training or evaluation run.

    Args:
        config: a loaded config.
    """

    def __init__(self, config: Config) -> None:
        """Read the config and refuse what cannot be done; neither data nor TensorFlow are loaded yet.

        Raises:
            UserError: what is wrong in the config, or not available; every such key at once.
        """
        self.config = config
        self.options = RunOptions.from_config(config)
        self.start = find_start(config, self.options)
        training = self.options.task == "train"
        epoch = self.start.epoch + 1 if training else max(self.start.epoch, 1)
        network = config.network_for_epoch(epoch)
        first = training and not self.start.resumed and self.start.epoch == 0
        loaded = None if training else self.start.checkpoint
        self.net: Net = checked_net(Run(config, self.options.task, network, first, loaded))
        if training:
            check_network_of_epochs(config, network, epoch, self.options.num_epochs)

    def start_tensorflow(self) -> None:
        """Import TensorFlow, for the device that the config asks for."""
        start_tensorflow()
        if self.options.on_cpu:
            hide_gpus()

    # ---------------------------------------------------------------- tasks

    def train(self) -> None:
        """Train from the newest checkpoint (or from scratch) to ``num_epochs``, if there is a last epoch."""
        options = self.options
        rates = LearningRateOptions.from_config(self.config)
        optimizer, cleanup = Optimizer.create(self.config), CleanupOptions.from_config(self.config)
        files = [] if options.dry_run else [path for path in (options.model, rates.file) if path]
        with lock_paths(files):
            self.start = find_start(self.config, options)  # what others have written is whole now
            self._train(LearningRateControl(rates), optimizer, cleanup)

    def _train(self, rates: LearningRateControl, optimizer: Optimizer, cleanup: CleanupOptions | None) -> None:
        options = self.options
        self.start_tensorflow()
        train = self._dataset("train", options.train, seq_ordering=self.config.value("batching", "default"))
        evaluated = {name: self._dataset(name, data) for name, data in options.eval_datasets.items()}
        model = Model(self.net, optimizer, options.random_seed)
        for name, dataset in {"train": train, **evaluated}.items():
            check_dataset(name, dataset, model.train_program.graph)
        for note in model.train_program.graph.notes:
            log(f"note: {note}")
        if options.dry_run:
            log("dry run: neither checkpoints nor scores are written")
        self._load(model)
        if self.start.epoch == 0 and any(data.scores for data in rates.history.values()):
            log(f"note: {rates.options.file} has scores of an earlier training, which this one goes on with")
        last, first = options.num_epochs, self.start.epoch + 1
        if last is not None and first > last:
            log(f"nothing to do: epoch {first - 1} of {last} is done")
        elif first == 1 and options.model and options.save_initial and not options.dry_run:
            save_checkpoint(options.model, 0, model.saved_variables())
        for epoch in count(first) if last is None else range(first, last + 1):
            self._train_epoch(model, rates, train, epoch)
            self._eval_epoch(model, rates, evaluated, epoch)
            if not options.dry_run:
                self._save(model, rates, cleanup, epoch)
        best = rates.best_epoch()
        if best is not None:
            log(f"best epoch: {best}")

    def _save(self, model: Model, rates: LearningRateControl, cleanup: CleanupOptions | None, epoch: int) -> None:
        """Write scores and a checkpoint, where the epoch has one, and delete old ones."""
        options = self.options
        # the scores before the checkpoint: whoever is killed in between repeats the epoch and overwrites them
        rates.save()
        if options.model and (epoch % options.save_interval == 0 or epoch == options.num_epochs):
            save_checkpoint(options.model, epoch, model.saved_variables(), model.optimizer_state())
        if cleanup is not None and options.model:
            cleanup_old_models(cleanup, options.model, {e: data.scores for e, data in rates.history.items()})

    def evaluate(self) -> dict[str, EpochScores]:
        """Losses of a checkpoint on the evaluation datasets."""
        self.start_tensorflow()
        model = self._loaded_model()
        scores = {}
        for name, data in self.options.eval_datasets.items():
            dataset = self._dataset(name, data)
            check_dataset(name, dataset, model.eval_program.graph)
            scores[name] = self._evaluate(model, name, dataset, 1)
            log(f"{name}: {scores[name].line()}")
        return scores

    # ---------------------------------------------------------------- models and data

    def _loaded_model(self) -> Model:
        model = Model(self.net, None, self.options.random_seed)
        prefix = self.checkpoint()
        model.restore(prefix)
        log(f"loaded {prefix}")
        return model

    def checkpoint(self, *, best: bool = False) -> str:
        """The checkpoint that the config asks for (``load``, ``load_epoch``), or the newest, or the best.

        Raises:
            ConfigError: there is none.
        """
        return find_checkpoint(self.config, self.options, best=best)

    def _load(self, model: Model) -> None:
        """Load what the training starts from."""
        start = self.start
        if start.checkpoint is None:
            return
        imported = start.checkpoint == self.options.import_model
        remark = model.restore(start.checkpoint, optimizer=not imported)
        how = "resumed" if start.resumed else "started"
        log(f"{how} from {start.checkpoint}" + (f" ({remark})" if remark else ""))

    def _dataset(self, name: str, data: Any, **defaults: Any) -> Dataset:
        keys = (name,) if name in self.config else ("eval_datasets", name)
        defaults = defaults or {"seq_ordering": "sorted" if name in ("dev", "eval") else "default"}
        return init_dataset(data, name=name, defaults=defaults, where=partial(self.config.place, *keys))

    # ---------------------------------------------------------------- epochs

    def _train_epoch(self, model: Model, rates: LearningRateControl, dataset: Dataset, epoch: int) -> None:
        rate = rates.learning_rate(epoch)
        scores = EpochScores()
        started = time.monotonic()
        graph = model.train_program.graph
        loader = self._loader(dataset, epoch, self.options.limits, graph)
        steps = 0
        title = f"train epoch {epoch}"
        with loader, progress(title, dataset.num_seqs, self.options.log_every_seconds) as bar:
            for batch in loader:
                feed = checked_feed(batch, model.train_program, title)
                fetches = self._guarded(title, graph, batch, model.train_step(feed, rate, steps))
                scores.add(graph, fetches)
                steps += 1
                bar.advance(batch.num_seqs, scores.line())
        elapsed = time.monotonic() - started
        log(
            f"{title}, learning rate {rate:.4g}, {steps} steps, {elapsed:.1f} s "
            f"({loader.computing_share:.1%} computing time): {scores.line()}"
        )
        self._keep_scores(rates, epoch, "train", scores)
        rates.set_meta(epoch, {"epoch_num_train_steps": steps, "epoch_train_time_secs": round(elapsed)})

    def _eval_epoch(
        self, model: Model, rates: LearningRateControl, datasets: Mapping[str, Dataset], epoch: int
    ) -> None:
        for name, dataset in datasets.items():
            scores = self._evaluate(model, name, dataset, epoch)
            log(f"  {name}: {scores.line()}")
            self._keep_scores(rates, epoch, name, scores)

    def _keep_scores(self, rates: LearningRateControl, epoch: int, name: str, scores: EpochScores) -> None:
        losses = scores.scores()
        if self.options.exp_scores:
            losses |= {f"{loss}:exp": float(np.exp(value)) for loss, value in losses.items()}
            losses = {f"cost:{loss}": value for loss, value in losses.items()}
        rates.set_scores(epoch, {f"{name}_score": losses, f"{name}_error": scores.mean_errors()})

    def _evaluate(self, model: Model, name: str, dataset: Dataset, epoch: int) -> EpochScores:
        scores = EpochScores()
        graph = model.eval_program.graph
        loader = self._loader(dataset, epoch, self.options.limits_of(name), graph)
        with loader, progress(name, dataset.num_seqs, self.options.log_every_seconds) as bar:
            for steps, batch in enumerate(loader):
                feed = checked_feed(batch, model.eval_program, name)
                fetches = self._guarded(name, graph, batch, model.eval_step(feed, steps))
                scores.add(graph, fetches)
                bar.advance(batch.num_seqs, scores.line())
        return scores

    @staticmethod
    def _loader(dataset: Dataset, epoch: int, limits: BatchLimits, graph: Graph) -> BatchLoader:
        order = dataset.init_epoch(epoch)
        names = {str(n.attrs["name"]).partition("/")[0] for n in graph.nodes("input")}
        keys = names & set(dataset.specs)
        return BatchLoader(dataset, make_batches(dataset, order, limits), keys=keys)

    def _guarded(self, title: str, graph: Graph, batch: Batch, fetches: dict[str, Array]) -> dict[str, Array]:
        """The results of a step; a failed check or a score that is not finite stops the run with the batch named."""
        for index, (message, _) in enumerate(graph.checks):
            if not fetches[f"check/{index}"].all():
                raise DataError(message, where=title, received=f"batch of {', '.join(batch.tags[:5])}")
        score = fetches.get("objective")
        if score is not None and not math.isfinite(float(score)) and self.options.stop_on_nonfinite:
            raise DataError(
                f"the score is {float(score)}",
                where=title,
                received=f"batch with sequences {', '.join(batch.tags[:5])}{' ...' if len(batch.tags) > 5 else ''}",
                hint="a lower learning rate or gradient_clip; checkpoints of earlier epochs are kept",
            )
        return fetches
