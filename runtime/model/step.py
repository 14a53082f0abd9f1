"""One network in one mode, to be run batch after batch over the variables of a run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from compiler.program.program import Program
from compiler.target.protocol import Array
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer
from runtime.optimizers.loss_scale import LossScale, check_scalable

__all__ = ["Step", "TrainStep"]

Variable: TypeAlias = Any  # TensorFlow has no type information
Tensor: TypeAlias = Any


class Step:
    """Computes losses, or outputs, and changes nothing but the states that the network keeps from batch to batch.

    Args:
        program: compiled for ``tf``, in any mode.
        variables: of the run; those that the program needs are made at the first call, if they are not there.
        outputs: give the outputs of layers, too.
    """

    def __init__(self, program: Program, variables: Variables, *, outputs: bool = False) -> None:
        self.program = program
        self.variables = variables
        self._outputs = outputs

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run one batch.

        Args:
            feed: arrays by input name; others may be there.

        Returns:
            losses, errors, norm factors, checks and the objective by fetch name, and outputs if they are wanted.
        """
        return _run(self.program, self._function, feed)

    @cached_property
    def _function(self) -> Any:
        import tensorflow as tf

        variables, seed = self.variables.of(self.program), self.variables.seed
        program: Any = self.program.executable
        drawn = tf.Variable(0, dtype=tf.int64, trainable=False)  # how often something random was drawn

        def step(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
            keys = {"random/seed": tf.constant(seed, tf.int64), "random/step": drawn.read_value()}
            fetches = program.forward({**inputs, **keys}, variables)
            drawn.assign_add(1)
            kept = {name: v for name, v in variables.items() if not v.shape.is_fully_defined()}
            _assign_states(fetches, kept)
            return _reported(fetches, outputs=self._outputs)

        return tf.function(step, input_signature=[_signature(self.program)], autograph=False).get_concrete_function()


class TrainStep:
    """Computes losses and updates the variables.

    Args:
        program: compiled for ``tf`` in mode ``train``.
        variables: of the run, as for :class:`Step`; their global step is counted, and chooses the random draws with
            their seed.
        optimizer: of the run; it keeps its slots for variables that it knows already.
    """

    def __init__(self, program: Program, variables: Variables, optimizer: Optimizer) -> None:
        self.program = program
        self.variables = variables
        self.optimizer = optimizer
        if program.precision == "float16":
            optimizer.scale_losses()
        if self.loss_scale is not None:
            second_order = optimizer.options.maximizes_norm(program.params.values())
            check_scalable(program.graph, optimizer.options.config, second_order=second_order)

    @property
    def loss_scale(self) -> LossScale | None:
        """Of a program that computes in float16; None: its losses are not scaled."""
        return self.optimizer.loss_scale if self.program.precision == "float16" else None

    def __call__(self, feed: Mapping[str, Array], learning_rate: float) -> dict[str, Array]:
        """One update; returns losses, errors, norm factors, checks and the objective by fetch name."""
        return _run(self.program, self._function, feed, np.asarray(learning_rate, np.float32))

    def epoch(self, learning_rate: float) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
        """The step of one epoch, from a feed to its results; it counts batches, as the optimizer wants to know."""
        numbers, every = itertools.count(), self.optimizer.options.restart_every

        def step(feed: Mapping[str, Array]) -> dict[str, Array]:
            if every and next(numbers) % every == 0:
                self.optimizer.restart()
            return self(feed, learning_rate)

        return step

    def effective_rate(self, learning_rate: float) -> np.float32:
        """The learning rate of the next step, which may depend on its number (``dynamic_learning_rate``)."""
        schedule = self.optimizer.options.schedule
        rate = np.asarray(learning_rate, np.float32)
        return np.float32(schedule.apply(rate, self.variables.global_step) if schedule.needs_step else rate)

    def optimizer_state(self) -> dict[str, Variable]:
        """The optimizer's slots and counters by checkpoint name, those of this network among them."""
        self._trained()
        return self.optimizer.state()

    def reset_optimizer(self) -> None:
        """Let the optimizer start anew with the variables of this network."""
        self.optimizer.reset(self._updated(), self.program.params)

    def _trained(self) -> dict[str, Variable]:
        """The variables that the optimizer updates, which has slots for them now."""
        trained = self._updated()
        self.optimizer.build(trained, self.program.params)
        return trained

    def _updated(self) -> dict[str, Variable]:
        graph = self.program.graph
        # what the network assigns itself (running statistics) is not the optimizer's
        names = set(graph.trainable) - set(graph.state_updates)
        return {name: v for name, v in self.variables.of(self.program).items() if name in names}

    @cached_property
    def _function(self) -> Any:
        import tensorflow as tf

        variables, trained = self.variables.of(self.program), self._trained()
        program: Any = self.program.executable
        optimizer, counter, seed, scale = (
            self.optimizer, self.variables.global_step, self.variables.seed, self.loss_scale
        )  # fmt: skip

        def step(inputs: dict[str, Tensor], learning_rate: Tensor) -> dict[str, Tensor]:
            keys = {"random/seed": tf.constant(seed, tf.int64), "random/step": counter.read_value()}
            inputs = {**inputs, **keys}
            if optimizer.needs_norm_gradients:
                fetches, gradients, of_norm = program.loss_and_norm_gradients(inputs, variables, set(trained))
            else:
                factor = None if scale is None else scale.factor()
                fetches, gradients = program.loss_and_gradients(inputs, variables, factor)
                of_norm = {}
            gradients = {name: gradient for name, gradient in gradients.items() if name in trained}
            if scale is None:
                optimizer.apply(gradients, learning_rate, counter, of_norm)
            else:
                gradients, usable = scale.unscaled(gradients, factor)
                optimizer.apply(gradients, learning_rate, counter, usable=usable)
                scale.update(usable)
            _assign_states(fetches, variables)
            counter.assign_add(1)
            return _reported(fetches, outputs=False)

        rate = tf.TensorSpec([], tf.float32)
        signature = [_signature(self.program), rate]
        return tf.function(step, input_signature=signature, autograph=False).get_concrete_function()


def _signature(program: Program) -> dict[str, Any]:
    executable: Any = program.executable
    return {name: executable.spec(node) for name, node in executable.inputs.items()}


def _run(program: Program, function: Any, feed: Mapping[str, Array], *further: Array) -> dict[str, Array]:
    from compiler.tensorflow.kernel_errors import kernel_errors

    inputs = {spec.name: np.asarray(feed[spec.name]).astype(spec.dtype, copy=False) for spec in program.inputs}
    with kernel_errors(program.graph):
        return {name: value.numpy() for name, value in function(inputs, *further).items()}


def _assign_states(fetches: Mapping[str, Tensor], variables: Mapping[str, Variable]) -> None:
    """Commit what the network assigns itself, to those of the variables that are given."""
    for name, variable in variables.items():
        if f"state/{name}" in fetches:
            variable.assign(fetches[f"state/{name}"])


def _reported(fetches: Mapping[str, Tensor], *, outputs: bool) -> dict[str, Tensor]:
    kinds = ("loss/", "check/", *(["output/"] if outputs else []))
    return {name: value for name, value in fetches.items() if name.startswith(kinds) or name == "objective"}
