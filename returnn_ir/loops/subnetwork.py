"""A recurrent subnetwork: the ``unit`` of a rec layer as a network dict, run once per frame in a loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.attach_losses import has_loss
from returnn_ir.construct.initial_output import initial_output
from returnn_ir.construct.loop_builder import LoopFrame, state_carry
from returnn_ir.construct.loop_context import LoopContext, Probe, Template, conform, state_key
from returnn_ir.construct.scope import NetScope, UnbuildableError
from returnn_ir.construct.state import Session
from returnn_ir.errors import ConfigError, ProblemList, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Region, Value
from returnn_ir.loops.loop_exit import LoopExit
from returnn_ir.loops.loop_losses import leave_with_loss
from returnn_ir.loops.options import RecOptions
from returnn_ir.loops.sequence_limit import sequence_limit
from returnn_ir.loops.step_axes import declared_time, last_parts
from returnn_ir.loops.type_guess import Guess, certainty, first_guess, guess_template
from returnn_ir.network.naming import variable_name

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.network.net import Net

__all__ = ["rec_subnet"]

#: The types of previous steps are a least fixpoint; real networks need two or three rounds.
_MAX_ROUNDS = 50


@dataclass(frozen=True)
class _Axis:
    """What the loop runs over.

    Attributes:
        dim: the axis of the output.
        ends: the loop finds its own end; ``steps`` is then the axis of executed steps.
    """

    dim: Dim
    ends: bool = False
    steps: Dim | None = None


def rec_subnet(b: LayerBuilder, opt: RecOptions, source: LayerOutput | None) -> LayerOutput:
    """Run the subnetwork over the frames of the source, of the target, or until its layer ``end`` says so.

    ``direction`` has no effect on a subnetwork in RETURNN, and so none here.
    """
    net = b.definition.children["unit"]
    if "output" not in net.layers:
        raise ConfigError("a recurrent subnetwork needs a layer 'output'", where=b.place("unit"))
    axis = _find_axis(b, opt, source, net)
    limit = sequence_limit(b, opt.max_seq_len, opt.max_seq_len_via) if axis.ends else None
    body = _Body(b, opt, source, net, axis, limit)
    previous = _find_types(body)
    loop, scope = body.open(b.session, previous, body.problems())
    loop.trial = b.scope.loop is not None and b.scope.loop.trial  # of the loop around this one
    loop.sequence = lambda path: body.sequence(path, previous)
    names = body.build(scope)
    cause = scope.failure(names)
    # a layer that is only read one step later is needed, too; in a trial it may have no type yet
    if body.found and (cause is not None or not loop.trial):
        raise ProblemList(body.found)
    if cause is not None:  # it is outside of the loop
        raise UnbuildableError(b.definition.name, cause, b.place("unit"))
    return body.close(loop, scope, names)


def _find_axis(b: LayerBuilder, opt: RecOptions, source: LayerOutput | None, net: Net) -> _Axis:
    """RETURNN's order: the named axis, the source's time unless there is an end, the target's time, a new axis."""
    has_end = "end" in net.layers
    declared = declared_time(b, net)
    if opt.axis is not None:
        if source is not None:
            return _Axis(b.axis(source, opt.axis))
        if isinstance(opt.axis, Dim):
            if declared is not None and opt.axis.is_dynamic and b.lookup(opt.axis) is None:
                b.session.declared[opt.axis] = declared
            return _Axis(b.session.declared.get(opt.axis, opt.axis))
    if source is not None and source.time_dim is not None and not has_end:
        return _Axis(source.time_dim)
    # in an extra network that searches within training the target gives the length, and 'end' has no effect
    searches = b.session.mode == "search"
    always = b.definition.options.size_target or _cheating_target(net)
    key = always or (None if searches and has_end else _target_key(b, net))
    if key is not None and (not searches or always):
        time = b.target(key).time_dim
        if time is not None:
            return _Axis(time)
    if declared is not None and not has_end:
        return _Axis(declared)
    if not has_end:
        raise ConfigError(
            "nothing says how long the loop runs",
            where=b.place(),
            expected="a source with a time axis, a target, or a layer 'end' in the unit",
        )
    return _Axis(b.dim("time", None), ends=True, steps=b.dim("steps", None))


def _cheating_target(net: Net) -> str | None:
    """A choice that keeps the truth among its hypotheses needs it to the end, and so it gives the length."""
    for definition in net.layers.values():
        if definition.spec.name == "choice" and definition.raw.get("cheating") and definition.targets():
            return definition.targets()[0]
    return None


