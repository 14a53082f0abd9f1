"""The triplet loss: embeddings of the same label lie close together, those of other labels apart."""

from __future__ import annotations

import numpy as np

from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.expression.numbered import copy_of_dim
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import valid_frames
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.options import Finite, option_class

__all__: list[str] = []

#: The samples of each frame: an anchor, one of the same label, one of another label.
_SAMPLES = 3
_ONE_VIEW = ((0, 1, 2),)
#: Of a pair of representations: which of the six embeddings stand for the samples, in either direction.
_TWO_VIEWS = ((0, 4, 5), (1, 4, 2))


@option_class
class TripletOptions(LossOptions):
    """``loss_opts`` of ``triplet_loss``.

    Attributes:
        margin: how much farther apart other labels should be than the same one.
        multi_view_training: the features are six embeddings, of two representations of the samples.
    """

    margin: Finite
    multi_view_training: bool = False


@loss("triplet_loss", options=TripletOptions)
def triplet_loss(b: LayerBuilder, x: LossInput[TripletOptions]) -> LossResult:
    """Cosine distances of all pairs of samples in the batch; the mean is over nine pairs of each sequence.

    The output's features are the embeddings of the samples side by side, the target is their labels [..., 3].
    """
    views = _TWO_VIEWS if x.options.multi_view_training else _ONE_VIEW
    labels, sample = _labels(b, x)
    embeddings, view = _embeddings(b, x, len(views) * _SAMPLES)
    dims = (*(d for d in x.output.axes if d is not x.output.feature_dim), sample)
    valid, rows = valid_frames(b, dims), b.dim("samples", None)
    if b.lookup(rows) is None:
        b.define(rows, b.reduce("sum", b.cast(valid, "int64"), *dims, mask=False))

    def flat(value: Value) -> Value:
        """All samples of all valid frames along one axis."""
        return b.op("masked_select", b.expand(value, *dims), valid, dims=dims, out=rows)

    flat_labels = flat(labels)
    total: Value = b.const(0.0)
    for chosen in views:
        index = b.const(np.asarray(chosen, np.int64), "int64", (sample,))
        vectors = flat(b.op("gather", embeddings, index, dim=view))
        total = b.add(total, _of_pairs(b, vectors, flat_labels, rows, x.options.margin))
    batch = x.output.batch_dim
    count = b.const(1.0) if batch is None else b.cast(b.extent(batch), "float32")
    return LossResult(total, norm_factor=b.div(1.0 / (9.0 * len(views)), count))


def _labels(b: LayerBuilder, x: LossInput[TripletOptions]) -> tuple[Value, Dim]:
    """The target's labels, and their axis of three samples."""
    target = x.target
    sample = next((d for d in target.axes if d.size == _SAMPLES), None) if target is not None else None
    if target is None or target.sparse_dim is None or sample is None:
        raise ConfigError(
            "triplet_loss needs three labels per frame as target",
            where=b.place("target"),
            expected="sparse data of shape (3,), or (None, 3) where the output has a time axis",
            received=None if target is None else target.value.type,
        )
    return b.cast(b.op("set_sparse", target.value, sparse_dim=None), "int64"), sample


def _embeddings(b: LayerBuilder, x: LossInput[TripletOptions], count: int) -> tuple[Value, Dim]:
    """The features as ``count`` vectors of length 1, and the axis that numbers them."""
    feature = b.require_feature(x.output)
    if feature.size is None or feature.size % count:
        raise DimError(
            "the features are no embeddings of equal size side by side",
            where=b.place("loss"),
            expected=f"a multiple of {count}",
            received=feature,
        )
    view, own = b.dim("views", count), b.dim("embedding", feature.size // count)
    value = b.op("split", x.output.value, dim=feature, outs=(view, own))
    square = b.reduce("sum", b.mul(value, value), own)
    return b.mul(value, b.unary("rsqrt", b.maximum(square, 1e-15))), view


def _of_pairs(b: LayerBuilder, embeddings: Value, labels: Value, rows: Dim, margin: float) -> Value:
    """Half the distances of pairs with the same label, and half of what others lack to the margin."""
    others = copy_of_dim(b, rows, "others")
    other, other_labels = (b.rename(v, (rows, others)) for v in (embeddings, labels))
    (own,) = (d for d in embeddings.dims if d is not rows)
    distance = b.sub(1.0, b.dot(embeddings, other, own))
    # label 0 counts as the label of all, as RETURNN has it
    same = b.binary("equal", b.mul(other_labels, other_labels), b.mul(labels, other_labels))
    each = b.where(same, distance, b.maximum(b.sub(margin, distance), 0.0))
    return b.mul(b.reduce("sum", each, rows, others), 0.5)
