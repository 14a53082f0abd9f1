"""Layers: masked_computation and unmask, computing on some frames of a sequence only.

Outside of a loop these frames make up a sequence of their own. In a loop the layer keeps its output and its state in
the steps that are masked out; that is the same on the others, and nothing has to be unmasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.axes.roles import batch_major, moved_to
from returnn_ir.construct.initial_output import initial_output_of
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.loop_builder import state_carry
from returnn_ir.construct.loop_context import state_key
from returnn_ir.construct.masked_scope import HeldScope, MaskedScope, OutsideScope
from returnn_ir.construct.scope import NetScope
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.chosen_frames import ChosenFrames, KnownFrames, all_steps
from returnn_ir.network.layer_options import LayerDict, LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.network.net import LayerDef
from returnn_ir.options import option_class

__all__: list[str] = []


@option_class
class MaskedComputationOptions(LayerOptions):
    """Options of ``masked_computation``.

    Attributes:
        mask: the layer that says in which frames it is computed.
        unit: the layer that is computed in these frames.
        masked_from: a layer with these frames alone, where that is known.
        in_spatial_dim: the axis that is masked.
        out_spatial_dim: the axis of the frames that are left.
    """

    mask: LayerRef | None
    unit: LayerDict
    masked_from: LayerRef | None = None
    in_spatial_dim: Dim | None = None
    out_spatial_dim: Dim | None = None


@layer("masked_computation", options=MaskedComputationOptions, sources="many", without_from=(), recurrent=True)
def masked_computation(b: LayerBuilder, opt: MaskedComputationOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """``unit`` on the frames where ``mask`` holds; ``masked_from`` gives these frames where they are known already."""
    if opt.initial_output is not None:
        raise ConfigError(
            "initial_output belongs to the unit", where=b.place("initial_output"), hint="put it into 'unit'"
        )
    if len(sources) > 1:
        raise ConfigError("masked_computation takes one source", where=b.place("from"), received=len(sources))
    if opt.masked_from is not None:
        return _of_known_frames(b, opt, opt.masked_from)
    if opt.mask is None:
        raise ConfigError("masked_computation needs a mask, or masked_from", where=b.place("mask"))
    mask = _mask(b, opt.mask)
    if b.in_loop and mask.time_dim is None:
        return _in_step(b, mask, sources)
    return _of_selected_frames(b, opt, mask, sources)


def _mask(b: LayerBuilder, name: str) -> LayerOutput:
    return _require_bool(b, b.layer(name))


def _require_bool(b: LayerBuilder, mask: LayerOutput) -> LayerOutput:
    if mask.dtype != "bool":
        raise DimError("the mask is not a bool", where=b.place("mask"), expected="bool[B, T]", received=mask.value.type)
    return mask


def _unit(b: LayerBuilder) -> LayerDef:
    """The layer inside, in the scope of this one; its loss is called after this layer twice, as in RETURNN."""
    unit, own = b.definition.inner["unit"], b.definition.options.name_scope
    if own is not None:
        if unit.options.name_scope is not None:
            raise ConfigError(
                "name_scope is given twice",
                where=unit.key_origin("name_scope"),
                expected=f"only that of the masked_computation, {own!r}",
                received=repr(unit.options.name_scope),
            )
        unit = replace(unit, options=replace(unit.options, name_scope=own))
    return replace(unit, path=f"{b.definition.path}/{b.definition.name}")


def _built(b: LayerBuilder, scope: NetScope) -> LayerOutput:
    """The unit, which bears this layer's name."""
    unit = _unit(b)
    output = scope.build(unit)
    held = b.program.layer_params.get(unit.path, {})
    b.program.layer_params.setdefault(b.definition.path, {}).update(held)
    if b.definition.name in scope.children:
        b.scope.children[b.definition.name] = scope.children[b.definition.name]
    return output


