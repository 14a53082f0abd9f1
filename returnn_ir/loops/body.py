"""The body of a recurrent subnetwork under construction: its layers, what they carry, and what leaves the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.construct.attach_losses import has_loss
from returnn_ir.construct.initial_output import initial_output
from returnn_ir.construct.loop_builder import LENGTH, LoopBuilder, state_carry
from returnn_ir.construct.loop_context import AnsweredError, LoopContext, Probe, conform, state_key
from returnn_ir.construct.recurrence import without_gradient
from returnn_ir.construct.scope import NetScope, UnbuildableError
from returnn_ir.construct.state import ProgramState
from returnn_ir.construct.type_search import TypeSearch
from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Region, Value
from returnn_ir.loops.axis import LoopAxis
from returnn_ir.loops.loop_exit import LoopExit
from returnn_ir.loops.loop_losses import leave_with_loss
from returnn_ir.loops.options import RecOptions
from returnn_ir.loops.other_axes import other_axis_of, require_length
from returnn_ir.loops.step_axes import last_parts
from returnn_ir.loops.types import quietly
from returnn_ir.network.naming import variable_name

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.network.net import Net

__all__ = ["Body"]

#: What follows a layer's name where its output before the activation leaves the loop.
_BEFORE = "/:before"


@dataclass
class Body:
    """Builds the loop of one rec layer, as often as it takes."""

    b: LayerBuilder
    opt: RecOptions
    source: LayerOutput | None
    net: Net
    axis: LoopAxis
    limit: Value | None
    own_time: str = "own_time"

    def __post_init__(self) -> None:
        self.found: list[UserError] = []
        self._sequences: dict[str, LayerOutput] = {}
        self._tried: NetScope | None = None

    def problems(self) -> list[UserError]:
        """Where the real body reports."""
        return self.found

    def place(self) -> Origin:
        """Where the body is written."""
        return self.b.place("unit")

    def trial(self, known: Mapping[str, OutputType], search: TypeSearch) -> tuple[LoopContext, NetScope]:
        """A body whose parameters, losses and nodes are thrown away."""
        program = self.b.program
        fork = replace(
            program,
            graph=Graph(body=Region(parent=self.b.region), mode=program.mode),
            params=dict(program.params),
            layer_params=dict(program.layer_params),
            awaited={},
            constraints=[],
        )
        loop, scope = self.open(fork, known, [])
        loop.trial, loop.search, loop.builder.drafts = True, search, True
        self._tried = scope
        return loop, scope

    def open(
        self, program: ProgramState, previous: Mapping[str, OutputType], problems: list[UserError]
    ) -> tuple[LoopContext, NetScope]:
        """A new loop with its scope."""
        b = self.b
        around = b.region if program is b.program else program.root
        outer = Builder(around, origin=b.origin)
        dim = self.axis.steps if self.axis.steps is not None else self.axis.dim
        moves_out = self.opt.optimize_move_layers_out
        if moves_out is None:
            moves_out = program.keys.optimize_move_layers_out
        builder = LoopBuilder(
            outer, dim, b.dim(self.own_time, dim.size, description=dim.description), self.limit, moves_out
        )
        b.stands_for(builder.own_time, self.axis.dim)
        loop = LoopContext(builder, previous=dict(previous), include_eos=self.opt.include_eos)
        loop.back_prop = self.opt.back_prop is not False
        data: dict[str, LayerOutput] = {}
        if self.source is not None:
            data["data"] = data["source"] = loop.slice_of(self.source)
            loop.source = data["source"]
        definition = b.definition
        prefix = b.scope.param_scope(definition.name, definition.options.name_scope)
        if definition.options.name_scope is None:
            prefix = variable_name(prefix, "rec")
        scope = NetScope(
            self.net,
            program,
            builder.region,
            parent=b.scope,
            data=data,
            param_prefix=prefix,
            loop=loop,
            problems=problems,
        )
        if self.axis.ends:
            self._start_ended(loop)
        elif b.program.searching:
            # RETURNN scores one frame behind a sequence's end, too
            counts = self.opt.include_eos or b.program.independent_scores
            last = outer.length(dim) if counts else outer.add(outer.length(dim), 1)
            inner = Builder(builder.region, origin=b.origin)
            loop.ended = inner.binary("greater_equal", builder.index, last)
        return loop, scope

    def _start_ended(self, loop: LoopContext) -> None:
        builder, dims = loop.builder, self._dims_of_end()
        never = builder.outer.expand(builder.outer.const(False), *dims)
        zero = builder.outer.expand(builder.outer.const(0, "int64"), *dims)
        loop.ended = builder.carry("ended", never)
        builder.carry(LENGTH, zero)

    def _dims_of_end(self) -> tuple[Dim, ...]:
        """Each sequence ends for itself, unless ``end`` is one value for all of them; a search ends hypotheses."""
        end = self._tried.built("end") if self._tried is not None and not self.b.program.searching else None
        return (self.b.batch(),) if end is None or end.batch_dim is not None else ()

    def wanted(self) -> list[str]:
        """The layers that are needed besides what they need."""
        program, path = self.b.program, self.b.definition.path
        names = ["output"]
        for name, definition in self.net.layers.items():
            options = definition.options
            if (
                options.is_output_layer
                or options.need_last
                or has_loss(options, program.loss_mode)
                or f"{path}/{name}" in program.requested
            ):
                names.append(name)
        if self.axis.ends:
            names.append("end")
        return list(dict.fromkeys(names))

    def requested_inside(self) -> list[str]:
        """Layers of nested networks that somebody outside asks for."""
        prefix = f"{self.b.definition.path}/"
        found = [path.removeprefix(prefix) for path in self.b.program.requested if path.startswith(prefix)]
        return sorted(name for name in found if name not in self.net.layers and name.split("/")[0] in self.net.layers)

    def build(self, scope: NetScope) -> list[str]:
        """Build every layer that is needed, those that are only read one step later too."""
        names = self.wanted()
        for name in (*names, *self.requested_inside()):
            quietly(scope, name)
        if scope.loop is not None:
            _build_asked(scope.loop)
        return names

    def look_ahead(self, loop: LoopContext, previous: Mapping[str, OutputType]) -> None:
        """Let layers of a loop ask for what there is in all steps, by loops of their own in front of it.

        The layers built for that say nothing besides: no losses, no constraints.
        """
        loop.sequence = lambda path: self._in_front(path, previous, partial(self._probed, path))
        loop.steps = lambda name: self.in_front_of(name, previous)

    def in_front_of(self, name: str, previous: Mapping[str, OutputType]) -> LayerOutput:
        """A layer of the body, or ``prev:`` of one, in all steps, from a loop of its own."""
        return self._in_front(f"{name} itself", previous, lambda _, scope: scope.get(name))

    def _in_front(
        self, key: str, previous: Mapping[str, OutputType], ask: Callable[[LoopContext, NetScope], LayerOutput]
    ) -> LayerOutput:
        """All steps of what is found in a body; it must not need what asks for it."""
        if key not in self._sequences:
            program, b = self.b.program, self.b
            if self.axis.ends:
                raise ConfigError(
                    "the loop finds its own end: its frames are not known in front of it", where=b.place()
                )
            constraints = len(program.constraints)
            loop, scope = self.open(program, previous, self.problems())
            self.look_ahead(loop, previous)
            found = ask(loop, scope)
            _build_asked(loop)
            self._close_carries(loop)
            exits = self._exits(loop)
            leaving = exits.leave(found)
            loop.builder.finish()
            self._sequences[key] = exits.outside(leaving)
            del program.constraints[constraints:]
        return self._sequences[key]

    def _exits(self, loop: LoopContext) -> LoopExit:
        return LoopExit(self.b, loop.builder, self.axis.dim, lambda dim: self._longest(dim, loop.previous))

    def _longest(self, dim: Dim, previous: Mapping[str, OutputType]) -> Value:
        """How long an axis of the body becomes: found by a loop in front of the real one, which finds nothing else."""
        program, b = self.b.program, self.b
        if program.searching:
            raise ConfigError(
                "a result cannot leave a search, because its size changes from step to step",
                where=self.place(),
                received=dim,
            )
        constraints = len(program.constraints)
        loop, scope = self.open(program, previous, self.problems())
        builder = loop.builder
        if self.axis.ends:
            builder.dim = Dim(f"{builder.dim.name} to see", None)
        self.look_ahead(loop, previous)
        self.build(scope)
        inner = Builder(builder.region, origin=b.origin)
        self._close_carries(loop)
        if self.axis.ends:
            self._finish_ended(loop, scope, inner)
        length = inner.length(dim)
        others = [d for d in length.dims if not d.is_batch]
        length = inner.expand(inner.reduce("max", length, *others) if others else length, b.batch())
        held = builder.carry("longest", builder.outer.expand(builder.outer.const(0, "int64"), b.batch()))
        builder.carries["longest"].following = inner.maximum(held, length)
        builder.finish()
        del program.constraints[constraints:]
        found = builder.last("longest")
        return builder.outer.reduce("max", found, *found.dims)

    def _probed(self, path: str, loop: LoopContext, scope: NetScope) -> LayerOutput:
        """What the layer of that path works on."""
        loop.probe = probe = Probe(path)
        own = path.removeprefix(f"{self.net.path}/")
        for name in dict.fromkeys((own.split("/")[0], own)):
            with suppress(AnsweredError):
                quietly(scope, name)
            if probe.found is not None:
                return probe.found
        cause = scope.failure(own.split("/")[:1]) or ConfigError(
            f"layer {own!r} works on nothing that is known in front of the loop", where=self.b.place("unit")
        )
        raise UnbuildableError(own, cause, self.b.place("unit"))

    def _close_carries(self, loop: LoopContext) -> None:
        """Say what previous steps become."""
        builder = loop.builder
        inner = Builder(builder.region, origin=self.b.origin)
        for path, (owner, name) in loop.located().items():
            carry = builder.carries.get(f"prev:{path}")
            if carry is not None:
                value = owner.get(name).value
                if carry.initial is None:
                    carry.initial = initial_output(owner, name, loop.previous[path], builder.outer)
                state = state_carry(builder, path)
                if state is not None and state.initial is not None and state.value.type.same_as(carry.value.type):
                    carry.initial = state.initial  # a cell's output before the first step is its initial state
                self._derived_states(builder, inner, path, owner.get(name))
                following = conform(inner, value, carry.value.type, f"layer {path!r} as prev:{name}")
                mask = owner.step_mask
                carry.following = following if mask is None else inner.where(mask, following, carry.value)

    def close(self, loop: LoopContext, scope: NetScope, names: list[str]) -> LayerOutput:
        """Say what the carries become, emit the loop, and collect what leaves it."""
        builder = loop.builder
        inner = Builder(builder.region, origin=self.b.origin)
        self._close_carries(loop)
        counted = self._finish_ended(loop, scope, inner) if self.axis.ends else None
        last = self._keep_last(loop, scope, names, counted)
        exits = self._exits(loop)
        leaving = self._leaving(scope, names)
        others = self._over_other_axes(loop, leaving)
        leaving = {name: exits.leave(x) for name, x in leaving.items() if name.removesuffix(_BEFORE) not in others}
        losses = [leave_with_loss(exits, pending) for pending in loop.losses]
        builder.finish()
        for store in loop.at_end:
            store()
        if self.axis.steps is not None:
            self.b.define(self.axis.dim, builder.last(LENGTH))
        shown = {**self._outputs(exits, leaving), **others}
        for loss in losses:
            loss.add(self.b)
        parts = {name: output_type.around(builder.last(f"last:{name}")) for name, output_type in last.items()}
        states = _states(loop, scope)
        if not loop.back_prop:
            states = {name: without_gradient(self.b, state) for name, state in states.items()}
        return replace(shown["output"], parts={**shown, **last_parts(parts)}, states=states)

    @staticmethod
    def _derived_states(builder: LoopBuilder, inner: Builder, path: str, output: LayerOutput) -> None:
        """Hidden states that the layer does not carry itself, but that somebody reads one step later: zero at first."""
        for part, state in output.states.items():
            carry = builder.carries.get(state_key(path, part))
            if carry is not None and carry.initial is None:
                type_ = carry.value.type
                held = next((c.initial for c in builder.carries.values() if c.following is state.value), None)
                zero = builder.outer.const(0, type_.dtype)
                carry.initial = held if held is not None else builder.outer.expand(zero, *type_.dims)
                carry.following = conform(inner, state.value, type_, f"the state of layer {path!r}")

    def _keep_last(
        self, loop: LoopContext, scope: NetScope, names: list[str], counted: Value | None
    ) -> dict[str, OutputType]:
        """Carry the outputs of layers with ``need_last``; a sequence that has ended keeps its own."""
        builder, found = loop.builder, {}
        inner = Builder(builder.region, origin=self.b.origin)
        for name in names:
            if not self.net.layers[name].options.need_last:
                continue
            output = scope.get(name)
            found[name] = OutputType.of(output)
            held = builder.carry(f"last:{name}", initial_output(scope, name, found[name], builder.outer))
            value = output.value if counted is None else inner.where(counted, held, output.value)
            builder.carries[f"last:{name}"].following = conform(inner, value, held.type, f"layer {name!r}")
        return found

    def _finish_ended(self, loop: LoopContext, scope: NetScope, inner: Builder) -> Value:
        """Who has ended; returns for whom this step does not count any more."""
        builder = loop.builder
        before = builder.carries["ended"]
        length = builder.carries[LENGTH]
        ends = conform(inner, scope.get("end").value, before.value.type, "layer 'end'")
        after = inner.binary("logical_or", before.value, ends)
        counted = before.value if self.opt.include_eos else after
        step = inner.where(counted, inner.const(0, "int64"), inner.const(1, "int64"))
        before.following = after
        length.following = inner.add(length.value, step)
        builder.done = inner.reduce("all", after, *after.dims)
        return counted

    def _leaving(self, scope: NetScope, names: list[str]) -> dict[str, LayerOutput]:
        """What is stacked for its own sake."""
        leaving: dict[str, LayerOutput] = {}
        for name in names:
            output = scope.get(name)
            if name == "end" and not self.net.layers[name].options.is_output_layer:
                continue
            leaving[name] = output
            if output.activation is not None:
                leaving[f"{name}{_BEFORE}"] = output.activation[1]
        for name in self.requested_inside():
            leaving[name] = scope.get(name)
        return leaving

    def _over_other_axes(self, loop: LoopContext, leaving: Mapping[str, LayerOutput]) -> dict[str, LayerOutput]:
        """What RETURNN computes outside of the loop, on sequences over another axis than the loop's."""
        found: dict[str, LayerOutput] = {}
        if not loop.others or self.b.program.searching:
            return found
        for name, output in leaving.items() if loop.builder.hoist else ():
            dim = other_axis_of(loop, output.value)
            if dim is not None and not name.endswith(_BEFORE):
                body = Body(self.b, self.opt, self.source, self.net, LoopAxis(dim), None, f"own_time:{dim.name}")
                found[name] = body.in_front_of(name, loop.previous)
        rest = [x.value for name, x in leaving.items() if name.removesuffix(_BEFORE) not in found]
        require_length(self.b, loop, [*rest, *(pending.output.value for pending in loop.losses)])
        return found

    @staticmethod
    def _outputs(exits: LoopExit, leaving: Mapping[str, LayerOutput]) -> dict[str, LayerOutput]:
        outside = {name: exits.outside(inner) for name, inner in leaving.items()}
        for name in list(outside):
            before = outside.get(f"{name}{_BEFORE}")
            activation = leaving[name].activation
            if before is not None and activation is not None:
                outside[name] = replace(outside[name], activation=(activation[0], before))
        return {name: output for name, output in outside.items() if not name.endswith(_BEFORE)}


def _build_asked(loop: LoopContext) -> None:
    """Build the layers that are only read one step later."""
    done = 0
    while done < len(loop.asked):
        asked = list(islice(reversed(loop.asked.values()), len(loop.asked) - done))
        done += len(asked)
        for owner, name in reversed(asked):
            quietly(owner, name)


def _states(loop: LoopContext, scope: NetScope) -> dict[str, LayerOutput]:
    """The last hidden states of the layer ``output``."""
    output = scope.results["output"]
    states: dict[str, LayerOutput] = {}
    for key, inner in output.states.items():
        carry = next((n for n, c in loop.builder.carries.items() if c.following is inner.value), None)
        if carry is not None:
            states[key] = replace(inner, value=loop.builder.last(carry))
    return states
