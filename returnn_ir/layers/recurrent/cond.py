"""Layers: cond, one of two layers, of which only the chosen one is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import match_dims
from returnn_ir.construct.branch_scope import BranchScope
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.loop_context import UntypedError
from returnn_ir.construct.parameters import treat_inner_params
from returnn_ir.construct.scope import NetScope, UnbuildableError
from returnn_ir.errors import ConfigError, DimError, UserError
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Region, Value
from returnn_ir.network.layer_options import LayerDict, LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.network.net import LayerDef
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class CondOptions(LayerOptions):
    """Options of ``cond``.

    Attributes:
        condition: a layer with one truth value.
        true_layer: the layer that is computed where it is true.
        false_layer: the layer that is computed elsewhere.
    """

    condition: LayerRef | LayerDict
    true_layer: LayerRef | LayerDict
    false_layer: LayerRef | LayerDict


@dataclass
class _Branch:
    """One branch while it is built.

    Attributes:
        output: the layer's result.
        parts: its sub-layers that can be reached from outside.
        states: new values of variables, by parameter name.
        checks: run-time checks of the layers inside.
        results: what the branch gives.
    """

    region: Region
    output: LayerOutput
    parts: dict[str, LayerOutput]
    states: dict[str, Value]
    checks: list[tuple[str, Value]]
    results: list[Value] = field(default_factory=list)


@layer("cond", options=CondOptions, sources="many", recurrent=True)
def cond(b: LayerBuilder, opt: CondOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """``true_layer`` where ``condition`` holds, a single bool, else ``false_layer``.

    The branches bear this layer's name, so that parameters of equal names are shared. Losses and constraints inside of
    them do not count (RETURNN builds them in networks of their own). The result has the axes of ``true_layer``; the
    sequences of the branches may differ in length.
    """
    condition = _condition(b, opt)
    if b.scope.loop is not None and b.scope.loop.trial:
        return _first_typed(b)
    branches = (_built(b, "true_layer"), _built(b, "false_layer"))
    treat_inner_params(b)
    merge = _Merge(b, branches)
    output = merge.output(branches[0].output, branches[1].output)
    common = [name for name in branches[0].parts if name in branches[1].parts]
    parts = {name: merge.output(branches[0].parts[name], branches[1].parts[name]) for name in common}
    merge.effects()
    chosen = dict(zip(branches[0].results, b.choose(condition, branches[0].region, branches[1].region), strict=True))
    merge.commit(chosen)
    return replace(_around(chosen, output), parts={name: _around(chosen, part) for name, part in parts.items()})


def _first_typed(b: LayerBuilder) -> LayerOutput:
    """While types in a loop are being found: a branch that can be built, as the other may need what this gives."""
    found: list[LayerOutput] = []
    missing: UserError | None = None
    for key in ("true_layer", "false_layer"):
        try:
            found.append(_built(b, key).output)
        except (UntypedError, UnbuildableError) as error:
            missing = error
    if missing is not None and not found:
        raise missing
    return found[0]


def _around(chosen: dict[Value, Value], x: LayerOutput) -> LayerOutput:
    return LayerOutput(chosen[x.value], x.axes, x.time_dim, x.feature_dim, variable=x.variable)


def _condition(b: LayerBuilder, opt: CondOptions) -> Value:
    if isinstance(opt.condition, LayerRef):
        found = b.layer(opt.condition)
    else:
        found = BranchScope(b.scope, b.region).build(b.definition.inner["condition"])
    if found.dtype != "bool" or found.axes:
        raise DimError(
            "the condition is one bool for the whole batch",
            where=b.place("condition"),
            expected="bool[]",
            received=found.value.type,
            hint="a 'switch' layer chooses entry by entry",
        )
    return found.value


# ---------------------------------------------------------------- building the branches


def _built(b: LayerBuilder, key: str) -> _Branch:
    """Build one branch; what its layers register with the program is taken back and kept in the branch."""
    program = b.program
    graph = program.graph
    losses, states = dict(graph.losses), dict(graph.state_updates)
    constraints, checks = len(program.constraints), len(graph.checks)
    decays = dict(program.decays)
    region = Region(parent=b.region)
    definition = b.definition.inner.get(key)
    if definition is None:
        output = b.layer(getattr(b.definition.options, key))
        parts = dict(output.parts)
    else:
        scope = BranchScope(b.scope, region)
        output = scope.build(_as_branch(b, definition))
        inner = scope.children.get(definition.name)
        parts = {**output.parts, **(_sub_layers(inner) if inner is not None else {})}
        for path in [p for p in program.layer_params if p == definition.path]:
            program.layer_params.setdefault(b.definition.path, {}).update(program.layer_params[path])
    updated = {name: v for name, v in graph.state_updates.items() if states.get(name) is not v}
    branch = _Branch(region, output, parts, updated, graph.checks[checks:])
    graph.losses, graph.state_updates = losses, states
    del program.constraints[constraints:], graph.checks[checks:]
    program.decays.clear()
    program.decays.update(decays)
    return branch


def _as_branch(b: LayerBuilder, definition: LayerDef) -> LayerDef:
    """A branch's own loss does not count, and it is not trained where this layer is not."""
    trainable = b.definition.options.trainable and definition.options.trainable
    return replace(definition, options=replace(definition.options, loss=None, trainable=trainable))


