"""The scores that a choice works with: of one source or of several, or as the config's own function combines them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, IRError, UnsupportedError, UserError
from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.trace import traceable
from returnn_ir.expression.traced_source import traced_facts
from returnn_ir.facade.network import LayerView
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.mode import Mode
from returnn_ir.ir.op import get_op
from returnn_ir.ir.python_call import CallSource, PythonCall
from returnn_ir.ir.types import TensorType
from returnn_ir.losses.framewise import log_probs

__all__ = ["combine_region", "combined_sources", "log_scores"]


def log_scores(b: LayerBuilder, input_type: str, x: LayerOutput) -> Value:
    """A source's scores in log space, as ``input_type`` says what it holds."""
    if input_type == "prob":
        return log_probs(b, x)
    if input_type == "logits":
        return b.op("log_softmax", x.value, dims=(b.require_feature(x),))
    return x.value


def combined_sources(
    b: LayerBuilder, input_type: str, sources: Sequence[LayerOutput], beams: Sequence[int]
) -> tuple[Value, Dim, list[Value]]:
    """Sums of scores of all combinations of each source's best labels.

    Returns:
        the sums [..., combinations], that dim (the last source fastest), and each source's best labels [..., beams[i]].
    """
    total: Value | None = None
    labels: list[Value] = []
    dims: list[Dim] = []
    for index, (x, size) in enumerate(zip(sources, beams, strict=True)):
        feature = b.require_feature(x)
        best = b.dim(f"best{index}", size)
        attrs = {"dim": feature, "k": best, "mask": False}
        scores, label = b.emit(get_op("top_k"), [log_scores(b, input_type, x)], attrs)
        total = scores if total is None else b.add(total, scores)
        labels.append(b.op("set_sparse", label, sparse_dim=None))
        dims.append(best)
    if total is None:
        raise IRError("no sources")
    combined = b.dim("combinations", math.prod(map(b.size, dims)), feature=True)
    return b.op("merge", total, dims=tuple(dims), out=combined), combined, labels


def combine_region(
    b: LayerBuilder,
    function: Callable[..., Any],
    scores: Value,
    classes: Dim,
    base: Dim,
    explicit: Mapping[str, LayerOutput] | Sequence[LayerOutput],
) -> Region:
    """``custom_score_combine`` as a region, see the op ``choice``; what cannot be traced becomes an opaque call.

    The function sees scores [batch, beam, classes], the hypotheses' scores [batch, beam, 1], and who has ended
    [batch, beam].
    """
    if explicit:
        raise ConfigError(
            "custom_score_combine with explicit_search_sources is not supported",
            where=b.place("explicit_search_sources"),
        )
    batch = tuple(d for d in scores.dims if d is not classes)
    if len(batch) != 1 or not batch[0].is_batch:
        raise ConfigError("custom_score_combine needs scores per sequence", where=b.place("from"), received=scores.type)
    rows = (*batch, base)
    region = Region(parent=b.region)
    types = [TensorType(scores.dtype, (*rows, classes)), TensorType("float32", rows), TensorType("int64")]
    region.params = [Value(t) for t in (*types, TensorType("bool", rows))]
    with b.inside(region):
        region.results = [_combined(b, function, region, (*rows, classes))]
    return region


def _combined(b: LayerBuilder, function: Callable[..., Any], region: Region, axes: tuple[Dim, ...]) -> Value:
    scores, hypotheses, step, ended = region.params
    step = b.cast(step, "int32")
    extent = b.cast(b.extent(axes[0]), "int32")
    size = b.const(b.size(axes[1]), "int32")
    arguments = {
        "scores_in": Numbered(b, scores, axes),
        "scores_base": Numbered(b, hypotheses, (*axes[:2], None)),
        "t": Numbered(b, step, ()),
        "end_flags": Numbered(b, ended, axes[:2]),
        "batch_dim": Numbered(b, extent, ()),
        "scores_beam_in": Numbered(b, size, ()),
        "base_beam_in": Numbered(b, size, ()),
    }
    kept = len(region.nodes)
    try:
        result = as_numbered(b, traceable(b, function)(layer=LayerView(b.name, traced_facts(b), []), **arguments))
        if result.rank != len(axes):
            raise UnsupportedError(f"a result with {result.rank} axes")
        return b.expand(result.value, *axes)
    except (UserError, IRError):
        raise
    except Exception as error:  # the config's own code runs here
        del region.nodes[kept:]
        reason = f"{error}" if isinstance(error, UnsupportedError) else f"{type(error).__name__}: {error}"
        return _opaque(b, function, [scores, hypotheses, step, ended, extent, size], axes, reason)


def _opaque(
    b: LayerBuilder, function: Callable[..., Any], operands: Sequence[Value], axes: tuple[Dim, ...], reason: str
) -> Value:
    """The function as Python code, for the target that can run it."""
    placed = (axes, axes[:2], (), axes[:2], (), ())
    sources = tuple(
        CallSource(i, (True,) * len(own), 0 if own else None, None, None, {}, None, False, v.dtype)
        for i, (v, own) in enumerate(zip(operands, placed, strict=True))
    )
    call = PythonCall(
        code=_call_with_sources,
        names={"combine": function},
        sources=sources,
        own_sources=sources,
        source_names=("scores_in", "scores_base", "t", "end_flags", "batch_dim", "beam"),
        layer=b.definition.name,
        options=b.program.options,
        training=b.training,
        searching=b.program.searching,
        evaluating=b.mode != Mode.FORWARD,
        trusted=b.program.trusted,
    )
    return b.op("opaque", *operands, function=call, axes=placed, reason=reason, dtype="float32", dims=axes)


def _call_with_sources(source: Callable[[int], Any], self: Any, combine: Callable[..., Any]) -> Any:
    return combine(
        layer=self,
        scores_in=source(0),
        scores_base=source(1)[:, :, None],
        t=source(2),
        end_flags=source(3),
        batch_dim=source(4),
        scores_beam_in=source(5),
        base_beam_in=source(5),
    )
