"""The GRU kernel against a GRU written out in NumPy and against TensorFlow's gradient of a plain loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.tensorflow.kernels.gru import gru
from compiler.tensorflow.kernels.traced import TracedKernels
from tests.tensorflow.recurrent import BATCHES, CASES, Array, cotangents, gradients, sigmoid

NAMES = ("x", "w", "w_re", "bias", "wc", "wc_re", "bias_c", "h0")
OPTIONS: dict[str, Any] = {"kernels": TracedKernels(), "differentiated": True}
INPUTS, UNITS = 3, 4


def _operands(batch: int, frames: int, dtype: str) -> list[Array]:
    rng = np.random.default_rng(1)
    gates = [(INPUTS, 2 * UNITS), (UNITS, 2 * UNITS), (2 * UNITS,)]
    candidate = [(INPUTS, UNITS), (UNITS, UNITS), (UNITS,)]
    shapes = [(frames, batch, INPUTS), *gates, *candidate, (batch, UNITS)]
    return [rng.normal(scale=0.7, size=shape).astype(dtype) for shape in shapes]


def _numpy_gru(operands: Sequence[Array], lengths: Sequence[int], reverse: bool) -> tuple[Array, Array]:
    """One sequence and one frame after the other."""
    x, w, w_re, bias, wc, wc_re, bias_c, h0 = operands
    y = np.zeros((*x.shape[:2], UNITS), x.dtype)
    h = h0.copy()
    for b, length in enumerate(lengths):
        for t in reversed(range(length)) if reverse else range(length):
            r, u = np.split(sigmoid(x[t, b] @ w + h[b] @ w_re + bias), 2)
            candidate = np.tanh(x[t, b] @ wc + (r * h[b]) @ wc_re + bias_c)
            h[b] = y[t, b] = u * h[b] + (1 - u) * candidate
    return y, h


def _plain_gru(operands: Sequence[Any], lengths: Sequence[int], reverse: bool) -> tuple[Any, Any]:
    """An unrolled loop that masks, for TensorFlow to differentiate."""
    x, w, w_re, bias, wc, wc_re, bias_c, h = operands
    frames = x.shape[0]
    y = [tf.zeros_like(h)] * frames
    for t in reversed(range(frames)) if reverse else range(frames):
        valid = tf.constant([[t < length] for length in lengths])
        r, u = tf.split(tf.sigmoid(x[t] @ w + h @ w_re + bias), 2, axis=1)
        h_next = u * h + (1 - u) * tf.tanh(x[t] @ wc + (r * h) @ wc_re + bias_c)
        y[t] = tf.where(valid, h_next, 0)
        h = tf.where(valid, h_next, h)
    return tf.stack(y) if y else x[:, :, :1] * h, h


def _kernel(operands: Sequence[Any], lengths: Sequence[int], reverse: bool, at_once: int = 1) -> Sequence[tf.Tensor]:
    x, w, w_re, bias, wc, wc_re, bias_c, h0 = operands
    return gru(
        x,
        w,
        w_re,
        bias,
        wc,
        wc_re,
        bias_c,
        tf.constant(lengths),
        h0,
        reverse=reverse,
        kernels=TracedKernels(),
        differentiated=True,
        at_once=at_once,
    )


@pytest.mark.parametrize(("reverse", "at_once"), [(False, 1), (True, 1), (True, 2)])
@pytest.mark.parametrize(("batch", "dtype"), CASES)
def test_outputs_and_gradients(batch: str, reverse: bool, at_once: int, dtype: str) -> None:
    lengths, frames = BATCHES[batch]
    operands = _operands(len(lengths), frames, dtype)
    tolerance = 2e-6 if dtype == "float32" else 1e-13
    results = tf.function(lambda: _kernel(operands, lengths, reverse, at_once), autograph=False)()
    for result, expected in zip(results, _numpy_gru(operands, lengths, reverse), strict=True):
        np.testing.assert_allclose(result.numpy(), expected, rtol=tolerance, atol=tolerance)
    seeds = cotangents(frames, len(lengths), UNITS, 1, dtype)
    actual = gradients(lambda a: _kernel(a, lengths, reverse, at_once), operands, seeds)
    plain = gradients(lambda a: _plain_gru(a, lengths, reverse), operands, seeds)
    for name, a, e in zip(NAMES, actual, plain, strict=True):
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance * (1 + np.abs(e).max(initial=0)), err_msg=name)


@pytest.mark.parametrize("reverse", [False, True])
def test_nothing_behind_the_end_gets_through(reverse: bool) -> None:
    """Not NaN in the input's tail, nor a gradient that some later layer has there."""
    lengths = [2, 4]
    operands = _operands(2, 4, "float32")
    dirty = [v.copy() for v in operands]
    dirty[0][2:, 0] = np.nan
    seeds = cotangents(4, 2, UNITS, 1, "float32")
    poisoned = [v.copy() for v in seeds]
    poisoned[0][2:, 0] = np.inf
    actual = gradients(lambda a: _kernel(a, lengths, reverse), dirty, poisoned)
    expected = gradients(lambda a: _kernel(a, lengths, reverse), operands, seeds)
    for name, a, e in zip(NAMES, actual, expected, strict=True):
        np.testing.assert_array_equal(a, e, err_msg=name)


def test_second_order_gradient() -> None:
    """The backward consists of ops that TensorFlow differentiates."""
    operands = [tf.constant(v) for v in _operands(2, 3, "float64")]

    def twice(run: Callable[..., Sequence[tf.Tensor]]) -> list[Array]:
        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def compute(*args: tf.Tensor) -> Any:
            y, h = run(args, [3, 2], True)
            total = tf.reduce_sum(y * y) + tf.reduce_sum(h)
            penalty = tf.reduce_sum(tf.gradients(total, args[0])[0] ** 2)
            return tf.gradients(penalty, args)

        return [np.asarray(gradient) for gradient in compute(*operands)]

    for name, actual, expected in zip(NAMES, twice(_kernel), twice(_plain_gru), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12, err_msg=name)
