"""Random draws without state, by the kernels whose numbers the reference implementation defines (Philox, ``alg=1``)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.environment import Environment

__all__ = ["RANDOM_ROWS"]

_SEED_FACTOR = 0x9E3779B97F4A7C15
_PHILOX = 1


def _key_of_path(path: str) -> int:
    """64 bits for a layer path: BLAKE2b with a digest of 8 bytes, little-endian."""
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "little")


def _random(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The key is that of the path plus the seed times a constant, the counter's upper half says step and loop index."""
    state = call.attrs["state"]
    if state is not None:
        low, high, key = (tf.constant(n % 2**64, tf.uint64) for n in state)
        return _draw(call, key, low, high)
    offset, upper = call.env.draw_origin(_origin)
    key = tf.constant(_key_of_path(call.attrs["path"]), tf.uint64) + offset
    return _draw(call, key, tf.zeros([], tf.uint64), upper)


def _origin(env: Environment) -> tuple[tf.Tensor, tf.Tensor]:
    """What all draws of a region have in common: the summand of their keys, the upper half of their counters."""
    loop = tf.zeros([], tf.int64)
    for index in env.loop_index:
        loop = (loop * 2**16 + index) % 2**32
    offset = tf.cast(env.feed.seed, tf.uint64) * tf.constant(_SEED_FACTOR, tf.uint64)
    return offset, tf.cast(env.feed.step * 2**32 + loop, tf.uint64)


def _draw(call: Call, key: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    kernel, dtype = {
        "uniform": (tf.raw_ops.StatelessRandomUniformV2, tf.float32),
        "normal": (tf.raw_ops.StatelessRandomNormalV2, tf.float32),
        "bits": (tf.raw_ops.StatelessRandomUniformFullIntV2, tf.uint32),
    }[call.attrs["kind"]]
    shape = tf.convert_to_tensor(call.env.shape(call.dims), tf.int32) if call.dims else tf.constant([], tf.int32)
    drawn = kernel(shape=shape, key=tf.reshape(key, [1]), counter=tf.stack([low, high]), alg=_PHILOX, dtype=dtype)
    return tf.cast(drawn, call.attrs["dtype"])


RANDOM_ROWS: dict[str, Row] = {"random": _random}
