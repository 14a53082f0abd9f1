"""RETURNN's tensor helpers (``returnn.tf.util.basic``, once ``TFUtil``) that configs use, by their documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf

from compiler.tensorflow.own_gradient import own_gradient
from compiler.tensorflow.python_code.native_ops import OpCodeCompiler

__all__ = ["Helpers"]


class Helpers(ModuleType):
    """The module with the helpers.

    Args:
        training: the train flag of the program, for ``dropout(..., cond_on_train=True)``.

    Attributes:
        functions: all of them by name.
    """

    def __init__(self, *, training: bool) -> None:
        super().__init__("returnn.tf.util.basic")
        self.__path__: list[str] = []
        self.functions: dict[str, Callable[..., Any]] = {f.__name__: f for f in _FUNCTIONS}
        self.functions["dropout"] = _dropout_of(training)
        self.__dict__.update(self.functions)
        self.OpCodeCompiler = OpCodeCompiler  # runs code: for functions of the config, not for its expressions

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("tf", "util", "basic"):
            return self
        raise AttributeError(f"RETURNN's {name!r} is not available here")


def safe_log(x: tf.Tensor, eps: float = 1e-20, use_fake_grad: bool = True) -> tf.Tensor:
    """``log(max(x, eps))`` with a gradient everywhere; exact on softmax, sigmoid and exp."""
    undone = _undone(x, _LOG_OF)
    if undone is not None:
        return undone
    clipped = tf.maximum(x, eps)
    return tf.math.log(_with_gradient_of(clipped, x) if use_fake_grad else clipped)


def safe_exp(x: tf.Tensor, eps: float = 1e-20) -> tf.Tensor:
    """``exp`` of ``x`` clipped, with a gradient everywhere; exact on log_softmax and log."""
    undone = _undone(x, _EXP_OF)
    if undone is not None:
        return undone
    limit = -tf.math.log(tf.cast(eps, x.dtype))
    return tf.exp(_with_gradient_of(tf.clip_by_value(x, -limit, limit), x))


_LOG_OF: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Softmax": tf.nn.log_softmax,
    "Sigmoid": tf.math.log_sigmoid,
    "Exp": tf.identity,
}
_EXP_OF: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {"LogSoftmax": tf.nn.softmax, "Log": tf.identity}


def _undone(x: tf.Tensor, functions: Mapping[str, Callable[[tf.Tensor], tf.Tensor]]) -> tf.Tensor | None:
    """A function's effect on what another function of a graph gives, or None."""
    if not tf.is_symbolic_tensor(x) or x.op.type not in functions:
        return None
    return functions[x.op.type](x.op.inputs[0])


