"""Hidden states: ``initial_state`` in all its forms, and the layer get_last_hidden_state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.recurrence import leaves_loop
from returnn_ir.construct.state import EPOCH_STEP
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.mode import Mode
from returnn_ir.layers.recurrent.cells.base import SINGLE, State
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__ = [
    "KEPT",
    "StateOptions",
    "initial_state",
    "initial_state_refs",
    "keep_frames",
    "keep_last_state",
    "keeps_state",
    "kept_frames",
    "last_state",
    "state_before",
    "state_outputs",
]

#: What asks for the state of the run before; the first one only within an epoch.
KEPT = ("keep_over_epoch", "keep_over_epoch_no_init")
_NAMED = ("zeros", "ones", "var", "placeholder", *KEPT)


def initial_state_refs(given: object) -> list[str]:
    """The names of layers in ``initial_state``."""
    return list(_refs(given))


def _refs(given: object) -> Iterator[str]:
    if isinstance(given, str):
        if given not in _NAMED:
            yield given
    elif isinstance(given, (list, tuple)):
        for part in given:
            yield from _refs(part)
    elif isinstance(given, dict):
        for part in given.values():
            yield from _refs(part)


def initial_state(
    b: LayerBuilder, given: Any, keys: Sequence[str], rest: tuple[Dim, ...], out: Dim
) -> dict[str, Value]:
    """A cell's state before the first frame.

    Args:
        given: the option: None, 0, "zeros", 1, "ones", "var" (trained), "keep_over_epoch", a layer, or several of these
            in the order of the keys or by key.
        keys: of the cell's state.
        rest, out: the axes of each part.
    """
    return {key: _one(b, part, key, rest, out) for key, part in _by_key(b, given, keys).items()}


class StateOptions(Protocol):
    """The options of a layer that say what state its cell begins with."""

    @property
    def initial_state(self) -> Any:
        """Before the first frame."""

    @property
    def state(self) -> Any:
        """Before what the layer sees, be it one frame; given, it counts alone, and nothing is kept."""


def state_before(
    b: LayerBuilder, opt: StateOptions, keys: Sequence[str], rest: tuple[Dim, ...], out: Dim
) -> dict[str, Value]:
    """A cell's state before the frame or the sequence that its layer sees."""
    if opt.state is not None:
        return _given_state(b, opt.state, keys, rest, out)
    return initial_state(b, opt.initial_state, keys, rest, out)


def _given_state(b: LayerBuilder, given: Any, keys: Sequence[str], rest: tuple[Dim, ...], out: Dim) -> dict[str, Value]:
    """As the option ``state`` gives it: the output of one layer, or of one by key."""
    found = {}
    for key, part in _by_key(b, given, keys, "state").items():
        if not isinstance(part, str):
            raise ConfigError("state is no layer", where=b.place("state"), expected="a layer", received=repr(part))
        found[key] = _of_layer(b, replace(b.layer(part), states={}), rest, out, "state")
    return found


def _by_key(b: LayerBuilder, given: Any, keys: Sequence[str], option: str = "initial_state") -> dict[str, Any]:
    where = b.place(option)
    if isinstance(given, dict):
        if set(given) != set(keys):
            raise ConfigError(
                f"{option} needs every part of the unit's state",
                where=where,
                expected=", ".join(keys) if keys[0] else "not a dict: the state is one tensor",
                received=", ".join(map(str, given)),
            )
        return {key: given[key] for key in keys}
    if isinstance(given, (list, tuple)):
        if len(given) != len(keys):
            raise ConfigError(f"{option} has another number of parts", where=where, expected=len(keys), received=given)
        return dict(zip(keys, given, strict=True))
    if len(keys) > 1 and isinstance(given, str) and given not in _NAMED:
        raise ConfigError(
            f"{option} of a unit with several states must be a dict",
            where=where,
            expected=f"one layer for each of {', '.join(keys)}",
            received=repr(given),
        )
    return dict.fromkeys(keys, given)


def _one(b: LayerBuilder, given: Any, key: str, rest: tuple[Dim, ...], out: Dim) -> Value:
    if given == "zeros" or not given:
        return b.expand(b.const(0.0), *rest, out)
    if given in ("ones", 1):
        return b.expand(b.const(1.0), *rest, out)
    if given == "var":
        value = b.param(f"initial_{key or 'var'}", (*_own(b, rest), out), 0.0, unit_scope=_works_on_sequences(b))
        return b.expand(value, *rest, out)
    if isinstance(given, str) and given in KEPT:
        return _kept(b, key, rest, out, resets=given == "keep_over_epoch")
    if isinstance(given, str) and given != "placeholder":
        return _of_layer(b, b.layer(given), rest, out)
    raise ConfigError(
        "only RETURNN's own session feeds a placeholder" if given == "placeholder" else f"no initial_state {given!r}",
        where=b.place("initial_state"),
        expected=f"a layer, 0, 1, {', '.join(n for n in _NAMED if n != 'placeholder')}",
    )


