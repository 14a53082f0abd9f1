"""Losses by TensorFlow's own kernels: cross entropy of labels, CTC, CTC decoding, edit distance."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call
from compiler.tensorflow.gather import clipped
from compiler.tensorflow.sizes import product, reshape, sizes
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region

__all__ = [
    "beam_decode",
    "beam_decode_refusal",
    "cross_entropy",
    "ctc",
    "ctc_refusal",
    "edit_distance",
    "soft_cross_entropy",
]


def cross_entropy(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Logits [rest, classes], labels [rest]."""
    logits, labels = operands
    classes: Dim = call.attrs["dim"]
    labels = clipped(tf.cast(labels, tf.int64), call.env.extent(classes))
    flat = tf.reshape(logits, [-1, classes.size or call.env.extent(classes)])
    loss, _ = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=flat, labels=tf.reshape(labels, [-1]))
    return reshape(loss, sizes(logits)[:-1])


def soft_cross_entropy(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Logits and targets [rest, classes]."""
    return tf.nn.softmax_cross_entropy_with_logits(labels=operands[1], logits=operands[0])


def ctc_refusal(node: Node, region: Region) -> str | None:
    """The kernel sums over all alignments and takes a softmax, with the gradient of both."""
    if node.attrs["viterbi"]:
        return "the kernel sums over all alignments, it knows no best one"
    if not node.attrs["normalize"]:
        return "the kernel takes a softmax over the classes"
    return _float32(node)


def beam_decode_refusal(node: Node, region: Region) -> str | None:
    """The kernel takes float32."""
    return _float32(node)


def _float32(node: Node) -> str | None:
    dtype = node.operands[0].dtype
    return None if dtype == "float32" else f"the kernel computes in float32, not in {dtype}"


def _flat_logits(call: Call, logits: tf.Tensor, blank: int) -> tf.Tensor:
    """Logits [dim, rest, classes] as [dim, all of rest, classes], the blank last."""
    dims = call.type().dims
    rows = product(call.env.shape(dims[1:-1]))
    classes = dims[-1].require_size(call.node.origin)
    flat = tf.reshape(logits, [call.env.extent(dims[0]), rows, classes])
    if blank == classes - 1:
        return flat
    return tf.concat([flat[..., :blank], flat[..., blank + 1 :], flat[..., blank : blank + 1]], -1)


def _without_blank(labels: tf.Tensor, blank: int) -> tf.Tensor:
    """The numbers of labels where the blank is taken out from between them."""
    return tf.where(labels > blank, labels - 1, labels)


def _flat_lengths(call: Call, dim: Dim, rest: Sequence[Dim]) -> tf.Tensor:
    """The lengths of ``dim`` for every entry of ``rest``, in one axis."""
    lengths = tf.broadcast_to(call.env.lengths(dim, rest), call.env.shape(rest))
    return tf.reshape(lengths, [-1])


def _sparse(labels: tf.Tensor, lengths: tf.Tensor) -> tf.SparseTensor:
    """Label sequences [rows, longest] as the sparse kernels take them."""
    shape = tf.shape(labels, tf.int64)
    steps = tf.range(tf.unstack(shape)[1])
    indices = tf.where(steps < tf.expand_dims(tf.cast(lengths, tf.int64), 1))
    return tf.SparseTensor(indices, tf.gather_nd(labels, indices), shape)


def ctc(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Logits [dim, rest, classes], labels [rest, labels]; inf where there is no alignment."""
    attrs, dims = call.attrs, call.dims
    logits = _flat_logits(call, operands[0], attrs["blank"])
    frames, length = _flat_lengths(call, attrs["dim"], dims), _flat_lengths(call, attrs["labels"], dims)
    labels = tf.reshape(operands[1], [tf.shape(frames)[0], call.env.extent(attrs["labels"])])
    labels = _without_blank(tf.cast(labels, tf.int32), attrs["blank"])
    # the kernel refuses empty targets: they get a label here and their own sum below
    labels = tf.pad(labels, [[0, 0], [0, tf.cast(tf.shape(labels)[1] == 0, tf.int32)]])
    sparse = _sparse(labels, tf.maximum(length, 1))
    loss = tf.raw_ops.CTCLoss(
        inputs=logits,
        labels_indices=sparse.indices,
        labels_values=sparse.values,
        sequence_length=tf.cast(frames, tf.int32),
        ctc_merge_repeated=attrs["label_loop"],
        ignore_longer_outputs_than_inputs=True,
    )[0]
    empty = length == 0
    loss = tf.cond(tf.reduce_any(empty), lambda: tf.where(empty, _only_blanks(logits, frames), loss), lambda: loss)
    needed = length
    if attrs["label_loop"]:  # equal neighbours need a blank between them
        repeated = (labels[:, 1:] == labels[:, :-1]) & tf.sequence_mask(length - 1, tf.shape(labels)[1] - 1)
        needed = length + tf.reduce_sum(tf.cast(repeated, tf.int64), -1)
    possible = tf.where(needed <= frames, loss, float("inf"))
    return tf.reshape(possible, call.env.shape(dims)) if len(dims) != 1 else possible


def _only_blanks(logits: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """The loss of empty targets: logits [time, rows, classes], frames [rows]."""
    silence = tf.reduce_logsumexp(logits, -1) - logits[..., -1]
    return tf.reduce_sum(tf.where(tf.transpose(tf.sequence_mask(frames, tf.shape(logits)[0])), silence, 0.0), 0)


def edit_distance(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """Labels [rest, a] and [rest, b]."""
    dims = call.dims
    sequences = []
    for labels, dim in zip(operands, (call.attrs["a"], call.attrs["b"]), strict=True):
        lengths = _flat_lengths(call, dim, dims)
        flat = tf.reshape(tf.cast(labels, tf.int64), [tf.shape(lengths)[0], call.env.extent(dim)])
        sequences.append(_sparse(flat, lengths))
    distance = tf.edit_distance(sequences[0], sequences[1], normalize=False)
    return tf.reshape(tf.cast(distance, tf.int64), call.env.shape(dims))


def beam_decode(call: Call, operands: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """Logits [dim, rest, classes] to labels [rest, out] and their number [rest]."""
    attrs, rest = call.attrs, call.type().dims[1:-1]
    blank: int = attrs["blank"]
    logits = _flat_logits(call, operands[0], blank)
    frames = _flat_lengths(call, attrs["dim"], rest)
    decoded = tf.raw_ops.CTCBeamSearchDecoder(
        inputs=logits,
        sequence_length=tf.cast(frames, tf.int32),
        beam_width=attrs["beam_width"],
        top_paths=1,
        merge_repeated=False,
    )
    indices, values, shape = (found[0] for found in decoded[:3])
    labels = tf.scatter_nd(indices, tf.where(values >= blank, values + 1, values), shape)
    lengths = tf.math.bincount(tf.cast(indices[:, 0], tf.int32), minlength=tf.cast(shape[0], tf.int32), dtype=tf.int64)
    sizes = call.env.shape(rest)
    return [tf.reshape(labels, [*sizes, tf.cast(shape[1], tf.int32)]), tf.reshape(lengths, sizes)]
