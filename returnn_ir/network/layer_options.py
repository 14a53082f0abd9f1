"""Typed layer options: one frozen dataclass per layer, parsed from the dict of a config.

Option types are checked at load time. Marker types say what a value refers to: :class:`LayerRef` (another layer),
:class:`NetDict` (a nested network), :class:`LayerDict` (a layer inside of this one), :class:`Axis` (an axis).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, TypeVar

from returnn_ir.errors import Origin, UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.options import Count, Described, Finite, NonNegative, Share, Size, option_class, read_options

__all__ = ["Axis", "LayerDict", "LayerOptions", "LayerRef", "NetDict", "SourceOptions", "layer_refs", "parse_options"]


class LayerRef(str):
    """The name of another layer, as written (``prev:x``, ``base:x``, ``a/b``)."""

    __slots__ = ()


class NetDict(dict[str, Any]):
    """A nested network dict."""


class LayerDict(dict[str, Any]):
    """A layer inside of another one, whose references are those of the network around both."""


#: An axis description, see ``returnn_ir.axes.grammar``.
Axis = Annotated[Any, Described("an axis")]


@option_class
class LayerOptions:
    """What every layer accepts (RETURNN: LayerBase); ``option_table`` has those that are not done.

    Attributes:
        n_out: the number of output features; None: by the target or the sources.
        out_dim: the output's feature dim.
        out_type: what RETURNN's template of the output has: a dict, see below, or a function.
        out_shape: the axes that the output must have.
        target: the data key, or layer, of the target; several: one loss each.
        size_target: the target whose time axis a loop without a source has.
        loss: the loss, see below.
        loss_scale: its factor.
        loss_opts: its options.
        loss_only_on_non_search: there is no loss in a search.
        reuse_params: parameters of another layer are used: its name, or a dict, see below.
        name_scope: of the parameters' names; `/...`: from the root.
        param_device: where parameters are kept.
        is_output_layer: the layer is an output of the network.
        only_on_eval: the loss is not there in training.
        only_on_search: the layer is only there in a search.
        copy_output_loss_from_source_idx: the source whose loss beside its output this layer has, too, for `via_layer`.
        batch_norm: the output is normalised; a dict: options of `batch_norm`.
        L2: the factor of the squared parameters in the objective.
        darc1: the factor of the DARC1 regulariser.
        spatial_smoothing: the factor of the differences of neighbouring entries.
        param_variational_noise: standard deviation of noise on the parameters, in training.
        param_dropout: the share of the parameters that is dropped, in training.
        param_dropout_min_ndim: parameters with fewer axes are not dropped.
        updater_opts: of the optimizer, for these parameters.
        initial_output: the value of `prev:LAYER` in a loop's first step.
        state: of the step before, given explicitly.
        need_last: the last frame of the loop is wanted.
        encapsulate: nothing inside of the layer leaves a loop by itself.
        collocate_with: where it is computed.
        trainable: the optimizer changes the parameters.
        custom_param_importer: how RETURNN reads them from other checkpoints.
        register_as_extern_data: the output is data of this key for other layers.
        control_dependencies_on_output: gives operations, checks mostly, that run beside the output.
        debug_print_layer_output: the output is printed.
    """

    n_out: Size | None = None
    out_dim: Dim | None = None
    out_type: dict[str, Any] | Callable[..., Any] | None = None
    out_shape: Any = None
    target: str | list[str] | tuple[str, ...] | None = None
    size_target: str | None = None
    loss: str | None = None
    loss_scale: Finite | None = 1.0
    loss_opts: dict[str, Any] | None = None
    loss_only_on_non_search: bool | None = None
    reuse_params: str | dict[str, Any] | None = None
    name_scope: str | None = None
    param_device: str | None = None
    is_output_layer: bool | None = None
    only_on_eval: bool = False
    only_on_search: bool = False
    copy_output_loss_from_source_idx: int | None = None
    batch_norm: bool | dict[str, Any] = False
    L2: Finite | None = None
    darc1: Finite | None = None
    spatial_smoothing: Finite = 0.0
    param_variational_noise: NonNegative | None = None
    param_dropout: Share | None = None
    param_dropout_min_ndim: Count | None = None
    updater_opts: dict[str, Any] | None = None
    initial_output: Any = None
    state: Any = None
    need_last: bool = False
    encapsulate: bool = False
    collocate_with: Any = None
    trainable: bool | None = True
    custom_param_importer: Any = None
    register_as_extern_data: str | None = None
    control_dependencies_on_output: Any = None
    debug_print_layer_output: bool | None = None


@option_class
class SourceOptions(LayerOptions):
    """Layers that take the concatenation of their sources (RETURNN: _ConcatInputLayer).

    Attributes:
        in_dim: the input's feature dim.
        dropout: the share of the input that is dropped, in training.
        dropout_axis: draws differ along these axes only; None: along those of a fixed size.
        dropout_noise_shape: an entry 1 for axes that share their draw, by axis or in their order.
        dropout_on_forward: it is dropped outside of training, too.
        mask: dropout or unity, or nothing.
    """

    in_dim: Dim | None = None
    dropout: Share = 0.0
    dropout_axis: Axis = None
    dropout_noise_shape: Any = None
    dropout_on_forward: bool = False
    mask: Literal["dropout", "unity"] | None = None


Options = TypeVar("Options", bound=LayerOptions)


def parse_options(
    cls: type[Options], raw: Mapping[Any, object], origin: Callable[[str | None], Origin]
) -> tuple[Options | None, list[UserError]]:
    """Typed options of a layer dict (without ``class`` and ``from``), and everything that is wrong with it."""
    return read_options(cls, raw, origin, common=_common_names())


def layer_refs(options: LayerOptions) -> list[str]:
    """The names of layers that the options refer to."""
    found: list[str] = []
    for f in fields(options):
        found.extend(_refs_in(getattr(options, f.name)))
    return list(dict.fromkeys(found))


def _refs_in(value: object) -> Iterator[str]:
    if isinstance(value, LayerRef):
        yield str(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _refs_in(part)
    elif isinstance(value, dict) and not isinstance(value, (NetDict, LayerDict)):
        for part in value.values():
            yield from _refs_in(part)


@functools.cache
def _common_names() -> frozenset[str]:
    return frozenset(f.name for f in fields(SourceOptions))
