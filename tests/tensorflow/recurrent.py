"""What the tests of the recurrent kernels share: batches of ragged sequences, and gradients with random cotangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

__all__ = ["BATCHES", "CASES", "Array", "cotangents", "gradients", "sigmoid"]

Array = npt.NDArray[Any]

#: Lengths and the number of frames in memory: one frame, one sequence, ragged, empty sequences, frames nobody uses.
BATCHES = {
    "full": ([5, 5, 5], 5),
    "ragged": ([4, 1, 6, 2], 6),
    "empty": ([3, 0, 5], 5),
    "padded": ([2, 4], 7),
    "one_sequence": ([6], 6),
    "one_frame": ([1, 1], 1),
    "all_empty": ([0, 0], 3),
    "no_frames": ([0, 0], 0),
}

CASES = [*((batch, "float64") for batch in BATCHES), ("ragged", "float32")]


def sigmoid(a: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-a)))


def gradients(run: Any, operands: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def gradients(*args: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(args)
            # A cotangent of its own for every output, so that no two gradients can cancel or be mixed up.
            total = tf.add_n([tf.reduce_sum(r * g) for r, g in zip(run(args), cotangents, strict=True)])
        return tape.gradient(total, args, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return [g.numpy() for g in gradients(*(tf.constant(v) for v in operands))]


def cotangents(operands: Sequence[Array]) -> list[Array]:
    rng = np.random.default_rng(7)
    x, h0 = operands[0], operands[4]
    shapes = [(*x.shape[:2], h0.shape[1]), h0.shape, h0.shape]
    return [rng.normal(size=shape).astype(x.dtype) for shape in shapes]
