"""What every task needs of a config: its options, where it begins, the network, datasets, the device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from compiler.program.program import Program
from compiler.tensorflow.start import hide_gpus, start_tensorflow
from returnn_ir.config import Config
from returnn_ir.config.key import Run
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.network.net import Net
from runtime.datasets import Dataset, init_dataset
from runtime.model.step import Step
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.tasks.key_check import check_network_of_epochs, checked_net
from runtime.tasks.progress import log
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import Start, find_start, require_checkpoint

__all__ = ["Setup", "log_lines", "log_notes"]


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
        network = config.network_for_epoch(epoch)
        loaded = None if training else start.checkpoint
        net = checked_net(Run(config, options.task, network, loaded))
        start.loading_of(net)  # what is wrong in it is told now
        if training:
            check_network_of_epochs(config, network, epoch, options.num_epochs)
        return Setup(config, options, start, net)

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

    def load_step(self, mode: str, *, fetch: Sequence[str] | None = None, losses: bool = True) -> Step:
        """The network compiled in a mode, over the variables that the run begins with; see ``Steps.get``.

        Raises:
            UserError: what is wrong with the network or the checkpoint.
        """
        variables = Variables(self.options.random_seed)
        step = Steps(variables).get(self.net, mode, fetch=fetch, losses=losses)
        log_lines(variables.load(self.start.loading_of(self.net), [step.program]))
        log(f"loaded {self.start.checkpoint}" if self.start.checkpoint else "note: there is no checkpoint to load")
        log_lines(f"note: {note}" for note in self.start.notes)
        log_notes(step.program)
        return step


def log_lines(lines: Iterable[str]) -> None:
    """Each by itself."""
    for line in lines:
        log(line)


def log_notes(*programs: Program) -> None:
    """What somebody who knows the network from RETURNN should be told, once."""
    for note in dict.fromkeys(note for program in programs for note in program.graph.notes):
        log(f"note: {note}")
