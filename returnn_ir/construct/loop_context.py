"""What the layers inside of a loop share: previous steps, slices of sequences, values from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.construct.loop_builder import LoopBuilder
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.construct.type_search import TypeSearch
    from returnn_ir.network.net import LayerDef

__all__ = ["AnsweredError", "LoopContext", "PendingLoss", "Probe", "UntypedError", "conform", "state_key"]


class UntypedError(UserError):
    """``prev:NAME`` of a layer whose type is not known yet; only while types are being found."""


@dataclass(frozen=True)
class PendingLoss:
    """A loss in a loop, computed on all steps at once when the loop is closed."""

    scope: NetScope
    definition: LayerDef
    output: LayerOutput


class AnsweredError(Exception):
    """The layer that was asked for what it works on has said so: nothing behind it is needed, and it itself is not."""


@dataclass
class Probe:
    """Asks what a layer of a loop works on; the layer answers when it is built.

    Attributes:
        path: of the layer.
        found: the answer.
    """

    path: str
    found: LayerOutput | None = None

    def answer(self, x: LayerOutput) -> NoReturn:
        """End the building: what is behind the layer may in turn ask for what the layer gives in all steps."""
        self.found = x
        raise AnsweredError


@dataclass
class LoopContext:
    """One loop, as its layers see it.

    Attributes:
        source: the loop's source, sliced by step, None if it has none.
        previous: what ``prev:`` gives, by full layer path; grows until nothing changes.
        asked: the layers that somebody reads the previous step of, with the scope they stand in.
        losses: of the layers in the body, those of nested networks included.
        trial: the body, or one around it, is only built to find types.
        search: what this body learns of its own types, if it is built to find them.
        probe: somebody wants to know what a layer works on.
        sequence: gives what the layer of that full path works on in all steps, computed by a loop in front of this one.
        steps: gives what a layer of the body, or ``prev:`` of one, is in all steps, computed in the same way.
        at_end: what is to be done with final values of carries, once there is the loop.
        ended: for a search, which sequences had ended before this step.
        include_eos: the label that ends a sequence counts.
        back_prop: gradients go through the layers that stay in the loop.
        others: of slices of sequences that have another axis than the loop's, that axis.
        places: of slices, the number of the loop's axis in RETURNN's order of what they are slices of.
    """

    builder: LoopBuilder
    source: LayerOutput | None = None
    previous: dict[str, OutputType] = field(default_factory=dict)
    asked: dict[str, tuple[NetScope, str]] = field(default_factory=dict)
    losses: list[PendingLoss] = field(default_factory=list)
    trial: bool = False
    search: TypeSearch | None = None
    probe: Probe | None = None
    sequence: Callable[[str], LayerOutput] | None = None
    steps: Callable[[str], LayerOutput] | None = None
    at_end: list[Callable[[], None]] = field(default_factory=list)
    ended: Value | None = None
    include_eos: bool = False
    back_prop: bool = True
    others: dict[Value, Dim] = field(default_factory=dict)
    places: dict[Value, int] = field(default_factory=dict)

    def slice_of(self, x: LayerOutput) -> LayerOutput:
        """The step's part of a sequence; one over another axis of the same lengths is read as one over the loop's."""
        dim = self.builder.dim
        value, axes = x.value, x.axes
        outer = self.builder.outer
        if dim not in axes:
            if x.time_dim is None:
                return x
            own = x.time_dim
            if self.builder.limit is not None:
                return self._read_at_step(x, own)
            value = outer.op("resize_axis", value, dim=own, out=dim)
            axes = tuple(dim if d is own else d for d in axes)
        rest = tuple(d for d in axes if d is not dim)
        inner = self.builder.scan(value)
        self.places[inner] = axes.index(dim)
        if x.time_dim is not None and dim not in x.axes:
            self.others[inner] = x.time_dim
        return LayerOutput.of(inner, rest) if x.feature_dim is None else _sliced(x, inner, rest)

    def place_of_steps(self, x: Value) -> int | None:
        """The number of the loop's axis in RETURNN's order of a value in all steps; None where nothing tells.

        What is computed entry by entry, and what a matrix multiplies, has the order of what it is computed of.
        """
        found: set[int] = set()
        inside = set(self.builder.region.nodes)
        pending, seen = [x], {x}
        while pending:
            value = pending.pop()
            if not value.dims:
                continue
            if value in self.places:
                found.add(self.places[value])
            elif value.node is not None and value.node in inside:
                if not (value.node.op.has(Trait.ELEMENTWISE) or value.node.op.name == "dot"):
                    return None
                pending.extend(v for v in value.node.operands if v not in seen)
                seen.update(value.node.operands)
            elif value.node is None:
                return None  # of an earlier step
        return found.pop() if len(found) == 1 else None

    def _read_at_step(self, x: LayerOutput, time: Dim) -> LayerOutput:
        """A loop that ends by itself has no length that a sequence could be cut to; behind its end, the last frame."""
        inner = Builder(self.builder.region, origin=self.builder.outer.origin)
        value = inner.op("gather", x.value, self.builder.index, dim=time)
        return _sliced(x, value, tuple(d for d in x.axes if d is not time))

    def capture(self, x: LayerOutput) -> LayerOutput:
        """Something from outside of the loop, whole."""
        dim, own = self.builder.dim, self.builder.own_time
        if dim not in x.axes:
            return x
        moved = tuple(own if d is dim else d for d in x.axes)
        time = own if x.time_dim is dim else x.time_dim
        feature = own if x.feature_dim is dim else x.feature_dim
        return LayerOutput(self.builder.capture(x.value), moved, time, feature, states=x.states, parts=x.parts)

    def assume(self, scope: NetScope, name: str) -> LayerOutput | None:
        """While types are found, what a layer that needs an unknown one is assumed to give; else it is noted."""
        if self.search is None:
            return None
        path = scope.path_of(name)
        output_type = self.search.assumed.get(path)
        if output_type is None:
            self.search.wait(path, scope, name)
            return None
        b = Builder(scope.region, origin=self.builder.outer.origin)
        return output_type.around(conform(b, b.const(0, output_type.type.dtype), output_type.type, name))

    def located(self, paths: Iterable[str] | None = None) -> dict[str, tuple[NetScope, str]]:
        """By full path, the layers whose previous step is asked for: the networks they stand in, and their names."""
        asked = self.asked if paths is None else paths
        return {path: self.asked[path][0].locate(self.asked[path][1]) for path in asked}

    def expand_previous(self, scope: NetScope, name: str, path: str) -> LayerOutput:
        """``prev:NAME``: the layer's output in the step before."""
        self.asked[path] = (scope, name)
        output_type = self._type_of_previous(scope, name, path)
        if output_type is None:
            raise UntypedError(f"the type of prev:{name} is not known yet")
        key = f"prev:{path}"
        states = {
            part: state.around(self.builder.reserve(state_key(path, part), state.type))
            for part, state in output_type.states.items()
        }
        if key not in self.builder.carries:
            from returnn_ir.construct.initial_output import initial_output, needs_sources

            owner, own = scope.locate(name)
            if own not in owner.net.layers or needs_sources(owner, own):
                # that network, or those sources, may need this step's value; the initial one is made at the loop's end
                return output_type.around(self.builder.reserve(key, output_type.type), states)
            initial = initial_output(owner, own, output_type, self.builder.outer)
            return output_type.around(self.builder.carry(key, initial), states)
        return output_type.around(self.builder.reserve(key, output_type.type), states)

    def _type_of_previous(self, scope: NetScope, name: str, path: str) -> OutputType | None:
        """What ``prev:NAME`` is; while types are found what the layer gives in this body, if it is built already."""
        known = self.previous.get(path)
        if self.search is None:
            return known
        from returnn_ir.construct.initial_output import initial_type, previous_type

        owner, own = scope.locate(name)
        output = owner.results.get(own)
        if output is not None:
            now = previous_type(owner, own, output)
            if known is None or not now.matches(known):
                known = self.previous[path] = now
        elif known is None and own in owner.net.layers and not owner.net.layers[own].is_like_target:
            begun = initial_type(owner, own)
            if begun is not None:
                known = self.previous[path] = begun
        self.search.ask(path, known)
        return known


