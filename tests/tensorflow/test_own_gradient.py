"""A hand-written gradient is used, also inside of loops and of functions, and goes when its graph goes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.tensorflow.own_gradient import own_gradient


def doubled(x: tf.Tensor) -> Any:
    """``x``, with twice the gradient."""

    @own_gradient
    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        return x + 0.0, lambda upstream: 2.0 * upstream

    return run(x)


def in_loop(x: tf.Tensor) -> Any:
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, doubled(y)), [0, x])[1]


def in_function(x: tf.Tensor) -> Any:
    return tf.function(doubled, autograph=False)(x)


@pytest.mark.parametrize(("body", "factor"), [(doubled, 2), (in_loop, 8), (in_function, 2)])
def test_the_gradient_is_the_written_one(body: Callable[[tf.Tensor], tf.Tensor], factor: int) -> None:
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def compute(x: tf.Tensor) -> Any:
        y = body(x)
        return y, tf.gradients(y, x)[0]

    y, gradient = compute(tf.constant(3.0))
    assert (float(y), float(gradient)) == (3.0, factor)


def test_two_results_and_two_operands() -> None:
    """A result that nobody needs has an upstream gradient of zero."""

    @own_gradient
    def run(x: tf.Tensor, y: tf.Tensor) -> Any:
        return [x * y, x + y], lambda product, total: [product * 10.0 + total, None]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def compute(x: tf.Tensor, y: tf.Tensor) -> Any:
        product, total = run(x, y)
        return product, total, tf.gradients(product, x)[0], tf.gradients([product, y], y)[0]

    assert [float(v) for v in compute(tf.constant(3.0), tf.constant(4.0))] == [12.0, 7.0, 10.0, 1.0]


def test_outside_of_a_graph() -> None:
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = doubled(x)
    assert float(tape.gradient(y, x)) == 2.0


def test_a_saved_model_keeps_it(tmp_path: Any) -> None:
    """Who loads one can differentiate it."""
    module = tf.Module()
    module.run = tf.function(doubled, input_signature=[tf.TensorSpec([], tf.float32)], autograph=False)
    tf.saved_model.save(module, str(tmp_path / "saved"))
    loaded, x = tf.saved_model.load(str(tmp_path / "saved")), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loaded.run(x)
    np.testing.assert_array_equal(tape.gradient(y, x), 2.0)


def test_it_keeps_no_graph_alive() -> None:
    def made() -> weakref.ref[tf.Graph]:
        def compute(x: tf.Tensor) -> Any:
            return tf.gradients(in_loop(in_function(x)), x)[0]

        signature = [tf.TensorSpec([], tf.float32)]
        concrete = tf.function(compute, input_signature=signature, autograph=False).get_concrete_function()
        assert float(concrete(tf.constant(1.0))) == 16.0
        return weakref.ref(concrete.graph)

    graph = made()
    gc.collect()
    assert graph() is None