def _of_known_frames(b: LayerBuilder, opt: MaskedComputationOptions, name: str) -> LayerOutput:
    """In a loop the unit still works on the whole sequence of these frames, in front of the loop."""
    loop = b.scope.loop
    if loop is None:
        source = b.layer(name)
        chosen = KnownFrames(b, source, lambda: _mask(b, _required_mask(b, opt)), opt.in_spatial_dim)
        return _built(b, MaskedScope(b.scope, b.region, source, None, chosen.of))

    def steps(ref: str) -> LayerOutput:
        x, mask = all_steps(b, ref), _require_bool(b, all_steps(b, _required_mask(b, opt)))
        with b.outside_loop():
            return KnownFrames(b, scope.source(), lambda: mask, mask.time_dim).of(x)

    scope = OutsideScope(b.scope, loop.builder.outer.region, name, b.place("masked_from"), steps)
    with b.outside_loop():
        return loop.capture(_built(b, scope))


def _required_mask(b: LayerBuilder, opt: MaskedComputationOptions) -> str:
    if opt.mask is None:
        raise ConfigError(
            "masked_computation needs a mask for what else than masked_from its unit reads", where=b.place("mask")
        )
    return opt.mask


# ---------------------------------------------------------------- in a loop


def _in_step(b: LayerBuilder, mask: LayerOutput, sources: Sequence[LayerOutput]) -> LayerOutput:
    around = b.scope.step_mask
    step_mask = mask.value if around is None else b.binary("logical_and", around, mask.value)
    scope = MaskedScope(b.scope, b.region, sources[0] if sources else None, step_mask, lambda x: x)
    output = _built(b, scope)
    name = b.definition.name

    def hold(part: str, x: LayerOutput) -> LayerOutput:
        return _held(b, part, x, step_mask)

    if name in scope.children:
        b.scope.children[name] = HeldScope(scope.children[name], hold)
    parts = {part: hold(part, x) for part, x in output.parts.items()}
    return replace(hold("", output), states=_held_states(b, output), parts=parts)


def _held_states(b: LayerBuilder, output: LayerOutput) -> dict[str, LayerOutput]:
    """The unit's hidden states, which are carried under the mask already."""
    carries = b.enclosing_loop.builder.carries
    held: dict[str, LayerOutput] = {}
    for key, state in output.states.items():
        carry = carries.get(state_key(_unit(b).path, key))
        held[key] = state if carry is None or carry.following is None else replace(state, value=carry.following)
    return held


def _held(b: LayerBuilder, part: str, x: LayerOutput, mask: Value) -> LayerOutput:
    """The unit's output, or in a step that is masked out the one that was held before."""
    x = batch_major(x)
    unit = b.definition.inner["unit"]
    scope, definition = b.scope, unit
    if part and b.definition.name in b.scope.children:
        scope = b.scope.children[b.definition.name]
        definition = scope.net.layers.get(part, unit)
    state = state_carry(b.enclosing_loop.builder, _unit(b).path)
    if not part and state is not None and state.initial is not None and state.value.type.same_as(x.value.type):
        start = state.initial
    else:
        with b.outside_loop():
            start = initial_output_of(scope, definition, OutputType.of(x), b)
    before = b.loop_state(f"output/{part}", start)
    value = b.where(mask, x.value, before)
    if value.type.sparse_dim is not x.sparse_dim:
        value = b.op("set_sparse", value, sparse_dim=x.sparse_dim)
    b.set_loop_state(f"output/{part}", value)
    return LayerOutput(value, x.axes, x.time_dim, x.feature_dim)


# ---------------------------------------------------------------- outside of a loop