def _works_on_sequences(b: LayerBuilder) -> bool:
    """Whether the cell works on whole sequences: only there RETURNN makes states in the scope of a unit's variables."""
    return b.scope.loop is None or leaves_loop(b.scope, b.definition.path)


def _own(b: LayerBuilder, rest: tuple[Dim, ...]) -> tuple[Dim, ...]:
    own = tuple(d for d in rest if not d.is_batch)
    if any(not d.is_static for d in own):
        raise DimError("initial_state 'var' needs static axes", where=b.place("initial_state"), received=own)
    return own


def _of_layer(b: LayerBuilder, x: LayerOutput, rest: tuple[Dim, ...], out: Dim, option: str = "initial_state") -> Value:
    """A layer's last state where it has one, else its output."""
    if x.states:
        x = last_state(b, x, "*")
    feature = b.require_feature(x)
    if feature.size != out.size:
        raise DimError(f"{option} has another size", where=b.place(option), expected=out, received=x.value.type)
    value = b.rename(x.value, (feature, out))
    for dim in x.axes:
        if dim is feature or dim in rest:
            continue
        partner = next((r for r in rest if r.size is not None and r.size == dim.size and r not in value.dims), None)
        if partner is None:
            raise DimError(
                f"{option} has the axis {dim}, which the unit does not",
                where=b.place(option),
                expected=(*rest, out),
                received=x.value.type,
            )
        value = b.rename(value, (dim, partner))
    return b.expand(value, *rest, out)


# ---------------------------------------------------------------- states kept from run to run


def _kept(b: LayerBuilder, key: str, rest: tuple[Dim, ...], out: Dim, *, resets: bool) -> Value:
    """The last state of the previous run; zeros where nothing is stored yet and in the first step of an epoch.

    A forward program knows no epochs: whoever runs it sets the state.
    """
    stored = _stored_dims(b, key, rest)
    value = b.param(
        _kept_name(key),
        (*stored, out),
        0.0,
        trainable=False,
        regularize=False,
        kept=True,
        unit_scope=_works_on_sequences(b),
    )
    step = _reset_step(b, resets=resets)
    for dim, own in zip(rest, stored, strict=True):
        if dim is not own:
            value = _of_this_batch(b, value, own, dim, step)
    return value if step is None else b.where(b.binary("equal", step, 0), 0.0, value)


def _reset_step(b: LayerBuilder, *, resets: bool) -> Value | None:
    """The number of the step within the epoch, where step 0 starts anew."""
    return _epoch_step(b) if resets and b.program.mode != Mode.FORWARD else None


def _of_this_batch(b: LayerBuilder, value: Value, own: Dim, dim: Dim, step: Value | None) -> Value:
    """A stored state, whose axis ``own`` is as it was stored, over the axis of this batch; a check compares them."""
    root = Builder(b.program.root, origin=b.origin)
    rows = root.op("size_of", value, dim=own)
    root.define(own, rows)
    fits = root.binary("logical_or", root.binary("equal", rows, root.extent(dim)), root.binary("equal", rows, 0))
    if step is not None:
        fits = root.binary("logical_or", fits, root.binary("equal", step, 0))
    message = f"layer {b.definition.path!r}: the state kept from the last run is of another batch"
    b.program.graph.checks.append((message, fits))
    return b.op("resize_axis", value, dim=own, out=dim)


def kept_frames(b: LayerBuilder, key: str, rest: tuple[Dim, ...], out: Dim, frames: Dim, *, resets: bool) -> Value:
    """A state with a frame for each one of the runs before: [*rest, frames, out].

    Nothing says which of them stand behind a sequence's end: they are as long as the longest one. The first of several
    states that are asked for tells how many there are. ``keep_frames`` stores what is found the next time.
    """
    root = Builder(b.program.root, origin=b.origin)
    stored, stored_frames = _stored_dims(b, key, rest), b.dim(f"kept_{key}_frames", None)
    name = _kept_name(key)
    value = b.param(name, (*stored, stored_frames, out), 0.0, trainable=False, regularize=False, kept=True)
    step = _reset_step(b, resets=resets)
    count = root.op("size_of", value, dim=stored_frames)
    root.define(stored_frames, count)
    if root.lookup(frames) is None:
        root.define(frames, count if step is None else root.where(root.binary("equal", step, 0), 0, count))
    for dim, own in zip(rest, stored, strict=True):
        if dim is not own:
            value = _of_this_batch(b, value, own, dim, step)
    return b.op("resize_axis", value, dim=stored_frames, out=frames)


def keep_frames(b: LayerBuilder, key: str, value: Value) -> None:
    """Store a state for the next run, with all of its frames."""
    param = b.program.layer_params[b.definition.path][_kept_name(key)]
    b.program.graph.state_updates[param.name] = value


