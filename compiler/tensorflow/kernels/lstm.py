"""LSTM with a hand-written backward: plain TensorFlow ops, dynamic batch and time, on CPU and GPU.

Hochreiter & Schmidhuber (1997) with forget gates (Gers et al. 1999), no peepholes; the backward is backpropagation
through time. What makes it fast is what stays outside of the loop: the input's product before it, and the weight
gradients after it, each as one matrix product over all frames. A step is one small product and elementwise ops.
TensorFlow computes a product that small in one thread: it is made of two halves, which two cores work on at once.

A frame behind a sequence's end has its gates saturated (f = 1, i = o = 0): the cell keeps its value exactly, the output
and every gradient there are exactly zero, and the loop needs no masking but that of h. docs/performance.md has figures,
and what was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from compiler.tensorflow.kernels.recurrence import Frames, empty_stack, matrix, pop, push, saturation
from compiler.tensorflow.kernels.traced import TracedKernels
from compiler.tensorflow.own_gradient import own_gradient
from compiler.tensorflow.position import Position

__all__ = ["lstm"]

_sigmoid_grad: Callable[..., tf.Tensor] = tf.raw_ops.SigmoidGrad  # (y, dy): dy * y * (1 - y)
_tanh_grad: Callable[..., tf.Tensor] = tf.raw_ops.TanhGrad  # (y, dy): dy * (1 - y * y)


def lstm(
    x: tf.Tensor,
    w: tf.Tensor,
    w_re: tf.Tensor,
    bias: tf.Tensor,
    lengths: tf.Tensor,
    h0: tf.Tensor,
    c0: tf.Tensor,
    *,
    reverse: bool,
    kernels: TracedKernels,
    differentiated: bool,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """One direction over a batch of ragged sequences.

    Args:
        x: frames [T, B, I].
        w: [I, 4n], gates in RETURNN's NativeLstm2 order: cell input j, input i, forget f, output o.
        w_re: [n, 4n].
        bias: [4n].
        lengths: [B] integers, at most T; 0 is allowed.
        h0: [B, n].
        c0: [B, n].
        reverse: each sequence from its own last frame to frame 0.
        kernels: of the TensorFlow graph.
        differentiated: whether to keep what the hand-written backward needs.

    Returns:
        y [T, B, n], zero behind a sequence's end; h and c [B, n] after each sequence's own last processed frame.
    """
    step = tf.constant(-1 if reverse else 1)
    if not differentiated:
        y, h, c = kernels.call(_forward, x, w, w_re, bias, lengths, h0, c0, step, tape=False)
        return y, h, c

    @own_gradient
    def run(
        x: tf.Tensor, w: tf.Tensor, w_re: tf.Tensor, bias: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], Callable[..., Sequence[tf.Tensor]]]:
        y, h, c, *tape = kernels.call(_forward, x, w, w_re, bias, lengths, h0, c0, step, tape=True)

        def grad(dy: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor) -> Sequence[tf.Tensor]:
            return kernels.call(_backward, x, w, w_re, lengths, step, c, dy, dh, dc, *tape)

        return (y, h, c), grad

    y, h, c = run(x, w, w_re, bias, h0, c0)
    return y, h, c


def _projected(frames: Frames, x: tf.Tensor, w: tf.Tensor, bias: tf.Tensor, units: int) -> Sequence[tf.Tensor]:
    """The input's share of the gates j, i and of f, o, [T, B, 2n] each; saturated behind the sequences' ends."""
    big = saturation(x.dtype)
    halves = zip(tf.split(w, 2, axis=1), tf.split(bias, 2), ((0.0, -big), (big, -big)), strict=True)
    return frames.select([(frames.project(x, half, b), np.repeat(tail, units)) for half, b, tail in halves])


def _forward(
    x: tf.Tensor,
    w: tf.Tensor,
    w_re: tf.Tensor,
    bias: tf.Tensor,
    lengths: tf.Tensor,
    h0: tf.Tensor,
    c0: tf.Tensor,
    step: tf.Tensor,
    *,
    tape: bool,
) -> Sequence[tf.Tensor]:
    """y, the last h and c; then, for the backward, a list of h before each frame, and the stacks of j, i, f, o after
    their activations and of c before each frame, the last frame on top.
    """
    units, dtype, frames = w_re.shape[0], h0.dtype, Frames.of(x, lengths, step)
    halves = list(zip(tf.split(w_re, 2, axis=1), _projected(frames, x, w, bias, units), strict=True))

    def body(at: Position, h: tf.Tensor, c: tf.Tensor, ys: tf.Tensor, *kept: tf.Tensor) -> Sequence[tf.Tensor]:
        # Not as TensorFlow's fused product with bias and summand, which takes twice as long.
        (j, i), (f, o) = (tf.split(tf.matmul(h, weights) + at.frame(z), 2, axis=1) for weights, z in halves)
        j, i, f, o = tf.tanh(j), tf.sigmoid(i), tf.sigmoid(f), tf.sigmoid(o)
        c_next = f * c + i * j
        y = o * tf.tanh(c_next)
        h_next = tf.raw_ops.Select(condition=at.frame(frames.valid), x=y, y=h)
        if kept:
            before, *stacks = kept
            kept = (at.write(before, h), *push(stacks, (j, i, f, o, c)))
        return h_next, c_next, at.write(ys, y), *kept

    kept = [frames.array(dtype, units), *(empty_stack(dtype, units) for _ in range(5))] if tape else []
    h, c, ys, *kept = frames.walk(body, [h0, c0, frames.array(dtype, units), *kept])
    return frames.stack(ys, dtype, units), h, c, *kept


def _backward(
    x: tf.Tensor,
    w: tf.Tensor,
    w_re: tf.Tensor,
    lengths: tf.Tensor,
    step: tf.Tensor,
    last: tf.Tensor,
    dy: tf.Tensor,
    dh: tf.Tensor,
    dc: tf.Tensor,
    before: tf.Tensor,
    *stacks: tf.Tensor,
) -> Sequence[tf.Tensor]:
    """Gradients of x, w, w_re, bias, h0 and c0; `last` is c at the end, `before` and `stacks` as :func:`_forward`'s."""
    units, dtype, frames = w_re.shape[0], dy.dtype, Frames.of(x, lengths, -step)
    dy, inputs = frames.select([(dy, 0.0), (x, 0.0)])
    # Transposed once, and not by every step's product.
    halves = [tf.transpose(rows) for rows in tf.split(w_re, [units // 2, units - units // 2])]

    def body(
        at: Position, dh: tf.Tensor, dc: tf.Tensor, c: tf.Tensor, dz: tf.Tensor, *stacks: tf.Tensor
    ) -> Sequence[tf.Tensor]:
        rest, (j, i, f, o, c_before) = pop(stacks, dh)
        squashed = tf.tanh(c)
        dy_t = dh + at.frame(dy)
        dc = dc + _tanh_grad(y=squashed, dy=dy_t * o)
        parts = [
            _tanh_grad(y=j, dy=dc * i),
            _sigmoid_grad(y=i, dy=dc * j),
            _sigmoid_grad(y=f, dy=dc * c_before),
            _sigmoid_grad(y=o, dy=dy_t * squashed),
        ]
        dz_t = tf.concat(parts, axis=1)
        dh_before = tf.concat([tf.matmul(dz_t, weights) for weights in halves], axis=1)
        dh_before = tf.raw_ops.Select(condition=at.frame(frames.valid), x=dh_before, y=dh)
        return dh_before, dc * f, c_before, at.write(dz, dz_t), *rest

    dh0, dc0, _, dz, *_ = frames.walk(body, [dh, dc, last, frames.array(dtype, 4 * units), *stacks])
    dz = frames.stack(dz, dtype, 4 * units)
    return *_weight_gradients(inputs, w, frames.stack(before, dtype, units), dz), dh0, dc0


def _weight_gradients(
    inputs: tf.Tensor, w: tf.Tensor, before: tf.Tensor, dz: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of x, w, w_re and bias, each as one product over all frames; `before`: h before each [T, B, n]."""
    rows = matrix(dz)
    dx = tf.reshape(tf.matmul(rows, tf.transpose(w)), tf.shape(inputs))
    dw = tf.matmul(matrix(inputs), rows, transpose_a=True)
    dw_re = tf.matmul(matrix(before), rows, transpose_a=True)
    # A sum over frames as a product is twice as fast as TensorFlow's sum over the first axis.
    db = tf.matmul(tf.ones_like(rows[:, :1]), rows, transpose_a=True)
    return dx, dw, dw_re, tf.reshape(db, [-1])
