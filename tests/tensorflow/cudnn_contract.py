"""A test double: what TensorFlow's op CudnnRNNV3 computes, written down in plain TensorFlow ops.

It stands where there is no GPU, in place of the op. Sources: the documentation of the op (shapes, lengths, directions)
and cuDNN's of its LSTM (equations, order of the gates, the two biases, order of the parameters). It is stricter than
the op: what cuDNN leaves undefined is an error here. ``make gpu-check`` runs the same tests on the op itself.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = ["cudnn_rnn_v3"]

#: Gates in cuDNN's order: input, forget, cell input, output.
_GATES = 4


def cudnn_rnn_v3(
    input: tf.Tensor,
    input_h: tf.Tensor,
    input_c: tf.Tensor,
    params: tf.Tensor,
    sequence_lengths: tf.Tensor,
    rnn_mode: str = "lstm",
    input_mode: str = "linear_input",
    direction: str = "unidirectional",
    dropout: float = 0,
    seed: int = 0,
    seed2: int = 0,
    num_proj: int = 0,
    is_training: bool = True,
    time_major: bool = True,
    name: str | None = None,
) -> tuple[tf.Tensor, ...]:
    """One layer of an LSTM, with the op's arguments.

    Args:
        input: [T, B, I], neither T nor B may be 0.
        input_h: [directions, B, n].
        input_c: [directions, B, n].
        params: of each direction 4 matrices [n, I] and 4 [n, n], then of each 4 biases [n] of the input and 4 of h.
        sequence_lengths: [B], from 1 to T.
        is_training: whether it may be differentiated.

    Returns:
        output [T, B, directions * n], zero behind a sequence's end; last h, last c [directions, B, n]; two tensors that
        only the op's own gradient reads.
    """
    plain = (rnn_mode, input_mode, dropout, num_proj, time_major) == ("lstm", "linear_input", 0, 0, True)
    assert plain, "the double knows one layer without dropout and projection, time-major"
    assert {x.dtype for x in (input, input_h, input_c, params)} in ({tf.float32}, {tf.float16})
    assert sequence_lengths.dtype == tf.int32
    ways = {"unidirectional": 1, "bidirectional": 2}[direction]
    units = input_h.shape[2]
    with tf.control_dependencies(_defined(input, input_h, input_c, params, sequence_lengths, ways)):
        params = tf.identity(params)
    weights = _unpacked(params, ways, input.shape[2], units)
    found = [
        _one_way(input, weights[way], sequence_lengths, input_h[way], input_c[way], backward=way == 1)
        for way in range(ways)
    ]
    ys, hs, cs = zip(*found, strict=True)
    results = [tf.concat(ys, 2), tf.stack(hs), tf.stack(cs)]
    if not is_training:
        results = [_without_gradient(x) for x in results]
    return (*results, tf.zeros([0]), tf.zeros([0], tf.int8))


def _defined(
    x: tf.Tensor, h: tf.Tensor, c: tf.Tensor, params: tf.Tensor, lengths: tf.Tensor, ways: int
) -> list[tf.Operation]:
    frames, batch, inputs = tf.unstack(tf.shape(x))
    units = h.shape[2]
    entries = ways * _GATES * units * (inputs + units + 2)
    found = [
        tf.debugging.assert_positive([frames, batch], "nothing to compute"),
        tf.debugging.assert_equal(tf.shape(h), [ways, batch, units], "initial h"),
        tf.debugging.assert_equal(tf.shape(c), [ways, batch, units], "initial c"),
        tf.debugging.assert_equal(tf.shape(params), [entries], "parameters"),
        tf.debugging.assert_equal(tf.shape(lengths), [batch], "one length for each sequence"),
        tf.debugging.assert_positive(lengths, "a sequence without frames"),
        tf.debugging.assert_less_equal(lengths, frames, "a sequence that ends behind the last frame"),
    ]
    return [op for op in found if op is not None]


def _unpacked(params: tf.Tensor, ways: int, inputs: int, units: int) -> list[list[tf.Tensor]]:
    """Of each direction W_i, W_f, W_c, W_o, R_i ... R_o, b_Wi ... b_Wo, b_Ri ... b_Ro."""
    at = 0
    weights: list[list[tf.Tensor]] = [[] for _ in range(ways)]
    for shapes in ([[units, inputs]] * _GATES + [[units, units]] * _GATES, [[units]] * (2 * _GATES)):
        for way in weights:
            for shape in shapes:
                size = int(tf.TensorShape(shape).num_elements())
                way.append(tf.reshape(params[at : at + size], shape))
                at += size
    return weights


def _one_way(
    x: tf.Tensor, weights: list[tf.Tensor], lengths: tf.Tensor, h: tf.Tensor, c: tf.Tensor, *, backward: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    w_i, w_f, w_c, w_o, r_i, r_f, r_c, r_o, bw_i, bw_f, bw_c, bw_o, br_i, br_f, br_c, br_o = weights
    frames = tf.shape(x)[0]
    valid = tf.range(frames)[:, tf.newaxis] < lengths
    x = tf.where(valid[:, :, tf.newaxis], x, 0)  # cuDNN does not read what is behind the end

    def step(k: tf.Tensor, h: tf.Tensor, c: tf.Tensor, ys: tf.TensorArray) -> tuple[Any, ...]:
        t = frames - 1 - k if backward else k
        x_t, valid_t = x[t], valid[t][:, tf.newaxis]
        i = tf.sigmoid(x_t @ tf.transpose(w_i) + h @ tf.transpose(r_i) + bw_i + br_i)
        f = tf.sigmoid(x_t @ tf.transpose(w_f) + h @ tf.transpose(r_f) + bw_f + br_f)
        o = tf.sigmoid(x_t @ tf.transpose(w_o) + h @ tf.transpose(r_o) + bw_o + br_o)
        new = tf.tanh(x_t @ tf.transpose(w_c) + h @ tf.transpose(r_c) + bw_c + br_c)
        c_next = f * c + i * new
        h_next = o * tf.tanh(c_next)
        ys = ys.write(t, tf.where(valid_t, h_next, 0))
        return k + 1, tf.where(valid_t, h_next, h), tf.where(valid_t, c_next, c), ys

    ys = tf.TensorArray(x.dtype, size=frames, element_shape=[None, h.shape[1]])
    _, h, c, ys = tf.while_loop(lambda k, *_: k < frames, step, (0, h, c, ys))
    return ys.stack(), h, c


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _without_gradient(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    def grad(dy: tf.Tensor) -> tf.Tensor:
        raise ValueError("to use CudnnRNNV3 in gradients, is_training must be set to True")

    return tf.identity(x), grad
