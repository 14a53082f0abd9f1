"""``custom_score_combine``: the config's own function over the scores of a choice, as the region of its op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, IRError, UnsupportedError, UserError
from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.sizes import Size
from returnn_ir.expression.trace import traceable
from returnn_ir.expression.traced_source import TracedSource, traced_facts
from returnn_ir.facade.choice import ChoiceView
from returnn_ir.facade.data import DataView
from returnn_ir.facade.network import LayerView, NetworkView, SourceLayerView
from returnn_ir.ir.dims import Dim, product
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.mode import Mode
from returnn_ir.ir.python_call import CallSource, PythonCall
from returnn_ir.ir.types import TensorType

__all__ = ["Explicit", "combine_region", "explicit_layers"]

#: The layers of ``explicit_search_sources`` by the keys of a dict, else by their numbers.
Explicit = Mapping[str | int, LayerOutput]


def explicit_layers(b: LayerBuilder, given: object) -> Explicit:
    """The layers that ``explicit_search_sources``, a list or a dict of names, has."""
    if isinstance(given, Mapping):
        return {key: b.layer(name) for key, name in given.items()}
    names = given if isinstance(given, (list, tuple)) else ()
    return {number: b.layer(name) for number, name in enumerate(names)}


def combine_region(
    b: LayerBuilder, function: Callable[..., Any], scores: Value, classes: Dim, base: Dim, explicit: Explicit
) -> Region:
    """The function as a region, see the op ``choice``; what cannot be traced becomes an opaque call.

    The function sees scores [batch, beam, classes], the hypotheses' scores [batch, beam, 1], who has ended
    [batch, beam], and explicit layers [batch * beam, ...].
    """
    batch = tuple(d for d in scores.dims if d is not classes)
    if len(batch) != 1 or not batch[0].is_batch:
        raise ConfigError("custom_score_combine needs scores per sequence", where=b.place("from"), received=scores.type)
    rows = (*batch, base)
    region = Region(parent=b.region)
    types = [
        TensorType(scores.dtype, (*rows, classes)),
        TensorType("float32", rows),
        TensorType("int64"),
        TensorType("bool", rows),
        *(x.value.type.with_dims(dict.fromkeys((*rows, *x.axes))) for x in explicit.values()),
    ]
    region.params = [Value(t) for t in types]
    with b.inside(region):
        scores_in, hypotheses, number, ended, *read = region.params
        step = b.cast(number, "int32")
        folded = {key: _folded(b, x, value, rows) for (key, x), value in zip(explicit.items(), read, strict=True)}
        made = _Combination(b, function, (*rows, classes), (scores_in, hypotheses, step, ended), folded)
        region.results = [made.result(region)]
    return region


@dataclass(frozen=True)
class _Folded:
    """An explicit layer whose batch has the hypotheses in it.

    Attributes:
        output: the layer, of one hypothesis.
        axes: the layer's axes with those of batch and beam as one.
    """

    output: LayerOutput
    value: Value
    axes: tuple[Dim, ...]

    @property
    def batch_axis(self) -> int:
        """Where the hypotheses are."""
        return next((i for i, d in enumerate(self.output.axes) if d.is_batch), 0)

    def number(self, dim: Dim | None) -> int | None:
        """The number of another axis."""
        return self.axes.index(dim) if dim is not None else None


def _folded(b: LayerBuilder, x: LayerOutput, value: Value, rows: tuple[Dim, ...]) -> _Folded:
    both = product(rows)
    axes = tuple(both if d.is_batch else d for d in x.axes)
    axes = axes if both in axes else (both, *axes)
    return _Folded(x, b.op("merge", value, dims=rows, out=both), axes)


class _FoldedSource(TracedSource):
    """An explicit layer as the function sees it while it is traced."""

    def __init__(self, b: LayerBuilder, folded: _Folded) -> None:
        value = b.op("set_sparse", folded.value, sparse_dim=None)
        super().__init__(b, folded.output, Numbered(b, value, folded.axes), folded.output)
        self._folded = folded

    @property
    def batch_axis(self) -> int | None:
        """The number of the axis of hypotheses."""
        return self._folded.batch_axis


@dataclass(frozen=True)
class _Combination:
    """One call of the function.

    Attributes:
        axes: batch, beam, classes.
        operands: scores, the hypotheses' scores, the step, who has ended.
    """

    b: LayerBuilder
    function: Callable[..., Any]
    axes: tuple[Dim, ...]
    operands: tuple[Value, Value, Value, Value]
    explicit: Mapping[str | int, _Folded]

    def result(self, region: Region) -> Value:
        """The scores of all continuations [batch, beam, classes]."""
        b, kept = self.b, len(region.nodes)
        try:
            result = as_numbered(b, traceable(b, self.function)(**self._arguments()))
            if result.rank != len(self.axes):
                raise UnsupportedError(f"a result with {result.rank} axes")
            return b.expand(result.value, *self.axes)
        except (UserError, IRError):
            raise
        except Exception as error:  # the config's own code runs here
            del region.nodes[kept:]
            reason = f"{error}" if isinstance(error, UnsupportedError) else f"{type(error).__name__}: {error}"
            b.note(f"its custom_score_combine runs on TensorFlow only: {reason}")
            return self._opaque(reason)

    def _arguments(self) -> dict[str, Any]:
        b, (scores, hypotheses, step, ended) = self.b, self.operands
        network = NetworkView(traced_facts(b))
        layers = {
            key: SourceLayerView(str(key), DataView(_FoldedSource(b, x)), network) for key, x in self.explicit.items()
        }
        return {
            "layer": ChoiceView(LayerView(b.name, traced_facts(b), []), self.axes[-1].size, _like_option(layers)),
            "scores_in": Numbered(b, scores, self.axes),
            "scores_base": Numbered(b, hypotheses, (*self.axes[:2], None)),
            "t": Numbered(b, step, ()),
            "end_flags": Numbered(b, ended, self.axes[:2]),
            "batch_dim": Size(b, self.axes[0]),
            "scores_beam_in": Size(b, self.axes[1]),
            "base_beam_in": Size(b, self.axes[1]),
        }

    def _opaque(self, reason: str) -> Value:
        """The function as Python code, for the target that can run it."""
        b, axes = self.b, self.axes
        sizes = [b.cast(b.extent(axes[0]), "int32"), b.const(b.size(axes[1]), "int32")]
        operands = [*self.operands, *sizes]
        placed: list[tuple[Dim, ...]] = [axes, axes[:2], (), axes[:2], (), ()]
        sources = [_plain(i, v, own) for i, (v, own) in enumerate(zip(operands, placed, strict=True))]
        for x in self.explicit.values():
            found = {i: self._lengths(d) for i, d in enumerate(x.axes) if i != x.batch_axis and d.is_dynamic}
            first = len(operands)
            sources.append(_described(first, x, {i: first + 1 + n for n, i in enumerate(found)}))
            operands.extend([x.value, *found.values()])
            placed.extend([x.axes, *(v.dims for v in found.values())])
        return b.op(
            "opaque",
            *operands,
            function=self._call(tuple(sources)),
            axes=tuple(placed),
            reason=reason,
            dtype="float32",
            dims=axes,
        )

    def _lengths(self, dim: Dim) -> Value:
        """Those of an explicit layer's axis, [batch * beam]."""
        b, rows = self.b, self.axes[:2]
        return b.op("merge", b.expand(b.length(dim), *rows), dims=rows, out=product(rows))

    def _call(self, sources: tuple[CallSource, ...]) -> PythonCall:
        b = self.b
        return PythonCall(
            code=_call_with_sources,
            names={"combine": self.function, "keys": tuple(self.explicit), "labels": self.axes[-1].size},
            sources=sources,
            own_sources=sources,
            source_names=(*_ARGUMENTS, *map(str, self.explicit)),
            layer=b.definition.name,
            options=b.program.options,
            training=b.training,
            searching=b.program.searching,
            evaluating=b.mode != Mode.FORWARD,
            trusted=b.program.trusted,
        )


