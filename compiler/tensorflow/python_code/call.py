"""Runs a config's Python code on TensorFlow's tensors, with objects that answer as RETURNN's ``Data`` and layers do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from compiler.tensorflow.python_code.helpers import Helpers
from compiler.tensorflow.python_code.modules import OtherVersion, Tensorflow, TensorFunctions
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.expression.access import TRUSTED, AllowedAttributes, AttributeRule, shown
from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
from returnn_ir.expression.trace import rebound
from returnn_ir.ir.python_call import CallSource, PythonCall

__all__ = ["SourceData", "run_python_call"]


def run_python_call(call: PythonCall, operands: Sequence[tf.Tensor], rank: int, step: tf.Tensor) -> tf.Tensor:
    """The result of the code.

    ``operands`` are the sources (without the axes that only broadcast) and lengths; ``rank`` is the number of axes
    that the result must have; ``step`` is the global training step.

    Raises:
        ConfigError: the code fails, or gives something else.
    """
    sources = [SourceData(described, operands) for described in call.sources]
    own = [SourceData(described, operands) for described in call.own_sources]
    layer = _Layer(call, own, step)

    def source(
        i: int,
        auto_convert: bool = True,
        enforce_batch_major: bool = False,
        as_data: bool = False,
        as_layer: bool = False,
    ) -> Any:
        if as_layer:
            return layer.sources[i]
        data = sources[i] if auto_convert else own[i]
        data = data.copy_as_batch_major() if enforce_batch_major else data
        return data if as_data else data.placeholder

    result = _evaluate(call, layer, source)
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


def _evaluate(call: PythonCall, layer: _Layer, source: Callable[..., Any]) -> Any:
    """What the code gives under TensorFlow 2, or under TensorFlow 1 if it turns out to be written for that.

    Some functions (``where``, ``nn.dropout``) mean something else there; who uses names that only version 1 has means
    version 1 with all others too.
    """
    stand_in = Tensorflow if call.trusted else TensorFunctions
    try:
        try:
            return _run(call, layer, source, stand_in((tf, tf.compat.v1), strict=True))
        except OtherVersion:
            return _run(call, layer, source, stand_in((tf.compat.v1, tf)))
    except UserError as error:
        error.where = error.where or f"layer {call.layer!r}"
        raise
    except Exception as error:  # any kind, from the config's own code
        raise _failure(call, error) from error


def _run(call: PythonCall, layer: _Layer, source: Callable[..., Any], standing_in: Tensorflow) -> Any:
    helpers = Helpers(training=call.training)
    layer.network.get_config()._rebind = lambda f: rebound(f, standing_in, helpers)
    given = {name: rebound(value, standing_in, helpers) for name, value in call.names.items()}
    names = {"source": source, "self": layer, **given}
    if not isinstance(call.code, str):
        return rebound(call.code, standing_in, helpers)(**names)
    tools = {"tf": standing_in, "tf_compat": standing_in.compat, **helpers.functions}
    return evaluate_expression(parse_expression(call.code), {**tools, **names}, _attributes(call))


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


@shown("placeholder", "batch_dim_axis", "time_dim_axis", "feature_dim_axis", "dim", "sparse", "dtype", "beam")
class SourceData:
    """A source as RETURNN's ``Data``.

    Args:
        described: what is known of its axes.
        operands: all operands of the call: tensors without axes that only broadcast, and lengths.
    """

    def __init__(self, described: CallSource, operands: Sequence[tf.Tensor]) -> None:
        value = operands[described.operand]
        for number, present in enumerate(described.present):
            if not present:
                value = tf.expand_dims(value, number)
        self.placeholder = value
        self.batch_dim_axis = described.batch_axis
        self.time_dim_axis = described.time_axis
        self.feature_dim_axis = described.feature_axis
        self.dim = described.dim
        self.sparse = described.sparse
        self.dtype = described.dtype
        self.beam = None
        self._lengths = {axis: tf.cast(operands[i], tf.int32) for axis, i in described.lengths.items()}

    @property
    def raw_tensor(self) -> tf.Tensor:
        """The tensor."""
        return self.placeholder

    @property
    def batch_ndim(self) -> int:
        """The number of axes."""
        return int(self.placeholder.shape.rank)

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The static sizes."""
        return tuple(self.placeholder.shape.as_list())

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The static sizes without the batch."""
        return tuple(s for i, s in enumerate(self.batch_shape) if i != self.batch_dim_axis)

    @property
    def is_batch_major(self) -> bool:
        """Whether the batch axis is the first."""
        return self.batch_dim_axis == 0

    @property
    def is_time_major(self) -> bool:
        """Whether the time axis is the first."""
        return self.time_dim_axis == 0

    @property
    def size_placeholder(self) -> dict[int, tf.Tensor]:
        """The lengths by axis, counted without the batch."""
        batch = self.batch_dim_axis
        return {axis - (batch is not None and axis > batch): v for axis, v in self._lengths.items()}

    def get_dynamic_axes(self) -> list[int]:
        """The axes with lengths."""
        return sorted(self._lengths)

    def get_static_axes(self) -> list[int]:
        """The other axes, without the batch."""
        return [a for a in range(self.batch_ndim) if a != self.batch_dim_axis and a not in self._lengths]

    def get_dynamic_size(self, axis: int) -> tf.Tensor:
        """The lengths of an axis, [B] int32."""
        return self._lengths[axis % self.batch_ndim]

    def get_batch_dim(self) -> tf.Tensor:
        """The number of sequences."""
        return tf.shape(self.placeholder)[self.batch_dim_axis]

    def time_dimension(self) -> tf.Tensor:
        """The number of frames of the longest sequence."""
        return tf.shape(self.placeholder)[self.time_dim_axis]

    @property
    def time_dim_axis_excluding_batch(self) -> int | None:
        """The number of the time axis, the batch not counted."""
        batch, time = self.batch_dim_axis, self.time_dim_axis
        return time if time is None or batch is None or time < batch else time - 1

    def have_time_axis(self) -> bool:
        """Whether there is a time axis."""
        return self.time_dim_axis is not None

    def get_sequence_lengths(self) -> tf.Tensor:
        """The lengths of the time axis, [B] int32."""
        if self.time_dim_axis not in self._lengths:
            raise ValueError("the data has no time axis with lengths")
        return self._lengths[self.time_dim_axis]

    def get_axis_from_description(self, axis: object, allow_int: bool = True) -> int:
        """The number of an axis: B, T, F or an integer."""
        if isinstance(axis, int) and allow_int:
            return axis % self.batch_ndim
        named = {"b": self.batch_dim_axis, "t": self.time_dim_axis, "f": self.feature_dim_axis}
        found = named.get(str(axis).lower()[:1] if str(axis).lower() in _AXIS_NAMES else "")
        if found is None:
            raise ValueError(f"no axis {axis!r}")
        return found

    def get_sequence_mask(self) -> tf.Tensor:
        """True on the valid frames, batch and time in their order."""
        mask = tf.sequence_mask(self.get_sequence_lengths(), tf.shape(self.placeholder)[self.time_dim_axis])
        return tf.transpose(mask) if (self.time_dim_axis or 0) < (self.batch_dim_axis or 0) else mask

    def get_sequence_mask_broadcast(self, axis: object = None) -> tf.Tensor:
        """True on the valid frames, over all axes."""
        mask = self.get_sequence_mask()
        for number in range(self.batch_ndim):
            if number not in (self.batch_dim_axis, self.time_dim_axis):
                mask = tf.expand_dims(mask, number)
        return mask

    def copy(self, name: object = None) -> SourceData:
        """Itself."""
        return self

    def _with_front(self, *front: int | None) -> SourceData:
        first = [a for a in front if a is not None]
        order = [*first, *(a for a in range(self.batch_ndim) if a not in first)]
        made = object.__new__(SourceData)
        made.__dict__.update(self.__dict__)
        made.placeholder = tf.transpose(self.placeholder, order)
        for key in ("batch_dim_axis", "time_dim_axis", "feature_dim_axis"):
            old = getattr(self, key)
            setattr(made, key, order.index(old) if old is not None else None)
        made._lengths = {order.index(axis): v for axis, v in self._lengths.items()}
        return made

    def copy_as_batch_major(self) -> SourceData:
        """With the batch axis in front."""
        return self._with_front(self.batch_dim_axis)

    def copy_as_time_major(self) -> SourceData:
        """With the time axis in front."""
        return self._with_front(self.time_dim_axis)

    def get_placeholder_as_batch_major(self) -> tf.Tensor:
        """The tensor with the batch axis in front."""
        return self.copy_as_batch_major().placeholder

    def get_placeholder_as_time_major(self) -> tf.Tensor:
        """The tensor with the time axis in front."""
        return self.copy_as_time_major().placeholder


_AXIS_NAMES = ("b", "batch", "t", "time", "f", "feature")


@shown("typed_dict")
class _Config:
    """The config, as ``self.network.get_config()``."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.typed_dict = options
        self._rebind: Callable[[Any], Any] = lambda value: value

    def typed_value(self, key: str, default: Any = None, index: int | None = None) -> Any:
        value = self._rebind(self.typed_dict.get(key, default))
        return value if index is None else value[index]

    value = typed_value

    def float(self, key: str, default: Any = None) -> Any:
        return float(self.typed_dict.get(key, default))

    def int(self, key: str, default: Any = None) -> Any:
        return int(self.typed_dict.get(key, default))

    def bool(self, key: str, default: Any = None) -> Any:
        return bool(self.typed_dict.get(key, default))


@shown("global_train_step", "train_flag", "search_flag", "_config")
class _Network:
    """The network, as ``self.network``; its flags are constants of the program."""

    def __init__(self, call: PythonCall, step: tf.Tensor) -> None:
        self.global_train_step = step
        self._config = _Config(call.options)
        self._training = call.training
        self.train_flag = tf.constant(call.training)
        self.search_flag = call.searching

    def get_config(self) -> _Config:
        return self._config

    def cond_on_train(self, fn_train: Callable[[], Any], fn_eval: Callable[[], Any]) -> Any:
        return fn_train() if self._training else fn_eval()


@shown("name", "network", "sources")
class _Layer:
    """A layer, as ``self`` or ``self.sources[0]``."""

    def __init__(self, call: PythonCall, sources: Sequence[SourceData], step: tf.Tensor) -> None:
        self.name = call.layer
        self.network = _Network(call, step)
        self.sources = [
            _SourceLayer(name, data, self.network) for name, data in zip(call.source_names, sources, strict=True)
        ]


@shown("name", "output", "network")
class _SourceLayer:
    """A source layer."""

    def __init__(self, name: str, output: SourceData, network: _Network) -> None:
        self.name = name
        self.output = output
        self.network = network
