"""GRU with a hand-written backward, built like :mod:`compiler.tensorflow.kernels.lstm`.

Cho et al. (2014), the reset gate before the matrix product, as TensorFlow's GRUCell. Behind a sequence's end the update
gate is saturated (u = 1): the state keeps its value exactly, and every gradient there is exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from compiler.tensorflow.kernels.recurrence import Frames, Position, empty_stack, matrix, pop, push, saturation

__all__ = ["gru"]

_sigmoid_grad: Callable[..., tf.Tensor] = tf.raw_ops.SigmoidGrad  # (y, dy): dy * y * (1 - y)
_tanh_grad: Callable[..., tf.Tensor] = tf.raw_ops.TanhGrad  # (y, dy): dy * (1 - y * y)


@dataclass(frozen=True)
class _Weights:
    """The parameters, as :func:`gru` has them."""

    w: tf.Tensor
    w_re: tf.Tensor
    bias: tf.Tensor
    wc: tf.Tensor
    wc_re: tf.Tensor
    bias_c: tf.Tensor


@dataclass(frozen=True)
class _Tape:
    """What the forward loop keeps for the backward one.

    Attributes:
        stacks: of r, u, the candidate and h before the frame; the last frame is on top.
        before: h before each frame [T, B, n].
        reset: r times h before each frame [T, B, n].
    """

    stacks: Sequence[tf.Tensor]
    before: tf.TensorArray
    reset: tf.TensorArray


def gru(
    x: tf.Tensor,
    w: tf.Tensor,
    w_re: tf.Tensor,
    bias: tf.Tensor,
    wc: tf.Tensor,
    wc_re: tf.Tensor,
    bias_c: tf.Tensor,
    lengths: tf.Tensor,
    h0: tf.Tensor,
    *,
    reverse: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One direction over a batch of ragged sequences.

    Args:
        x: frames [T, B, I].
        w: [I, 2n], gates reset r, update u.
        w_re: [n, 2n].
        bias: [2n].
        wc: of the candidate, [I, n].
        wc_re: [n, n].
        bias_c: [n].
        lengths: [B] integers, at most T; 0 is allowed.
        h0: [B, n].
        reverse: each sequence from its own last frame to frame 0.

    Returns:
        y [T, B, n], zero behind a sequence's end; h [B, n] after each sequence's own last processed frame.
    """
    frames = Frames.of(x, lengths, reverse=reverse)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(
        x: tf.Tensor, h0: tf.Tensor, *parameters: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], Callable[..., Sequence[tf.Tensor]]]:
        weights = _Weights(*parameters)
        y, h, tape = _forward(frames, x, weights, h0)

        def grad(dy: tf.Tensor, dh: tf.Tensor) -> Sequence[tf.Tensor]:
            dy, inputs = frames.select([(dy, 0.0), (x, 0.0)])
            dz, dzc, dh0 = _backward(frames, tape, weights, dy, dh)
            before, reset = frames.stack(tape.before), frames.stack(tape.reset)
            dx, *rest = _weight_gradients(inputs, weights, [(before, dz), (reset, dzc)])
            return dx, dh0, *rest

        return (y, h), grad

    y, h = run(x, h0, w, w_re, bias, wc, wc_re, bias_c)
    return y, h


def _forward(frames: Frames, x: tf.Tensor, weights: _Weights, h0: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, _Tape]:
    """Y, the last h, and what the backward needs."""
    units, dtype = weights.wc_re.shape[0], h0.dtype
    gates, candidates = frames.select(
        [
            (frames.project(x, weights.w, weights.bias), np.repeat([0.0, saturation(dtype)], units)),
            (frames.project(x, weights.wc, weights.bias_c), 0.0),
        ]
    )

    def body(at: Position, h: tf.Tensor, ys: Any, before: Any, resets: Any, *stacks: tf.Tensor) -> Sequence[Any]:
        r, u = tf.split(tf.sigmoid(tf.matmul(h, weights.w_re) + at.frame(gates)), 2, axis=1)
        reset = r * h
        candidate = tf.tanh(tf.matmul(reset, weights.wc_re) + at.frame(candidates))
        h_next = u * h + (1 - u) * candidate
        y = tf.raw_ops.Select(condition=at.frame(frames.valid), x=h_next, y=tf.zeros_like(h))
        arrays = [array.write(at.index, value) for array, value in ((ys, y), (before, h), (resets, reset))]
        return h_next, *arrays, *push(stacks, (r, u, candidate, h))

    arrays = [frames.array(dtype, units) for _ in range(3)]
    stacks = [empty_stack(dtype, units) for _ in range(4)]
    h, ys, before, resets, *stacks = frames.walk(body, [h0, *arrays, *stacks])
    return frames.stack(ys), h, _Tape(stacks, before, resets)


def _backward(
    frames: Frames, tape: _Tape, weights: _Weights, dy: tf.Tensor, dh: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of the gates [T, B, 2n] and the candidate [T, B, n] before their activations, and of h0."""
    units, dtype = weights.wc_re.shape[0], dy.dtype
    # Transposed once, and not by every step's product.
    to_gates, to_candidate = tf.transpose(weights.w_re), tf.transpose(weights.wc_re)

    def body(at: Position, dh: tf.Tensor, dz: Any, dzc: Any, *stacks: tf.Tensor) -> Sequence[Any]:
        rest, (r, u, candidate, before) = pop(stacks, dh)
        dy_t = dh + at.frame(dy)
        dzc_t = _tanh_grad(y=candidate, dy=dy_t * (1 - u))
        dreset = tf.matmul(dzc_t, to_candidate)
        dr = _sigmoid_grad(y=r, dy=dreset * before)
        du = _sigmoid_grad(y=u, dy=dy_t * (before - candidate))
        dz_t = tf.concat([dr, du], axis=1)
        dh_before = tf.matmul(dz_t, to_gates) + dreset * r + dy_t * u
        return dh_before, dz.write(at.index, dz_t), dzc.write(at.index, dzc_t), *rest

    arrays = [frames.array(dtype, 2 * units), frames.array(dtype, units)]
    dh0, dz, dzc, *_ = frames.walk(body, [dh, *arrays, *tape.stacks], back=True)
    return frames.stack(dz), frames.stack(dzc), dh0


def _weight_gradients(
    inputs: tf.Tensor, weights: _Weights, parts: Sequence[tuple[tf.Tensor, tf.Tensor]]
) -> Sequence[tf.Tensor]:
    """Gradients of x and of the parameters in their order, each as one product over all frames.

    Args:
        inputs: x [T, B, I], without the tails.
        weights: the parameters.
        parts: for the gates and for the candidate, what the recurrent matrix is multiplied with [T, B, n], and the
            gradients before the activation [T, B, 2n] or [T, B, n].
    """
    rows, rows_c = (matrix(errors) for _, errors in parts)
    dx = tf.matmul(rows, tf.transpose(weights.w)) + tf.matmul(rows_c, tf.transpose(weights.wc))
    gradients = [tf.reshape(dx, tf.shape(inputs))]
    for (states, _), errors in zip(parts, (rows, rows_c), strict=True):
        gradients += [
            tf.matmul(matrix(inputs), errors, transpose_a=True),
            tf.matmul(matrix(states), errors, transpose_a=True),
            tf.reshape(tf.matmul(tf.ones_like(errors[:, :1]), errors, transpose_a=True), [-1]),
        ]
    return gradients
