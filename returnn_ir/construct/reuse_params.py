"""``reuse_params``: a layer's parameters taken from other layers, computed from theirs, or from a layer's output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.state import Param, axis_splits
from returnn_ir.errors import ConfigError, DimError, UserError
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.trace import traceable
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.nested_options import ReuseParams
from returnn_ir.options import checked, read_options

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["shared_param"]


def shared_param(b: LayerBuilder, name: str, dims: tuple[Dim, ...]) -> Param | None:
    """The parameter that the layer's ``reuse_params`` gives; None for its own.

    As in RETURNN, the option has no effect on layers that only hold other layers (subnetworks, loops). ``name`` is
    relative to the layer; ``dims`` are the axes that the layer wants, which a computed parameter has to fit.
    """
    return _resolve(b, name, dims, b.definition.options.reuse_params)


def _resolve(b: LayerBuilder, name: str, dims: tuple[Dim, ...], reuse: str | Mapping[str, Any] | None) -> Param | None:
    if not reuse:
        return None
    given = {"reuse_layer": reuse} if isinstance(reuse, str) else reuse
    opts = checked(read_options(ReuseParams, given, lambda key: b.place("reuse_params"), owner="reuse_params"))
    if opts.custom is not None:
        return _computed(b, name, dims, opts.custom, opts.reuse_layer)
    missing_is_own = bool(opts.auto_create_missing)
    if opts.map is not None:
        if name in opts.map:
            return _resolve(b, name, dims, opts.map[name])
        if not missing_is_own:
            raise ConfigError(
                f"reuse_params: the map does not say what to do with parameter {name!r}",
                where=b.place("reuse_params"),
                hint=f"add {name!r}: None for a parameter of the layer's own, or 'auto_create_missing': True",
            )
    layer = opts.reuse_layer
    if layer is not None:
        found = _params_of(b, layer)
        if name in found:
            return found[name]
        if not missing_is_own:
            raise ConfigError(
                f"reuse_params: layer {layer!r} has no parameter {name!r}",
                where=b.place("reuse_params"),
                expected=", ".join(found) or "a layer with parameters",
            )
    if opts.layer_output is not None:
        return _from_output(b, b.layer(opts.layer_output), dims, opts.shape)
    return None


def _params_of(b: LayerBuilder, layer: str) -> dict[str, Param]:
    """All parameters of a layer and of the layers nested in it, by their names relative to it."""
    b.layer(layer)
    path = b.scope.path_of(layer)
    found = dict(b.program.layer_params.get(path, {}))
    for other, params in b.program.layer_params.items():
        if other.startswith(f"{path}/"):
            found.update({f"{other.removeprefix(path + '/')}/{name}": p for name, p in params.items()})
    return found


def _from_output(b: LayerBuilder, x: LayerOutput, dims: tuple[Dim, ...], shape: Sequence[Dim] | None) -> Param:
    """A layer's output as a parameter, its axes in the order of ``shape``."""
    axes = x.axes if shape is None else tuple(shape)
    if set(axes) != set(x.axes):
        raise DimError(
            "'shape' is not that of the layer", where=b.place("reuse_params"), expected=x.axes, received=axes
        )
    return _fitting(b, Numbered(b, x.value, axes), dims)


def _computed(
    b: LayerBuilder, name: str, dims: tuple[Dim, ...], function: Callable[..., Any], layer: str | None
) -> Param:
    """The parameter that the config's function gives for those of the other layer."""
    params = _params_of(b, layer) if layer is not None else {}
    view = ReuseLayerView(layer, {n: Numbered(b, p.value, p.dims) for n, p in params.items()})
    arguments = {
        "base_layer": ReuseLayerView(b.definition.name, {}),
        "reuse_layer": view,
        "name": name,
        "full_name": f"{b.definition.path}/{name}",
        "shape": tuple(d.size for d in dims),
        "dtype": "float32",
        "getter": _no_getter,
    }
    try:
        result = traceable(b, function)(**arguments)
    except UserError as error:
        error.where = error.where or b.place("reuse_params")
        raise
    except Exception as error:  # the config's own function runs here
        raise ConfigError(
            f"reuse_params: the custom function cannot be compiled: {error}", where=b.place("reuse_params")
        ) from error
    if not isinstance(result, Numbered):
        raise ConfigError(
            "reuse_params: the custom function gives no tensor", where=b.place("reuse_params"), received=repr(result)
        )
    return _fitting(b, result, dims)


class ReuseLayerView:
    """The layer that parameters are taken from, as a custom function sees it."""

    def __init__(self, name: object, params: dict[str, Numbered]) -> None:
        self.name = name
        self.params = params


def _no_getter(*args: object, **options: object) -> None:
    raise ConfigError("reuse_params: a custom function that makes variables of its own is not supported")


def _fitting(b: LayerBuilder, x: Numbered, dims: tuple[Dim, ...]) -> Param:
    """A tensor over the axes that the layer wants."""
    if list(x.shape) != [d.size for d in dims]:
        raise DimError(
            "reuse_params: the tensor has another shape",
            where=b.place("reuse_params"),
            expected=[d.size for d in dims],
            received=list(x.shape),
        )
    stand_ins = tuple(Dim(f"shared{i}", d.size) for i, d in enumerate(dims))
    value: Value = b.rename(x.value, *((own, s) for own, s in zip(x.axes, stand_ins, strict=True) if own is not None))
    value = b.expand(value, *stand_ins)
    return Param("", value, stand_ins, None, False, b.definition.path, axis_splits(stand_ins, {}))
