"""Attention with a hand-written backward that keeps the weights and nothing else of their size, but a bit for dropout.

Vaswani et al. (arXiv:1706.03762). The gradient of the softmax needs, per query, the sum of weights times their
gradients: that is the product of the result and its gradient (Dao et al., arXiv:2205.14135, section 3.1), which has no
axis of keys. Written out, TensorFlow keeps the weights before and after dropout and masks, and passes over arrays of
their size some ten times more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from compiler.tensorflow.own_gradient import own_gradient
from compiler.tensorflow.sizes import over_last_axis

_FULL = tf.float32

__all__ = ["Addend", "Attention", "Factor", "drop_threshold"]


@dataclass(frozen=True)
class Addend:
    """What is added to the energies.

    Attributes:
        x: [..., rows, keys], of size one along axes that it is repeated along.
        repeated: these axes; None: it is constant, and has no gradient.
    """

    x: tf.Tensor
    repeated: tuple[int, ...] | None


@dataclass(frozen=True)
class Factor:
    """What keys or values are multiplied by.

    Attributes:
        number: for all alike.
        valid: bool, which keys are, [..., keys, 1], or None: all. The others become zero, also what is no number.
        by_key: that number for valid keys and zero for others, in the type of keys and values.
    """

    number: float
    valid: tf.Tensor | None
    by_key: tf.Tensor | None

    def of(self, x: tf.Tensor) -> tf.Tensor:
        """The product with x, [..., keys, n]."""
        if self.by_key is not None and x.dtype != tf.bfloat16:  # which has no such kernel on GPUs
            return tf.math.multiply_no_nan(x, self.by_key)
        scaled = x if self.number == 1 else x * tf.constant(self.number, x.dtype)
        return scaled if self.valid is None else tf.where(self.valid, scaled, tf.zeros([], x.dtype))


@dataclass(frozen=True)
class Attention:
    """Sums of values by weights.

    Attributes:
        of_keys: the scale of the energies; keys are fewer than energies, and have a factor for the valid ones anyhow.
        of_values: scales up where dropout takes weights away.
        addends: to the energies.
        kept: bool, the weights that dropout leaves, [..., rows, keys], or of size one along some axes.
        on_gpu: whether it runs on a GPU for certain.
        differentiated: whether the hand-written backward is needed.
    """

    of_keys: Factor
    of_values: Factor
    addends: Sequence[Addend]
    kept: tf.Tensor | None
    on_gpu: bool
    differentiated: bool

    def __call__(self, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        """The sums, [..., rows, values].

        Args:
            query: [..., rows, features].
            key: [..., keys, features].
            value: [..., keys, values].
        """
        terms = [addend.x for addend in self.addends]
        if not self.differentiated:
            return self._forward(query, self.of_keys.of(key), self.of_values.of(value), terms)[0]

        @own_gradient
        def run(
            query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, *added: tf.Tensor
        ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Sequence[tf.Tensor | None]]]:
            key, value = self.of_keys.of(key), self.of_values.of(value)
            result, weights = self._forward(query, key, value, added)

            def backward(upstream: tf.Tensor) -> Sequence[tf.Tensor | None]:
                return self._backward(query, key, value, weights, result, upstream)

            return result, backward

        found: tf.Tensor = run(query, key, value, *terms)
        return found

    def _forward(
        self, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, added: Sequence[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The result and the weights before dropout."""
        energies = tf.cast(tf.matmul(query, key, transpose_b=True), self._inner(query.dtype))
        for x in added:
            energies = energies + _in_range(x, energies.dtype)
        weights = over_last_axis(tf.nn.softmax, energies)
        return tf.matmul(self._dropped(weights, value.dtype), value), weights

    def _backward(
        self,
        query: tf.Tensor,
        key: tf.Tensor,
        value: tf.Tensor,
        weights: tf.Tensor,
        result: tf.Tensor,
        upstream: tf.Tensor,
    ) -> Sequence[tf.Tensor | None]:
        """Gradients of query, key, value and what is added; key and value come multiplied by their factors."""
        low, inner = query.dtype, weights.dtype
        of_value = tf.matmul(self._dropped(weights, low), upstream, transpose_a=True)
        of_weights = self._dropped(tf.matmul(upstream, value, transpose_b=True), inner)
        mean = tf.cast(tf.reduce_sum(tf.cast(upstream * result, _FULL), -1, keepdims=True), inner)
        of_energies = weights * (of_weights - mean)
        of_products = tf.cast(of_energies, low)
        of_query = tf.matmul(of_products, key)
        of_key = tf.matmul(of_products, query, transpose_a=True)
        of_added = (_summed(of_energies, addend) for addend in self.addends)
        return of_query, self.of_keys.of(of_key), self.of_values.of(of_value), *of_added

    def _inner(self, dtype: tf.DType) -> tf.DType:
        """What is computed in between the products.

        That is float32, as the products are summed up in. But each op on a GPU reads and writes all energies, and its
        softmax of bfloat16 has float32 inside: between products whose results are rounded anyway, and where nothing but
        a mask is added, numbers of 16 bits are half of that. Those of float16 have no room for a mask.
        """
        bare = all(addend.repeated is None for addend in self.addends)
        return dtype if self.on_gpu and bare and dtype == tf.bfloat16 else _FULL

    def _dropped(self, x: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        """Zero where dropout has taken a weight away, in another type."""
        if self.kept is not None and self.on_gpu:  # one op; on a CPU it is slower than two
            x = tf.where(self.kept, x, tf.zeros([], x.dtype))
        elif self.kept is not None:
            x = x * tf.cast(self.kept, x.dtype)
        return tf.cast(x, dtype)


def _in_range(x: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """``x`` in another type."""
    if dtype == tf.bfloat16:  # the lowest number of float32 is below all of its
        x = tf.maximum(x, tf.constant(dtype.min, x.dtype))
    return tf.cast(x, dtype)


def _summed(gradient: tf.Tensor, addend: Addend) -> tf.Tensor | None:
    if addend.repeated is None:
        return None
    total = tf.reduce_sum(gradient, addend.repeated, keepdims=True) if addend.repeated else gradient
    return tf.cast(total, addend.x.dtype)


def drop_threshold(kept: float) -> float:
    """The least number of those that are drawn, multiples of 2^-23, whose sum with ``kept`` is not below 1 in float32.

    >>> drop_threshold(0.75)
    0.25
    """
    share, unit = np.float32(kept), np.float32(2.0**-23)
    least = int(np.floor((1.0 - float(share)) / float(unit)))
    around = np.arange(max(least - 4, 0), least + 5).astype(np.float32) * unit
    return float(around[np.add(around, share) >= 1][0])
