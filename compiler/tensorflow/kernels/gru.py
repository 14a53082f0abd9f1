"""GRU with a hand-written backward, built like :mod:`compiler.tensorflow.kernels.lstm`.

Cho et al. (2014), the reset gate before the matrix product, as TensorFlow's GRUCell. Behind a sequence's end the update
gate is saturated (u = 1): the state keeps its value exactly, and every gradient there is exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from compiler.tensorflow.kernels.recurrence import (
    Frames,
    empty_stack,
    first_order_only,
    frame,
    matrix,
    pop,
    push,
    saturation,
)

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
        states: h after each frame [T, B, n].
        reset: r times h before each frame [T, B, n].
    """

    stacks: Sequence[tf.Tensor]
    states: tf.Tensor
    reset: tf.Tensor


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

    Its gradient has no gradient: asking for one raises :class:`returnn_ir.errors.TargetError`.
    """
    frames = Frames.of(x, lengths, reverse=reverse)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(
        x: tf.Tensor, h0: tf.Tensor, *parameters: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], Callable[..., Sequence[tf.Tensor]]]:
        weights = _Weights(*parameters)
        h, tape = _forward(frames, x, weights, h0)
        y = frames.select(tape.states, tf.zeros([], x.dtype))

        def grad(dy: tf.Tensor, dh: tf.Tensor) -> Sequence[tf.Tensor]:
            def backward(dy: tf.Tensor, dh: tf.Tensor, *_: tf.Tensor) -> Sequence[tf.Tensor]:
                dz, dzc, dh0 = _backward(frames, tape, weights, dy, dh)
                dx, *rest = _weight_gradients(frames, tape, x, weights, h0, dz, dzc)
                return dx, dh0, *rest

            # All operands, because a gradient with respect to any of them is what must not go missing unnoticed.
            return first_order_only(backward, "gru", dy, dh, x, h0, *parameters)

        return (y, h), grad

    y, h = run(x, h0, w, w_re, bias, wc, wc_re, bias_c)
    return y, h


def _forward(frames: Frames, x: tf.Tensor, weights: _Weights, h0: tf.Tensor) -> tuple[tf.Tensor, _Tape]:
    """The last h, and what the backward needs."""
    units, dtype = weights.wc_re.shape[0], h0.dtype
    tail = tf.repeat(tf.constant([0.0, saturation(x.dtype)], x.dtype), units)
    gates = frames.select(frames.project(x, weights.w, weights.bias), tail)
    candidates = frames.select(frames.project(x, weights.wc, weights.bias_c), tf.zeros([], x.dtype))

    def body(t: tf.Tensor, h: tf.Tensor, states: Any, resets: Any, *stacks: tf.Tensor) -> Sequence[Any]:
        r, u = tf.split(tf.sigmoid(tf.matmul(h, weights.w_re) + frame(gates, t)), 2, axis=1)
        reset = r * h
        candidate = tf.tanh(tf.matmul(reset, weights.wc_re) + frame(candidates, t))
        h_next = u * h + (1 - u) * candidate
        return h_next, states.write(t, h_next), resets.write(t, reset), *push(stacks, (r, u, candidate, h))

    stacks = [empty_stack(dtype, units) for _ in range(4)]
    arrays = [frames.array(dtype, units), frames.array(dtype, units)]
    h, states, resets, *stacks = frames.walk(body, [h0, *arrays, *stacks])
    return h, _Tape(stacks, frames.stack(states), frames.stack(resets))


def _backward(
    frames: Frames, tape: _Tape, weights: _Weights, dy: tf.Tensor, dh: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of the gates [T, B, 2n] and the candidate [T, B, n] before their activations, and of h0."""
    dy = frames.select(dy, tf.zeros([], dy.dtype))
    units, dtype = weights.wc_re.shape[0], dy.dtype
    # Transposed once, and not by every step's product.
    to_gates, to_candidate = tf.transpose(weights.w_re), tf.transpose(weights.wc_re)

    def body(t: tf.Tensor, dh: tf.Tensor, dz: Any, dzc: Any, *stacks: tf.Tensor) -> Sequence[Any]:
        rest, (r, u, candidate, before) = pop(stacks, dh)
        dy_t = dh + frame(dy, t)
        dzc_t = _tanh_grad(y=candidate, dy=dy_t * (1 - u))
        dreset = tf.matmul(dzc_t, to_candidate)
        dr = _sigmoid_grad(y=r, dy=dreset * before)
        du = _sigmoid_grad(y=u, dy=dy_t * (before - candidate))
        dz_t = tf.concat([dr, du], axis=1)
        dh_before = tf.matmul(dz_t, to_gates) + dreset * r + dy_t * u
        return dh_before, dz.write(t, dz_t), dzc.write(t, dzc_t), *rest

    arrays = [frames.array(dtype, 2 * units), frames.array(dtype, units)]
    dh0, dz, dzc, *_ = frames.walk(body, [dh, *arrays, *tape.stacks], back=True)
    return frames.stack(dz), frames.stack(dzc), dh0


def _weight_gradients(
    frames: Frames, tape: _Tape, x: tf.Tensor, weights: _Weights, h0: tf.Tensor, dz: tf.Tensor, dzc: tf.Tensor
) -> Sequence[tf.Tensor]:
    """Gradients of x and of the parameters in their order, each as one product over all frames."""
    inputs = matrix(frames.select(x, tf.zeros([], x.dtype)))
    rows, rows_c = matrix(dz), matrix(dzc)
    dx = tf.matmul(rows, tf.transpose(weights.w)) + tf.matmul(rows_c, tf.transpose(weights.wc))
    ones = tf.ones([1, tf.shape(rows)[0]], rows.dtype)
    gradients = [tf.reshape(dx, tf.shape(x))]
    for states, errors in ((frames.previous(tape.states, h0), rows), (tape.reset, rows_c)):
        gradients += [
            tf.matmul(inputs, errors, transpose_a=True),
            tf.matmul(matrix(states), errors, transpose_a=True),
            tf.reshape(tf.matmul(ones, errors), [-1]),
        ]
    return gradients
