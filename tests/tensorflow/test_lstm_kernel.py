"""The LSTM kernel against an LSTM written out in NumPy and against TensorFlow's gradient of a plain loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.tensorflow.kernels.lstm import lstm
from compiler.tensorflow.kernels.traced import TracedKernels
from tests.tensorflow.recurrent import BATCHES, CASES, Array, cotangents, gradients, sigmoid

NAMES = ("x", "w", "w_re", "bias", "h0", "c0")
OPTIONS: dict[str, Any] = {"kernels": TracedKernels(), "differentiated": True}


def _operands(batch: int, frames: int, dtype: str, *, inputs: int = 3, units: int = 4, seed: int = 1) -> list[Array]:
    rng = np.random.default_rng(seed)
    shapes = [
        (frames, batch, inputs),
        (inputs, 4 * units),
        (units, 4 * units),
        (4 * units,),
        (batch, units),
        (batch, units),
    ]
    return [rng.normal(scale=0.7, size=shape).astype(dtype) for shape in shapes]


def _numpy_lstm(operands: Sequence[Array], lengths: Sequence[int], reverse: bool) -> tuple[Array, Array, Array]:
    """One sequence and one frame after the other."""
    x, w, w_re, bias, h0, c0 = operands
    y = np.zeros((*x.shape[:2], h0.shape[1]), x.dtype)
    h, c = h0.copy(), c0.copy()
    for b, length in enumerate(lengths):
        for t in reversed(range(length)) if reverse else range(length):
            j, i, f, o = np.split(x[t, b] @ w + h[b] @ w_re + bias, 4)
            c[b] = sigmoid(f) * c[b] + sigmoid(i) * np.tanh(j)
            h[b] = y[t, b] = sigmoid(o) * np.tanh(c[b])
    return y, h, c


def _plain_lstm(operands: Sequence[Any], lengths: Sequence[int], reverse: bool) -> tuple[Any, Any, Any]:
    """An unrolled loop that masks, for TensorFlow to differentiate."""
    x, w, w_re, bias, h, c = operands
    frames = x.shape[0]
    y = [tf.zeros_like(h)] * frames
    for t in reversed(range(frames)) if reverse else range(frames):
        valid = tf.constant([[t < length] for length in lengths])
        j, i, f, o = tf.split(x[t] @ w + h @ w_re + bias, 4, axis=1)
        c_next = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
        h_next = tf.sigmoid(o) * tf.tanh(c_next)
        y[t] = tf.where(valid, h_next, 0)
        h, c = tf.where(valid, h_next, h), tf.where(valid, c_next, c)
    return tf.stack(y) if y else x[:, :, :1] * h, h, c


def _kernel(operands: Sequence[Any], lengths: Sequence[int], reverse: bool) -> Sequence[tf.Tensor]:
    x, w, w_re, bias, h0, c0 = operands
    return lstm(
        x, w, w_re, bias, tf.constant(lengths), h0, c0, reverse=reverse, kernels=TracedKernels(), differentiated=True
    )


def _seeds(operands: Sequence[Array]) -> list[Array]:
    x, h0 = operands[0], operands[4]
    return cotangents(x.shape[0], x.shape[1], h0.shape[1], 2, x.dtype.name)


def _run(operands: Sequence[Array], lengths: Sequence[int], reverse: bool) -> list[Array]:
    """As in training: one tf.function whose batch and time are dynamic."""

    def spec(value: Array, dynamic: int) -> tf.TensorSpec:
        return tf.TensorSpec([None] * dynamic + list(value.shape[dynamic:]), value.dtype)

    specs = [spec(v, d) for v, d in zip(operands, (2, 0, 0, 0, 1, 1), strict=True)]

    @tf.function(autograph=False, input_signature=[*specs, tf.TensorSpec([None], tf.int64)])  # type: ignore[untyped-decorator]
    def kernel(*args: tf.Tensor) -> Sequence[tf.Tensor]:
        x, w, w_re, bias, h0, c0, ends = args
        return lstm(x, w, w_re, bias, ends, h0, c0, reverse=reverse, **OPTIONS)

    return [r.numpy() for r in kernel(*operands, np.array(lengths, np.int64))]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("batch", "dtype"), CASES)
def test_outputs(batch: str, reverse: bool, dtype: str) -> None:
    lengths, frames = BATCHES[batch]
    operands = _operands(len(lengths), frames, dtype)
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    for actual, expected in zip(_run(operands, lengths, reverse), _numpy_lstm(operands, lengths, reverse), strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("batch", "dtype"), CASES)
def test_gradients(batch: str, reverse: bool, dtype: str) -> None:
    lengths, frames = BATCHES[batch]
    operands = _operands(len(lengths), frames, dtype)
    seeds = _seeds(operands)
    actual = gradients(lambda a: _kernel(a, lengths, reverse), operands, seeds)
    expected = gradients(lambda a: _plain_lstm(a, lengths, reverse), operands, seeds)
    tolerance = 2e-6 if dtype == "float32" else 1e-13
    for name, a, e in zip(NAMES, actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance * (1 + np.abs(e).max(initial=0)), err_msg=name)


@pytest.mark.parametrize("units", [1, 3])
def test_units_without_two_equal_halves(units: int) -> None:
    """The backward splits its product over the units."""
    operands = _operands(2, 3, "float64", units=units)
    seeds = _seeds(operands)
    actual = gradients(lambda a: _kernel(a, [3, 2], True), operands, seeds)
    expected = gradients(lambda a: _plain_lstm(a, [3, 2], True), operands, seeds)
    for name, a, e in zip(NAMES, actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_by_finite_differences(reverse: bool) -> None:
    lengths = [3, 0, 4]
    operands = _operands(3, 4, "float64", inputs=2, units=2)
    seeds = _seeds(operands)
    actual = gradients(lambda a: _kernel(a, lengths, reverse), operands, seeds)

    def total(values: Sequence[Array]) -> float:
        results = _numpy_lstm(values, lengths, reverse)
        return float(sum(np.sum(r * g) for r, g in zip(results, seeds, strict=True)))

    for k, name in enumerate(NAMES):
        expected = np.zeros_like(operands[k])
        for index in np.ndindex(expected.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [v.copy() for v in operands]
                moved[k][index] += step
                sides.append(total(moved))
            expected[index] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(actual[k], expected, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("reverse", [False, True])
def test_nothing_behind_the_end_gets_through(reverse: bool) -> None:
    """Not NaN in the input's tail, nor a gradient that some later layer has there."""
    lengths = [2, 4]
    operands = _operands(2, 4, "float32")
    dirty = [v.copy() for v in operands]
    dirty[0][2:, 0] = np.nan
    for result, clean in zip(_run(dirty, lengths, reverse), _run(operands, lengths, reverse), strict=True):
        np.testing.assert_array_equal(result, clean)
    assert not _run(operands, lengths, reverse)[0][2:, 0].any()

    seeds = _seeds(operands)
    poisoned = [v.copy() for v in seeds]
    poisoned[0][2:, 0] = np.inf

    actual = gradients(lambda a: _kernel(a, lengths, reverse), dirty, poisoned)
    expected = gradients(lambda a: _kernel(a, lengths, reverse), operands, seeds)
    for name, a, e in zip(NAMES, actual, expected, strict=True):
        np.testing.assert_array_equal(a, e, err_msg=name)


