"""GRU with a hand-written backward, built like :mod:`compiler.tensorflow.kernels.lstm`.

Cho et al. (2014), the reset gate before the matrix product, as TensorFlow's GRUCell. Behind a sequence's end the update
gate is saturated (u = 1): the state keeps its value exactly, and every gradient there is exactly zero.

cuDNN resets behind the product, and TensorFlow's GRUBlockCell is for CPUs: these loops are for GPUs, too. What can
be done for all frames at once is not in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from compiler.tensorflow.kernels.recurrence import Frames, matrix, saturation
from compiler.tensorflow.kernels.traced import TracedKernels
from compiler.tensorflow.own_gradient import own_gradient
from compiler.tensorflow.position import Position

__all__ = ["gru"]

_sigmoid_grad: Callable[..., tf.Tensor] = tf.raw_ops.SigmoidGrad  # (y, dy): dy * y * (1 - y)
_tanh_grad: Callable[..., tf.Tensor] = tf.raw_ops.TanhGrad  # (y, dy): dy * (1 - y * y)


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
    kernels: TracedKernels,
    differentiated: bool,
    at_once: int = 1,
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
        kernels: of the TensorFlow graph.
        differentiated: whether to keep what the hand-written backward needs.
        at_once: frames to a turn of TensorFlow's loop.

    Returns:
        y [T, B, n], zero behind a sequence's end; h [B, n] after each sequence's own last processed frame.
    """
    step = tf.constant(-1 if reverse else 1)
    if not differentiated:
        operands = (x, w, w_re, bias, wc, wc_re, bias_c, lengths, h0, step)
        y, h = kernels.call(_forward, *operands, tape=False, at_once=at_once)
        return y, h

    @own_gradient
    def run(*operands: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], Callable[..., Sequence[tf.Tensor]]]:
        *given, h0 = operands
        y, h, *tape = kernels.call(_forward, *given, lengths, h0, step, tape=True, at_once=at_once)
        x, w, w_re, _, wc, wc_re, _ = given

        def grad(dy: tf.Tensor, dh: tf.Tensor) -> Sequence[tf.Tensor]:
            return kernels.call(_backward, x, w, w_re, wc, wc_re, lengths, step, dy, dh, *tape, at_once=at_once)

        return (y, h), grad

    y, h = run(x, w, w_re, bias, wc, wc_re, bias_c, h0)
    return y, h


def _forward(
    x: tf.Tensor,
    w: tf.Tensor,
    w_re: tf.Tensor,
    bias: tf.Tensor,
    wc: tf.Tensor,
    wc_re: tf.Tensor,
    bias_c: tf.Tensor,
    lengths: tf.Tensor,
    h0: tf.Tensor,
    step: tf.Tensor,
    *,
    tape: bool,
    at_once: int,
) -> Sequence[tf.Tensor]:
    """Y and the last h; for the backward, lists of the gates r and u, of the candidate, and of h before each frame."""
    units, dtype, frames = wc_re.shape[0], h0.dtype, Frames.of(x, lengths, step)
    gates, candidates = frames.select(
        [
            (frames.project(x, w, bias), np.repeat([0.0, saturation(dtype)], units)),
            (frames.project(x, wc, bias_c), 0.0),
        ]
    )

    def body(at: Position, h: tf.Tensor, states: tf.Tensor, *kept: tf.Tensor) -> Sequence[tf.Tensor]:
        ru = tf.sigmoid(tf.matmul(h, w_re) + at.frame(gates))
        r, u = tf.split(ru, 2, axis=1)
        candidate = tf.tanh(tf.matmul(r * h, wc_re) + at.frame(candidates))
        h_next = u * h + (1 - u) * candidate
        written = [at.write(array, value) for array, value in zip(kept, (ru, candidate, h), strict=False)]
        return h_next, at.write(states, h_next), *written

    kept = [frames.array(dtype, size) for size in (2 * units, units, units)] if tape else []
    h, states, *kept = frames.walk(body, [h0, frames.array(dtype, units), *kept], at_once=at_once)
    (y,) = frames.select([(frames.stack(states, dtype, units), 0.0)])
    return y, h, *kept


def _backward(
    x: tf.Tensor,
    w: tf.Tensor,
    w_re: tf.Tensor,
    wc: tf.Tensor,
    wc_re: tf.Tensor,
    lengths: tf.Tensor,
    step: tf.Tensor,
    dy: tf.Tensor,
    dh: tf.Tensor,
    gates: tf.Tensor,
    candidates: tf.Tensor,
    states: tf.Tensor,
    *,
    at_once: int,
) -> Sequence[tf.Tensor]:
    """Gradients of x, w, w_re, bias, wc, wc_re, bias_c and h0; what was kept is as :func:`_forward` gives it."""
    units, dtype, frames = wc_re.shape[0], dy.dtype, Frames.of(x, lengths, -step)
    dy, inputs = frames.select([(dy, 0.0), (x, 0.0)])
    # Transposed once, and not by every step's product.
    to_gates, to_candidate = tf.transpose(w_re), tf.transpose(wc_re)

    def body(at: Position, dh: tf.Tensor, dz: tf.Tensor, dzc: tf.Tensor) -> Sequence[tf.Tensor]:
        ru, candidate, before = (
            at.read(gates, dh, 2 * units),
            at.read(candidates, dh, units),
            at.read(states, dh, units),
        )
        r, u = tf.split(ru, 2, axis=1)
        dy_t = dh + at.frame(dy)
        through = dy_t * u
        dzc_t = _tanh_grad(y=candidate, dy=dy_t - through)
        dreset = tf.matmul(dzc_t, to_candidate)
        dz_t = _sigmoid_grad(y=ru, dy=tf.concat([dreset * before, dy_t * (before - candidate)], axis=1))
        dh_before = tf.matmul(dz_t, to_gates) + dreset * r + through
        return dh_before, at.write(dz, dz_t), at.write(dzc, dzc_t)

    arrays = [frames.array(dtype, 2 * units), frames.array(dtype, units)]
    dh0, dz, dzc = frames.walk(body, [dh, *arrays], at_once=at_once)
    before = frames.stack(states, dtype, units)
    reset = frames.stack(gates, dtype, 2 * units)[:, :, :units] * before
    parts = [(before, frames.stack(dz, dtype, 2 * units)), (reset, frames.stack(dzc, dtype, units))]
    return *_weight_gradients(inputs, w, wc, parts), dh0


def _weight_gradients(
    inputs: tf.Tensor, w: tf.Tensor, wc: tf.Tensor, parts: Sequence[tuple[tf.Tensor, tf.Tensor]]
) -> Sequence[tf.Tensor]:
    """Gradients of x and of the parameters in their order, each as one product over all frames.

    Args:
        inputs: x [T, B, I], without the tails.
        w: of the gates, [I, 2n].
        wc: of the candidate, [I, n].
        parts: for the gates and for the candidate, what the recurrent matrix is multiplied with [T, B, n], and the
            gradients before the activation [T, B, 2n] or [T, B, n].
    """
    rows, rows_c = (matrix(errors) for _, errors in parts)
    dx = tf.matmul(rows, tf.transpose(w)) + tf.matmul(rows_c, tf.transpose(wc))
    gradients = [tf.reshape(dx, tf.shape(inputs))]
    for (states, _), errors in zip(parts, (rows, rows_c), strict=True):
        gradients += [
            tf.matmul(matrix(inputs), errors, transpose_a=True),
            tf.matmul(matrix(states), errors, transpose_a=True),
            tf.reshape(tf.matmul(tf.ones_like(errors[:, :1]), errors, transpose_a=True), [-1]),
        ]
    return gradients
