"""GRU with a hand-written backward, built like :mod:`compiler.tensorflow.kernels.lstm`.

Cho et al. (2014), the reset gate before the matrix product, as TensorFlow's GRUCell. Behind a sequence's end the update
gate is saturated (u = 1): the state keeps its value exactly, and every gradient there is exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from compiler.tensorflow.kernels.recurrence import Frames, Position, empty_stack, matrix, pop, push, saturation
from compiler.tensorflow.kernels.traced import TracedKernels
from compiler.tensorflow.own_gradient import own_gradient

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

    Returns:
        y [T, B, n], zero behind a sequence's end; h [B, n] after each sequence's own last processed frame.
    """
    step = tf.constant(-1 if reverse else 1)
    if not differentiated:
        y, h = kernels.call(_forward, x, w, w_re, bias, wc, wc_re, bias_c, lengths, h0, step, tape=False)
        return y, h

    @own_gradient
    def run(
        x: tf.Tensor,
        w: tf.Tensor,
        w_re: tf.Tensor,
        bias: tf.Tensor,
        wc: tf.Tensor,
        wc_re: tf.Tensor,
        bias_c: tf.Tensor,
        h0: tf.Tensor,
    ) -> tuple[tuple[tf.Tensor, ...], Callable[..., Sequence[tf.Tensor]]]:
        y, h, *tape = kernels.call(_forward, x, w, w_re, bias, wc, wc_re, bias_c, lengths, h0, step, tape=True)

        def grad(dy: tf.Tensor, dh: tf.Tensor) -> Sequence[tf.Tensor]:
            return kernels.call(_backward, x, w, w_re, wc, wc_re, lengths, step, dy, dh, *tape)

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
) -> Sequence[tf.Tensor]:
    """Y and the last h; then, for the backward, lists of h and of r times h before each frame, and the stacks of r, u,
    the candidate and h before each frame, the last frame on top.
    """
    units, dtype, frames = wc_re.shape[0], h0.dtype, Frames.of(x, lengths, step)
    gates, candidates = frames.select(
        [
            (frames.project(x, w, bias), np.repeat([0.0, saturation(dtype)], units)),
            (frames.project(x, wc, bias_c), 0.0),
        ]
    )

    def body(at: Position, h: tf.Tensor, ys: tf.Tensor, *kept: tf.Tensor) -> Sequence[tf.Tensor]:
        r, u = tf.split(tf.sigmoid(tf.matmul(h, w_re) + at.frame(gates)), 2, axis=1)
        reset = r * h
        candidate = tf.tanh(tf.matmul(reset, wc_re) + at.frame(candidates))
        h_next = u * h + (1 - u) * candidate
        y = tf.raw_ops.Select(condition=at.frame(frames.valid), x=h_next, y=tf.zeros_like(h))
        if kept:
            before, resets, *stacks = kept
            kept = (at.write(before, h), at.write(resets, reset), *push(stacks, (r, u, candidate, h)))
        return h_next, at.write(ys, y), *kept

    arrays = [frames.array(dtype, units) for _ in range(2)]
    kept = [*arrays, *(empty_stack(dtype, units) for _ in range(4))] if tape else []
    h, ys, *kept = frames.walk(body, [h0, frames.array(dtype, units), *kept])
    return frames.stack(ys, dtype, units), h, *kept


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
    before: tf.Tensor,
    resets: tf.Tensor,
    *stacks: tf.Tensor,
) -> Sequence[tf.Tensor]:
    """Gradients of x, w, w_re, bias, wc, wc_re, bias_c and h0; what was kept is as :func:`_forward` gives it."""
    units, dtype, frames = wc_re.shape[0], dy.dtype, Frames.of(x, lengths, -step)
    dy, inputs = frames.select([(dy, 0.0), (x, 0.0)])
    # Transposed once, and not by every step's product.
    to_gates, to_candidate = tf.transpose(w_re), tf.transpose(wc_re)

    def body(at: Position, dh: tf.Tensor, dz: tf.Tensor, dzc: tf.Tensor, *stacks: tf.Tensor) -> Sequence[tf.Tensor]:
        rest, (r, u, candidate, before) = pop(stacks, dh)
        dy_t = dh + at.frame(dy)
        dzc_t = _tanh_grad(y=candidate, dy=dy_t * (1 - u))
        dreset = tf.matmul(dzc_t, to_candidate)
        dr = _sigmoid_grad(y=r, dy=dreset * before)
        du = _sigmoid_grad(y=u, dy=dy_t * (before - candidate))
        dz_t = tf.concat([dr, du], axis=1)
        dh_before = tf.matmul(dz_t, to_gates) + dreset * r + dy_t * u
        return dh_before, at.write(dz, dz_t), at.write(dzc, dzc_t), *rest

    arrays = [frames.array(dtype, 2 * units), frames.array(dtype, units)]
    dh0, dz, dzc, *_ = frames.walk(body, [dh, *arrays, *stacks])
    parts = [
        (frames.stack(before, dtype, units), frames.stack(dz, dtype, 2 * units)),
        (frames.stack(resets, dtype, units), frames.stack(dzc, dtype, units)),
    ]
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
