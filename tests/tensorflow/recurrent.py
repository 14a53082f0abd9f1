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


def cotangents(frames: int, batch: int, units: int, states: int, dtype: str) -> list[Array]:
    """Gradients of y [T, B, n] and of the last states [B, n], each of its own: no two can cancel or be mixed up."""
    rng = np.random.default_rng(7)
    shapes = [(frames, batch, units), *[(batch, units)] * states]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def gradients(
    run: Callable[[Sequence[tf.Tensor]], Sequence[tf.Tensor]], operands: Sequence[Array], seeds: Sequence[Array]
) -> list[Array]:
    """Gradients of the operands of `run`, given those of its results."""

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def compute(*args: tf.Tensor) -> Any:
        seeded = [tf.constant(seed) for seed in seeds]
        return tf.gradients(run(args), args, seeded, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return [gradient.numpy() for gradient in compute(*(tf.constant(v) for v in operands))]
