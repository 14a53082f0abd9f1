"""Runs a config's Python code on TensorFlow's tensors, with objects that answer as RETURNN's ``Data`` and layers do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from compiler.tensorflow.python_code.helpers import Helpers
from compiler.tensorflow.python_code.modules import OtherVersion, Tensorflow, TensorFunctions
from compiler.tensorflow.python_code.tensor_source import TensorSource
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
from returnn_ir.expression.trace import rebound
from returnn_ir.facade.access import TRUSTED, AllowedAttributes, AttributeRule
from returnn_ir.facade.data import DataView
from returnn_ir.facade.network import LayerView, NetworkView, ProgramFacts, SourceLayerView
from returnn_ir.ir.python_call import PythonCall

__all__ = ["run_python_call"]


def run_python_call(call: PythonCall, operands: Sequence[tf.Tensor], rank: int, step: tf.Tensor) -> tf.Tensor:
    """The result of the code.

    ``operands`` are the sources (without the axes that only broadcast) and lengths; ``rank`` is the number of axes
    that the result must have; ``step`` is the global training step.

    Raises:
        ConfigError: the code fails, or gives something else.
    """
    result = _evaluate(call, operands, step)
    try:
        tensor = tf.convert_to_tensor(result)
    except (TypeError, ValueError) as error:
        raise _failure(call, error) from error
    if tensor.shape.rank is not None and tensor.shape.rank != rank:
        raise ConfigError(
            f"the layer's Python code gives {tensor.shape.rank} axes, the layer has {rank}",
            where=f"layer {call.layer!r}",
            hint="'out_type': {'shape': ...} says what the result is",
        )
    return tensor


def _evaluate(call: PythonCall, operands: Sequence[tf.Tensor], step: tf.Tensor) -> Any:
    """What the code gives under TensorFlow 2, or under TensorFlow 1 if it turns out to be written for that.

    Some functions (``where``, ``nn.dropout``) mean something else there; who uses names that only version 1 has means
    version 1 with all others too.
    """
    stand_in = Tensorflow if call.trusted else TensorFunctions
    try:
        try:
            return _run(call, operands, step, stand_in((tf, tf.compat.v1), strict=True))
        except OtherVersion:
            return _run(call, operands, step, stand_in((tf.compat.v1, tf)))
    except UserError as error:
        error.where = error.where or f"layer {call.layer!r}"
        raise
    except Exception as error:  # any kind, from the config's own code
        raise _failure(call, error) from error


def _run(call: PythonCall, operands: Sequence[tf.Tensor], step: tf.Tensor, standing_in: Tensorflow) -> Any:
    helpers = Helpers(training=call.training)
    facts = ProgramFacts(
        options=call.options,
        rebind=lambda value: rebound(value, standing_in, helpers),
        step=lambda: step,
        rec_step=_rec_step(call, operands),
        layers=None,
        train_flag=tf.constant(call.training),  # tf.cond takes no Python bool
        training=call.training,
        searching=call.searching,
        evaluating=call.evaluating,
    )
    sources = _Sources(call, operands, facts)
    layer = LayerView(call.layer, facts, sources.layers)
    given = {name: facts.rebind(value) for name, value in call.names.items()}
    names = {"source": sources, "self": layer, **given}
    if not isinstance(call.code, str):
        return facts.rebind(call.code)(**names)
    tools = {"tf": standing_in, "tf_compat": standing_in.compat, **helpers.functions}
    return evaluate_expression(parse_expression(call.code), {**tools, **names}, _attributes(call))


def _rec_step(call: PythonCall, operands: Sequence[tf.Tensor]) -> Callable[[], tf.Tensor] | None:
    number = call.rec_step
    return (lambda: tf.cast(operands[number], tf.int32)) if number is not None else None


class _Sources:
    """``source(i)`` of the code."""

    def __init__(self, call: PythonCall, operands: Sequence[tf.Tensor], facts: ProgramFacts[tf.Tensor]) -> None:
        self._common = [DataView(TensorSource(described, operands)) for described in call.sources]
        self._own = [DataView(TensorSource(described, operands)) for described in call.own_sources]
        network = NetworkView(facts)
        self.layers = [SourceLayerView(n, d, network) for n, d in zip(call.source_names, self._own, strict=True)]

    def __call__(
        self,
        i: int,
        auto_convert: bool = True,
        enforce_batch_major: bool = False,
        as_data: bool = False,
        as_layer: bool = False,
    ) -> Any:
        """As tensor, as ``Data`` or as layer, over the common axes unless ``auto_convert`` is off."""
        if as_layer:
            return self.layers[i]
        data = self._common[i] if auto_convert else self._own[i]
        data = data.copy_as_batch_major() if enforce_batch_major else data
        return data if as_data else data.placeholder


def _attributes(call: PythonCall) -> AttributeRule:
    """What an eval string may look at."""
    if call.trusted:
        return TRUSTED
    return AllowedAttributes(
        {
            tf.Tensor: ("dtype", "shape", "get_shape"),
            tf.TensorShape: ("ndims", "rank", "as_list"),
            tf.DType: ("name", "is_floating", "is_integer", "is_bool", "is_complex", "base_dtype", "max", "min"),
        }
    )


def _failure(call: PythonCall, error: Exception) -> ConfigError:
    return ConfigError(
        f"the layer's Python code fails: {type(error).__name__}: {error}",
        where=f"layer {call.layer!r}",
        received=call.code if isinstance(call.code, str) else getattr(call.code, "__name__", "a function"),
    )
