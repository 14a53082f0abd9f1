"""The steps of a run: compiled once for each network that means something else, and freed when it is over."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from compiler.program.program import compile_net
from returnn_ir.config.epoch_networks import same_network
from returnn_ir.config.key import Verdict
from returnn_ir.config.keys import KEYS
from returnn_ir.config.network_values import copied
from returnn_ir.network.net import Net
from runtime.model.step import Step, TrainStep
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer

__all__ = ["Steps"]

S = TypeVar("S", Step, TrainStep)

#: The options that a network is compiled with; the network itself is compared as it was parsed.
_READ = {key.name for key in KEYS.values() if key.verdict is Verdict.DONE and not key.reader.startswith("runtime.")}
_OPTIONS = sorted(_READ - {"network", "get_network"})


class Steps:
    """Compiles networks over the variables of a run; asked for an equal network again, it gives the step that it has.

    Args:
        optimizer: of the training, if there is one already.
    """

    def __init__(self, variables: Variables, optimizer: Optimizer | None = None) -> None:
        self.variables = variables
        self.optimizer = optimizer
        self._steps: list[tuple[object, Step]] = []
        self._train_steps: list[tuple[object, TrainStep]] = []

    def get(self, net: Net, mode: str, *, fetch: Sequence[str] | None = None, losses: bool = True) -> Step:
        """The step of a network in a mode that trains nothing.

        Args:
            mode: ``eval``, ``forward`` or ``search``.
            fetch: the layers whose outputs it gives; None: it gives losses only.
            losses: with losses and the targets that they need.

        Raises:
            UserError: what is wrong with the network, or what the target refuses and why.
        """

        def make() -> Step:
            program = compile_net(net, target="tf", mode=mode, fetch=fetch, losses=losses)
            return Step(program, self.variables, outputs=fetch is not None)

        return _once(self._steps, [_meaning(net), mode, fetch, losses], make)

    def train(self, net: Net) -> TrainStep:
        """The step that trains a network.

        Raises:
            UserError: as for :meth:`get`.
        """
        optimizer = self.optimizer
        if optimizer is None:
            raise ValueError("nothing can be trained without an optimizer")

        def make() -> TrainStep:
            return TrainStep(compile_net(net, target="tf", mode="train"), self.variables, optimizer)

        return _once(self._train_steps, _meaning(net), make)

    def use_optimizer(self, optimizer: Optimizer) -> None:
        """Train with another optimizer from now on."""
        self.optimizer = optimizer
        self._train_steps = []

    def keep(self, wanted: Collection[Step | TrainStep]) -> None:
        """Forget all other steps; nobody else may hold one, or its program stays in memory."""
        kept = {id(step) for step in wanted}
        before = len(self._steps) + len(self._train_steps)
        self._steps = [(asked, step) for asked, step in self._steps if id(step) in kept]
        self._train_steps = [(asked, step) for asked, step in self._train_steps if id(step) in kept]
        if len(self._steps) + len(self._train_steps) < before:
            gc.collect()  # TensorFlow's graphs are circles, which Python would free some time later


def _once(steps: list[tuple[object, S]], asked: object, make: Callable[[], S]) -> S:
    """The step of those that is what was asked for; it is made if there is none."""
    for other, step in steps:
        if same_network(asked, other):
            return step
    steps.append((asked, make()))
    return steps[-1][1]


def _meaning(net: Net) -> dict[str, object]:
    """What decides what a network computes: its layers, and the options that they and the compiler read.

    A copy, since a config may go on to change the dict that it gave.
    """
    config = net.config
    return {
        "layers": {name: copied(definition.raw) for name, definition in net.layers.items()},
        "options": {key: copied(config[key]) for key in _OPTIONS if key in config} if config is not None else {},
        "code": config is not None and config.network_is_code,
    }
