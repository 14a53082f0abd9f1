"""Layers: choice and what works on its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError
from returnn_ir.graph import Value
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.options import LayerOptions
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.registry import layer
from returnn_ir.layers.roles import batch_major
from returnn_ir.losses.framewise import log_probs

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class ChoiceOptions(LayerOptions):
    """Options of ``choice``."""

    beam_size: int
    keep_beams: bool = False
    search: bool | None = None
    add_to_beam_scores: bool | None = None
    input_type: str = "prob"
    prob_scale: float = 1.0
    base_beam_score_scale: float = 1.0
    random_sample_scale: float = 0.0
    length_normalization: bool = True
    length_normalization_exponent: float = 1.0
    custom_score_combine: Any = None
    source_beam_sizes: list[int] | None = None
    scheduled_sampling: bool | dict[str, Any] = False
    cheating: bool | str = False
    explicit_search_sources: Any = None


@layer("choice", options=ChoiceOptions, sources="many", like_target=True)
def choice(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The label of this step: the target's, or in search the best continuations of the hypotheses."""
    if b.session.searching and opt.search is not False:
        return _search(b, opt, sources)
    if opt.scheduled_sampling and b.training:
        raise ConfigError("scheduled_sampling is not supported", where=b.place("scheduled_sampling"))
    if not b.definition.targets():
        raise ConfigError("choice without search needs a target", where=b.place("target"))
    return b.target()


def _search(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    if len(sources) != 1:
        raise ConfigError("search over several sources is not supported yet", where=b.place("from"))
    for name in ("custom_score_combine", "cheating", "source_beam_sizes", "random_sample_scale", "keep_beams"):
        if getattr(opt, name):
            raise ConfigError(f"option {name!r} is not supported in search yet", where=b.place(name))
    x = sources[0]
    if opt.input_type == "regression":
        return x
    classes = b.dim("labels", b.require_feature(x).size, feature=True)
    scores = b.rename(_log_scores(b, opt, x), (b.require_feature(x), classes))
    loop = b.enclosing_loop
    if loop.ended is None:
        raise ConfigError("nothing says when a hypothesis ends", where=b.place())
    label = b.op(
        "choice",
        scores,
        loop.ended,
        classes=classes,
        beam=b.dim("beam", opt.beam_size),
        normalize=opt.length_normalization,
        exponent=opt.length_normalization_exponent,
        base_scale=opt.base_beam_score_scale,
        include_eos=loop.include_eos,
    )
    target = b.target_dim() if b.definition.targets() else None
    sparse = target if target is not None and target.size == classes.size else classes
    value = b.cast(b.op("set_sparse", label, sparse_dim=sparse), "int32")
    axes = tuple(d for d in x.axes if d is not x.feature_dim)
    return LayerOutput(value, axes, x.time_dim if x.time_dim in axes else None, None)


def _log_scores(b: LayerBuilder, opt: ChoiceOptions, x: LayerOutput) -> Value:
    if opt.input_type == "prob":
        value = log_probs(b, x)
    elif opt.input_type == "log_prob":
        value = x.value
    elif opt.input_type == "logits":
        value = b.op("log_softmax", x.value, dims=(b.require_feature(x),))
    else:
        raise ConfigError(
            "unknown input_type",
            where=b.place("input_type"),
            expected="prob, log_prob, logits or regression",
            received=opt.input_type,
        )
    return b.mul(value, opt.prob_scale) if opt.prob_scale != 1.0 else value


@dataclass(frozen=True, kw_only=True)
class DecideOptions(LayerOptions):
    """Options of ``decide``."""

    length_normalization: bool = False


@layer("decide", options=DecideOptions, sources="one")
def decide(b: LayerBuilder, opt: DecideOptions, x: LayerOutput) -> LayerOutput:
    """The best hypothesis; without search the source itself."""
    x = batch_major(x)
    if not b.session.searching:
        return x
    value = b.op("decide", x.value, normalize=opt.length_normalization)
    mapping: dict[Dim, tuple[Dim, ...]] = {}
    for dim in x.axes:
        if b.needs_mask(dim):
            own = b.dim(f"decided.{dim.name}", None)
            b.define(own, b.op("decide", b.length(dim), normalize=opt.length_normalization))
            value = b.op("resize_axis", value, dim=dim, out=own)
            mapping[dim] = (own,)
    return x.with_axes(value, mapping)


@layer("choice_get_beam_scores", options=LayerOptions, sources="one")
def choice_get_beam_scores(b: LayerBuilder, opt: LayerOptions, x: LayerOutput) -> LayerOutput:
    """The scores of the hypotheses."""
    value = b.op("beam_scores", x.value)
    return LayerOutput.of(value, value.dims)


@layer("decide_keep_beam", options=LayerOptions, sources="one")
def decide_keep_beam(b: LayerBuilder, opt: LayerOptions, x: LayerOutput) -> LayerOutput:
    """All hypotheses, as they are."""
    return x
