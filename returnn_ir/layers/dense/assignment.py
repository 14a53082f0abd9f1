"""Layers that assign to variables and read them at a certain point: variable_assign, variable_read.

A variable is read once, when a run begins; what is assigned is stored when it ends. In between a ``variable_read`` that
depends on an assignment sees the new value. RETURNN's variable is a reference: fetching the layer itself gives what
was assigned to it (see :func:`returnn_ir.construct.construct.construct`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.graph import Value
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope

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
    """Store a value, or add it (``op``); the layer's own value is 0.

    A run ends with the last value; in a loop each step finds what the one before assigned.
    """
    if opt.op not in ("assign", "add"):
        raise ConfigError("unknown op", where=b.place("op"), expected="assign or add", received=opt.op)
    name = _variable(b, opt.var, opt.control_dependencies)
    held = _Held(b, name)
    held.begin()
    now = held.value()
    value = _fitting(b, opt, now)
    held.assign(b.add(now, value) if opt.op == "add" else value)
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
    """A variable after the assignments that this layer depends on; without one, as ``var`` found it.

    It is a copy: what is assigned later does not show in it, as it does in the variable.
    """
    name = _variable(b, opt.var, opt.control_dependencies)
    found = b.layer(opt.var)
    waits = any(b.layer(ref).variable == name for ref in opt.control_dependencies or ())
    value = _Held(b, name).value() if waits or _assigns(b, opt.var) else found.value
    if not set(value.dims) <= set(found.axes):
        raise ConfigError(
            "this layer assigns to a variable",
            where=b.place("var"),
            expected="the variable, and the assignment in control_dependencies",
            received=opt.var,
        )
    return replace(found, value=b.op("rename", b.expand(value, *found.axes), dims=()))


def _assigns(b: LayerBuilder, ref: LayerRef) -> bool:
    """Whether a layer about a variable is no variable and no reading of one."""
    scope, name = b.scope.locate(ref)
    definition = scope.net.layers.get(name)
    return definition is None or definition.spec.name == "variable_assign"


def _variable(b: LayerBuilder, var: LayerRef, before: Sequence[LayerRef] | None) -> str:
    """The name of the variable's parameter; the layers that come ``before`` are built."""
    for ref in before or ():
        b.layer(ref)
    name = b.layer(var).variable
    if not name:
        raise ConfigError("not a variable", where=b.place("var"), expected="a layer of class variable", received=var)
    return name


class _Held:
    """What a variable holds after the assignments so far.

    Args:
        scope: where it is read or assigned to; in a loop, in its steps.
    """

    def __init__(self, b: LayerBuilder, name: str, scope: NetScope | None = None) -> None:
        self._b = b
        self._name = name
        self._scope = scope if scope is not None else b.scope
        self._loop = self._scope.loop
        self._key = f"variable:{name}"

    def value(self) -> Value:
        """The value; in a loop that does not assign it, that in front of the loop."""
        if self._loop is None:
            updates, params = self._b.program.graph.state_updates, self._b.program.params
            return updates.get(self._name, params[self._name].value)
        carry = self._loop.builder.carries.get(self._key)
        if carry is None:
            return self._outside().value()
        return carry.value if carry.following is None else carry.following

    def begin(self) -> None:
        """In a loop the value goes from step to step from here on."""
        if self._loop is None or self._key in self._loop.builder.carries:
            return
        builder = self._loop.builder
        if self._b.region is not builder.region or self._scope.step_mask is not None:
            raise ConfigError(
                "an assignment in a loop that happens in some steps only",
                where=self._b.place(),
                expected="one that stands in the loop itself, in no cond and no masked_computation",
                hint="assign a value that is chosen by a switch",
            )
        outside = self._outside()
        outside.begin()
        builder.carry(self._key, outside.value())
        self._loop.at_end.append(lambda: outside.assign(builder.last(self._key)))

    def assign(self, value: Value) -> None:
        """From here on the variable holds this."""
        if self._loop is None:
            self._b.program.graph.state_updates[self._name] = value
        else:
            self._loop.builder.carries[self._key].following = value

    def _outside(self) -> _Held:
        """The same variable around the loop."""
        scope = self._scope
        while scope.loop is self._loop and scope.parent is not None:
            scope = scope.parent
        return _Held(self._b, self._name, scope)


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
