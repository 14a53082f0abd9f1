"""Creating and sharing parameters: names, initial values, regularisation, ``reuse_params``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from returnn_ir.construct.initializers import Init, OptionInit, check_init
from returnn_ir.construct.reuse_params import SharedParam, shared_param
from returnn_ir.construct.state import Param, Splits, axis_splits
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.network.naming import variable_name

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["ParamFlags", "create_param", "treat_inner_params"]


@dataclass(frozen=True)
class ParamFlags:
    """How a parameter is treated; see ``LayerBuilder.param``."""

    trainable: bool = True
    regularize: bool = True
    unit_scope: bool = True
    kept: bool = False
    split_under_noise: bool = False


def create_param(
    b: LayerBuilder,
    name: str,
    dims: tuple[Dim, ...],
    init: Init,
    dtype: str,
    flags: ParamFlags,
    splits: Mapping[Dim, Sequence[int]],
) -> Value:
    """A new parameter, or another layer's where ``reuse_params`` says so; see ``LayerBuilder.param``."""
    if not flags.kept:
        for dim in dims:
            b.size(dim)

    full = _full_name(b, name, flags)

    def own() -> Param:
        return _own(b, full, dims, init, dtype, flags)

    def made(full_name: str, axes: tuple[Dim, ...], given: Init) -> Param:
        return _own(b, full_name, axes, init if given is None else given, dtype, flags)

    param = shared_param(b, SharedParam(name, full, dims, dtype, own, made))
    if splits and (flags.split_under_noise or not any(_noise(b, len(dims)))):
        param = _split(b, param, axis_splits(dims, splits))
    b.program.layer_params.setdefault(b.definition.path, {})[name] = param
    value = b.rename(param.value, *zip(param.dims, dims, strict=True))
    return _perturbed(b, name, value, param) if b.training else value


def _full_name(b: LayerBuilder, name: str, flags: ParamFlags) -> str:
    """RETURNN's name of a variable."""
    options = b.definition.options
    scope = b.scope.param_scope(b.definition.name, options.name_scope)
    if options.name_scope is None and b.definition.spec.variable_scope and flags.unit_scope:
        scope = variable_name(scope, b.definition.spec.variable_scope)
    return variable_name(scope, name)


def _own(b: LayerBuilder, full: str, dims: tuple[Dim, ...], init: Init, dtype: str, flags: ParamFlags) -> Param:
    """A parameter of the layer's own, with its L2 and what it says of updates."""
    options = b.definition.options
    param = _made(b, full, dims, init, dtype, flags)
    if options.L2 and flags.regularize:
        # also of what is not trained, as RETURNN has it
        _penalize(b, param, options.L2)
    if options.updater_opts:
        b.program.updater_opts.setdefault(param.name, options.updater_opts)
    return param


def _made(b: LayerBuilder, full: str, dims: tuple[Dim, ...], init: Init, dtype: str, flags: ParamFlags) -> Param:
    """The variable of that full name, which other layers may have made already."""
    if full in b.program.params:
        return b.program.params[full]
    trainable = flags.trainable and b.program.is_trained(b.definition.path)
    where = b.place(init.key) if isinstance(init, OptionInit) else b.place()
    init = init.init if isinstance(init, OptionInit) else init
    # what is not understood or does not fit is an error now, not when training starts
    check_init(init, tuple(0 if d.size is None else d.size for d in dims), where)
    root = Builder(b.program.root, origin=b.origin)
    value = root.op("param", name=full, init=init, dtype=dtype, dims=dims)
    param = Param(full, value, dims, init, trainable, b.definition.path, axis_splits(dims, {}))
    b.program.params[full] = param
    if trainable:
        b.program.graph.trainable.append(full)
    return param


def _split(b: LayerBuilder, param: Param, splits: Splits) -> Param:
    """A parameter with these blocks; the last of the layers that share it decides, as in RETURNN.

    There, what a layer says of a parameter with noise is lost, unless it says so while the parameter is made.
    """
    params = b.program.params
    if param.name not in params:  # computed, or a layer's output
        return param
    params[param.name] = replace(params[param.name], splits=splits)
    return params[param.name]


def treat_inner_params(b: LayerBuilder) -> None:
    """What a layer with layers inside says of parameters is about all theirs.

    Its L2 counts whatever L2 they have themselves, its ``updater_opts`` where they have none.
    """
    options = b.definition.options
    scope = b.scope.param_scope(b.definition.name, options.name_scope)
    for param in list(b.program.params.values()):
        if param.name.startswith(f"{scope}/"):
            if options.L2:
                _penalize(b, param, options.L2, inner=True)
            if options.updater_opts:
                b.program.updater_opts.setdefault(param.name, options.updater_opts)


def _penalize(b: LayerBuilder, param: Param, factor: float, *, inner: bool = False) -> None:
    """Add the sum of a parameter's squared entries, times ``factor``; decoupled, the factor nearest to it counts."""
    if b.program.keys.decouple_constraints:
        if not inner or param.name not in b.program.decays:
            b.program.decays[param.name] = factor
        return
    root = Builder(b.program.root, origin=b.origin)
    b.program.constraints.append(root.op("l2_penalty", param.value, factor=factor))


def _perturbed(b: LayerBuilder, name: str, value: Value, param: Param) -> Value:
    """A parameter with noise, in training only."""
    deviation, rate = _noise(b, len(value.dims))
    if deviation:
        noise = b.random("normal", value.dims, f"{name}/noise")
        value = b.add(value, b.mul(noise, deviation))
    return b.dropout(value, rate, value.dims, f"{name}/dropout") if rate else value


def _noise(b: LayerBuilder, ndim: int) -> tuple[float, float]:
    """Deviation of the noise on a parameter and rate of its dropout; the config may say them for all layers."""
    options, everywhere = b.definition.options, b.program.keys
    deviation = _first(options.param_variational_noise, everywhere.param_variational_noise)
    rate = _first(options.param_dropout, everywhere.param_dropout)
    min_ndim = _first(options.param_dropout_min_ndim, everywhere.param_dropout_min_ndim)
    return deviation, rate if ndim >= min_ndim else 0.0


def _first(own: float | None, everywhere: float | None) -> float:
    chosen = own if own is not None else everywhere
    return chosen if chosen is not None else 0.0
