"""LSTM by cuDNN, on a GPU: one kernel for all frames of a layer, and for its two directions where both read the same.

A loop costs 0.25 ms a frame on a GPU, whatever a step computes; cuDNN has no such steps. It takes ragged sequences, but
none without a frame: those are given one, of zeros, and their results are put right behind. Its weights are one vector,
which is made of RETURNN's parameters in the graph, so gradients arrive at these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

__all__ = ["Direction", "cudnn_lstm"]

#: The op itself; tests put another one in its place.
_cudnn_rnn: Callable[..., Any] = tf.raw_ops.CudnnRNNV3


@dataclass(frozen=True)
class Direction:
    """What the LSTM of one direction computes with.

    Attributes:
        w: [I, 4n], gates in RETURNN's NativeLstm2 order: cell input j, input i, forget f, output o.
        w_re: [n, 4n].
        bias: [4n].
        h0: [B, n].
        c0: [B, n].
    """

    w: tf.Tensor
    w_re: tf.Tensor
    bias: tf.Tensor
    h0: tf.Tensor
    c0: tf.Tensor


def cudnn_lstm(
    x: tf.Tensor,
    directions: Sequence[Direction],
    lengths: tf.Tensor,
    *,
    reverse: bool = False,
    differentiated: bool,
) -> list[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """A batch of ragged sequences. Values behind a sequence's end never get through, not even NaN.

    Args:
        x: frames [T, B, I], float32.
        directions: one; or two of the same size, a forward and a backward one.
        lengths: [B] integers, at most T; 0 is allowed.
        reverse: a single direction goes from each sequence's own last frame to frame 0.
        differentiated: whether gradients are going to be asked for; of first order only.

    Returns:
        of each direction y [T, B, n], zero behind a sequence's end; h and c [B, n] after each sequence's own last
        processed frame.
    """
    batch = _Batch.of(x, lengths)
    h0 = tf.stack([batch.padded(direction.h0) for direction in directions])
    c0 = tf.stack([batch.padded(direction.c0) for direction in directions])
    frames = batch.frames(x)
    y, h, c, *_ = _cudnn_rnn(
        input=batch.reversed(frames) if reverse else frames,
        input_h=h0,
        input_c=c0,
        params=_packed(directions),
        sequence_lengths=batch.lengths,
        rnn_mode="lstm",
        direction="bidirectional" if len(directions) == 2 else "unidirectional",
        is_training=differentiated,
    )
    ys = tf.split(batch.outputs(batch.reversed(y) if reverse else y), len(directions), axis=2)
    last = (tf.unstack(batch.states(states, given)) for states, given in ((h, h0), (c, c0)))
    return list(zip(ys, *last, strict=True))


@dataclass(frozen=True)
class _Batch:
    """A batch as cuDNN takes it: at least one sequence, and each has at least one frame.

    Attributes:
        size: [2], the frames and sequences that there are.
        missing: [2], what is added to have one of each.
        lengths: [B or 1], at least 1, int32.
        empty: [B or 1, 1] bool, a sequence without frames.
    """

    size: tf.Tensor
    missing: tf.Tensor
    lengths: tf.Tensor
    empty: tf.Tensor

    @staticmethod
    def of(x: tf.Tensor, lengths: tf.Tensor) -> _Batch:
        """Of frames [T, B, I] and their sequences' lengths [B]."""
        size = tf.shape(x)[:2]
        missing = tf.maximum(1 - size, 0)
        lengths = tf.pad(tf.cast(lengths, tf.int32), [[0, missing[1]]])
        return _Batch(size, missing, tf.maximum(lengths, 1), tf.expand_dims(lengths < 1, 1))

    def frames(self, x: tf.Tensor) -> tf.Tensor:
        """[T, B, I] as cuDNN takes it; empty sequences have zeros."""
        padded = tf.pad(x, [[0, self.missing[0]], [0, self.missing[1]], [0, 0]])
        return tf.where(self.empty, tf.zeros([], x.dtype), padded)

    def padded(self, state: tf.Tensor) -> tf.Tensor:
        """An initial state [B, n] as cuDNN takes it."""
        return tf.pad(state, [[0, self.missing[1]], [0, 0]])

    def reversed(self, frames: tf.Tensor) -> tf.Tensor:
        """Each sequence from its own last frame to the first."""
        return tf.reverse_sequence(frames, self.lengths, seq_axis=0, batch_axis=1)

    def outputs(self, y: tf.Tensor) -> tf.Tensor:
        """The frames [T, B, features] that there are, zero in empty sequences."""
        y = tf.where(self.empty, tf.zeros([], y.dtype), y)
        return tf.slice(y, [0, 0, 0], tf.concat([self.size, y.shape[2:]], 0))

    def states(self, last: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
        """Last states [directions, B, n] of the sequences that there are: empty ones keep the given state."""
        return tf.where(self.empty, given, last)[:, : self.size[1]]


def _packed(directions: Sequence[Direction]) -> tf.Tensor:
    """The vector of parameters: of each direction the matrices of x and then of h, gate after gate and by rows of
    outputs; then of each two biases of every gate, which are added.
    """
    matrices = [_gates(tf.transpose(m)) for d in directions for m in (d.w, d.w_re)]
    biases = [b for d in directions for b in (_gates(d.bias), tf.zeros_like(d.bias))]
    return tf.concat([tf.reshape(part, [-1]) for part in (*matrices, *biases)], 0)


def _gates(blocks: tf.Tensor) -> tf.Tensor:
    """RETURNN's gates j, i, f, o in cuDNN's order i, f, j, o, along the first axis."""
    j, i, f, o = tf.split(blocks, 4)
    return tf.concat([i, f, j, o], 0)
