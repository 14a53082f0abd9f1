"""The engine: runs epochs over datasets, keeps scores, learning rates and checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from compiler.targets import Array
from returnn_ir.config import Config
from returnn_ir.errors import ConfigError, DataError
from returnn_ir.graph import Graph
from returnn_ir.network.net import Net, load_net
from runtime.checkpoint import existing_checkpoints, latest_checkpoint, save_checkpoint
from runtime.cleanup import CleanupOptions, cleanup_old_models
from runtime.dataset_fit import check_dataset
from runtime.datasets import Batch, BatchLimits, BatchLoader, Dataset, init_dataset, make_batches
from runtime.feeding import checked_feed
from runtime.learning_rate import LearningRateControl
from runtime.model import Model
from runtime.optimizers import Optimizer
from runtime.progress import log, progress
from runtime.run_options import RunOptions
from runtime.scores import EpochScores

__all__ = ["Engine"]


class Engine:
    """One training or evaluation run.

    Args:
        config: a loaded config.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.options = RunOptions.from_config(config)
        self.net: Net = load_net(config)

    # ---------------------------------------------------------------- tasks

    def train(self) -> None:
        """Train from the newest checkpoint (or from scratch) to ``num_epochs``."""
        options = self.options
        rates = LearningRateControl.from_config(self.config)
        train = self._dataset("train", options.train, seq_ordering=self.config.value("batching", "default"))
        evaluated = {name: self._dataset(name, data) for name, data in options.eval_datasets.items()}
        model = Model(self.net, Optimizer.create(self.config), options.random_seed)
        for name, dataset in {"train": train, **evaluated}.items():
            check_dataset(name, dataset, model.train_program.graph)
        for note in model.train_program.graph.notes:
            log(f"note: {note}")
        first = self._resume(model) + 1
        if first > options.num_epochs:
            log(f"nothing to do: epoch {first - 1} of {options.num_epochs} is done")
        for epoch in range(first, options.num_epochs + 1):
            self._train_epoch(model, rates, train, epoch)
            self._eval_epoch(model, rates, evaluated, epoch)
            # the scores before the checkpoint: whoever is killed in between repeats the epoch and overwrites them
            rates.save()
            if options.model and (epoch % options.save_interval == 0 or epoch == options.num_epochs):
                save_checkpoint(options.model, epoch, model.saved_variables(), model.optimizer_state())
            cleanup = CleanupOptions.from_config(self.config)
            if cleanup is not None and options.model:
                cleanup_old_models(cleanup, options.model, rates.history)
        best = rates.best_epoch()
        if best is not None:
            log(f"best epoch: {best}")

    def evaluate(self) -> dict[str, EpochScores]:
        """Losses of a checkpoint on the evaluation datasets."""
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

        Args:
            best: the one with the lowest watched score of those that are kept.

        Raises:
            ConfigError: there is none.
        """
        options = self.options
        if best and options.model:
            epochs = existing_checkpoints(options.model)
            epoch = LearningRateControl.from_config(self.config).best_epoch(list(epochs))
            if epoch is not None:
                return epochs[epoch]
        if options.load:
            return options.load
        if not options.model:
            raise ConfigError(
                "the config names no model", where=str(self.config.path), expected="model = 'PATH' or load"
            )
        if options.load_epoch is not None:
            return f"{options.model}.{options.load_epoch:03d}"
        found = latest_checkpoint(options.model)
        if found is None:
            raise ConfigError(f"there is no checkpoint {options.model}.*", hint="train first, or set load")
        return found[1]

    def _resume(self, model: Model) -> int:
        """Load the newest checkpoint of this training; returns its epoch, 0 for a fresh start."""
        options = self.options
        found = latest_checkpoint(options.model) if options.model else None
        if found is not None:
            remark = model.restore(found[1])
            log(f"resumed from {found[1]}" + (f" ({remark})" if remark else ""))
            return found[0]
        if options.load:
            model.restore(options.load)
            model.global_step.assign(0)
            log(f"started from {options.load}")
        return 0

    def _dataset(self, name: str, data: Any, **defaults: Any) -> Dataset:
        defaults = defaults or {"seq_ordering": "sorted"}
        return init_dataset(data, name=name, defaults=defaults, where=self.config.origin(None, name))

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
        rates.set_scores(epoch, {"train_score": scores.scores(), "train_error": scores.mean_errors()})
        rates.set_meta(epoch, {"epoch_num_train_steps": steps, "epoch_train_time_secs": round(elapsed)})

    def _eval_epoch(
        self, model: Model, rates: LearningRateControl, datasets: Mapping[str, Dataset], epoch: int
    ) -> None:
        for name, dataset in datasets.items():
            scores = self._evaluate(model, name, dataset, epoch)
            log(f"  {name}: {scores.line()}")
            rates.set_scores(epoch, {f"{name}_score": scores.scores(), f"{name}_error": scores.mean_errors()})

    def _evaluate(self, model: Model, name: str, dataset: Dataset, epoch: int) -> EpochScores:
        scores = EpochScores()
        graph = model.eval_program.graph
        loader = self._loader(dataset, epoch, self.options.eval_limits, graph)
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
