"""A lowered graph: run it, differentiate it, or use it inside somebody's training step."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
import tensorflow as tf

from compiler.target.inputs import input_specs
from compiler.target.protocol import Array
from compiler.tensorflow.align import permute
from compiler.tensorflow.device import Device
from compiler.tensorflow.environment import Feed
from compiler.tensorflow.feeds import SEED, STEP, feeds_of, prepare_inputs, prepare_params
from compiler.tensorflow.kernel_errors import kernel_errors
from compiler.tensorflow.lower import lower_graph
from returnn_ir.errors import DataError, TargetError
from returnn_ir.ir.graph import Graph, Node

__all__ = ["Results", "TensorFlowProgram"]


@dataclass(frozen=True)
class Results:
    """What one run gives.

    Attributes:
        fetches: ``Graph.fetches`` by name, outputs with the axes of ``Output.axes``.
        gradients: d objective / d parameter by ``grad/NAME``, for trainable parameters that the objective depends on.
    """

    fetches: dict[str, Array]
    gradients: dict[str, Array]


class TensorFlowProgram:
    """A graph in the TARGET stage as TensorFlow functions; each is traced once, whatever the batch. Thread-safe.

    Attributes:
        graph: what was lowered.
        inputs: its ``input`` nodes by name.
        params: its ``param`` nodes by name.
        device: what it runs on.
    """

    def __init__(self, graph: Graph, device: Device | None = None) -> None:
        self.graph = graph
        self.device = device or Device()
        self.inputs: dict[str, Node] = feeds_of(graph, "input")
        self.params: dict[str, Node] = feeds_of(graph, "param")
        self._specs = input_specs(graph)
        self._used = graph.uses()
        self._traced: dict[bool, tf.types.experimental.ConcreteFunction] = {}
        self._lock = Lock()

    # ---------------------------------------------------------------- with arrays

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """Run once, see :class:`compiler.target.protocol.Executable`.

        Args:
            inputs: arrays by input name; lengths as int32 or int64. ``random/seed`` and ``random/step`` (integers, 0 if
                absent) choose the random draws.
            params: arrays by RETURNN's variable name.

        Raises:
            DataError: an input does not fit, or a check of the graph does not hold.
        """
        return self._call(inputs, params, with_gradients=False).fetches

    def gradients(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """The gradients of the objective by ``grad/NAME``, see :class:`Results`."""
        return self.run_with_gradients(inputs, params).gradients

    def run_with_gradients(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> Results:
        """:meth:`run` and :meth:`gradients` in one go."""
        return self._call(inputs, params, with_gradients=True)

    def _call(self, inputs: Mapping[str, Array], params: Mapping[str, Array], *, with_gradients: bool) -> Results:
        function = self._function(with_gradients)
        keys = [np.asarray(inputs.get(name, 0), np.int64) for name in (SEED, STEP)]
        arrays = [*keys, *prepare_inputs(self._specs, inputs), *prepare_params(self.params, params)]
        with kernel_errors(self.graph):
            fetches, gradients = function(*[tf.convert_to_tensor(array) for array in arrays])
        found = {name: tensor.numpy() for name, tensor in fetches.items()}
        self._check(found)
        return Results(found, {name: tensor.numpy() for name, tensor in gradients.items()})

    def _check(self, fetches: Mapping[str, Array]) -> None:
        for index, (message, _) in enumerate(self.graph.checks):
            if not fetches[f"check/{index}"].all():
                raise DataError(message)

    def _function(self, with_gradients: bool) -> tf.types.experimental.ConcreteFunction:
        with self._lock:
            if with_gradients not in self._traced:
                self._traced[with_gradients] = _runnable(self._trace(with_gradients))
            return self._traced[with_gradients]

    def _trace(self, with_gradients: bool) -> tf.types.experimental.ConcreteFunction:
        def traced(*tensors: tf.Tensor) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
            seed, step, *fed = tensors
            params = dict(zip(self.params, fed[len(self.inputs) :], strict=True))
            inputs = dict(zip(self.inputs, fed, strict=False))
            fetches = self.emit(Feed(inputs, params, seed, step, self._used, with_gradients, device=self.device))
            found = self._differentiate(fetches, params) if with_gradients else {}
            return fetches, {f"grad/{name}": tf.convert_to_tensor(gradient) for name, gradient in found.items()}

        scalar = tf.TensorSpec([], tf.int64)
        specs = [self.spec(node) for node in (*self.inputs.values(), *self.params.values())]
        function = tf.function(traced, input_signature=[scalar, scalar, *specs], autograph=False)
        return function.get_concrete_function()

    # ---------------------------------------------------------------- inside of a tf.function

    def spec(self, node: Node, name: str | None = None) -> tf.TensorSpec:
        """Shape and element type of an input or a parameter, None for axes that are not static."""
        return tf.TensorSpec([dim.size for dim in node.results[0].dims], node.results[0].dtype, name=name)

    def emit(self, feed: Feed) -> dict[str, tf.Tensor]:
        """The graph's fetches as tensors in the TensorFlow graph that is being built."""
        fetches = lower_graph(self.graph, feed)
        for name, output in self.graph.outputs.items():
            own = output.value.dims
            if own != output.axes:
                fetches[f"output/{name}"] = permute(fetches[f"output/{name}"], [own.index(d) for d in output.axes])
        return fetches

    def forward(self, inputs: Mapping[str, tf.Tensor], params: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The graph's fetches; usable inside of a ``tf.function`` only.

        Args:
            inputs: tensors by input name, lengths as int32 or int64; ``random/seed`` etc. as in :meth:`run`.
            params: tensors or variables by RETURNN's variable name.
        """
        return self.emit(self._feed(inputs, {name: tf.convert_to_tensor(params[name]) for name in self.params}))

    def loss_and_gradients(
        self,
        inputs: Mapping[str, tf.Tensor],
        variables: Mapping[str, tf.Variable],
        factor: tf.Tensor | None = None,
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """The fetches and the gradients of the objective, for a training step's ``tf.function``.

        Args:
            inputs: as for :meth:`forward`.
            variables: by RETURNN's variable name.
            factor: a scalar; the gradients are those of this multiple of the objective.

        Returns:
            fetches by name; gradients by parameter name, without those that the objective does not depend on. That of a
            table which is only gathered from is a ``tf.IndexedSlices``.
        """
        params = {name: tf.convert_to_tensor(variables[name]) for name in self.params}
        fetches = self.emit(self._feed(inputs, params, differentiated=True))
        return fetches, self._differentiate(fetches, params, factor)

    def loss_and_norm_gradients(
        self, inputs: Mapping[str, tf.Tensor], variables: Mapping[str, tf.Variable], names: Collection[str]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """As :meth:`loss_and_gradients`, and how the gradients' own norm depends on the parameters.

        Args:
            names: of the parameters that the norm is about.

        Returns:
            fetches, gradients, dense gradients of the global norm of these gradients.

        Raises:
            TargetError: an op has no second derivative.
        """
        params = {name: tf.convert_to_tensor(variables[name]) for name in self.params}
        fetches = self.emit(self._feed(inputs, params, differentiated=True))
        gradients = self._differentiate(fetches, params)
        about = [name for name in gradients if name in names]
        norm = tf.linalg.global_norm([gradients[name] for name in about])
        try:
            found = tf.gradients(norm, [params[name] for name in about])
        except LookupError as error:
            raise TargetError(
                "the gradient of the gradients' norm is asked for, and an op has no second derivative",
                received=str(error).partition("\n")[0],
                hint='maximize_grad_norm = 0; or without a kernel, such as by fusion = {"lstm": "never"}',
            ) from error
        second = {name: tf.convert_to_tensor(g) for name, g in zip(about, found, strict=True) if g is not None}
        return fetches, gradients, second

    def forward_function(self, params: Mapping[str, tf.Variable]) -> tf.types.experimental.PolymorphicFunction:
        """A ``tf.function`` from a dict of inputs to the fetches, which reads ``params`` at each call."""
        signature = {name: self.spec(node) for name, node in self.inputs.items()}

        def forward(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return self.forward(inputs, params)

        return tf.function(forward, input_signature=[signature], autograph=False)

    def _feed(
        self, inputs: Mapping[str, tf.Tensor], params: Mapping[str, tf.Tensor], *, differentiated: bool = False
    ) -> Feed:
        cast = {name: tf.cast(inputs[name], node.results[0].dtype) for name, node in self.inputs.items()}
        seed, step = (tf.cast(inputs.get(name, 0), tf.int64) for name in (SEED, STEP))
        return Feed(cast, params, seed, step, self._used, differentiated, device=self.device)

    def _differentiate(
        self, fetches: Mapping[str, tf.Tensor], params: Mapping[str, tf.Tensor], factor: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """The gradients of the objective by parameter name; dense, or rows with their indices."""
        if "objective" not in fetches:
            raise TargetError("the graph has no objective to differentiate", hint="give a layer a loss")
        names = [name for name in self.graph.trainable if name in params]
        above = None if factor is None else [factor]
        found = tf.gradients(fetches["objective"], [params[name] for name in names], above)
        return {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}


def _runnable(function: tf.types.experimental.ConcreteFunction) -> tf.types.experimental.ConcreteFunction:
    """A traced function, if this process can run it."""
    cudnn = any(op.type.startswith("Cudnn") for op in function.graph.get_operations())
    if cudnn and not tf.config.get_visible_devices("GPU"):
        raise TargetError(
            "this program is for a GPU, and TensorFlow lists none here",
            hint="compile it for the device 'cpu' or 'both'",
        )
    return function
