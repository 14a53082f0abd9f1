"""Layer choice: the label of a step, given or searched for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import unify
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.op import get_op
from returnn_ir.layers.search.choice_scores import combined_sources, log_scores
from returnn_ir.layers.search.score_combine import combine_region, explicit_layers
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Finite, Size, option_class

__all__: list[str] = []


@option_class
class ChoiceOptions(LayerOptions):
    """Options of ``choice``.

    Attributes:
        beam_size: how many hypotheses stay.
        keep_beams: the result has all of them.
        search: the layer makes choices in a search.
        add_to_beam_scores: its scores count for the hypotheses.
        input_type: what the source is: prob, log_prob or logits.
        prob_scale: the factor of the scores of this choice.
        base_beam_score_scale: the factor of the scores before.
        random_sample_scale: the factor of Gumbel noise that is added to the scores.
        length_normalization: scores are divided by the length of the hypothesis.
        length_normalization_exponent: of the length, in that division.
        custom_score_combine: a function that combines scores, instead of a sum.
        source_beam_sizes: how many labels of each source are looked at.
        scheduled_sampling: in training, drawn labels instead of the target's, now and then.
        cheating: the target is always one of the hypotheses.
        explicit_search_source: the layer that the hypotheses come from, where nothing tells.
        explicit_search_sources: several such layers.
    """

    beam_size: Size
    keep_beams: bool = False
    search: bool | None = None
    add_to_beam_scores: bool | None = None
    input_type: str = "prob"
    prob_scale: Finite = 1.0
    base_beam_score_scale: Finite = 1.0
    random_sample_scale: Finite = 0.0
    length_normalization: bool = True
    length_normalization_exponent: Finite = 1.0
    custom_score_combine: Callable[..., Any] | None = None
    source_beam_sizes: list[Size] | None = None
    scheduled_sampling: bool | dict[str, Any] | None = False
    cheating: bool | str | None = False
    explicit_search_source: str | None = None
    explicit_search_sources: list[str] | tuple[str, ...] | dict[str, str] | None = None


def _is_given(opt: ChoiceOptions, searching: bool) -> bool:
    """Without a search the labels are the target's, whatever the scores are."""
    return not searching and not opt.scheduled_sampling