#: What an opaque call has in front of the explicit layers.
_ARGUMENTS = ("scores_in", "scores_base", "t", "end_flags", "batch_dim", "beam")


def _plain(operand: int, value: Value, axes: Sequence[Dim]) -> CallSource:
    return CallSource(operand, (True,) * len(axes), 0 if axes else None, None, None, {}, None, False, value.dtype)


def _described(operand: int, x: _Folded, lengths: Mapping[int, int]) -> CallSource:
    features = x.output.feature_or_sparse_dim
    return CallSource(
        operand=operand,
        present=(True,) * len(x.axes),
        batch_axis=x.batch_axis,
        time_axis=x.number(x.output.time_dim),
        feature_axis=x.number(x.output.feature_dim),
        lengths=lengths,
        dim=features.size if features is not None else None,
        sparse=x.output.sparse_dim is not None,
        dtype=x.output.dtype,
    )


def _like_option(layers: Mapping[str | int, Any]) -> Any:
    """A dict where the option is one, else a list."""
    return list(layers.values()) if all(isinstance(key, int) for key in layers) else dict(layers)


def _call_with_sources(
    source: Callable[..., Any],
    self: LayerView[Any],
    combine: Callable[..., Any],
    keys: tuple[str | int, ...],
    labels: int | None,
) -> Any:
    layers = {key: source(len(_ARGUMENTS) + i, as_layer=True) for i, key in enumerate(keys)}
    return combine(
        layer=ChoiceView(self, labels, _like_option(layers)),
        scores_in=source(0),
        scores_base=source(1)[:, :, None],
        t=source(2),
        end_flags=source(3),
        batch_dim=source(4),
        scores_beam_in=source(5),
        base_beam_in=source(5),
    )