def _of_selected_frames(
    b: LayerBuilder, opt: MaskedComputationOptions, mask: LayerOutput, sources: Sequence[LayerOutput]
) -> LayerOutput:
    if mask.time_dim is None:
        raise DimError("the mask has no time axis", where=b.place("mask"), received=mask.value.type)
    dim = opt.in_spatial_dim
    if dim is None:
        dim = sources[0].time_dim if sources and sources[0].time_dim is not None else mask.time_dim
    frames = opt.out_spatial_dim or b.dim("masked", None, description=f"{b.definition.name}:masked:time")
    chosen = ChosenFrames.where(b, mask, dim)
    if b.lookup(frames) is None:
        b.define(frames, chosen.count)
    reduced = partial(chosen.of, frames)
    source = reduced(sources[0]) if sources else None
    return _built(b, MaskedScope(b.scope, b.region, source, None, reduced))


# ---------------------------------------------------------------- unmask


@option_class
class UnmaskOptions(LayerOptions):
    """Options of ``unmask``.

    Attributes:
        mask: the layer that says which frames count.
        skip_initial: the source's first frame is for those before the first that counts, instead of an initial output;
            RETURNN had it for a while.
    """

    mask: LayerRef
    skip_initial: bool = False


@layer("unmask", options=UnmaskOptions, sources="one", recurrent=True)
def unmask(b: LayerBuilder, opt: UnmaskOptions, x: LayerOutput) -> LayerOutput:
    """Undo ``masked_computation``: in a frame that was masked out, the output of the last one that was not."""
    if x.time_dim is None:
        if not b.in_loop:
            raise DimError("the source has no time axis", where=b.place("from"), received=x.value.type)
        return x
    mask = _mask(b, opt.mask)
    if mask.time_dim is None:
        return _unmask_step(b, opt, mask, x)
    if mask.time_dim in x.axes:
        return moved_to(x, mask.time_dim, 0)
    number = b.op("cumsum", b.cast(mask.value, "int64"), dim=mask.time_dim)
    value = _frame(b, opt, x, number, b)
    axes = tuple(mask.time_dim if d is x.time_dim else d for d in x.axes)
    result = LayerOutput(value, axes, mask.time_dim, x.feature_dim)
    return moved_to(result, mask.time_dim, 0)


def _unmask_step(b: LayerBuilder, opt: UnmaskOptions, mask: LayerOutput, x: LayerOutput) -> LayerOutput:
    """In a loop: how many frames there have been is carried."""
    with b.outside_loop():
        none = b.expand(b.const(0, "int64"), *mask.value.dims)
    number = b.add(b.loop_state("frames", none), b.cast(mask.value, "int64"))
    b.set_loop_state("frames", number)
    value = _frame(b, opt, x, number, b.enclosing_loop.builder.outer)
    axes = tuple(d for d in x.axes if d is not x.time_dim)
    return LayerOutput(value, axes, None, x.feature_dim)


def _frame(b: LayerBuilder, opt: UnmaskOptions, x: LayerOutput, number: Value, start: Builder) -> Value:
    """Frame ``number - 1`` of the source, or the unit's initial output where ``number`` is 0."""
    time = x.time_dim
    if time is None:
        raise DimError("the source has no time axis", where=b.place("from"), received=x.value.type)
    if opt.skip_initial:
        return b.op("gather", x.value, number, dim=time)
    rest = tuple(d for d in x.axes if d is not time)
    inner = OutputType(x.value.type.without([time]), rest, None, x.feature_dim)
    name = b.definition.sources[0]
    definition = b.scope.net.layers.get(name)
    scope = b.scope
    if definition is None and name.startswith("base:") and b.scope.parent is not None:
        scope, definition = b.scope.parent, b.scope.parent.net.layers.get(name.removeprefix("base:"))
    if definition is None:
        raise ConfigError("the source must be a masked_computation", where=b.place("from"), received=name)
    initial = initial_output_of(scope, definition, inner, start)
    found = b.op("gather", x.value, b.maximum(b.sub(number, 1), 0), dim=time)
    value = b.where(b.binary("greater", number, 0), found, initial)
    return b.op("set_sparse", value, sparse_dim=x.sparse_dim) if value.type.sparse_dim is not x.sparse_dim else value
