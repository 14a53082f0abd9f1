"""Options of a layer that are dicts with options of their own: ``loss_opts``, ``out_type``, ``reuse_params``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.loss_registry import find_loss, read_loss_options
from returnn_ir.options import MAX_AXES, Range, Size, option_class, read_options, shown

__all__ = ["OutType", "ReuseParams", "nested_problems"]

_Axis = Annotated[int, Range(0, MAX_AXES - 1)] | None


@option_class
class OutType:
    """``out_type`` as a dict: what RETURNN's template of an output takes.

    Attributes:
        name: without effect, as ``vocab`` and ``available_for_inference``.
        dim: the size of the feature axis, or of the labels.
        shape: the axes without the batch: a size, a Dim, or None where sequences differ.
        dims: the axes as Dim objects.
        dim_tags: another name of ``dims``.
        dtype: of the entries.
        sparse: the entries are labels.
        sparse_dim: what the labels number.
        batch_dim_axis: the number of the batch axis, as the next two.
        time_dim_axis: see there.
        feature_dim_axis: see there; it counts from the end, too.
        vocab: see ``name``.
        available_for_inference: see ``name``.
    """

    name: str | None = None
    dim: Size | None = None
    shape: Sequence[Size | Dim | None] | None = None
    dims: Sequence[Dim] | None = None
    dim_tags: Sequence[Dim] | None = None
    dtype: Any = None
    sparse: bool | None = None
    sparse_dim: Dim | None = None
    batch_dim_axis: _Axis = None
    time_dim_axis: _Axis = None
    feature_dim_axis: Annotated[int, Range(-MAX_AXES, MAX_AXES - 1)] | None = None
    vocab: Any = None
    available_for_inference: bool | None = None


@option_class
class ReuseParams:
    """``reuse_params`` as a dict.

    Attributes:
        reuse_layer: the layer whose parameters are taken.
        map: by parameter, where it comes from: None (the layer's own), a layer, or such a dict.
        custom: a function that makes the parameter.
        auto_create_missing: what is not said is a parameter of the layer's own.
        layer_output: a layer whose output is the parameter.
        shape: the order of that output's axes.
    """

    reuse_layer: str | None = None
    map: dict[str, Any] | None = None
    custom: Callable[..., Any] | None = None
    auto_create_missing: bool | None = None
    layer_output: str | None = None
    shape: Sequence[Dim] | None = None


def nested_problems(options: LayerOptions, place: Callable[[str], Origin]) -> Iterator[UserError]:
    """Everything that is wrong with them, whether or not the layer or its loss is built in this mode."""
    spec = find_loss(options.loss) if options.loss is not None else None
    if spec is not None and options.loss_opts is not None:
        yield from read_loss_options(spec, options.loss_opts, place("loss_opts"))[1]
    if isinstance(options.out_type, Mapping):
        where = place("out_type")
        yield from read_options(OutType, options.out_type, lambda key: where, owner="out_type")[1]
    if isinstance(options.reuse_params, Mapping):
        yield from _wrong_sharing(options.reuse_params, place("reuse_params"))


def _wrong_sharing(given: object, where: Origin, depth: int = 0) -> Iterator[UserError]:
    """``map`` has such a dict, a layer's name or None for each parameter."""
    if given is None or isinstance(given, str):
        return
    if not isinstance(given, Mapping) or depth > 1:
        yield ConfigError(
            "reuse_params is not understood",
            where=where,
            expected="a layer's name, or a dict; in its map for each parameter None, a layer's name, or a dict",
            received=shown(given),
        )
        return
    values, problems = read_options(ReuseParams, given, lambda key: where, owner="reuse_params")
    yield from problems
    for part in ((values.map if values is not None else None) or {}).values():
        yield from _wrong_sharing(part, where, depth + 1)