@layer("choice", options=ChoiceOptions, sources="many", like_target=True, ignores_sources=_is_given)
def choice(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The label of this step: the target's, or in search the best continuations of the hypotheses."""
    if opt.input_type not in ("prob", "log_prob", "logits", "regression"):
        raise ConfigError(
            "unknown input_type",
            where=b.place("input_type"),
            expected="prob, log_prob, logits or regression",
            received=opt.input_type,
        )
    if b.program.searching and opt.search is not False:
        return _search(b, opt, sources)
    if opt.scheduled_sampling:
        return _sample(b, opt, sources)
    given = _given(b)
    adds = opt.add_to_beam_scores if opt.add_to_beam_scores is not None else b.program.searching
    return _follow(b, opt, given, sources) if adds and b.program.searching and opt.input_type != "regression" else given


def _given(b: LayerBuilder) -> LayerOutput:
    """The targets, the first of them as the layer's own output."""
    targets = b.definition.targets()
    if not targets:
        raise ConfigError("choice without search needs a target", where=b.place("target"))
    outputs = [b.target(key) for key in targets]
    parts = {f"out_{i}": output for i, output in enumerate(outputs)} if len(outputs) > 1 else {}
    return replace(outputs[0], parts=parts)


# ---------------------------------------------------------------- search


def _search(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    if not sources:
        raise ConfigError("a search needs a source to choose from", where=b.place("from"))
    if opt.input_type == "regression":
        return _regression(b, opt, sources)
    _check_cheating(b, opt, sources)
    labels: list[Value] = []
    if len(sources) > 1:
        scores, classes, labels = combined_sources(b, opt.input_type, sources, _source_beams(b, opt, sources))
        axes = tuple(d for d in scores.dims if d is not classes)
    else:
        x = sources[0]
        classes = _classes(b, b.require_feature(x))
        scores = b.rename(log_scores(b, opt.input_type, x), (b.require_feature(x), classes))
        axes = tuple(d for d in x.axes if d is not x.feature_dim)
    chosen = _choice_op(b, opt, scores, classes)
    if not labels:
        named = classes if classes.is_dynamic else b.require_feature(sources[0])
        return LayerOutput.of(_as_label(b, chosen, named, 0), axes)
    outputs = []
    for index, (kept, own, position) in enumerate(_unravel(b, chosen, labels)):
        picked = b.op("gather", kept, position, dim=own)
        outputs.append(LayerOutput.of(_as_label(b, picked, b.require_feature(sources[index]), index), axes))
    return replace(outputs[0], parts={f"out_{i}": output for i, output in enumerate(outputs)})


def _classes(b: LayerBuilder, feature: Dim) -> Dim:
    """What is chosen from: as many as the source has features, or frames of an axis that was made the feature axis."""
    classes = b.dim("labels", feature.size, feature=True)
    if feature.is_dynamic and b.lookup(classes) is None:
        with b.outside_loop():
            b.define(classes, b.length(feature))
    return classes


def _unravel(b: LayerBuilder, chosen: Value, labels: Sequence[Value]) -> list[tuple[Value, Dim, Value]]:
    """Of a combination's number the position in each source's list: (list, its axis, position)."""
    rest = b.op("set_sparse", chosen, sparse_dim=None)
    found: list[tuple[Value, Dim, Value]] = []
    for kept in reversed(labels):
        own = kept.dims[-1]
        size = b.size(own)
        found.insert(0, (kept, own, b.binary("mod", rest, size)))
        rest = b.binary("floordiv", rest, size)
    return found


def _source_beams(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> list[int]:
    sizes = opt.source_beam_sizes or [opt.beam_size] * len(sources)
    if len(sizes) != len(sources):
        raise ConfigError(
            "one beam size per source is needed",
            where=b.place("source_beam_sizes"),
            expected=f"{len(sources)} numbers",
            received=sizes,
        )
    return sizes


def _check_cheating(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> None:
    if opt.cheating not in (True, False, "exclusive", None):
        raise ConfigError(
            "unknown cheating", where=b.place("cheating"), expected="True, False or 'exclusive'", received=opt.cheating
        )
    if opt.cheating and len(sources) > 1:
        raise ConfigError("cheating works with one source only", where=b.place("cheating"))


def _choice_op(b: LayerBuilder, opt: ChoiceOptions, scores: Value, classes: Dim) -> Value:
    loop = b.enclosing_loop
    if loop.ended is None:
        raise ConfigError("nothing says when a hypothesis ends", where=b.place())
    if any(d is not classes and not d.is_batch for d in scores.dims):
        raise ConfigError(
            "a choice is one of the labels, and its source has a further axis",
            where=b.place("from"),
            expected=f"scores of the axes B and {classes.name}",
            received=scores.type,
        )
    if not any(d.is_batch for d in scores.dims):
        raise ConfigError(
            "a search needs scores of each sequence, and its source has no batch axis",
            where=b.place("from"),
            received=scores.type,
            hint="in the first step a layer has the axes of its initial_output; without one 'prev:' has no batch",
        )
    custom = opt.custom_score_combine
    if opt.explicit_search_source is not None and opt.explicit_search_sources is not None:
        raise ConfigError(
            "a choice has either one explicit source or a list of them",
            where=b.place("explicit_search_source"),
            expected="explicit_search_source or explicit_search_sources",
        )
    base = b.dim("base", opt.beam_size)
    operands = [scores, loop.ended]
    if opt.cheating:
        operands.append(b.cast(b.labels(b.target().value, classes), "int64"))
    regions: tuple[Region, ...] = ()
    given = opt.explicit_search_sources if opt.explicit_search_source is None else [opt.explicit_search_source]
    explicit = explicit_layers(b, given)  # without a function of the config they only have to be there
    if custom is not None:
        regions = (combine_region(b, custom, scores, classes, base, explicit),)
        operands.extend(x.value for x in explicit.values())
    elif opt.prob_scale != 1.0:
        operands[0] = b.mul(scores, opt.prob_scale)
    attrs = {
        "classes": classes,
        "beam": b.dim("beam", opt.beam_size),
        "base": base if regions else None,
        "normalize": opt.length_normalization,
        "exponent": float(opt.length_normalization_exponent),
        "base_scale": 1.0 if regions else float(opt.base_beam_score_scale),
        "gumbel": 0.0 if regions else float(opt.random_sample_scale),
        "path": b.random_path("choice"),
        "keep_beams": opt.keep_beams,
        "cheating": None if not opt.cheating else "exclusive" if opt.cheating == "exclusive" else "any",
        "include_eos": loop.include_eos,
        "independent": b.program.independent_scores,
    }
    return b.emit(get_op("choice"), operands, attrs, regions)[0]


def _as_label(b: LayerBuilder, label: Value, classes: Dim, index: int) -> Value:
    """Labels of the target's kind where there is one of that size."""
    targets = b.definition.targets()
    target = b.target_dim(targets[index]) if index < len(targets) else None
    sparse: Dim | None = target if target is not None and target.size == classes.size else classes
    if classes.is_dynamic:  # a position on an axis, as a target of such positions is: labels of no fixed number
        sparse = None
    return b.cast(b.op("set_sparse", label, sparse_dim=sparse), "int32")


def _regression(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The source itself; there is only one hypothesis."""
    if opt.beam_size != 1 or len(sources) != 1 or opt.cheating:
        raise ConfigError(
            "input_type 'regression' has nothing to choose from",
            where=b.place("beam_size"),
            expected="beam_size 1, one source, no cheating",
            received=opt.beam_size,
        )
    x = sources[0]
    attrs = {"beam": b.dim("beam", 1)}
    return replace(x.with_value(b.emit(get_op("follow"), [x.value], attrs)[0]), activation=None)


def _follow(b: LayerBuilder, opt: ChoiceOptions, given: LayerOutput, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The target in a search by others: its score counts."""
    if opt.length_normalization or opt.random_sample_scale or opt.custom_score_combine is not None:
        raise ConfigError(
            "a choice that does not search in a search adds its plain score",
            where=b.place("length_normalization"),
            expected="length_normalization, random_sample_scale and custom_score_combine off",
            hint="or 'add_to_beam_scores': False",
        )
    loop = b.enclosing_loop
    if len(sources) != 1 or loop.ended is None:
        raise ConfigError("a choice that does not search takes one source", where=b.place("from"))
    x = sources[0]
    feature = b.require_feature(x)
    label = b.cast(b.labels(given.value, feature), "int64")
    score = b.op("gather", log_scores(b, opt.input_type, x), label, dim=feature)
    # who has ended goes on with label 0 for nothing, and cannot go on with anything else
    score = b.where(loop.ended, b.where(b.binary("equal", label, 0), 0.0, -1e30), score)
    if opt.prob_scale != 1.0:
        score = b.mul(score, opt.prob_scale)
    attrs = {"base_scale": float(opt.base_beam_score_scale)}
    return replace(given, value=b.emit(get_op("follow"), [given.value, score], attrs)[0])


# ---------------------------------------------------------------- scheduled sampling


def _sample(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """A draw from the source's distribution, or with ``gold_mixin_prob`` sometimes the target."""
    given = opt.scheduled_sampling if isinstance(opt.scheduled_sampling, dict) else {}
    unknown = set(given) - {"gold_mixin_prob"}
    if unknown:
        raise ConfigError(
            "unknown option of scheduled_sampling",
            where=b.place("scheduled_sampling"),
            expected="gold_mixin_prob",
            received=sorted(unknown)[0],
        )
    if len(sources) != 1:
        raise ConfigError("scheduled_sampling takes one source", where=b.place("from"))
    x = sources[0]
    drawn = x if opt.input_type == "regression" else _drawn(b, opt, x)
    share = float(given.get("gold_mixin_prob") or 0.0)
    if not share:
        return drawn
    gold = b.target()
    unified = unify(b, [drawn, gold], b.behavior, b.place("target"))
    sequence = tuple(d for d in drawn.axes if d.is_batch)
    keeps = b.binary("less", b.random("uniform", sequence, "gold"), share)
    first, second = unified.values
    return drawn.with_value(b.op("where", keeps, b.cast(second, first.dtype), first))


def _drawn(b: LayerBuilder, opt: ChoiceOptions, x: LayerOutput) -> LayerOutput:
    """The largest of the log probabilities with Gumbel noise is a draw from the distribution."""
    feature = b.require_feature(x)
    scores = log_scores(b, opt.input_type, x)
    noise = b.random("uniform", tuple(x.axes), "sample")
    gumbel = b.unary("neg", b.unary("log", b.unary("neg", b.unary("log", b.maximum(noise, 1e-38)))))
    best = b.op("argmax", b.add(b.op("stop_gradient", scores), gumbel), dim=feature)
    label = _as_label(b, b.op("set_sparse", best, sparse_dim=None), feature, 0)
    return LayerOutput.of(label, tuple(d for d in x.axes if d is not feature))