def _sub_layers(scope: NetScope) -> dict[str, LayerOutput]:
    """The output layers of a subnetwork."""

    def is_output(definition: LayerDef) -> bool:
        options = definition.options
        if options.is_output_layer is not None:
            return options.is_output_layer
        return options.loss is not None or definition.name == "output"

    return {name: x for name, x in scope.results.items() if is_output(scope.net.layers[name])}


# ---------------------------------------------------------------- bringing the branches together


class _Merge:
    """Gives the branches the same results: equal axes, lengths, states and checks."""

    def __init__(self, b: LayerBuilder, branches: tuple[_Branch, _Branch]) -> None:
        self._b = b
        self._branches = branches
        self._dims: dict[tuple[Dim, Dim], Dim] = {}
        self._lengths: dict[Dim, Value] = {}
        self._states: dict[str, Value] = {}
        self._checks: list[tuple[str, Value]] = []

    def output(self, x: LayerOutput, y: LayerOutput) -> LayerOutput:
        """Add a result; what is returned is that of the first branch, with the axes of the whole."""
        b = self._b
        if x.dtype != y.dtype:
            raise DimError("the branches differ in element type", where=b.place(), expected=x.dtype, received=y.dtype)
        pairs = self._pairs(x, y)
        dims = {dx: self._common(dx, dy) for dx, dy in pairs.items()}
        with b.inside(self._branches[0].region):
            value = self._own(b.rename(x.value, *dims.items()), 0)
        with b.inside(self._branches[1].region):
            other = b.rename(y.value, *((dy, dims[dx]) for dx, dy in pairs.items()))
            other = b.expand(other, *(d for d in value.dims if d not in other.dims))
            if other.type.sparse_dim is not value.type.sparse_dim:
                other = self._with_labels(other, value)
            self._own(other, 1)
        axes = tuple(dims.get(d, d) for d in x.axes)
        time, feature = (dims.get(d, d) if d is not None else None for d in (x.time_dim, x.feature_dim))
        return LayerOutput(value, axes, time, feature, variable=x.variable or y.variable)

    def effects(self) -> None:
        """Add new values of variables, a branch's own or what they were, and checks, which hold in the other branch."""
        b = self._b
        for name in dict.fromkeys([*self._branches[0].states, *self._branches[1].states]):
            before = b.program.graph.state_updates.get(name, b.program.params[name].value)
            values = [branch.states.get(name, before) for branch in self._branches]
            if not values[0].type.same_as(values[1].type):
                raise ConfigError(
                    "a state whose size changes from run to run cannot be kept inside of a cond",
                    where=b.place(),
                    expected=values[0].type,
                    received=values[1].type,
                )
            self._states[name] = self._both(*values)
        for at, branch in enumerate(self._branches):
            for message, holds in branch.checks:
                always = b.const(True)
                self._checks.append((message, self._both(*((holds, always) if at == 0 else (always, holds)))))

    def commit(self, chosen: dict[Value, Value]) -> None:
        """Define the lengths outside of the branches, and hand states and checks to the program."""
        for dim, length in self._lengths.items():
            self._b.define(dim, chosen[length])
        graph = self._b.program.graph
        graph.state_updates.update({name: chosen[v] for name, v in self._states.items()})
        graph.checks.extend((message, chosen[v]) for message, v in self._checks)

    def _own(self, value: Value, branch: int) -> Value:
        """Yield a value from a branch; as a node of its own, so that no two results are the same value."""
        results = self._branches[branch].results
        if value in results or value.node is None or value.node not in self._branches[branch].region.nodes:
            value = self._b.op("rename", value, dims=())
        results.append(value)
        self._branches[branch].region.results.append(value)
        return value

    def _both(self, x: Value, y: Value) -> Value:
        """Add a result of either branch; the first branch's stands for it."""
        with self._b.inside(self._branches[0].region):
            own = self._own(x, 0)
        with self._b.inside(self._branches[1].region):
            self._own(y, 1)
        return own

    def _with_labels(self, y: Value, x: Value) -> Value:
        mine, wanted = y.type.sparse_dim, x.type.sparse_dim
        if (mine.size if mine else None) != (wanted.size if wanted else None):
            raise DimError("the branches differ in labels", where=self._b.place(), expected=wanted, received=mine)
        return self._b.op("set_sparse", y, sparse_dim=wanted)

    def _pairs(self, x: LayerOutput, y: LayerOutput) -> dict[Dim, Dim]:
        """For each axis of ``x`` its partner in ``y``; dynamic axes that differ are paired in their order."""
        b = self._b
        found = match_dims(y, x.axes, x.feature_dim, b.behavior, b.place())
        pairs = {dx: dy for dy, dx in found.items()}
        free_x = [d for d in x.axes if d not in pairs and d.is_dynamic]
        free_y = [d for d in y.axes if d not in found and d.is_dynamic]
        pairs.update(zip(free_x, free_y, strict=False))
        alone = [d for d in y.axes if d not in pairs.values()]
        unequal = [(dx, dy) for dx, dy in pairs.items() if dx.size != dy.size]
        if alone or unequal:
            raise DimError("the branches differ in their axes", where=b.place(), expected=x.axes, received=y.axes)
        return pairs

    def _common(self, dx: Dim, dy: Dim) -> Dim:
        """What an axis is called outside: as in the first branch, or a new dim where the branches differ in length."""
        b = self._b
        visible = all(d.is_static or b.lookup(d) is not None for d in (dx, *leaves(dx)) if d.expr is None)
        if dx.is_static or (dx is dy and visible):
            return dx
        if dx.is_batch or dy.is_batch:
            raise DimError("the branches differ in their batch axis", where=b.place(), expected=dx, received=dy)
        known = self._dims.get((dx, dy))
        if known is None:
            known = b.dim(f"length{len(self._dims)}", None, feature=dx.feature, description=dx.description)
            self._dims[dx, dy] = known
            self._define(known, (dx, dy))
        return known

    def _define(self, dim: Dim, own: tuple[Dim, Dim]) -> None:
        b = self._b
        lengths: list[Value] = []
        for branch, d in zip(self._branches, own, strict=True):
            with b.inside(branch.region):
                lengths.append(b.length(d))
        every = tuple(dict.fromkeys([*lengths[0].dims, *lengths[1].dims]))
        for at, branch in enumerate(self._branches):
            with b.inside(branch.region):
                lengths[at] = self._own(b.expand(lengths[at], *every), at)
                b.define(dim, lengths[at])
        self._lengths[dim] = lengths[0]
