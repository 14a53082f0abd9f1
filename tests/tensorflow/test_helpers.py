"""RETURNN's helpers in code that is not compiled: each one by values that RETURNN's own gave for the same call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.tensorflow.python_code.helpers import Helpers
from tests.tensorflow.test_config_code import ALIGNED

H = Helpers(training=True)
X = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 11
T = tf.constant(X)
CHOSEN = np.array([[True, False, True], [False, False, True]])
V = tf.constant([-2.0, 0.0, 1e-30, 0.5, 3.0])
L = tf.constant([-100.0, -1.0, 0.0, 50.0])
INDICES = tf.constant([[3, 1], [4, 5], [0, 1]])
LENGTHS = tf.constant([1, 3])
FRAMES = [X[0, 0], X[1, 0], X[1, 1], X[1, 2]]


def aligned(frames: int, targets: int, consume: bool) -> tf.Tensor:
    return H.get_rnnt_linear_aligned_output([frames], [[1, 2, 3, 4]], [targets], 7, 9, consume)[0]


CASES: dict[str, list[tuple[Callable[[], Any], Any]]] = {
    "safe_log": [
        (lambda: H.safe_log(V), [-46.051701, -46.051701, -46.051701, -0.693147, 1.098612]),
        (lambda: H.safe_log(V, eps=0.1), [-2.302585, -2.302585, -2.302585, -0.693147, 1.098612]),
        (lambda: H.safe_log(V, 0.1, use_fake_grad=False), [-2.302585, -2.302585, -2.302585, -0.693147, 1.098612]),
        (lambda: gradient(lambda v: H.safe_log(v, 0.1), V), [10.0, 10.0, 10.0, 2.0, 0.333333]),
        (lambda: gradient(lambda v: H.safe_log(v, 0.1, False), V), [0.0, 0.0, 0.0, 2.0, 0.333333]),
        (lambda: graph(lambda v: H.safe_log(tf.nn.softmax(v)), L), [-150.0, -51.0, -50.0, 0.0]),
        (lambda: graph(lambda v: H.safe_log(tf.sigmoid(v)), L), [-100.0, -1.313262, -0.693147, -1.92875e-22]),
        (lambda: graph(lambda v: H.safe_log(tf.exp(v)), L), [-100.0, -1.0, 0.0, 50.0]),
    ],
    "safe_exp": [
        (lambda: H.safe_exp(L), [1e-20, 0.367879, 1.0, 1e20]),
        (lambda: H.safe_exp(L, 0.1), [0.1, 0.367879, 1.0, 10.0]),
        (lambda: gradient(lambda v: H.safe_exp(v, 0.1), L), [0.1, 0.367879, 1.0, 10.0]),
        (lambda: graph(lambda v: H.safe_exp(tf.nn.log_softmax(v)), L), [0.0, 7.095474e-23, 1.928750e-22, 1.0]),
        (lambda: graph(lambda v: H.safe_exp(tf.math.log(v)), V), [-2.0, 0.0, 1e-30, 0.5, 3.0]),
    ],
    "where_bc": [
        (lambda: H.where_bc(CHOSEN, T[..., 0], 7.0), np.where(CHOSEN, X[..., 0], 7)),
        (lambda: H.where_bc(CHOSEN, T, 0.0), np.where(CHOSEN[..., None], X, 0)),
        (lambda: H.where_bc(True, T, tf.zeros([1, 1, 1])), X),
    ],
    "get_shape": [
        (lambda: H.get_shape(T), [2, 3, 4]),
        (lambda: graph(lambda x: tf.stack(H.get_shape(x)), T), [2, 3, 4]),
    ],
    "get_shape_dim": [(lambda: H.get_shape_dim(T, -1), 4), (lambda: graph(lambda x: H.get_shape_dim(x, 1), T), 3)],
    "nd_indices": [
        (lambda: H.nd_indices(INDICES), [[[0, 3], [0, 1]], [[1, 4], [1, 5]], [[2, 0], [2, 1]]]),
        (lambda: H.nd_indices(INDICES, batch_axis=1), [[[3, 0], [1, 1]], [[4, 0], [5, 1]], [[0, 0], [1, 1]]]),
        (
            lambda: H.nd_indices(INDICES, batch_axis=1, indices_batch_major=True),
            [[[0, 3], [1, 1]], [[0, 4], [1, 5]], [[0, 0], [1, 1]]],
        ),
    ],
    "tile_transposed": [(lambda: H.tile_transposed(T[0], 1, 2), np.repeat(X[0], 2, axis=1))],
    "expand_dims_unbroadcast": [
        (lambda: H.expand_dims_unbroadcast(T[0, 0], 0, 3), [X[0, 0]] * 3),
        (lambda: H.expand_dims_unbroadcast(T[0, 0], -1, 2), np.repeat(X[0, 0][:, None], 2, 1)),
        (lambda: H.expand_dims_unbroadcast(5, 0, 3), [5, 5, 5]),
    ],
    "swapaxes": [(lambda: H.swapaxes(T, -1, 0), np.swapaxes(X, -1, 0))],
    "sequence_mask_time_major": [
        (lambda: H.sequence_mask_time_major(LENGTHS), [[True, True], [False, True], [False, True]]),
        (lambda: H.sequence_mask_time_major(LENGTHS, maxlen=1), [[True, True]]),
    ],
    "check_input_dim": [(lambda: H.check_input_dim(T, 1, 3), X)],
    "dot": [
        (lambda: H.dot(T, tf.ones([4, 2])), X @ np.ones((4, 2))),
        (lambda: H.dot(T, tf.ones([4, 2, 3])), np.tensordot(X, np.ones((4, 2, 3)), 1)),
        (lambda: H.dot(T[0], T[1], transpose_b=True), X[0] @ X[1].T),
    ],
    "flatten_with_seq_len_mask": [
        (lambda: H.flatten_with_seq_len_mask(T, LENGTHS, 0, 1), FRAMES),
        (lambda: H.flatten_with_seq_len_mask(tf.transpose(T, [1, 0, 2]), LENGTHS, time_major=True), FRAMES),
        (lambda: H.flatten_with_seq_len_mask(tf.transpose(T, [1, 2, 0]), LENGTHS, 2, 0), FRAMES),
    ],
    "get_shared_vocab": [(lambda: H.get_shared_vocab(["a", "<b>"]), [b"a", b"<b>"])],
    "get_rnnt_linear_aligned_output": [
        (partial(aligned, n, t, consume), [expected]) for n, t, consume, expected in ALIGNED
    ],
    "dropout": [
        (lambda: H.dropout(T, 1.0), X),
        (lambda: Helpers(training=False).dropout(T, 0.5, cond_on_train=True), X),
        (lambda: tf.unique(tf.sort(tf.reshape(H.dropout(tf.ones([64, 64]), 0.5), [-1])))[0], [0.0, 2.0]),
        (lambda: tf.unique(tf.sort(H.dropout(tf.ones([99]), 0.5, apply_correction_factor=False)))[0], [0.0, 1.0]),
        (lambda: tf.math.reduce_std(H.dropout(tf.ones([9, 64]), 0.5, noise_shape=[None, 1]), axis=1), np.zeros(9)),
    ],
}


def gradient(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


def graph(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """In a graph in which no size is known, as in a program."""
    return tf.function(function, input_signature=[tf.TensorSpec([None] * x.shape.rank, x.dtype)])(x)


@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    for call, expected in CASES[name]:
        np.testing.assert_allclose(*_comparable(call(), expected), rtol=1e-5, atol=1e-30)


def _comparable(found: Any, expected: Any) -> tuple[Any, Any]:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    if expected.dtype.kind == "S":
        return (found == expected).astype(int), 1
    return found.astype(np.float64), expected.astype(np.float64)


def test_every_helper_has_values() -> None:
    assert sorted(H.functions) == sorted(CASES)
    assert all(getattr(H.tf.util.basic, name) is function for name, function in H.functions.items())


def test_wrong_sizes_and_names_are_told() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        H.check_input_dim(T, 1, 5)
    with pytest.raises(AttributeError, match="RETURNN's 'native_op' is not available here"):
        _ = H.native_op
