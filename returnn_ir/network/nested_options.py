"""Options of a layer that are dicts with options of their own: ``loss_opts``, ``out_type``, ``reuse_params``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.loss_registry import find_loss, read_loss_options
from returnn_ir.options import MAX_AXES, Range, Size, read_values, shown

__all__ = ["nested_problems"]

_Axis = Annotated[int, Range(0, MAX_AXES - 1)] | None

#: What RETURNN's template of an output takes; ``name``, ``vocab`` and ``available_for_inference`` change no result.
_OUT_TYPE: Mapping[str, Any] = {
    "name": str | None,
    "dim": Size | None,
    "shape": Sequence[Size | Dim | None] | None,
    "dims": Sequence[Dim] | None,
    "dim_tags": Sequence[Dim] | None,
    "dtype": Any,
    "sparse": bool | None,
    "sparse_dim": Dim | None,
    "batch_dim_axis": _Axis,
    "time_dim_axis": _Axis,
    "feature_dim_axis": Annotated[int, Range(-MAX_AXES, MAX_AXES - 1)] | None,
    "vocab": Any,
    "available_for_inference": bool | None,
}

_REUSE_PARAMS: Mapping[str, Any] = {
    "reuse_layer": str | None,
    "map": dict[str, Any] | None,
    "custom": Callable[..., Any] | None,
    "auto_create_missing": bool | None,
    "layer_output": str | None,
    "shape": Sequence[Dim] | None,
}


def nested_problems(options: LayerOptions, place: Callable[[str], Origin]) -> Iterator[UserError]:
    """Everything that is wrong with them, whether or not the layer or its loss is built in this mode."""
    spec = find_loss(options.loss) if options.loss is not None else None
    if spec is not None and options.loss_opts is not None:
        yield from read_loss_options(spec, options.loss_opts, place("loss_opts"))[1]
    if isinstance(options.out_type, Mapping):
        where = place("out_type")
        yield from read_values(_OUT_TYPE, options.out_type, lambda key: where, owner="out_type")[1]
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
    values, problems = read_values(_REUSE_PARAMS, given, lambda key: where, owner="reuse_params")
    yield from problems
    for part in (values.get("map") or {}).values() if not problems else ():
        yield from _wrong_sharing(part, where, depth + 1)
