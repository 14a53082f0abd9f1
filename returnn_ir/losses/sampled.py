"""The loss sampling_loss: a softmax over the target and a few drawn labels, or noise contrastive estimation with them.

Jean et al., "On using very large target vocabulary for neural machine translation" (ACL 2015); Gutmann and Hyvarinen,
"Noise-contrastive estimation" (AISTATS 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.losses.framewise import aligned_target, before_activation, check_labels, frame_error, valid_frames
from returnn_ir.losses.samplers import Sampler, Samples, draw, learn, sampler_of
from returnn_ir.network.loss_registry import LossInput, LossOptions, LossResult, loss
from returnn_ir.ops.composite.losses import log_sum
from returnn_ir.options import Finite, Size, option_class

__all__ = ["SAMPLING_LOSS", "product_parts"]

SAMPLING_LOSS = "sampling_loss"
#: Parts of a linear layer's output that a config cannot name.
_INPUT, _WEIGHTS, _BIAS = "/:input", "/:weights", "/:bias"
#: What TensorFlow adds to the score of a drawn label that is the target.
_HIT = float(np.finfo(np.float32).min)


def product_parts(x: LayerOutput, weights: Value, bias: Value | None, *, by_rows: bool) -> dict[str, LayerOutput]:
    """What the loss needs of the linear layer that it stands at: a few rows of its matrix instead of all scores."""
    if x.sparse_dim is not None or bias is None or not by_rows:
        return {}
    return {
        _INPUT: x,
        _WEIGHTS: LayerOutput.of(weights, weights.dims),
        _BIAS: LayerOutput.of(bias, bias.dims),
    }


@option_class
class SamplingOptions(LossOptions):
    """``loss_opts`` of ``sampling_loss``.

    Attributes:
        num_sampled: how many labels are drawn.
        num_splits: the frames are divided in so many parts, and labels are drawn for each.
        sampler: the distribution that they are drawn from.
        nce_loss: noise contrastive estimation instead of a sampled softmax.
        use_full_softmax: no label is drawn: cross entropy.
        remove_accidental_hits: a drawn label that is the target does not count; by default not with ``nce_loss``.
        sampler_args: further arguments of the sampler.
        nce_log_norm_term: what is subtracted from the scores for ``nce_loss``.
    """

    num_sampled: Size = 128
    num_splits: Size = 1
    sampler: Sampler = "log_uniform"
    nce_loss: bool = False
    use_full_softmax: bool = False
    remove_accidental_hits: bool | None = None
    sampler_args: dict[str, Any] | None = None
    nce_log_norm_term: Finite = 0.0


@loss(SAMPLING_LOSS, options=SamplingOptions)
def sampling_loss(b: LayerBuilder, x: LossInput[SamplingOptions]) -> LossResult:
    """Per frame; labels are drawn in evaluation too, unless ``use_full_softmax`` rules it out."""
    output, target = x.output, aligned_target(b, x)
    classes = check_labels(b, output, target)
    logits = before_activation(b, output, "softmax")
    if logits is None or target.sparse_dim is None:
        raise ConfigError("sampling_loss needs a softmax as output and labels as target", where=b.place("loss"))
    labels = b.labels(target.value, classes)
    if x.options.use_full_softmax:
        value = b.op("softmax_cross_entropy", logits, labels, dim=classes)
    else:
        value = _sampled(b, x, labels, classes)
    return LossResult(value, frame_error(b, output, target))


@dataclass(frozen=True)
class _Product:
    """``x W + b`` of the output layer.

    Attributes:
        x: [..., features].
        weights: [classes, features].
        bias: [classes].
    """

    x: Value
    weights: Value
    bias: Value
    features: Dim
    classes: Dim

    def score(self, b: LayerBuilder, labels: Value) -> Value:
        """The logits of some labels, of the frames' own ones where they have the frames' axes."""
        rows = b.op("gather", self.weights, labels, dim=self.classes)
        return b.add(b.dot(self.x, rows, self.features), b.op("gather", self.bias, labels, dim=self.classes))


def _product(b: LayerBuilder, output: LayerOutput, classes: Dim) -> _Product:
    before = output.activation[1] if output.activation is not None else output
    parts = before.parts
    if _INPUT not in parts:
        raise ConfigError(
            "sampling_loss needs the output layer's matrix by rows, its bias, and a source with features",
            where=b.place("loss"),
            expected="'use_transposed_weights': True, 'with_bias': True, at the linear layer that has the loss",
        )
    pairs = list(zip(before.axes, output.axes, strict=True))
    x, weights, bias = (b.rename(parts[p].value, *_of(parts[p], pairs)) for p in (_INPUT, _WEIGHTS, _BIAS))
    features = parts[_INPUT].feature_dim
    if features is None:
        raise ConfigError("sampling_loss needs a source with features", where=b.place("from"))
    return _Product(x, weights, bias, features, classes)


def _of(x: LayerOutput, pairs: list[tuple[Dim, Dim]]) -> list[tuple[Dim, Dim]]:
    return [(own, new) for own, new in pairs if own in x.axes]


def _sampled(b: LayerBuilder, x: LossInput[SamplingOptions], labels: Value, classes: Dim) -> Value:
    """Each part of the frames with its own draw."""
    opts, product = x.options, _product(b, x.output, classes)
    size = b.size(classes)
    if opts.num_sampled > size:
        raise ConfigError(
            "more labels are to be drawn than there are",
            where=b.place("loss_opts"),
            expected=f"num_sampled of at most {size}",
            received=opts.num_sampled,
        )
    probs, seed = sampler_of(b, opts.sampler, opts.sampler_args, classes, opts.num_sampled)
    values = []
    for part in range(opts.num_splits):
        role = f"samples{part}" if seed is None else f"samples{part}/{seed}"
        values.append(_with_samples(b, opts, product, labels, draw(b, probs, classes, opts.num_sampled, role)))
    frames = _Frames(b, x.output, counts_all=opts.use_flatten_frames is False)
    if opts.sampler == "learned_unigram":
        learn(b, labels, frames.valid, classes)
    if len(values) == 1:
        return values[0]
    which = frames.part(opts.num_splits)
    result = values[-1]
    for part, value in enumerate(values[:-1]):
        result = b.where(b.binary("equal", which, part), value, result)
    return result


def _with_samples(b: LayerBuilder, opts: SamplingOptions, product: _Product, labels: Value, drawn: Samples) -> Value:
    true = b.sub(product.score(b, labels), b.unary("log", drawn.expected_of(labels)))
    others = product.score(b, drawn.labels)
    removes = opts.remove_accidental_hits
    if removes if removes is not None else not opts.nce_loss:
        others = b.where(b.binary("equal", drawn.labels, labels), b.add(others, _HIT), others)
    others = b.sub(others, b.unary("log", drawn.expected))
    if not opts.nce_loss:
        return b.sub(log_sum(b, [true, b.reduce("logsumexp", others, drawn.dim)]), true)
    true, others = (b.sub(v, float(opts.nce_log_norm_term)) for v in (true, others))
    noise = b.reduce("sum", b.unary("softplus", others), drawn.dim)
    return b.add(b.unary("softplus", b.unary("neg", true)), noise)


class _Frames:
    """The frames of an output, in the order in which RETURNN has them behind each other.

    Attributes:
        valid: [frames], bool.
    """

    def __init__(self, b: LayerBuilder, output: LayerOutput, *, counts_all: bool) -> None:
        self._b = b
        self._axes = [d for d in output.axes if d is not output.feature_dim]
        self.valid = b.expand(b.const(True), *self._axes) if counts_all else valid_frames(b, self._axes)

    def part(self, count: int) -> Value:
        """Which of ``count`` parts of one size each frame belongs to; the last one has the rest."""
        b, axes = self._b, self._axes
        number = b.cast(self.valid, "int64")
        before = b.const(0, "int64")
        for at, dim in enumerate(axes):  # those in front on this axis, and all of theirs on the axes behind it
            here = b.reduce("sum", number, *axes[at + 1 :], mask=False) if axes[at + 1 :] else number
            before = b.add(before, b.op("cumsum", here, dim=dim, exclusive=True))
        total = b.reduce("sum", number, *axes, mask=False)
        size = b.binary("floordiv", total, count)
        found = b.minimum(b.binary("floordiv", before, b.maximum(size, 1)), count - 1)
        return b.where(b.binary("equal", size, 0), b.const(count - 1), found)
