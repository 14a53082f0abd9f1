"""A recurrent subnetwork: the ``unit`` of a rec layer as a network dict, run once per frame in a loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from returnn_ir.builder import Builder
from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, ProblemList, UserError
from returnn_ir.graph import Graph, Region, Value
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.sequence_limit import sequence_limit
from returnn_ir.layers.template_guess import guess_template
from returnn_ir.losses import add_losses, has_loss
from returnn_ir.network.loop_context import LoopContext, Template, conform
from returnn_ir.network.loop_frame import LoopFrame
from returnn_ir.network.scope import NetScope
from returnn_ir.network.session import Session

if TYPE_CHECKING:
    from returnn_ir.layers.context import LayerBuilder
    from returnn_ir.layers.rec import RecOptions
    from returnn_ir.network.net import Net

__all__ = ["rec_subnet"]

#: The types of previous steps are a least fixpoint; real networks need two or three rounds.
_MAX_ROUNDS = 20


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
    names = body.build(scope)
    if scope.failed(names):
        raise ProblemList(body.found) if body.found else ConfigError("the loop cannot be built", where=b.place("unit"))
    return body.close(loop, scope, names)


def _find_axis(b: LayerBuilder, opt: RecOptions, source: LayerOutput | None, net: Net) -> _Axis:
    """RETURNN's order: the named axis, the source's time unless there is an end, the target's time, a new axis."""
    has_end = "end" in net.layers
    if opt.axis is not None:
        if source is not None:
            return _Axis(b.axis(source, opt.axis))
        if isinstance(opt.axis, Dim):
            return _Axis(opt.axis)
    if source is not None and source.time_dim is not None and not has_end:
        return _Axis(source.time_dim)
    key = b.definition.options.size_target or (None if b.session.searching and has_end else _target_key(b, net))
    if key is not None and (not b.session.searching or b.definition.options.size_target):
        time = b.target(key).time_dim
        if time is not None:
            return _Axis(time)
    if not has_end:
        raise ConfigError(
            "nothing says how long the loop runs",
            where=b.place(),
            expected="a source with a time axis, a target, or a layer 'end' in the unit",
        )
    return _Axis(b.dim("time", None), ends=True, steps=b.dim("steps", None))


def _target_key(b: LayerBuilder, net: Net) -> str | None:
    targets = b.definition.targets() or net.layers["output"].targets()
    return targets[0] if targets else None