def state_key(path: str, part: str) -> str:
    """The carry of a part of a layer's hidden state; a state that is one tensor has no part's name."""
    return f"{path}:{part or 'state'}"


def _sliced(x: LayerOutput, inner: Value, rest: tuple[Dim, ...]) -> LayerOutput:
    time = (
        x.time_dim if x.time_dim in rest else next((d for d in rest if d.is_dynamic and d is not x.feature_dim), None)
    )
    feature = x.feature_dim if x.feature_dim in rest else None
    return LayerOutput(inner, rest, time, feature)


def conform(b: Builder, value: Value, wanted: TensorType, what: str) -> Value:
    """``value`` with the element type and dims of a carry: feature dims matched by size, missing dims repeated.

    Raises:
        ConfigError: an axis has no counterpart.
    """
    value = b.op("set_sparse", b.cast(value, wanted.dtype), sparse_dim=wanted.sparse_dim)
    for dim in value.dims:
        if dim in wanted.dims:
            continue
        partner = next(
            (w for w in wanted.dims if w not in value.dims and w.size is not None and w.size == dim.size), None
        )
        if partner is not None:
            value = b.rename(value, (dim, partner))
        elif dim.size == 1:
            value = b.op("squeeze", value, dim=dim)
        else:
            raise ConfigError(f"{what} has the axis {dim}", expected=wanted, received=value.type)
    return b.expand(value, *wanted.dims)
