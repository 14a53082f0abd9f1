"""LSTM by cuDNN, on a GPU: one op for all frames of a layer, and for its two directions where both read the same.

A loop costs 0.25 ms a frame on a GPU, whatever a step computes; cuDNN takes a tenth of that. It takes ragged sequences,
but none without a frame: those are given one, of zeros, and their results are put right behind. Its weights are one
vector, which is made of RETURNN's parameters in the graph, so gradients arrive at these.

Starting the kernels of a frame is what it takes most time for, and of two directions it starts twice as many. Where the
products are small, they are one LSTM of twice the units instead, whose weights have zeros for what belongs to the other
direction: docs/performance.md has figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

__all__ = ["Direction", "cudnn_lstm", "faster_as_one"]

#: The op itself; tests put another one in its place.
_cudnn_rnn: Callable[..., Any] = tf.raw_ops.CudnnRNNV3

_GATES = 4

#: Up to how many units of each direction the zeros cost less than starting more kernels, by whether TF32 is on.
#: Measured were 128, 256, 512 and 1024 units.
_UNITS_AS_ONE = {False: 256, True: 512}


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


def faster_as_one(units: int) -> bool:
    """Whether two directions of so many units are faster as one LSTM, as matrices are multiplied now."""
    return units <= _UNITS_AS_ONE[bool(tf.config.experimental.tensor_float_32_execution_enabled())]


def cudnn_lstm(
    x: tf.Tensor,
    directions: Sequence[Direction],
    lengths: tf.Tensor,
    *,
    reverse: bool = False,
    as_one: bool = False,
    differentiated: bool,
) -> list[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """A batch of ragged sequences. Values behind a sequence's end never get through, not even NaN.

    Args:
        x: frames [T, B, I], float32 or float16, as all others.
        directions: one; or two of the same size, a forward and a backward one.
        lengths: [B] integers, at most T; 0 is allowed.
        reverse: a single direction goes from each sequence's own last frame to frame 0.
        as_one: two directions are computed as one LSTM of twice the units.
        differentiated: whether gradients are going to be asked for; of first order only.

    Returns:
        of each direction y [T, B, n], zero behind a sequence's end; h and c [B, n] after each sequence's own last
        processed frame.
    """
    batch = _Batch.of(x, lengths)
    frames = batch.frames(x)
    turned = [reverse] if len(directions) == 1 else [False, as_one]
    if as_one:
        sides = tf.concat([frames, batch.reversed(frames)], 2)
        y, h, c = _call(batch, sides, [_joined(directions)], differentiated)
        last = [tf.split(state[0], 2, axis=1) for state in (h, c)]
    else:
        y, h, c = _call(batch, batch.reversed(frames) if reverse else frames, directions, differentiated)
        last = [tf.unstack(state) for state in (h, c)]
    ys = [batch.reversed(y) if turn else y for y, turn in zip(tf.split(y, len(turned), axis=2), turned, strict=True)]
    return [
        (batch.outputs(y), batch.state(h, direction.h0), batch.state(c, direction.c0))
        for y, h, c, direction in zip(ys, *last, directions, strict=True)
    ]


def _call(
    batch: _Batch, frames: tf.Tensor, directions: Sequence[Direction], differentiated: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Y [T, B, directions * n], the last h and c [directions, B, n]; of at least one sequence and one frame."""
    y, h, c, *_ = _cudnn_rnn(
        input=frames,
        input_h=tf.stack([batch.padded(direction.h0) for direction in directions]),
        input_c=tf.stack([batch.padded(direction.c0) for direction in directions]),
        params=_packed(directions),
        sequence_lengths=batch.lengths,
        rnn_mode="lstm",
        direction="bidirectional" if len(directions) == 2 else "unidirectional",
        is_training=differentiated,
    )
    return y, h, c


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
        """The frames [T, B, n] that there are, zero in empty sequences."""
        y = tf.where(self.empty, tf.zeros([], y.dtype), y)
        return tf.slice(y, [0, 0, 0], tf.concat([self.size, y.shape[2:]], 0))

    def state(self, last: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
        """A last state [B, n] of the sequences that there are: empty ones keep the initial one."""
        return tf.where(self.empty[: self.size[1]], initial, last[: self.size[1]])


def _joined(directions: Sequence[Direction]) -> Direction:
    """Two directions as one LSTM of twice the units, over frames beside reversed frames; neither sees the other."""
    h0 = tf.concat([direction.h0 for direction in directions], 1)
    c0 = tf.concat([direction.c0 for direction in directions], 1)
    bias = tf.stack([tf.reshape(direction.bias, [_GATES, -1]) for direction in directions], 1)
    w = _diagonal([direction.w for direction in directions])
    return Direction(w, _diagonal([direction.w_re for direction in directions]), tf.reshape(bias, [-1]), h0, c0)


def _diagonal(matrices: Sequence[tf.Tensor]) -> tf.Tensor:
    """Two matrices [rows, 4n] as [2 * rows, 4 * 2n]; between rows of the one and columns of the other are zeros."""
    rows, columns = matrices[0].shape
    blocks = tf.reshape(tf.stack(matrices), [2, rows, _GATES, 1, columns // _GATES])
    same = tf.reshape(tf.eye(2, dtype=blocks.dtype), [2, 1, 1, 2, 1])
    return tf.reshape(blocks * same, [2 * rows, 2 * columns])


def _packed(directions: Sequence[Direction]) -> tf.Tensor:
    """The vector of parameters: of each direction the matrices of x and then of h, gate after gate and by rows of
    outputs; then of each two biases of every gate, which are added.
    """
    matrices = [_gates(tf.transpose(m)) for d in directions for m in (d.w, d.w_re)]
    biases = [b for d in directions for b in (_gates(d.bias), tf.zeros_like(d.bias))]
    return tf.concat([tf.reshape(part, [-1]) for part in (*matrices, *biases)], 0)


def _gates(blocks: tf.Tensor) -> tf.Tensor:
    """RETURNN's gates j, i, f, o in cuDNN's order i, f, j, o, along the first axis."""
    j, i, f, o = tf.split(blocks, _GATES)
    return tf.concat([i, f, j, o], 0)
