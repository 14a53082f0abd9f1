"""Layers that work on the hypotheses of a search: deciding between them, their scores and origins."""

from __future__ import annotations

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import batch_major
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.hypotheses import beam_of, of_hypotheses
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class SearchBaseOptions(LayerOptions):
    """What RETURNN's layers with choices of their own accept; only ``choice`` makes use of it.

    Attributes:
        search: the layer makes choices in a search.
        add_to_beam_scores: its scores count for the hypotheses.
    """

    search: bool | None = None
    add_to_beam_scores: bool | None = None


@option_class
class DecideOptions(SearchBaseOptions):
    """Options of ``decide``.

    Attributes:
        length_normalization: scores are divided by the length of the hypothesis.
    """

    length_normalization: bool = False


@layer("decide", options=DecideOptions, sources="one")
def decide(b: LayerBuilder, opt: DecideOptions, x: LayerOutput) -> LayerOutput:
    """The best hypothesis; without search the source itself."""
    x = batch_major(x)
    if not b.program.searching and beam_of(x.value) is None:
        return x
    value = b.op("decide", x.value, normalize=opt.length_normalization)
    mapping: dict[Dim, tuple[Dim, ...]] = {}
    for dim in x.axes:
        if of_hypotheses(b, dim):
            own = b.dim(f"decided.{dim.name}", None, description=dim.description)
            b.define(own, b.op("decide", b.length(dim), normalize=opt.length_normalization))
            b.stands_for(own, dim)
            value = b.op("resize_axis", value, dim=dim, out=own)
            mapping[dim] = (own,)
    return x.with_axes(value, mapping)


@layer("decide_keep_beam", options=SearchBaseOptions, sources="one")
def decide_keep_beam(b: LayerBuilder, opt: SearchBaseOptions, x: LayerOutput) -> LayerOutput:
    """All hypotheses, as they are."""
    return x


@layer("choice_get_beam_scores", options=LayerOptions, sources="one")
def choice_get_beam_scores(b: LayerBuilder, opt: LayerOptions, x: LayerOutput) -> LayerOutput:
    """The scores of the hypotheses."""
    _require_search(b, x)
    value = b.op("beam_scores", x.value)
    return LayerOutput.of(value, value.dims)


@layer("choice_get_src_beams", options=LayerOptions, sources="one")
def choice_get_src_beams(b: LayerBuilder, opt: LayerOptions, x: LayerOutput) -> LayerOutput:
    """Which hypotheses before the source's choice those behind it come from."""
    _require_search(b, x)
    value = b.cast(b.op("source_beams", x.value), "int32")
    return LayerOutput.of(value, value.dims)


@option_class
class SplitBatchBeamOptions(SearchBaseOptions):
    """Options of ``split_batch_beam``.

    Attributes:
        beam_dim: the axis of the hypotheses.
    """

    beam_dim: Dim | None = None


@layer("split_batch_beam", options=SplitBatchBeamOptions, sources="one")
def split_batch_beam(b: LayerBuilder, opt: SplitBatchBeamOptions, x: LayerOutput) -> LayerOutput:
    """The hypotheses as an axis behind the batch; nothing else knows of them any more."""
    x = batch_major(x)
    found = beam_of(x.value)
    size = found.size if found is not None else None
    if opt.beam_dim is not None and (size is None or opt.beam_dim.size != size):
        raise DimError("beam_dim is not of the beam's size", where=b.place("beam_dim"), expected=size)
    if size is None:
        raise ConfigError("there are no hypotheses here", where=b.place("from"))
    out = opt.beam_dim or b.dim("beam", size)
    value = b.op("split_beam", x.value, out=out)
    axes = []
    for dim in x.axes:
        own = dim
        if of_hypotheses(b, dim):
            own = b.dim(f"split.{dim.name}", None, description=dim.description)
            b.define(own, b.op("split_beam", b.length(dim), out=out))
            b.stands_for(own, dim)
            value = b.op("resize_axis", value, dim=dim, out=own)
        axes.append(own)
    return LayerOutput.of(value, (axes[0], out, *axes[1:]))


def _require_search(b: LayerBuilder, x: LayerOutput) -> None:
    if not b.program.searching and beam_of(x.value) is None:
        raise ConfigError(
            "there are no hypotheses without a search", where=b.place(), hint="'only_on_search': True, or search mode"
        )