def _with_gradient_of(value: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Exactly ``value``, with the gradient of ``x``, from which it was clipped."""

    def clipped(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        return tf.identity(tf.stop_gradient(value)), lambda gradient: gradient

    return own_gradient(clipped)(x)


def where_bc(condition: tf.Tensor, x: Any, y: Any, allow_broadcast_all_sources: Any = None) -> tf.Tensor:
    """``tf.where`` whose missing axes are behind."""
    parts = [tf.convert_to_tensor(p) for p in (condition, x, y)]
    rank = max(p.shape.rank for p in parts)
    for i, part in enumerate(parts):
        for _ in range(rank - part.shape.rank if part.shape.rank else 0):
            parts[i] = tf.expand_dims(parts[i], -1)
    return tf.where(*parts)


def get_shape_dim(x: tf.Tensor, axis: int, name: str | None = None) -> Any:
    """The size of an axis: a number where it is known, else a scalar."""
    known = x.shape[axis]
    return known if known is not None else tf.shape(x)[axis]


def get_shape(x: tf.Tensor) -> list[Any]:
    """The sizes of all axes, see :func:`get_shape_dim`."""
    return [get_shape_dim(x, axis) for axis in range(x.shape.rank)]


def nd_indices(indices: tf.Tensor, batch_axis: int = 0, indices_batch_major: bool | None = None) -> tf.Tensor:
    """Indices [..., B, ...] as pairs with their batch index, [..., B, ..., 2], for ``tf.gather_nd``."""
    rank, batch = indices.shape.rank, tf.shape(indices)[batch_axis]
    shape = [batch if axis == batch_axis else 1 for axis in range(rank)]
    numbers = tf.broadcast_to(tf.reshape(tf.range(batch, dtype=indices.dtype), shape), tf.shape(indices))
    first = batch_axis == 0 if indices_batch_major is None else indices_batch_major
    return tf.stack([numbers, indices] if first else [indices, numbers], axis=-1)


def tile_transposed(x: tf.Tensor, axis: int, multiples: Any) -> tf.Tensor:
    """Every entry along an axis ``multiples`` times in a row."""
    return tf.repeat(x, multiples, axis=axis)


def expand_dims_unbroadcast(x: Any, axis: Any, dim: Any, name: str | None = None) -> tf.Tensor:
    """A new axis on which ``x`` is repeated ``dim`` times."""
    return tf.repeat(tf.expand_dims(tf.convert_to_tensor(x), axis), dim, axis=axis)


def swapaxes(x: tf.Tensor, axis1: int, axis2: int) -> tf.Tensor:
    """Two axes exchanged."""
    order = list(range(x.shape.rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return tf.transpose(x, order)


def sequence_mask_time_major(lengths: tf.Tensor, **options: Any) -> tf.Tensor:
    """True on the valid frames, [T, B]."""
    return tf.transpose(tf.sequence_mask(lengths, **options))


def check_input_dim(x: tf.Tensor, axis: int, dim: Any) -> tf.Tensor:
    """``x``, whose axis must have this size."""
    with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(x)[axis], dim)]):
        return tf.identity(x)


def dot(a: tf.Tensor, b: tf.Tensor, transpose_b: bool = False) -> tf.Tensor:
    """The product over the last axis of ``a`` and the first (``transpose_b``: the last) of ``b``."""
    return tf.tensordot(a, b, axes=[[-1], [-1 if transpose_b else 0]])


def flatten_with_seq_len_mask(
    x: tf.Tensor,
    seq_lens: tf.Tensor,
    batch_dim_axis: int | None = None,
    time_dim_axis: int | None = None,
    time_major: bool | None = None,
) -> tf.Tensor:
    """The valid frames of all sequences behind each other, [frames, ...]."""
    batch = batch_dim_axis if batch_dim_axis is not None else int(bool(time_major))
    time = time_dim_axis if time_dim_axis is not None else 1 - batch
    rest = [axis for axis in range(x.shape.rank) if axis not in (batch, time)]
    moved = tf.transpose(x, [batch, time, *rest])
    return tf.boolean_mask(moved, tf.sequence_mask(seq_lens, maxlen=tf.shape(moved)[1]))


def get_shared_vocab(vocab_strings: Sequence[str]) -> tf.Tensor:
    """The texts of labels, [labels]."""
    return tf.constant(list(vocab_strings))


def get_rnnt_linear_aligned_output(
    input_lens: Any,
    targets: Any,
    target_lens: Any,
    blank_label_idx: int,
    pad_value: int = 0,
    targets_consume_time: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The targets at equal distances with blanks between them: labels [B, T] and their lengths [B].

    Label ``j`` of ``n`` (counted from 1) stands at ``round(j * (T + 1) / (n + 1)) - 1``; halves go to the even number.
    """
    input_lens, target_lens = tf.convert_to_tensor(input_lens), tf.convert_to_tensor(target_lens)
    targets = tf.convert_to_tensor(targets)
    lengths = input_lens if targets_consume_time else input_lens + target_lens
    number = tf.range(1, tf.shape(targets)[1] + 1)
    distance = tf.cast(lengths + 1, tf.float32) / tf.cast(target_lens + 1, tf.float32)
    position = tf.cast(tf.round(tf.cast(number, tf.float32) * distance[:, None]), tf.int32) - 1
    frames = tf.range(tf.reduce_max(lengths))
    valid = tf.sequence_mask(target_lens, maxlen=tf.shape(targets)[1])
    here = tf.logical_and(position[:, None, :] == frames[None, :, None], valid[:, None, :])
    labels = tf.reduce_sum(tf.where(here, targets[:, None, :], tf.zeros([], targets.dtype)), axis=2)
    blank, pad = tf.cast(blank_label_idx, targets.dtype), tf.cast(pad_value, targets.dtype)
    output = tf.where(tf.reduce_any(here, axis=2), labels, blank)
    return tf.where(frames[None, :] < lengths[:, None], output, pad), lengths


def _dropout_of(training: bool) -> Callable[..., tf.Tensor]:
    """RETURNN's ``dropout`` for a train flag."""

    def dropout(
        x: tf.Tensor,
        keep_prob: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        name: str | None = None,
        cond_on_train: bool = False,
        apply_correction_factor: bool = True,
        grad_checkpointing: bool = False,
    ) -> tf.Tensor:
        """Entries are kept with a probability; of ``noise_shape``, 1 means one draw for the whole axis."""
        if cond_on_train and not training:
            return x
        sizes = [1 if noise_shape is not None and noise_shape[i] == 1 else n for i, n in enumerate(get_shape(x))]
        kept = tf.cast(tf.random.uniform(sizes, seed=seed) < keep_prob, x.dtype)
        return x * (kept / keep_prob if apply_correction_factor else kept)

    return dropout


_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    safe_log,
    safe_exp,
    where_bc,
    get_shape_dim,
    get_shape,
    nd_indices,
    tile_transposed,
    expand_dims_unbroadcast,
    swapaxes,
    sequence_mask_time_major,
    check_input_dim,
    dot,
    flatten_with_seq_len_mask,
    get_shared_vocab,
    get_rnnt_linear_aligned_output,
)
