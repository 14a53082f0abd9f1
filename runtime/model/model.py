"""The model of one run: the programs for training and evaluation over shared TensorFlow variables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir.construct.state import EPOCH_STEP
from returnn_ir.network.net import Net
from runtime.checkpoints.files import GLOBAL_STEP, restore_optimizer, restore_variables
from runtime.optimizers import Optimizer

__all__ = ["Model"]

Variable: TypeAlias = Any  # TensorFlow has no type information
Tensor: TypeAlias = Any


class Model:
    """Variables under RETURNN's names, and the compiled steps that use them.

    Args:
        net: the parsed network.
        seed: of initial values and random draws.
    """

    def __init__(self, net: Net, optimizer: Optimizer | None, seed: int) -> None:
        import tensorflow as tf

        self.net = net
        self.seed = seed
        self.optimizer = optimizer
        mode = "train" if optimizer is not None else "eval"
        self._main = compile_net(net, target="tf", mode=mode)
        initial = self._main.initial_params(seed)
        # what the network assigns itself (running statistics) is not the optimizer's
        trainable = set(self._main.graph.trainable) - set(self._main.graph.state_updates)
        shapes = {name: [d.size for d in param.dims] for name, param in self._main.params.items()}
        self.variables: dict[str, Variable] = {
            name: tf.Variable(value, trainable=name in trainable, dtype=value.dtype, shape=shapes[name])
            for name, value in initial.items()
        }
        self.global_step: Variable = tf.Variable(0, dtype=tf.int64, trainable=False)
        if optimizer is not None:
            optimizer.build({n: v for n, v in self.variables.items() if n in trainable})

    @property
    def train_program(self) -> Program:
        """The program with train flag."""
        return self._main

    @cached_property
    def eval_program(self) -> Program:
        """The program that computes losses and changes nothing."""
        return self._main if self.optimizer is None else compile_net(self.net, target="tf", mode="eval")

    # ---------------------------------------------------------------- checkpoints

    def saved_variables(self) -> dict[str, Variable]:
        """What a checkpoint holds: not the states kept from batch to batch, whose size is that of a batch."""
        fixed = {name: v for name, v in self.variables.items() if v.shape.is_fully_defined()}
        return {**fixed, GLOBAL_STEP: self.global_step}

    def restore(self, prefix: str, *, optimizer: bool = True) -> str | None:
        """Load a checkpoint; returns a remark for the log where the optimizer starts afresh, though it should not."""
        restore_variables(prefix, self.saved_variables())
        return restore_optimizer(prefix, self.optimizer_state()) if optimizer else None

    def optimizer_state(self) -> dict[str, Variable]:
        """The optimizer's slots and counters; empty without an optimizer."""
        return self.optimizer.state() if self.optimizer is not None else {}

    # ---------------------------------------------------------------- steps

    @cached_property
    def _train_function(self) -> Any:
        import tensorflow as tf

        program: Any = self._main.executable
        optimizer = self.optimizer
        signature = {name: program.spec(node) for name, node in program.inputs.items()}

        def step(inputs: dict[str, Tensor], learning_rate: Tensor) -> dict[str, Tensor]:
            keys = {"random/seed": tf.constant(self.seed, tf.int64), "random/step": self.global_step.read_value()}
            fetches, gradients = program.loss_and_gradients({**inputs, **keys}, self.variables)
            if optimizer is not None:
                gradients = {n: g for n, g in gradients.items() if self.variables[n].trainable}
                optimizer.apply(gradients, learning_rate, self.global_step if optimizer.needs_step else None)
            self._assign_states(fetches)
            self.global_step.assign_add(1)
            return _reported(fetches)

        rate = tf.TensorSpec([], tf.float32)
        return tf.function(step, input_signature=[signature, rate], autograph=False)

    @cached_property
    def _eval_function(self) -> Any:
        import tensorflow as tf

        program: Any = self.eval_program.executable
        signature = {name: program.spec(node) for name, node in program.inputs.items()}

        def step(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
            fetches = program.forward(inputs, self.variables)
            self._assign_states(fetches, kept_only=True)
            return _reported(fetches)

        return tf.function(step, input_signature=[signature], autograph=False)

    def _assign_states(self, fetches: Mapping[str, Tensor], *, kept_only: bool = False) -> None:
        """Commit what the network assigns itself; in evaluation only what it keeps from batch to batch."""
        for name, value in fetches.items():
            if name.startswith("state/"):
                variable = self.variables[name.removeprefix("state/")]
                if not kept_only or not variable.shape.is_fully_defined():
                    variable.assign(value)

    def train_step(self, feed: Mapping[str, Array], learning_rate: float, epoch_step: int) -> dict[str, Array]:
        """One update; returns losses, errors, norm factors and checks by fetch name."""
        from compiler.tensorflow.label_errors import label_errors

        with label_errors(self._main.graph):
            return _numpy(self._train_function(self._fed(self._main, feed, epoch_step), np.float32(learning_rate)))

    def eval_step(self, feed: Mapping[str, Array], epoch_step: int) -> dict[str, Array]:
        """Losses of one batch, the ``epoch_step``-th of its dataset."""
        from compiler.tensorflow.label_errors import label_errors

        with label_errors(self.eval_program.graph):
            return _numpy(self._eval_function(self._fed(self.eval_program, feed, epoch_step)))

    @staticmethod
    def _fed(program: Program, feed: Mapping[str, Array], epoch_step: int) -> dict[str, Array]:
        executable: Any = program.executable
        feed = {**feed, EPOCH_STEP: np.asarray(epoch_step)}
        return {name: feed[name].astype(node.results[0].dtype) for name, node in executable.inputs.items()}


def _reported(fetches: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n: v for n, v in fetches.items() if n.startswith(("loss/", "check/")) or n == "objective"}


def _numpy(fetches: Mapping[str, Tensor]) -> dict[str, Array]:
    return {name: value.numpy() for name, value in fetches.items()}