def _find_types(body: _Body) -> dict[str, Template]:
    """What every ``prev:`` gives: build the body on the side until nothing changes any more."""
    known: dict[str, Template] = {}
    for _ in range(_MAX_ROUNDS):
        loop, scope = body.open(body.fork(), known, [])
        loop.trial = True
        body.build(scope)
        found = dict(known)
        for path, (owner, name) in loop.asked.items():
            output = owner.results.get(name)
            if output is not None:
                found[path] = Template.of(output)
        if found.keys() == known.keys() and all(found[p].matches(known[p]) for p in found):
            unknown = [asked for path, asked in loop.asked.items() if path not in known]
            if not unknown:
                return known
            found.update({owner.path_of(name): guess_template(owner, name) for owner, name in unknown})
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
        frame = LoopFrame(outer, dim, b.dim("own_time", dim.size), self.limit)
        loop = LoopContext(frame, previous=dict(previous), include_eos=self.opt.include_eos)
        data: dict[str, LayerOutput] = {}
        if self.source is not None:
            data["data"] = data["source"] = loop.slice_of(self.source)
            loop.source = data["source"]
        definition = b.definition
        prefix = b.scope.param_scope(definition.name, definition.options.name_scope)
        scope = NetScope(
            self.net,
            session,
            frame.region,
            parent=b.scope,
            data=data,
            param_prefix=f"{prefix}/rec" if prefix else "rec",
            loop=loop,
            problems=problems,
        )
        if self.axis.ends:
            self._start_ended(loop)
        elif b.session.searching:
            # RETURNN scores one frame behind a sequence's end, too
            last = outer.length(dim) if self.opt.include_eos else outer.add(outer.length(dim), 1)
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
                or has_loss(options, session.mode)
                or f"{path}/{name}" in session.requested
            ):
                names.append(name)
        if self.axis.ends:
            names.append("end")
        return list(dict.fromkeys(names))

    def build(self, scope: NetScope) -> list[str]:
        """Build every layer that is needed, those that are only read one step later too."""
        names = self.wanted()
        for name in names:
            _quietly(scope, name)
        loop = scope.loop
        done: set[str] = set()
        while loop is not None and set(loop.asked) - done:
            for path in list(loop.asked):
                if path not in done:
                    done.add(path)
                    owner, name = loop.asked[path]
                    _quietly(owner, name)
        return names

    def close(self, loop: LoopContext, scope: NetScope, names: list[str]) -> LayerOutput:
        """Say what the carries become, emit the loop, and collect what leaves it."""
        frame = loop.frame
        inner = Builder(frame.region, origin=self.b.origin)
        for path, (owner, name) in loop.asked.items():
            carry = frame.carries.get(f"prev:{path}")
            if carry is not None:
                value = owner.get(name).value
                carry.following = conform(inner, value, carry.initial.type, f"layer {path!r} as prev:{name}")
        if self.axis.ends:
            self._finish_ended(loop, scope, inner)
        leaving = self._leaving(scope, names)
        for output in leaving.values():
            frame.stack(output.value)
        frame.finish()
        return self._outputs(loop, scope, leaving)

    def _finish_ended(self, loop: LoopContext, scope: NetScope, inner: Builder) -> None:
        frame = loop.frame
        before = frame.carries["ended"]
        length = frame.carries["length"]
        ends = conform(inner, scope.get("end").value, before.initial.type, "layer 'end'")
        after = inner.binary("logical_or", before.value, ends)
        counted = before.value if self.opt.include_eos else after
        step = inner.where(counted, inner.const(0, "int64"), inner.const(1, "int64"))
        before.following = after
        length.following = inner.add(length.value, step)
        frame.done = inner.reduce("all", after, *after.dims)

    def _leaving(self, scope: NetScope, names: list[str]) -> dict[str, LayerOutput]:
        """What is stacked: results, and what losses outside of the loop need."""
        leaving: dict[str, LayerOutput] = {}
        for name in names:
            output = scope.get(name)
            if name == "end" and not self.net.layers[name].options.is_output_layer:
                continue
            leaving[name] = output
            if output.activation is not None:
                leaving[f"{name}/:before"] = output.activation[1]
            for target in self.net.layers[name].targets():
                local = target.removeprefix("layer:")
                if target.startswith("layer:") and local in self.net.layers:
                    leaving[local] = scope.get(local)
        return leaving

    def _outputs(self, loop: LoopContext, scope: NetScope, leaving: Mapping[str, LayerOutput]) -> LayerOutput:
        outside: dict[str, LayerOutput] = {name: self._outside(loop, inner) for name, inner in leaving.items()}
        for name in list(outside):
            before = outside.get(f"{name}/:before")
            activation = leaving[name].activation
            if before is not None and activation is not None:
                outside[name] = replace(outside[name], activation=(activation[0], before))
        shown = {name: output for name, output in outside.items() if not name.endswith("/:before")}
        _add_losses(self.b, scope, shown)
        output = shown["output"]
        return replace(output, parts=shown, states=_states(loop, scope))

    def _outside(self, loop: LoopContext, inner: LayerOutput) -> LayerOutput:
        """An output of all steps, the loop's axis in front."""
        b, frame = self.b, loop.frame
        value = frame.stacked(inner.value)
        dim = self.axis.dim
        if self.axis.steps is not None:
            if b.lookup(dim) is None:
                b.define(dim, frame.last("length"))
            value = b.op("resize_axis", value, dim=self.axis.steps, out=dim)
        axes = (dim, *inner.axes)
        return LayerOutput(value, axes, dim, inner.feature_dim)


def _quietly(scope: NetScope, name: str) -> None:
    """Build a layer; what is wrong with it is in the scope's problems already."""
    try:
        scope.get(name)
    except UserError:
        return


def _add_losses(b: LayerBuilder, scope: NetScope, outside: Mapping[str, LayerOutput]) -> None:
    """Losses of layers in the loop, computed on all steps at once."""
    from returnn_ir.layers.context import LayerBuilder as Inner

    accumulated = AccumulatedScope(scope, b.region, outside)
    for name, output in outside.items():
        definition = scope.net.layers[name]
        # RETURNN has no losses in the loop when its train flag is the constant False, as it is in search
        if has_loss(definition.options, b.session.mode) and not b.session.searching:
            with _emitting(Inner(b.session, accumulated, definition), definition.origin) as inner:
                add_losses(inner, output)


@contextmanager
def _emitting(b: LayerBuilder, origin: Any) -> Iterator[LayerBuilder]:
    with b.at(origin):
        yield b


class AccumulatedScope(NetScope):
    """The layers of a loop as they are seen from outside, over all steps."""

    def __init__(self, inside: NetScope, region: Region, outputs: Mapping[str, LayerOutput]) -> None:
        super().__init__(inside.net, inside.session, region, parent=inside.parent, problems=[])
        self.results.update(outputs)


def _states(loop: LoopContext, scope: NetScope) -> dict[str, LayerOutput]:
    """The last hidden states of the layer ``output``."""
    output = scope.results["output"]
    states: dict[str, LayerOutput] = {}
    for key, inner in output.states.items():
        carry = next((n for n, c in loop.frame.carries.items() if c.following is inner.value), None)
        if carry is not None:
            states[key] = replace(inner, value=loop.frame.last(carry))
    return states