def _stored_dims(b: LayerBuilder, key: str, rest: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The variable's own axes: those whose size changes from run to run have lengths of their own."""
    return tuple(d if d.is_static else b.dim(f"kept_{key or 'var'}{i}", None) for i, d in enumerate(rest))


def _kept_name(key: str) -> str:
    return f"keep_state_{key or 'var'}"


def _epoch_step(b: LayerBuilder) -> Value:
    for node in b.program.root.nodes:
        if node.op.name == "input" and node.attrs["name"] == EPOCH_STEP:
            return node.result
    return Builder(b.program.root, origin=b.origin).op("input", name=EPOCH_STEP, dtype="int64", dims=())


def keeps_state(given: Any) -> bool:
    """Whether a part of the state is kept for the next run."""
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, (list, tuple)) else [given]
    return any(isinstance(part, str) and part in KEPT for part in parts)


def keep_last_state(b: LayerBuilder, given: Any, state: State) -> None:
    """Store the last state for the next run where ``initial_state`` says so."""
    for key, part in _by_key(b, given, list(state)).items():
        if isinstance(part, str) and part in KEPT:
            param = b.program.layer_params[b.definition.path][_kept_name(key)]
            b.program.graph.state_updates[param.name] = state[key]


# ---------------------------------------------------------------- last states


def state_outputs(state: State, rest: Sequence[Dim], out: Dim) -> dict[str, LayerOutput]:
    """States as outputs, for ``LayerOutput.states``."""
    return {key: LayerOutput(value, (*rest, out), None, out) for key, value in state.items()}


def last_state(b: LayerBuilder, x: LayerOutput, key: Any) -> LayerOutput:
    """One part of a layer's last state, or all of it side by side ("*", "flat")."""
    where = b.place("key")
    if not x.states:
        raise ConfigError("the source has no hidden state", where=b.place("from"), expected="a recurrent layer")
    single = list(x.states) == [SINGLE]
    if single and key in (None, "*"):
        return x.states[SINGLE]
    if not single and key in ("*", "flat"):
        return _joined(b, list(x.states.values()), "state")
    if not single and key in x.states:
        return x.states[key]
    raise ConfigError(
        f"the hidden state has no part {key!r}", where=where, expected="*" if single else f"*, {', '.join(x.states)}"
    )


def _joined(b: LayerBuilder, parts: Sequence[LayerOutput], role: str) -> LayerOutput:
    """Side by side over features."""
    values, dims = [], []
    for i, part in enumerate(parts):
        feature = b.require_feature(part)
        own = Dim(f"{b.definition.path}.{role}{i}", feature.size, feature=True)
        values.append(b.rename(part.value, (feature, own)))
        dims.append(own)
    out = Dim(f"{b.definition.path}.{role}", sum(map(b.size, dims)), feature=True)
    feature = b.require_feature(parts[0])
    axes = tuple(out if d is feature else d for d in parts[0].axes)
    return LayerOutput(b.op("concat", *values, dims=tuple(dims), out=out), axes, None, out)


@option_class
class LastStateOptions(LayerOptions):
    """Options of ``get_last_hidden_state``.

    Attributes:
        combine: concat or add, where there are several states.
        key: which state; `*`: all.
    """

    combine: str = "concat"
    key: str | int | None = "*"


@layer("get_last_hidden_state", options=LastStateOptions, sources="many")
def get_last_hidden_state(b: LayerBuilder, opt: LastStateOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The last states of recurrent layers, joined over features or added."""
    if not sources:
        raise ConfigError("the layer needs a source", where=b.place("from"), expected="a recurrent layer")
    if opt.combine not in ("concat", "add"):
        raise ConfigError("unknown combine", where=b.place("combine"), expected="concat or add", received=opt.combine)
    states = [last_state(b, x, opt.key) for x in sources]
    if any(leaves_loop(b.scope, b.scope.path_of(name)) for name in b.definition.sources if ":" not in name):
        b.note(
            "gives the state of this step; RETURNN computes it outside of the loop, where it is the state behind the "
            "last step for all of them, unless optimize_move_layers_out is False"
        )
    if len(states) == 1:
        joined = states[0]
    elif opt.combine == "concat":
        joined = _joined(b, states, "states")
    else:
        joined = _added(b, states)
    feature, out = b.require_feature(joined), b.out_feature_dim()
    if feature.size != out.size or len(joined.axes) != 2:
        raise DimError("n_out is not the size of the state", where=b.place("n_out"), expected=feature, received=out)
    value = b.rename(joined.value, (feature, out))
    axes = tuple(out if d is feature else d for d in joined.axes)
    result = LayerOutput(value, axes, None, out)
    return LayerOutput(value, axes, None, out, states={SINGLE: result})


def _added(b: LayerBuilder, states: Sequence[LayerOutput]) -> LayerOutput:
    first = states[0]
    feature = b.require_feature(first)
    total = first.value
    for state in states[1:]:
        own = b.require_feature(state)
        if own.size != feature.size:
            raise DimError(
                "states of different size cannot be added", where=b.place("from"), expected=feature, received=own
            )
        total = b.add(total, b.rename(state.value, (own, feature)))
    return LayerOutput(total, first.axes, None, feature)
