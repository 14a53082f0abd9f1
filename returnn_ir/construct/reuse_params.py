"""``reuse_params``: a layer's parameters taken from other layers, computed from theirs, or from a layer's output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.awaited_params import await_param, waits_for
from returnn_ir.construct.initializers import Init
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

__all__ = ["SharedParam", "shared_param"]


@dataclass(frozen=True)
class SharedParam:
    """A parameter that a layer asks for.

    Attributes:
        name: within the layer.
        full_name: of the variable, if it is the layer's own.
        dims: the axes that the layer wants, which a computed parameter has to fit.
        own: makes it a parameter of the layer's own.
        made: a variable of a full name, with these axes and an initialiser (None: the layer's).
    """

    name: str
    full_name: str
    dims: tuple[Dim, ...]
    dtype: str
    own: Callable[[], Param]
    made: Callable[[str, tuple[Dim, ...], Init], Param]


def shared_param(b: LayerBuilder, wanted: SharedParam) -> Param:
    """The parameter that the layer's ``reuse_params`` gives, or the layer's own.

    As in RETURNN, the option has no effect on layers that only hold other layers (subnetworks, loops). Where the other
    layer needs this one, this one is built first, and the parameter is found when everything is built.
    """
    source = _source(b, wanted.name, b.definition.options.reuse_params)
    if source is None:
        return wanted.own()

    def find() -> Param:
        with b.inside(b.program.root) if waits else nullcontext():
            return _of_size(b, _given(b, wanted, source), wanted.dims)

    waits = source.reuse_layer is not None and waits_for(b.scope, source.reuse_layer)
    return await_param(b, wanted.name, wanted.dims, wanted.dtype, find) if waits else find()


def _source(b: LayerBuilder, name: str, reuse: str | Mapping[str, Any] | None) -> ReuseParams | None:
    """What ``reuse_params`` says of one parameter; None: it is the layer's own."""
    if not reuse:
        return None
    given = {"reuse_layer": reuse} if isinstance(reuse, str) else reuse
    opts = checked(read_options(ReuseParams, given, lambda key: b.place("reuse_params"), owner="reuse_params"))
    if opts.custom is None and opts.map is not None:
        if name in opts.map:
            return _source(b, name, opts.map[name])
        if not opts.auto_create_missing:
            raise ConfigError(
                f"reuse_params: the map does not say what to do with parameter {name!r}",
                where=b.place("reuse_params"),
                hint=f"add {name!r}: None for a parameter of the layer's own, or 'auto_create_missing': True",
            )
    return opts


def _given(b: LayerBuilder, wanted: SharedParam, source: ReuseParams) -> Param:
    """The parameter, once the layers that it comes from are there or can be built."""
    layer = source.reuse_layer
    if source.custom is not None:
        return _computed(b, wanted, source.custom, layer)
    if layer is not None:
        found = _params_of(b, layer)
        if wanted.name in found:
            return found[wanted.name]
        if not source.auto_create_missing:
            raise ConfigError(
                f"reuse_params: layer {layer!r} has no parameter {wanted.name!r}",
                where=b.place("reuse_params"),
                expected=", ".join(found) or "a layer with parameters",
            )
    if source.layer_output is not None:
        return _from_output(b, b.layer(source.layer_output), wanted.dims, source.shape)
    return wanted.own()


def _of_size(b: LayerBuilder, param: Param, dims: tuple[Dim, ...]) -> Param:
    if [d.size for d in param.dims] != [d.size for d in dims]:
        raise DimError(
            f"the shared parameter {param.name!r} has another shape",
            where=b.place("reuse_params"),
            expected=[d.size for d in dims],
            received=[d.size for d in param.dims],
        )
    return param


def _params_of(b: LayerBuilder, layer: str) -> dict[str, Param]:
    """All parameters of a layer and of the layers nested in it, by their names relative to it."""
    path = b.scope.path_of(layer)
    if path not in b.program.layer_params:
        b.layer(layer)
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


def _computed(b: LayerBuilder, wanted: SharedParam, function: Callable[..., Any], layer: str | None) -> Param:
    """The parameter that the config's function gives for those of the other layer."""
    params = _params_of(b, layer) if layer is not None else {}
    view = ReuseLayerView(layer, {n: Numbered(b, p.value, p.dims) for n, p in params.items()})
    arguments = {
        "base_layer": ReuseLayerView(b.definition.name, {}),
        "reuse_layer": view,
        "name": wanted.name,
        "full_name": wanted.full_name,
        "shape": tuple(d.size for d in wanted.dims),
        "dtype": wanted.dtype,
        "initializer": None,
        "trainable": True,
        "getter": _Getter(b, wanted),
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
    return _fitting(b, result, wanted.dims)


class ReuseLayerView:
    """The layer that parameters are taken from, as a custom function sees it."""

    def __init__(self, name: object, params: dict[str, Numbered]) -> None:
        self.name = name
        self.params = params


class _Getter:
    """Makes variables for a custom function, as ``tf.get_variable`` does."""

    def __init__(self, b: LayerBuilder, wanted: SharedParam) -> None:
        self._b = b
        self._wanted = wanted

    def __call__(
        self, name: str, shape: Sequence[int] | None = None, initializer: Init = None, **options: object
    ) -> Numbered:
        """A variable of that full name; ``initializer`` None is the layer's own."""
        if shape is None:
            raise ConfigError(
                f"reuse_params: the custom function does not say the shape of variable {name!r}",
                where=self._b.place("reuse_params"),
                hint=f"getter(name=..., shape={tuple(d.size for d in self._wanted.dims)}) is what the layer asks for",
            )
        axes = tuple(Dim(f"{name}.{i}", int(size)) for i, size in enumerate(shape))
        param = self._wanted.made(name, axes, initializer)
        return Numbered(self._b, param.value, param.dims)


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
