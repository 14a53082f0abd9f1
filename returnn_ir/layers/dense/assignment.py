"""Layers that assign to variables and read them at a certain point: variable_assign, variable_read.

A variable is read once, when a run begins; what is assigned is stored when it ends. In between a ``variable_read`` that
depends on an assignment sees the new value. RETURNN's variable is a reference: fetching the layer itself gives what
was assigned to it (see :func:`returnn_ir.construct.construct.construct`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []

_Layers = list[LayerRef] | tuple[LayerRef, ...] | None


@option_class
class VariableAssignOptions(LayerOptions):
    """Options of ``variable_assign``.

    Attributes:
        var: the layer of the variable.
        value: the layer with the value.
        control_dependencies: layers that are computed before.
        op: assign or add.
    """

    var: LayerRef
    value: LayerRef
    control_dependencies: _Layers = None
    op: str = "assign"


@layer("variable_assign", options=VariableAssignOptions, sources="none")
def variable_assign(b: LayerBuilder, opt: VariableAssignOptions) -> LayerOutput:
    """Store a value, or add it (``op``), when the run ends; the layer's own value is 0."""
    if opt.op not in ("assign", "add"):
        raise ConfigError("unknown op", where=b.place("op"), expected="assign or add", received=opt.op)
    if b.in_loop:
        raise ConfigError(
            "a variable changes once in a run, not in each step of a loop",
            where=b.place(),
            hint="assign after the loop",
        )
    name = _variable(b, opt.var, opt.control_dependencies)
    now = _value(b, name)
    value = _fitting(b, opt, now)
    b.program.graph.state_updates[name] = b.add(now, value) if opt.op == "add" else value
    return LayerOutput(b.const(0, "int32"), (), variable=name)


@option_class
class VariableReadOptions(LayerOptions):
    """Options of ``variable_read``.

    Attributes:
        var: the layer of the variable.
        control_dependencies: layers that are computed before.
    """

    var: LayerRef
    control_dependencies: _Layers = None


@layer("variable_read", options=VariableReadOptions, sources="none")
def variable_read(b: LayerBuilder, opt: VariableReadOptions) -> LayerOutput:
    """A variable after the assignments that this layer depends on."""
    name = _variable(b, opt.var, opt.control_dependencies)
    found, held = b.layer(opt.var), b.program.params[name].value
    waits = any(b.layer(ref).variable == name for ref in opt.control_dependencies or ())
    value = _value(b, name) if waits or found.value is not held else held
    if not set(value.dims) <= set(found.axes):
        raise ConfigError(
            "this layer assigns to a variable",
            where=b.place("var"),
            expected="the variable, and the assignment in control_dependencies",
            received=opt.var,
        )
    return replace(found, value=b.expand(value, *found.axes))


def _variable(b: LayerBuilder, var: LayerRef, before: Sequence[LayerRef] | None) -> str:
    """The name of the variable's parameter; the layers that come ``before`` are built."""
    for ref in before or ():
        b.layer(ref)
    name = b.layer(var).variable
    if not name:
        raise ConfigError("not a variable", where=b.place("var"), expected="a layer of class variable", received=var)
    return name


def _value(b: LayerBuilder, name: str) -> Value:
    """What the variable holds after the assignments so far."""
    return b.program.graph.state_updates.get(name, b.program.params[name].value)


def _fitting(b: LayerBuilder, opt: VariableAssignOptions, now: Value) -> Value:
    """The value with the variable's axes."""
    given = b.layer(opt.value)
    value = b.unify([LayerOutput.of(now, now.dims), given]).values[1]
    if set(value.dims) - set(now.dims):
        raise DimError(
            "the value has axes that the variable lacks",
            where=b.place("value"),
            expected=now.type,
            received=given.value.type,
        )
    return b.cast(b.op("set_sparse", b.expand(value, *now.dims), sparse_dim=None), now.dtype)
