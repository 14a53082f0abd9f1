"""What every task needs of a config: its options, where it begins, the network, datasets, the device."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from compiler.program.program import Program
from compiler.tensorflow.start import hide_gpus, start_tensorflow
from returnn_ir.config import Config
from returnn_ir.config.key import Run
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.network.net import Net
from runtime.datasets import Dataset, init_dataset
from runtime.model.step import Step
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.tasks.key_check import checked_net
from runtime.tasks.progress import log
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import Start, find_checkpoint, find_start

__all__ = ["Setup", "log_notes"]


@dataclass(frozen=True)
class Setup:
    """A config that was read, and refused where it asks for what is not there.

    Attributes:
        start: the checkpoint to begin with; a training looks again when nobody else can write it.
        net: of the first epoch.
    """

    config: Config
    options: RunOptions
    start: Start
    net: Net

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
        first = training and not start.resumed and start.epoch == 0
        loaded = None if training else start.checkpoint
        net = checked_net(Run(stage.config(config), options.task, stage.network, first, loaded), config, stages)
        return Setup(config, options, start, net)

    def checkpoint(self) -> str:
        """The checkpoint that the config asks for (``load``, ``load_epoch``), or the newest.

        Raises:
            ConfigError: there is none.
        """
        return find_checkpoint(self.config, self.options)

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
        return init_dataset(data, name=name, defaults={"seq_ordering": seq_ordering}, where=where)

    def eval_datasets(self, opened: ExitStack) -> dict[str, Dataset]:
        """The datasets to evaluate on, by name, which are closed with ``opened``."""
        return {
            name: opened.enter_context(
                self.dataset(name, data, seq_ordering="sorted" if name in ("dev", "eval") else "default")
            )
            for name, data in self.options.eval_datasets.items()
        }

    # ---------------------------------------------------------------- a network that is not trained

    def load_step(self, checkpoint: str, mode: str, *, fetch: Sequence[str] | None = None, losses: bool = True) -> Step:
        """The network compiled in a mode, over the variables of a checkpoint; see ``Steps.get``.

        Raises:
            UserError: what is wrong with the network or the checkpoint.
        """
        variables = Variables(self.options.random_seed)
        step = Steps(variables).get(self.net, mode, fetch=fetch, losses=losses)
        variables.load(checkpoint, [step.program])
        log(f"loaded {checkpoint}")
        log_notes(step.program)
        return step


def log_notes(*programs: Program) -> None:
    """What somebody who knows the network from RETURNN should be told, once."""
    for note in dict.fromkeys(note for program in programs for note in program.graph.notes):
        log(f"note: {note}")
