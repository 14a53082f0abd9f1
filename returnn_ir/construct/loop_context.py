"""What the layers inside of a loop share: previous steps, slices of sequences, values from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.loop_builder import LoopFrame
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TensorType

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import LayerDef

__all__ = ["LoopContext", "PendingLoss", "Probe", "Template", "UntypedError", "conform", "state_key"]


class UntypedError(UserError):
    """``prev:NAME`` of a layer whose type is not known yet; only while types are being found."""


@dataclass(frozen=True)
class Template:
    """What a layer gives, without a value."""

    type: TensorType
    axes: tuple[Dim, ...]
    time_dim: Dim | None
    feature_dim: Dim | None
    states: Mapping[str, Template] = field(default_factory=dict)

    @staticmethod
    def of(output: LayerOutput) -> Template:
        """The template of an output and of its hidden states."""
        states = {key: Template.of(state) for key, state in output.states.items()}
        return Template(output.value.type, output.axes, output.time_dim, output.feature_dim, states)

    def matches(self, other: Template) -> bool:
        """Whether both describe the same tensor."""
        return self.type.same_as(other.type) and self.axes == other.axes and self.states.keys() == other.states.keys()

    def around(self, value: Value, states: Mapping[str, LayerOutput] | None = None) -> LayerOutput:
        """An output of this kind."""
        return LayerOutput(value, self.axes, self.time_dim, self.feature_dim, states=states or {})


@dataclass(frozen=True)
class PendingLoss:
    """A loss in a loop, computed on all steps at once when the loop is closed."""

    scope: NetScope
    definition: LayerDef
    output: LayerOutput


@dataclass
class Probe:
    """Asks what a layer of a loop works on; the layer answers when it is built.

    Attributes:
        path: of the layer.
        found: the answer.
    """

    path: str
    found: LayerOutput | None = None


@dataclass
class LoopContext:
    """One loop, as its layers see it.

    Attributes:
        source: the loop's source, sliced by step, None if it has none.
        previous: what ``prev:`` gives, by full layer path; grows until nothing changes.
        asked: the layers that somebody reads the previous step of, with the scope they stand in.
        losses: of the layers in the body, those of nested networks included.
        trial: the body is only built to find types.
        assumed: in a trial, what layers give that cannot be built yet, by full path.
        untyped: in a trial, the layers that could not be built because a previous step has no type yet.
        probe: somebody wants to know what a layer works on.
        sequence: gives what the layer of that full path works on in all steps, computed by a loop in front of this one.
        at_end: what is to be done with final values of carries, once there is the loop.
        ended: for a search, which sequences had ended before this step.
        include_eos: the label that ends a sequence counts.
    """

    frame: LoopFrame
    source: LayerOutput | None = None
    previous: dict[str, Template] = field(default_factory=dict)
    asked: dict[str, tuple[NetScope, str]] = field(default_factory=dict)
    losses: list[PendingLoss] = field(default_factory=list)
    trial: bool = False
    assumed: Mapping[str, Template] = field(default_factory=dict)
    untyped: dict[str, tuple[NetScope, str]] = field(default_factory=dict)
    probe: Probe | None = None
    sequence: Callable[[str], LayerOutput] | None = None
    at_end: list[Callable[[], None]] = field(default_factory=list)
    ended: Value | None = None
    include_eos: bool = False

    def slice_of(self, x: LayerOutput) -> LayerOutput:
        """The step's part of a sequence; one over another axis of the same lengths is read as one over the loop's."""
        dim = self.frame.dim
        value, axes = x.value, x.axes
        outer = self.frame.outer
        if dim not in axes:
            if x.time_dim is None:
                return x
            own = x.time_dim
            if self.frame.limit is not None:
                return self._read_at_step(x, own)
            value = outer.op("resize_axis", value, dim=own, out=dim)
            axes = tuple(dim if d is own else d for d in axes)
        rest = tuple(d for d in axes if d is not dim)
        inner = self.frame.scan(value)
        return LayerOutput.of(inner, rest) if x.feature_dim is None else _sliced(x, inner, rest)

    def _read_at_step(self, x: LayerOutput, time: Dim) -> LayerOutput:
        """A loop that ends by itself has no length that a sequence could be cut to; behind its end, the last frame."""
        inner = Builder(self.frame.region, origin=self.frame.outer.origin)
        value = inner.op("gather", x.value, self.frame.index, dim=time)
        return _sliced(x, value, tuple(d for d in x.axes if d is not time))

    def capture(self, x: LayerOutput) -> LayerOutput:
        """Something from outside of the loop, whole."""
        dim, own = self.frame.dim, self.frame.own_time
        if dim not in x.axes:
            return x
        moved = tuple(own if d is dim else d for d in x.axes)
        time = own if x.time_dim is dim else x.time_dim
        feature = own if x.feature_dim is dim else x.feature_dim
        return LayerOutput(self.frame.capture(x.value), moved, time, feature, states=x.states, parts=x.parts)

    def assume(self, scope: NetScope, name: str) -> LayerOutput | None:
        """In a trial, the output of a layer that needs an unknown type, if one was assumed; else it is noted."""
        path = scope.path_of(name)
        if not self.trial:
            return None
        if path not in self.assumed:
            self.untyped[path] = (scope, name)
            return None
        template = self.assumed[path]
        b = Builder(scope.region, origin=self.frame.outer.origin)
        return template.around(conform(b, b.const(0, template.type.dtype), template.type, name))

    def located(self) -> dict[str, tuple[NetScope, str]]:
        """By full path, the layers whose previous step is asked for: the networks they stand in, and their names."""
        return {path: owner.locate(name) for path, (owner, name) in self.asked.items()}

    def expand_previous(self, scope: NetScope, name: str, path: str) -> LayerOutput:
        """``prev:NAME``: the layer's output in the step before."""
        self.asked[path] = (scope, name)
        template = self.previous.get(path)
        if template is None:
            raise UntypedError(f"the type of prev:{name} is not known yet")
        key = f"prev:{path}"
        states = {
            part: state.around(self.frame.reserve(state_key(path, part), state.type))
            for part, state in template.states.items()
        }
        if key not in self.frame.carries:
            from returnn_ir.construct.initial_output import initial_output, needs_sources

            owner, own = scope.locate(name)
            if own not in owner.net.layers or needs_sources(owner, own):
                # that network, or those sources, may need this step's value; the initial one is made at the loop's end
                return template.around(self.frame.reserve(key, template.type), states)
            initial = initial_output(owner, own, template, self.frame.outer)
            return template.around(self.frame.carry(key, initial), states)
        return template.around(self.frame.carries[key].value, states)


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
