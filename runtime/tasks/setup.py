"""What every task needs of a config: its options, where it begins, the network, datasets, the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from compiler.program.program import Program
from compiler.tensorflow.start import hide_gpus, start_tensorflow
from returnn_ir.config import Config
from returnn_ir.config.key import Run
from returnn_ir.config.network_schedule import NetworkSchedule, Stage
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.network.net import Net
from runtime.datasets import BatchOptions, Dataset, init_dataset
from runtime.model.step import Step, TrainStep
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer
from runtime.tasks.key_check import checked_net
from runtime.tasks.log import log
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import Start, find_start, require_checkpoint

__all__ = ["Setup", "log_lines", "log_notes"]


@dataclass(frozen=True)
class Setup:
    """A config that was read, and refused where it asks for what is not there.

    Attributes:
        config: as it is in the epoch that a training begins with, or whose network another task runs.
        options: of that epoch.
        start: the checkpoint to begin with; a training looks again when nobody else can write it.
        schedule: the networks of all epochs.
        net: of that epoch.
        overlay: what that network sets of the config (``#config``).
    """

    config: Config
    options: RunOptions
    start: Start
    schedule: NetworkSchedule
    net: Net
    overlay: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def from_config(config: Config) -> Setup:
        """Read the config; neither data nor TensorFlow are loaded yet.

        Raises:
            UserError: what is wrong in the config, or not available; every such key at once.
        """
        options = RunOptions.from_config(config)
        start = find_start(config, options)
        training = options.task == "train"
        epoch = start.epoch + 1 if training else max(start.epoch, 1)
        schedule = NetworkSchedule.from_config(config)
        stages = schedule.distinct_stages(options.num_epochs, first=epoch) if training else []
        stage = schedule.stage(epoch)
        loaded = None if training else start.checkpoint
        config_then = stage.config(config)
        net = checked_net(Run(config_then, options.task, stage.network, loaded), config, stages)
        start.loading_of(net)  # what is wrong in it is told now
        return Setup(config_then, RunOptions.from_config(config_then), start, schedule, net, stage.overlay)

    def in_epoch(self, config: Config, stage: Stage) -> Setup:
        """The same run as it is in an epoch.

        Args:
            config: as given.
        """
        config_then = stage.config(config)
        return replace(self, config=config_then, options=RunOptions.from_config(config_then), overlay=stage.overlay)

    def with_batches(self, batch_options: BatchOptions) -> Setup:
        """The same run with other batches in training."""
        return replace(self, options=replace(self.options, batch_options=batch_options))

    def require_checkpoint(self) -> None:
        """There is something to load, as every task needs that does not train.

        Raises:
            ConfigError: there is nothing.
        """
        require_checkpoint(self.config, self.options, self.start)

    def check_layers(self, key: str, names: Sequence[str]) -> None:
        """What the option ``key`` names can be asked for: layers, of ``a/b``, which is inside of one, ``a``; or inputs.

        Raises:
            ConfigError: there is none of a name.
        """
        inputs = {"data", *(f"data:{name}" for name in self.config.extern_data_spec())}
        for name in names:
            if name.partition("/")[0] not in self.net.layers and name not in inputs:
                raise ConfigError(
                    f"there is no layer {name!r}",
                    where=self.config.origin(None, key),
                    expected=", ".join(self.net.layers),
                    hint=did_you_mean(name, self.net.layers),
                )

    def start_tensorflow(self) -> None:
        """Import TensorFlow, for the device that the config asks for."""
        start_tensorflow()
        if self.options.on_cpu:
            hide_gpus()

    # ---------------------------------------------------------------- data

    def dataset(self, name: str, data: Any, *, seq_ordering: Any) -> Dataset:
        """Open a dataset; whoever asks for it closes it.

        Args:
            name: the option that describes it, or its key in ``eval_datasets``.
            data: the description.
            seq_ordering: where the description does not say.
        """
        keys = (name,) if name in self.config else ("eval_datasets", name)
        where = partial(self.config.place, *keys)
        anew = self._is_anew(name)
        if name == "train" and not anew and "chunking" in self.overlay and isinstance(data, Mapping):
            data = {key: value for key, value in data.items() if key != "chunking"}  # the network's is for any dataset
        defaults = dict(self.options.dataset_defaults.of(name, data, anew=anew))
        left_out = [] if anew else self.options.dataset_defaults.left_out(name, data)
        if left_out:
            why = "is a function" if callable(data) else "has a name of its own"
            log(f"note: dataset {name!r} {why}, and so has nothing of {', '.join(left_out)}, as in RETURNN")
        if anew or name != "train" or not callable(data):  # such a function says everything, as in RETURNN
            defaults["seq_ordering"] = seq_ordering
        return init_dataset(data, name=name, defaults=defaults, where=where, names=self.config)

    def described(self, name: str, data: Any) -> object:
        """All that decides what dataset ``data`` describes in this epoch."""
        anew = self._is_anew(name)
        cut = self.overlay.get("chunking") if name == "train" else None
        return [data, anew, cut, self.options.batching, self.options.dataset_defaults.of(name, data, anew=anew)]

    def _is_anew(self, name: str) -> bool:
        """Whether the network gives this dataset."""
        return name in self.overlay or name in (self.overlay.get("eval_datasets") or {})

    def eval_dataset(self, name: str, data: Any) -> Dataset:
        """Open a dataset to evaluate on; whoever asks for it closes it."""
        in_order = name not in ("dev", "eval") and not self._is_anew(name)
        return self.dataset(name, data, seq_ordering="default" if in_order else "sorted")

    def eval_datasets(self, opened: ExitStack) -> dict[str, Dataset]:
        """The datasets to evaluate on, by name, which are closed with ``opened``."""
        datasets = self.options.eval_datasets
        return {name: opened.enter_context(self.eval_dataset(name, data)) for name, data in datasets.items()}

    # ---------------------------------------------------------------- a network that is not trained

    def load_step(self, mode: str, *, fetch: Sequence[str] | None = None, losses: bool = True) -> Step:
        """The network compiled in a mode, over the variables that the run begins with; see ``Steps.get``.

        Raises:
            UserError: what is wrong with the network or the checkpoint.
        """
        variables = Variables(self.options.random_seed)
        step = Steps(variables).get(self.net, mode, fetch=fetch, losses=losses)
        self._load(variables, step.program)
        return step

    def load_train_step(self) -> TrainStep:
        """The step that trains the network, over the variables that the run begins with; its optimizer begins.

        Raises:
            UserError: as for :meth:`load_step`.
        """
        variables = Variables(self.options.random_seed)
        step = Steps(variables, Optimizer.create(self.config)).train(self.net)
        self._load(variables, step.program)
        return step

    def _load(self, variables: Variables, program: Program) -> None:
        log_lines(variables.load(self.start.loading_of(self.net), [program]))
        log(f"loaded {self.start.checkpoint}" if self.start.checkpoint else "note: there is no checkpoint to load")
        log_lines(f"note: {note}" for note in self.start.notes)
        log_notes(program)


def log_lines(lines: Iterable[str]) -> None:
    """Each by itself."""
    for line in lines:
        log(line)


def log_notes(*programs: Program) -> None:
    """What somebody who knows the network from RETURNN should be told, once."""
    for note in dict.fromkeys(note for program in programs for note in program.graph.notes):
        log(f"note: {note}")
