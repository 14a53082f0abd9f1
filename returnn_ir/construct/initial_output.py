"""``initial_output``: what ``prev:NAME`` gives in the first step, in all of RETURNN's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.construct.loop_context import conform
from returnn_ir.construct.state import Param, axis_splits
from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TEXT
from returnn_ir.network.naming import variable_name

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import LayerDef

__all__ = [
    "POSITIONS",
    "initial_output",
    "initial_output_of",
    "initial_output_refs",
    "initial_type",
    "needs_sources",
    "previous_type",
]

#: 0, 1, 2, ... along the last axis; layers ask for it, configs cannot.
POSITIONS = "/positions"
_NAMED = ("zeros", "ones", "var", "apply(0)", POSITIONS)


def initial_output_refs(given: object) -> list[str]:
    """The layer that the option names, if it names one."""
    return [given] if isinstance(given, str) and given not in _NAMED else []


def needs_sources(scope: NetScope, name: str) -> bool:
    """Whether the initial value is computed from what the layer's sources are."""
    definition = scope.net.layers[name]
    given: object = definition.inner.get("unit", definition).options.initial_output
    return given == "apply(0)"


def initial_type(scope: NetScope, name: str) -> OutputType | None:
    """What the layer gives that stands for the step before the first one; None without such a layer."""
    definition = scope.net.layers[name]
    for ref in initial_output_refs(definition.inner.get("unit", definition).options.initial_output):
        if ref.startswith("prev:"):  # refused where the value is asked for; a circle here
            return None
        try:
            return OutputType.of(scope.outside(ref))
        except UserError:
            return None
    return None


def previous_type(scope: NetScope, name: str, output: LayerOutput) -> OutputType:
    """What ``prev:`` of a layer gives: what the layer does, with axes that only the step before the first one has."""
    own = OutputType.of(output)
    initial = initial_type(scope, name)
    return own if initial is None else own.with_axes_of(initial)


def initial_output(scope: NetScope, name: str, output_type: OutputType, b: Builder) -> Value:
    """The value before the first step, of that type, in the region around the loop.

    Args:
        scope: where the layer stands.
        b: emits into the region around the loop.
    """
    return initial_output_of(scope, scope.net.layers[name], output_type, b)


def initial_output_of(scope: NetScope, definition: LayerDef, output_type: OutputType, b: Builder) -> Value:
    """As :func:`initial_output`; a layer around another one starts like that one."""
    definition = definition.inner.get("unit", definition)
    given = definition.options.initial_output
    origin = definition.origin.with_key("initial_output")
    with b.at(origin):
        value = _value(scope, definition, given, output_type, b, origin)
        return conform(b, value, output_type.type, "initial_output")


def _value(
    scope: NetScope, definition: LayerDef, given: object, output_type: OutputType, b: Builder, origin: Origin
) -> Value:
    if output_type.type.dtype == TEXT and given in (None, "zeros"):
        return b.const("", TEXT)
    if given is None or given == "zeros":
        return b.const(0, output_type.type.dtype)
    if given == "ones":
        return b.const(1, output_type.type.dtype)
    if isinstance(given, (bool, int, float)):
        return b.const(given, output_type.type.dtype)
    if given == POSITIONS:
        axes = output_type.axes  # none as long as nothing is known of the layer
        return b.iota(axes[-1], output_type.type.dtype) if axes else b.const(0, output_type.type.dtype)
    if given == "var":
        return _variable(scope, definition, output_type, b, origin)
    if given == "apply(0)":
        return _applied_to_zeros(scope, definition, b)
    if isinstance(given, str) and not given.startswith("prev:"):
        return scope.outside(given, origin).value
    raise ConfigError(
        "initial_output is not understood",
        where=origin,
        expected="a number, 'zeros', 'ones', 'var', 'apply(0)' or a layer",
        received=repr(given),
    )


def _variable(scope: NetScope, definition: LayerDef, output_type: OutputType, b: Builder, origin: Origin) -> Value:
    """A trained vector over the features."""
    program = scope.program
    dims = tuple(d for d in output_type.axes if d.is_static)
    own = scope.param_scope(definition.name, definition.options.name_scope)
    full = variable_name(own, f"init_{definition.name}_var")
    if full not in program.params:
        root = Builder(program.root, origin=origin)
        value = root.op("param", name=full, init=0.0, dtype=output_type.type.dtype, dims=dims)
        program.params[full] = Param(full, value, dims, 0.0, True, scope.net.path, axis_splits(dims, {}))
        program.graph.trainable.append(full)
    param = program.params[full]
    return b.rename(param.value, *zip(param.dims, dims, strict=True))


def _applied_to_zeros(scope: NetScope, definition: LayerDef, b: Builder) -> Value:
    """The layer's own function on sources that are zero; its penalties are those of the layer itself."""
    from returnn_ir.construct.layer_builder import LayerBuilder

    zeros = []
    for source in definition.sources:
        output_type = OutputType.of(scope.get(source, definition.origin))
        zero = b.op("set_sparse", b.const(0, output_type.type.dtype), sparse_dim=output_type.type.sparse_dim)
        zeros.append(output_type.around(b.expand(zero, *output_type.type.dims)))
    builder = LayerBuilder(scope.program, scope, definition)
    builder.region = b.region
    constraints = len(scope.program.constraints)
    made: LayerOutput = scope.apply(builder, definition, zeros)
    del scope.program.constraints[constraints:]
    return made.value