def test_one_trace_for_all_batches() -> None:
    traces = []
    _, w, w_re, bias, _, _ = _operands(1, 1, "float32")

    @tf.function(  # type: ignore[untyped-decorator]
        autograph=False, input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([None], tf.int32)]
    )
    def run(x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        traces.append(x)
        state = tf.zeros([tf.shape(x)[1], 4])
        return lstm(
            x, w, w_re, bias, lengths, state, state, reverse=False, kernels=TracedKernels(), differentiated=True
        )[0]

    for frames, batch in ((2, 3), (5, 1), (1, 4)):
        assert run(np.zeros((frames, batch, 3), np.float32), np.full(batch, frames, np.int32)).shape == (
            frames,
            batch,
            4,
        )
    assert len(traces) == 1


@pytest.mark.parametrize("name", NAMES)
def test_second_order_gradient(name: str) -> None:
    """The backward consists of ops that TensorFlow differentiates."""
    operands = [tf.constant(v) for v in _operands(2, 3, "float64")]

    def twice(run: Callable[..., Sequence[tf.Tensor]]) -> Array:
        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def compute(*args: tf.Tensor) -> tf.Tensor:
            y, h, c = run(args, [3, 2], True)
            total = tf.reduce_sum(y * y) + tf.reduce_sum(h * c)
            wanted = args[NAMES.index(name)]
            penalty = tf.reduce_sum(tf.gradients(total, wanted)[0] ** 2)
            return tf.gradients(penalty, wanted)[0]

        return np.asarray(compute(*operands))

    np.testing.assert_allclose(twice(_kernel), twice(_plain_lstm), rtol=1e-10, atol=1e-12)
