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

__all__ = ["blstm", "lstm"]

_sigmoid_grad: Callable[..., tf.Tensor] = tf.raw_ops.SigmoidGrad  # (y, dy): dy * y * (1 - y)
_tanh_grad: Callable[..., tf.Tensor] = tf.raw_ops.TanhGrad  # (y, dy): dy * (1 - y * y)


@dataclass(frozen=True)
class _Tape:
    """What the forward loop keeps for the backward one.

    Attributes:
        stacks: of j, i, f, o after their activations, and of c before the frame; the last frame is on top.
        states: h after each frame [T, B, n].
        last: c [B, n] at the end.
    """

    stacks: Sequence[tf.Tensor]
    states: tf.Tensor
    last: tf.Tensor


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

    Returns:
        y [T, B, n], zero behind a sequence's end; h and c [B, n] after each sequence's own last processed frame.

    Its gradient has no gradient: asking for one raises :class:`returnn_ir.errors.TargetError`.
    """
    units = w_re.shape[0]
    frames = Frames.of(x, lengths, reverse=reverse)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(
        x: tf.Tensor, w: tf.Tensor, w_re: tf.Tensor, bias: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], Callable[..., Sequence[tf.Tensor]]]:
        h, tape = _forward(frames, _projected(frames, x, w, bias, units), w_re, h0, c0)
        y = frames.select(tape.states, tf.zeros([], x.dtype))

        def grad(dy: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor) -> Sequence[tf.Tensor]:
            def backward(dy: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor, *_: tf.Tensor) -> Sequence[tf.Tensor]:
                dz, dh0, dc0 = _backward(frames, tape, w_re, dy, dh, dc)
                before = frames.previous(tape.states, h0)
                return (*_weight_gradients(frames, x, w, before, dz), dh0, dc0)

            # All operands, because a gradient with respect to any of them is what must not go missing unnoticed.
            return first_order_only(backward, "lstm", dy, dh, dc, x, w, w_re, bias, h0, c0)

        return (y, h, tape.last), grad

    y, h, c = run(x, w, w_re, bias, h0, c0)
    return y, h, c


def _projected(frames: Frames, x: tf.Tensor, w: tf.Tensor, bias: tf.Tensor, units: int) -> Sequence[tf.Tensor]:
    """The input's share of the gates j, i and of f, o, [T, B, 2n] each; saturated behind the sequences' ends."""
    big = saturation(x.dtype)
    halves = zip(tf.split(w, 2, axis=1), tf.split(bias, 2), ((0.0, -big), (big, -big)), strict=True)
    projected = []
    for weights, summand, tail in halves:
        fill = tf.repeat(tf.constant(tail, x.dtype), units)
        projected.append(frames.select(frames.project(x, weights, summand), fill))
    return projected


def _forward(
    frames: Frames, projected: Sequence[tf.Tensor], w_re: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor
) -> tuple[tf.Tensor, _Tape]:
    """The recurrence over what :func:`_projected` gives: the last h, and what the backward needs."""
    units, dtype = w_re.shape[0], h0.dtype
    halves = list(zip(tf.split(w_re, 2, axis=1), projected, strict=True))

    def body(t: tf.Tensor, h: tf.Tensor, c: tf.Tensor, states: Any, *stacks: tf.Tensor) -> Sequence[Any]:
        # Not as TensorFlow's fused product with bias and summand, which takes twice as long.
        (j, i), (f, o) = (tf.split(tf.matmul(h, weights) + frame(z, t), 2, axis=1) for weights, z in halves)
        j, i, f, o = tf.tanh(j), tf.sigmoid(i), tf.sigmoid(f), tf.sigmoid(o)
        c_next = f * c + i * j
        h_next = tf.raw_ops.Select(condition=frame(frames.valid, t), x=o * tf.tanh(c_next), y=h)
        return h_next, c_next, states.write(t, h_next), *push(stacks, (j, i, f, o, c))

    stacks = [empty_stack(dtype, units) for _ in range(5)]
    h, c, states, *stacks = frames.walk(body, [h0, c0, frames.array(dtype, units), *stacks])
    return h, _Tape(stacks, frames.stack(states), c)


def _backward(
    frames: Frames, tape: _Tape, w_re: tf.Tensor, dy: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of the gates before their activations [T, B, 4n], of h0 and of c0."""
    dy = frames.select(dy, tf.zeros([], dy.dtype))
    units, dtype = w_re.shape[0], dy.dtype
    # Transposed once, and not by every step's product.
    halves = [tf.transpose(rows) for rows in tf.split(w_re, [units // 2, units - units // 2])]

    def body(t: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor, c: tf.Tensor, dz: Any, *stacks: tf.Tensor) -> Sequence[Any]:
        rest, (j, i, f, o, c_before) = pop(stacks, dh)
        squashed = tf.tanh(c)
        dy_t = dh + frame(dy, t)
        dc = dc + _tanh_grad(y=squashed, dy=dy_t * o)
        parts = [
            _tanh_grad(y=j, dy=dc * i),
            _sigmoid_grad(y=i, dy=dc * j),
            _sigmoid_grad(y=f, dy=dc * c_before),
            _sigmoid_grad(y=o, dy=dy_t * squashed),
        ]
        dz_t = tf.concat(parts, axis=1)
        dh_before = tf.concat([tf.matmul(dz_t, weights) for weights in halves], axis=1)
        dh_before = tf.raw_ops.Select(condition=frame(frames.valid, t), x=dh_before, y=dh)
        return dh_before, dc * f, c_before, dz.write(t, dz_t), *rest

    dz = frames.array(dtype, 4 * units)
    dh0, dc0, _, dz, *_ = frames.walk(body, [dh, dc, tape.last, dz, *tape.stacks], back=True)
    return frames.stack(dz), dh0, dc0


def _weight_gradients(
    frames: Frames, x: tf.Tensor, w: tf.Tensor, before: tf.Tensor, dz: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of x, w, w_re and bias, each as one product over all frames; `before`: h before each [T, B, n]."""
    rows = matrix(dz)
    inputs = matrix(frames.select(x, tf.zeros([], x.dtype)))
    dx = tf.reshape(tf.matmul(rows, tf.transpose(w)), tf.shape(x))
    dw = tf.matmul(inputs, rows, transpose_a=True)
    dw_re = tf.matmul(matrix(before), rows, transpose_a=True)
    # A sum over frames as a product is twice as fast as TensorFlow's sum over the first axis.
    db = tf.matmul(tf.ones([1, tf.shape(rows)[0]], rows.dtype), rows)
    return dx, dw, dw_re, tf.reshape(db, [-1])


def blstm(
    x: tf.Tensor,
    forward: Sequence[tf.Tensor],
    backward: Sequence[tf.Tensor],
    lengths: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Both directions over the same frames.

    Their loops do not depend on each other, so that TensorFlow runs them at the same time on two cores. Neither one
    loop for both nor one product for both inputs is faster: the products are as large as they need to be.

    Args:
        x: frames [T, B, I].
        forward: w, w_re, bias, h0, c0 of the forward direction, as :func:`lstm` has them.
        backward: those of the direction from the last frame to the first.
        lengths: [B] integers.

    Returns:
        y of the forward and of the backward direction [T, B, n], then h and c of the forward one, h and c of the other.
    """
    w, w_re, bias, h0, c0 = forward
    y_fw, h_fw, c_fw = lstm(x, w, w_re, bias, lengths, h0, c0, reverse=False)
    w, w_re, bias, h0, c0 = backward
    y_bw, h_bw, c_bw = lstm(x, w, w_re, bias, lengths, h0, c0, reverse=True)
    return y_fw, y_bw, h_fw, c_fw, h_bw, c_bw
