"""Typed layer options: one frozen dataclass per layer, parsed from the dict of a config.

Option types are checked at load time. Marker types say what a value refers to: :class:`LayerRef` (another layer),
:class:`NetDict` (a nested network), :class:`LayerDict` (a layer inside of this one), :class:`Axis` (an axis).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from returnn_ir.errors import Origin, UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.options import Count, Finite, NonNegative, Share, Size, read_options

__all__ = ["Axis", "LayerDict", "LayerOptions", "LayerRef", "NetDict", "SourceOptions", "layer_refs", "parse_options"]


class LayerRef(str):
    """The name of another layer, as written (``prev:x``, ``base:x``, ``a/b``)."""

    __slots__ = ()


class NetDict(dict[str, Any]):
    """A nested network dict."""


class LayerDict(dict[str, Any]):
    """A layer inside of another one, whose references are those of the network around both."""


#: An axis description, see ``returnn_ir.axes.grammar``.
Axis = Any


@dataclass(frozen=True, kw_only=True)
class LayerOptions:
    """What every layer accepts (RETURNN: LayerBase); ``option_table`` has those that are not done."""

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


@dataclass(frozen=True, kw_only=True)
class SourceOptions(LayerOptions):
    """Layers that take the concatenation of their sources (RETURNN: _ConcatInputLayer)."""

    in_dim: Dim | None = None
    dropout: Share = 0.0
    dropout_axis: Axis = None
    dropout_noise_shape: Any = None
    dropout_on_forward: bool = False
    mask: str | None = None


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