def _target_key(b: LayerBuilder, net: Net) -> str | None:
    targets = b.definition.targets() or net.layers["output"].targets()
    return targets[0] if targets else None


def _find_types(body: _Body) -> dict[str, Template]:
    """What every ``prev:`` gives: build the body on the side until nothing changes any more."""
    known: dict[str, Template] = {}
    assumed: dict[str, Template] = {}
    for _ in range(_MAX_ROUNDS):
        loop, scope = body.open(body.fork(), known, [])
        loop.trial, loop.assumed = True, assumed
        body.build(scope)
        found = dict(known)
        for path, (owner, name) in loop.located().items():
            output = owner.results.get(name)
            if output is not None:
                found[path] = Template.of(output)
        if found.keys() == known.keys() and all(found[p].matches(known[p]) for p in found):
            unknown = [path for path in loop.asked if path not in known]
            if not unknown:
                return known
            # one guess may be all that the others need
            path, template = body.guess(loop, known, assumed, unknown)
            (found if path in unknown else assumed)[path] = template
        known = found
    raise ConfigError("the types of previous steps do not settle", where=body.b.place("unit"))


@dataclass
class _Body:
    """Builds the loop of one rec layer, as often as it takes."""

    b: LayerBuilder
    opt: RecOptions
    source: LayerOutput | None
    net: Net
    axis: _Axis
    limit: Value | None

    def __post_init__(self) -> None:
        self.found: list[UserError] = []
        self._sequences: dict[str, LayerOutput] = {}

    def problems(self) -> list[UserError]:
        """Where the real body reports."""
        return self.found

    def fork(self) -> Session:
        """A session whose parameters, losses and nodes are thrown away."""
        session = self.b.session
        return replace(
            session,
            graph=Graph(body=Region(parent=self.b.region), mode=session.mode),
            params=dict(session.params),
            layer_params=dict(session.layer_params),
            constraints=[],
        )

    def open(
        self, session: Session, previous: Mapping[str, Template], problems: list[UserError]
    ) -> tuple[LoopContext, NetScope]:
        """A new loop with its scope."""
        b = self.b
        around = b.region if session is b.session else session.root
        outer = Builder(around, origin=b.origin)
        dim = self.axis.steps if self.axis.steps is not None else self.axis.dim
        moves_out = self.opt.optimize_move_layers_out
        if moves_out is None:
            moves_out = session.keys.optimize_move_layers_out
        frame = LoopFrame(outer, dim, b.dim("own_time", dim.size, description=dim.description), self.limit, moves_out)
        loop = LoopContext(frame, previous=dict(previous), include_eos=self.opt.include_eos)
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
            session,
            frame.region,
            parent=b.scope,
            data=data,
            param_prefix=prefix,
            loop=loop,
            problems=problems,
        )
        if self.axis.ends:
            self._start_ended(loop)
        elif b.session.searching:
            # RETURNN scores one frame behind a sequence's end, too
            counts = self.opt.include_eos or b.session.independent_scores
            last = outer.length(dim) if counts else outer.add(outer.length(dim), 1)
            inner = Builder(frame.region, origin=b.origin)
            loop.ended = inner.binary("greater_equal", frame.index, last)
        return loop, scope

    def _start_ended(self, loop: LoopContext) -> None:
        frame = loop.frame
        batch = self.b.batch()
        never = frame.outer.expand(frame.outer.const(False), batch)
        zero = frame.outer.expand(frame.outer.const(0, "int64"), batch)
        loop.ended = frame.carry("ended", never)
        frame.carry("length", zero)

    def wanted(self) -> list[str]:
        """The layers that are needed besides what they need."""
        session, path = self.b.session, self.b.definition.path
        names = ["output"]
        for name, definition in self.net.layers.items():
            options = definition.options
            if (
                options.is_output_layer
                or options.need_last
                or has_loss(options, session.loss_mode)
                or f"{path}/{name}" in session.requested
            ):
                names.append(name)
        if self.axis.ends:
            names.append("end")
        return list(dict.fromkeys(names))

    def requested_inside(self) -> list[str]:
        """Layers of nested networks that somebody outside asks for."""
        prefix = f"{self.b.definition.path}/"
        found = [path.removeprefix(prefix) for path in self.b.session.requested if path.startswith(prefix)]
        return sorted(name for name in found if name not in self.net.layers and name.split("/")[0] in self.net.layers)

    def build(self, scope: NetScope) -> list[str]:
        """Build every layer that is needed, those that are only read one step later too."""
        names = self.wanted()
        for name in (*names, *self.requested_inside()):
            _quietly(scope, name)
        if scope.loop is not None:
            _build_asked(scope.loop)
        return names

    def guess(
        self, loop: LoopContext, known: Mapping[str, Template], assumed: Mapping[str, Template], unknown: list[str]
    ) -> tuple[str, Template]:
        """The path of a layer that a trial found no type for, and the likeliest one.

        Args:
            loop: of the trial.
            known: what it was given for previous steps.
            assumed: what it was given for layers that could not be built.
            unknown: the layers whose previous step is asked for, and that have no type.
        """
        located = {path: place for path, place in loop.located().items() if place[1] in place[0].net.layers}
        guesses = {path: self._inferred(known, assumed, path) for path in unknown if path in located}
        if not guesses and not loop.untyped:
            raise ConfigError(
                "nothing says of which type the layer's output of the step before is",
                where=self.b.place("unit"),
                received=", ".join(unknown),
                hint="'n_out', or 'out_type'",
            )
        if not guesses:  # they stand in networks that wait for something else
            path = max(loop.untyped, key=lambda p: certainty(*loop.untyped[p]))
            return path, guess_template(*loop.untyped[path])
        best = max(guesses, key=lambda path: guesses[path].worth)
        if guesses[best].exact or not loop.untyped:
            return best, guesses[best].template
        # nobody knows by a rule of his own: a layer between them may be the surest
        candidates = {path: located[path] for path in guesses} | loop.untyped
        path = max(candidates, key=lambda p: certainty(*candidates[p]))
        return path, guess_template(*candidates[path])

    def _inferred(self, known: Mapping[str, Template], assumed: Mapping[str, Template], path: str) -> Guess:
        """What the layer at a path may give, of which ``prev:`` is asked for; found on a body of its own."""
        loop, scope = self.open(self.fork(), known, [])
        loop.trial, loop.assumed = True, assumed
        self.build(scope)
        return first_guess(*loop.located()[path])

    def sequence(self, path: str, previous: Mapping[str, Template]) -> LayerOutput:
        """What the layer of that path works on in all steps, from a loop of its own; the layer must not need its past.

        The layers built for it say nothing besides: no losses, no constraints.
        """
        if path not in self._sequences:
            session, b = self.b.session, self.b
            if self.axis.ends:
                raise ConfigError(
                    "the loop finds its own end: its frames are not known in front of it", where=b.place()
                )
            constraints = len(session.constraints)
            loop, scope = self.open(session, previous, self.problems())
            loop.probe = Probe(path)
            loop.sequence = lambda other: self.sequence(other, previous)
            own = path.removeprefix(f"{self.net.path}/")
            for name in dict.fromkeys((own.split("/")[0], own)):
                if loop.probe.found is None:
                    _quietly(scope, name)
            _build_asked(loop)
            if loop.probe.found is None:
                cause = scope.failure(own.split("/")[:1]) or ConfigError(
                    f"layer {own!r} works on nothing that is known in front of the loop", where=b.place("unit")
                )
                raise UnbuildableError(own, cause, b.place("unit"))
            self._close_carries(loop)
            exits = LoopExit(b, loop.frame, self.axis.dim)
            leaving = exits.leave(loop.probe.found)
            loop.frame.finish()
            self._sequences[path] = exits.outside(leaving)
            del session.constraints[constraints:]
        return self._sequences[path]

    def _close_carries(self, loop: LoopContext) -> None:
        """Say what previous steps become."""
        frame = loop.frame
        inner = Builder(frame.region, origin=self.b.origin)
        for path, (owner, name) in loop.located().items():
            carry = frame.carries.get(f"prev:{path}")
            if carry is not None:
                value = owner.get(name).value
                if carry.initial is None:
                    carry.initial = initial_output(owner, name, loop.previous[path], frame.outer)
                state = state_carry(frame, path)
                if state is not None and state.initial is not None and state.value.type.same_as(carry.value.type):
                    carry.initial = state.initial  # a cell's output before the first step is its initial state
                self._derived_states(frame, inner, path, owner.get(name))
                following = conform(inner, value, carry.value.type, f"layer {path!r} as prev:{name}")
                mask = owner.step_mask
                carry.following = following if mask is None else inner.where(mask, following, carry.value)

    def close(self, loop: LoopContext, scope: NetScope, names: list[str]) -> LayerOutput:
        """Say what the carries become, emit the loop, and collect what leaves it."""
        frame = loop.frame
        inner = Builder(frame.region, origin=self.b.origin)
        self._close_carries(loop)
        counted = self._finish_ended(loop, scope, inner) if self.axis.ends else None
        last = self._keep_last(loop, scope, names, counted)
        exits = LoopExit(self.b, frame, self.axis.dim)
        leaving = {name: exits.leave(output) for name, output in self._leaving(scope, names).items()}
        losses = [leave_with_loss(exits, pending) for pending in loop.losses]
        frame.finish()
        for store in loop.at_end:
            store()
        if self.axis.steps is not None:
            self.b.define(self.axis.dim, frame.last("length"))
        shown = self._outputs(exits, leaving)
        for loss in losses:
            loss.add(self.b)
        parts = {name: template.around(frame.last(f"last:{name}")) for name, template in last.items()}
        return replace(shown["output"], parts={**shown, **last_parts(parts)}, states=_states(loop, scope))

    @staticmethod
    def _derived_states(frame: LoopFrame, inner: Builder, path: str, output: LayerOutput) -> None:
        """Hidden states that the layer does not carry itself, but that somebody reads one step later: zero at first."""
        for part, state in output.states.items():
            carry = frame.carries.get(state_key(path, part))
            if carry is not None and carry.initial is None:
                type_ = carry.value.type
                held = next((c.initial for c in frame.carries.values() if c.following is state.value), None)
                zero = frame.outer.const(0, type_.dtype)
                carry.initial = held if held is not None else frame.outer.expand(zero, *type_.dims)
                carry.following = conform(inner, state.value, type_, f"the state of layer {path!r}")

    def _keep_last(
        self, loop: LoopContext, scope: NetScope, names: list[str], counted: Value | None
    ) -> dict[str, Template]:
        """Carry the outputs of layers with ``need_last``; a sequence that has ended keeps its own."""
        frame, found = loop.frame, {}
        inner = Builder(frame.region, origin=self.b.origin)
        for name in names:
            if not self.net.layers[name].options.need_last:
                continue
            output = scope.get(name)
            found[name] = Template.of(output)
            held = frame.carry(f"last:{name}", initial_output(scope, name, found[name], frame.outer))
            value = output.value if counted is None else inner.where(counted, held, output.value)
            frame.carries[f"last:{name}"].following = conform(inner, value, held.type, f"layer {name!r}")
        return found

    def _finish_ended(self, loop: LoopContext, scope: NetScope, inner: Builder) -> Value:
        """Who has ended; returns for whom this step does not count any more."""
        frame = loop.frame
        before = frame.carries["ended"]
        length = frame.carries["length"]
        ends = conform(inner, scope.get("end").value, before.value.type, "layer 'end'")
        after = inner.binary("logical_or", before.value, ends)
        counted = before.value if self.opt.include_eos else after
        step = inner.where(counted, inner.const(0, "int64"), inner.const(1, "int64"))
        before.following = after
        length.following = inner.add(length.value, step)
        frame.done = inner.reduce("all", after, *after.dims)
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
                leaving[f"{name}/:before"] = output.activation[1]
        for name in self.requested_inside():
            leaving[name] = scope.get(name)
        return leaving

    @staticmethod
    def _outputs(exits: LoopExit, leaving: Mapping[str, LayerOutput]) -> dict[str, LayerOutput]:
        outside = {name: exits.outside(inner) for name, inner in leaving.items()}
        for name in list(outside):
            before = outside.get(f"{name}/:before")
            activation = leaving[name].activation
            if before is not None and activation is not None:
                outside[name] = replace(outside[name], activation=(activation[0], before))
        return {name: output for name, output in outside.items() if not name.endswith("/:before")}


def _quietly(scope: NetScope, name: str) -> None:
    """Build a layer; what is wrong with it is in the scope's problems already."""
    try:
        scope.get(name)
    except UserError:
        return


def _build_asked(loop: LoopContext) -> None:
    """Build the layers that are only read one step later."""
    done: set[str] = set()
    while set(loop.asked) - done:
        for path in list(loop.asked):
            if path not in done:
                done.add(path)
                owner, name = loop.asked[path]
                _quietly(owner, name)


def _states(loop: LoopContext, scope: NetScope) -> dict[str, LayerOutput]:
    """The last hidden states of the layer ``output``."""
    output = scope.results["output"]
    states: dict[str, LayerOutput] = {}
    for key, inner in output.states.items():
        carry = next((n for n, c in loop.frame.carries.items() if c.following is inner.value), None)
        if carry is not None:
            states[key] = replace(inner, value=loop.frame.last(carry))
    return states
