"""Random draws without state: what a draw is follows from (seed, step, path, loop index) and the shape alone.

The generator is Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), in the exact
layout of TensorFlow's ``StatelessRandomUniformV2`` and ``StatelessRandomNormalV2`` with ``alg=1`` (Philox), so that the
tf target draws the same numbers with its own kernels:

* key (uint64) = :func:`key_of_path` of the layer path, plus seed * 0x9E3779B97F4A7C15, modulo 2^64;
* counter (two uint64, the low one first) = [0, step * 2^32 + loop], where loop is the index of the innermost loop plus
  2^16 times that of the loop around it and so on, modulo 2^32, and 0 outside of loops;
* entries 4g .. 4g+3 of the result (in the order in memory of the node's ``dims``) come from counter + g;
* ``uniform``: the low 23 bits of a word, times 2^-23, in [0, 1), float32;
* ``normal``: words a, b of a pair give r = sqrt(-2 log(max(u(a), 1e-7))) and r*sin(2 pi u(b)), r*cos(2 pi u(b)).

* ``bits``: the words themselves, as int64.

With a given state of three int64, as TensorFlow's ``tf.random.Generator`` has it, the counter is the first two and the
key the third. Other float types are a cast of the float32 draw. An ONNX graph takes the draw as an input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import IRError

__all__ = ["counter_of", "draw", "key_of", "key_of_path", "philox"]

_MASK32 = np.uint64(0xFFFFFFFF)
_SHIFT32 = np.uint64(32)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
SEED_FACTOR = 0x9E3779B97F4A7C15


def key_of_path(path: str) -> int:
    """64 bits for a layer path: BLAKE2b with a digest of 8 bytes, little-endian."""
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "little")


def key_of(path: str, seed: int) -> int:
    """The key of the generator."""
    return (key_of_path(path) + seed * SEED_FACTOR) % 2**64


def counter_of(step: int, loop_index: Sequence[int]) -> int:
    """The upper 64 bits of the counter at the first entry; the lower ones are zero."""
    loop = 0
    for i in loop_index:
        loop = (loop * 2**16 + i) % 2**32
    return (step * 2**32 + loop) % 2**64


def philox(key: int, counter_high: int, groups: int, counter_low: int = 0) -> Array:
    """``groups`` times four uint32 words, [groups, 4]."""
    low = np.arange(groups, dtype=np.uint64) + np.uint64(counter_low)
    high = np.full(groups, counter_high, np.uint64) + (low < np.uint64(counter_low))
    c = [low & _MASK32, low >> _SHIFT32, high & _MASK32, high >> _SHIFT32]
    k = [np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32)]
    for _ in range(10):
        product0, product1 = c[0] * _MULTIPLIERS[0], c[2] * _MULTIPLIERS[1]
        c = [
            (product1 >> _SHIFT32) ^ c[1] ^ k[0],
            product1 & _MASK32,
            (product0 >> _SHIFT32) ^ c[3] ^ k[1],
            product0 & _MASK32,
        ]
        k = [(a + step) & _MASK32 for a, step in zip(k, _KEY_STEPS, strict=True)]
    return np.stack(c, axis=-1).astype(np.uint32)


def _unit(words: Array) -> Array:
    return (words & np.uint32(0x7FFFFF)).astype(np.float32) * np.float32(2.0**-23)


def _normal(words: Array) -> Array:
    pairs = _unit(words.reshape(-1, 2))
    radius = np.sqrt(np.float32(-2) * np.log(np.maximum(pairs[:, 0], np.float32(1e-7))))
    angle = np.float32(2 * np.pi) * pairs[:, 1]
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)


def _bits(words: Array) -> Array:
    return words.astype(np.int64)


_DRAWS = {"uniform": _unit, "normal": _normal, "bits": _bits}


def draw(
    kind: str,
    shape: Sequence[int],
    path: str,
    seed: int = 0,
    step: int = 0,
    loop_index: Sequence[int] = (),
    state: Sequence[int] | None = None,
) -> Array:
    """Numbers of a shape, float32 (``bits``: int64); ``kind`` is ``uniform``, ``normal`` or ``bits``."""
    size = int(np.prod(shape))
    if state is not None:
        low, high, key = (n % 2**64 for n in state)
    else:
        low, high, key = 0, counter_of(step, loop_index), key_of(path, seed)
    words = philox(key, high, -(-size // 4), low)
    if kind not in _DRAWS:
        raise IRError(f"no random distribution {kind!r}")
    numbers = _DRAWS[kind](words)
    return np.asarray(numbers.reshape(-1)[:size].reshape(tuple(shape)))
