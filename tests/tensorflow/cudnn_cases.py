"""cuDNN's LSTM kernel beside the loops in double precision: outputs, last states and gradients, on many batches.

The tests run it on the double of :mod:`tests.tensorflow.cudnn_contract`, ``make gpu-check`` on the op itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from compiler.tensorflow.kernels.cudnn_lstm import Direction, cudnn_lstm
from compiler.tensorflow.kernels.lstm import lstm
from compiler.tensorflow.kernels.traced import TracedKernels
from tests.tensorflow.recurrent import BATCHES, Array

__all__ = ["CASES", "Case", "difference"]

_BATCHES = {**BATCHES, "no_sequences": ([], 3), "nothing": ([], 0)}
_Kernel = Callable[[Sequence[tf.Tensor], tf.Tensor], Sequence[tf.Tensor]]


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        batch: the name of lengths and frames in memory.
        way: ``forward``, ``backward``, ``both`` by one op, or ``joined``: both as one LSTM of twice the units.
        dirty: NaN stands behind the ends of the input, and infinity in the gradient of what comes out there.
    """

    batch: str
    way: str
    inputs: int = 3
    units: int = 4
    dirty: bool = False

    def __str__(self) -> str:
        return f"{self.batch}-{self.way}-{self.inputs}x{self.units}{'-dirty' if self.dirty else ''}"

    def compare(self) -> list[tuple[str, Array, Array]]:
        """The name of a result or a gradient, cuDNN's value and that of the loops."""
        lengths, frames = _BATCHES[self.batch]
        ways = 2 if self.way in ("both", "joined") else 1
        operands = self._operands(frames, len(lengths), ways)
        shapes = [(frames, len(lengths), self.units), *[(len(lengths), self.units)] * 2] * ways
        rng = np.random.default_rng(7)
        seeds = [rng.normal(size=shape) for shape in shapes]
        with tf.device("CPU:0"):
            expected = _results_and_gradients(self._loops, operands, seeds, lengths, "float64")
        if self.dirty:
            for b, length in enumerate(lengths):
                operands[0][length:, b] = np.nan
                for seed in seeds[::3]:
                    seed[length:, b] = np.inf
        found = _results_and_gradients(self._cudnn, operands, seeds, lengths, "float32")
        names = [f"{name}{way}" for way in range(ways) for name in ("y", "h", "c")]
        names += ["d x", *(f"d {name}{way}" for way in range(ways) for name in ("w", "w_re", "bias", "h0", "c0"))]
        return list(zip(names, found, expected, strict=True))

    def _operands(self, frames: int, batch: int, ways: int) -> list[Array]:
        rng = np.random.default_rng(1)
        n = self.units
        shapes = [(self.inputs, 4 * n), (n, 4 * n), (4 * n,), (batch, n), (batch, n)] * ways
        return [rng.normal(scale=0.7, size=shape) for shape in [(frames, batch, self.inputs), *shapes]]

    def _cudnn(self, operands: Sequence[tf.Tensor], lengths: tf.Tensor) -> Sequence[tf.Tensor]:
        x, *rest = operands
        directions = [Direction(*rest[at : at + 5]) for at in range(0, len(rest), 5)]
        options = {"reverse": self.way == "backward", "as_one": self.way == "joined"}
        found = cudnn_lstm(x, directions, lengths, **options, differentiated=True)
        return [value for results in found for value in results]

    def _loops(self, operands: Sequence[tf.Tensor], lengths: tf.Tensor) -> Sequence[tf.Tensor]:
        x, *rest = operands
        found: list[tf.Tensor] = []
        for at in range(0, len(rest), 5):
            w, w_re, bias, h0, c0 = rest[at : at + 5]
            reverse = self.way == "backward" or at > 0
            kernels = TracedKernels()
            found += lstm(x, w, w_re, bias, lengths, h0, c0, reverse=reverse, kernels=kernels, differentiated=True)
        return found


def difference(found: Array, expected: Array) -> float:
    """The largest one, relative to the largest expected entry where that is above 1."""
    assert found.shape == expected.shape
    if not found.size:
        return 0.0
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def _results_and_gradients(
    kernel: _Kernel, operands: Sequence[Array], seeds: Sequence[Array], lengths: Sequence[int], dtype: str
) -> list[Array]:
    """As in training: one tf.function whose batch and time are dynamic."""

    states = (4, 5, 9, 10)  # the operands that are no weights, besides the frames

    def spec(value: Array, dynamic: int) -> tf.TensorSpec:
        return tf.TensorSpec([None] * dynamic + list(value.shape[dynamic:]), dtype)

    signature = [
        [spec(v, 2 if k == 0 else int(k in states)) for k, v in enumerate(operands)],
        [spec(v, v.ndim - 1) for v in seeds],
        tf.TensorSpec([None], tf.int64),
    ]

    @tf.function(autograph=False, input_signature=signature)  # type: ignore[untyped-decorator]
    def compute(operands: list[tf.Tensor], seeds: list[tf.Tensor], lengths: tf.Tensor) -> list[tf.Tensor]:
        results = kernel(operands, lengths)
        zero = tf.UnconnectedGradients.ZERO
        return [*results, *tf.gradients(results, operands, seeds, unconnected_gradients=zero)]

    cast = [[np.asarray(v, dtype) for v in values] for values in (operands, seeds)]
    return [value.numpy() for value in compute(*cast, np.array(lengths, np.int64))]


_WAYS = ("forward", "backward", "both", "joined")

#: Every batch in every direction; sizes of which none is another's multiple; what must not get through.
CASES = (
    *(Case(batch, way) for batch in _BATCHES for way in _WAYS),
    *(Case("ragged", way, inputs, units) for way in _WAYS for inputs, units in ((5, 3), (1, 1), (40, 7), (2, 64))),
    *(Case(batch, way, dirty=True) for way in _WAYS for batch in ("ragged", "empty", "padded", "all_empty")),
)
