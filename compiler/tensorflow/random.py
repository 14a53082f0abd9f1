"""Random draws without state, by the kernels whose numbers the reference implementation defines (Philox, ``alg=1``)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call, Row
from compiler.tensorflow.environment import Environment
from returnn_ir.ir.dims import Dim

__all__ = ["RANDOM_ROWS", "drawn"]

_SEED_FACTOR = 0x9E3779B97F4A7C15
_PHILOX = 1


def _key_of_path(path: str) -> int:
    """64 bits for a layer path: BLAKE2b with a digest of 8 bytes, little-endian."""
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "little")


def _random(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The key is that of the path plus the seed times a constant, the counter's upper half says step and loop index."""
    attrs, env = call.attrs, call.env
    if attrs["state"] is not None:
        low, high, key = (tf.constant(n % 2**64, tf.uint64) for n in attrs["state"])
        return tf.cast(_draw(env, attrs["kind"], call.dims, key, low, high), attrs["dtype"])
    return tf.cast(drawn(env, attrs["path"], call.dims, attrs["kind"]), attrs["dtype"])


def drawn(env: Environment, path: str, dims: Sequence[Dim], kind: str = "uniform") -> tf.Tensor:
    """What the op ``random`` draws for a path at this place."""
    offset, upper = env.draw_origin(_origin)
    key = tf.constant(_key_of_path(path), tf.uint64) + offset
    return _draw(env, kind, dims, key, tf.zeros([], tf.uint64), upper)


def _origin(env: Environment) -> tuple[tf.Tensor, tf.Tensor]:
    """What all draws of a region have in common: the summand of their keys, the upper half of their counters."""
    loop = tf.zeros([], tf.int64)
    for index in env.loop_index:
        loop = (loop * 2**16 + index) % 2**32
    offset = tf.cast(env.feed.seed, tf.uint64) * tf.constant(_SEED_FACTOR, tf.uint64)
    return offset, tf.cast(env.feed.step * 2**32 + loop, tf.uint64)


def _draw(
    env: Environment, kind: str, dims: Sequence[Dim], key: tf.Tensor, low: tf.Tensor, high: tf.Tensor
) -> tf.Tensor:
    kernel, dtype = {
        "uniform": (tf.raw_ops.StatelessRandomUniformV2, tf.float32),
        "normal": (tf.raw_ops.StatelessRandomNormalV2, tf.float32),
        "bits": (tf.raw_ops.StatelessRandomUniformFullIntV2, tf.uint32),
    }[kind]
    shape = tf.convert_to_tensor(env.shape(dims), tf.int32) if dims else tf.constant([], tf.int32)
    return kernel(shape=shape, key=tf.reshape(key, [1]), counter=tf.stack([low, high]), alg=_PHILOX, dtype=dtype)


RANDOM_ROWS: dict[str, Row] = {"random": _random}
