"""Layers: self_attention, multi-head dot attention of a sequence with itself (Vaswani et al. 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.recurrent.hidden_state import KEPT, keep_frames, kept_frames
from returnn_ir.network.layer_options import LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Share, Size, option_class

__all__: list[str] = []


@option_class
class SelfAttentionOptions(SourceOptions):
    """Options of ``self_attention``.

    Attributes:
        num_heads: how many heads.
        total_key_dim: the sum of the sizes of all heads' keys.
        key_shift: a layer that is added to the keys by distance (relative positions).
        forward_weights_init: initial value of the weights for the input.
        attention_dropout: of the attention weights.
        attention_left_only: a frame sees itself and the frames before it only.
        initial_state: of the first frame: a number, a layer, or a dict of these by state; None: zeros.
        restrict_state_to_last_seq: in a loop only the last frame counts.
        state_var_lengths: lengths of the frames in a given state.
    """

    num_heads: Size
    total_key_dim: Size
    key_shift: LayerRef | None = None
    forward_weights_init: Init = "glorot_uniform"
    attention_dropout: Share = 0.0
    attention_left_only: bool = False
    initial_state: Any = None
    restrict_state_to_last_seq: bool = False
    state_var_lengths: Any = None


@layer("self_attention", options=SelfAttentionOptions, names_time=True, recurrent=True)
def self_attention(b: LayerBuilder, opt: SelfAttentionOptions, x: LayerOutput) -> LayerOutput:
    """Attention over the time axis.

    The parameter QKV [in, 2 * total_key_dim + n_out] holds, per head, the columns of query, key and value. Padding
    frames get no weight; with ``attention_left_only`` the future does not, and nothing else is asked: the frames behind
    a sequence's end are computed like all others.
    """
    if b.is_loop_axis(x, None):
        return _in_step(b, opt, x)
    time, out = _time(b, opt, x), b.out_feature_dim()
    labels = x.sparse_dim
    feature = labels if labels is not None else b.require_feature(x)
    rest = tuple(d for d in x.axes if d is not time and d is not feature)
    q, k, v, key_dim, value_dim, heads = _projected(b, opt, x, feature, out)
    seen = _Seen(b, opt, k, v, time, (*rest, heads))
    keys = seen.dim
    q = b.mul(q, float(b.size(key_dim)) ** -0.5)
    energy = b.dot(q, seen.keys, key_dim)
    if opt.key_shift is not None:
        energy = b.add(energy, b.dot(q, _shift(b, b.layer(opt.key_shift), time, keys, key_dim), key_dim))
    weights = b.op("softmax", energy, dims=(keys,))
    if b.training:
        weights = b.dropout(weights, opt.attention_dropout, weights.dims, "attention_dropout")
    # a key without weight counts exactly zero, so that no second mask is needed
    context = b.dot(weights, seen.values, keys, mask=False)
    value = b.op("merge", context, dims=(heads, value_dim), out=out)
    return LayerOutput(value, (*rest, time, out), time, out)


class _SeenInStep:
    """Keys and values over the axis of what a step sees: all steps so far, behind the frames of the runs before.

    Attributes:
        mask: which of them count; None: all.
    """

    def __init__(self, b: LayerBuilder, opt: SelfAttentionOptions, k: Value, v: Value, rest: tuple[Dim, ...]) -> None:
        self.dim = steps = b.steps_so_far(b.dim("steps", None))
        self.keys, self.values = b.history(k, steps), b.history(v, steps)
        self.mask: Value | None = None
        if b.scope.step_mask is not None:
            current = b.binary("equal", b.iota(steps), b.enclosing_loop.builder.index)
            self.mask = b.binary("logical_or", b.history(b.scope.step_mask, steps), current)
        if opt.initial_state not in KEPT:
            return
        before = b.dim("before", None)
        with b.outside_loop():
            kept = {key: _kept(b, opt, key, x, rest, before) for key, x in (("k_left", k), ("v_left", v))}
        self.dim = before + steps
        join = {"dims": (before, steps), "out": self.dim}
        self.keys = b.op("concat", kept["k_left"], self.keys, **join)
        self.values = b.op("concat", kept["v_left"], self.values, **join)
        if self.mask is not None:
            self.mask = b.op(
                "concat",
                b.expand(b.const(True), *(d for d in self.mask.dims if d is not steps), before),
                self.mask,
                **join,
            )
        self._keep_at_end(b, opt, kept, {"k_left": k, "v_left": v}, before)

    @staticmethod
    def _keep_at_end(
        b: LayerBuilder, opt: SelfAttentionOptions, kept: dict[str, Value], new: dict[str, Value], before: Dim
    ) -> None:
        """Store what the next run finds, once the loop is there."""
        loop = b.enclosing_loop
        builder, dim = loop.builder, loop.builder.dim
        for x in new.values():
            builder.stack(x)

        def store() -> None:
            for key, x in new.items():
                frames = builder.stacked(x)
                if not opt.restrict_state_to_last_seq:
                    frames = builder.outer.op("concat", kept[key], frames, dims=(before, dim), out=before + dim)
                keep_frames(b, key, frames)

        loop.at_end.append(store)


def _kept(b: LayerBuilder, opt: SelfAttentionOptions, key: str, x: Value, rest: tuple[Dim, ...], frames: Dim) -> Value:
    """The frames of the runs before, of keys or values over the axes that ``x`` has besides its frames'."""
    out = next(d for d in reversed(x.dims) if d not in rest)
    return kept_frames(b, key, rest, out, frames, resets=opt.initial_state == "keep_over_epoch")


class _Seen:
    """Keys and values over the axis of what a frame sees: its sequence's frames, behind those of the runs before."""

    def __init__(
        self, b: LayerBuilder, opt: SelfAttentionOptions, k: Value, v: Value, time: Dim, rest: tuple[Dim, ...]
    ) -> None:
        self._b = b
        before = b.dim("before", None) if opt.initial_state in KEPT else None
        whole = before is None and time.is_static and not opt.attention_left_only
        self.dim = b.dim("keys", time.size if whole else None)
        if before is None:
            frames = {"k_left": k, "v_left": v}
        else:
            frames = {key: self._behind(key, x, time, before, rest, opt) for key, x in (("k_left", k), ("v_left", v))}
        if self.dim.is_dynamic:
            # a causal mask is nothing but keys whose number depends on the query's position
            count = b.add(b.iota(time), 1) if opt.attention_left_only else b.length(time)
            b.define(self.dim, count if before is None else b.add(count, b.length(before)))
        all_frames = time if before is None else before + time
        self.keys, self.values = (b.rename(x, (all_frames, self.dim)) for x in frames.values())

    def _behind(
        self, key: str, x: Value, time: Dim, before: Dim, rest: tuple[Dim, ...], opt: SelfAttentionOptions
    ) -> Value:
        """These frames behind those of the runs before, which the next run finds."""
        b = self._b
        stored = _kept(b, opt, key, x, rest, before)
        joined = b.op("concat", stored, x, dims=(before, time), out=before + time)
        keep_frames(b, key, x if opt.restrict_state_to_last_seq else joined)
        return joined


def _in_step(b: LayerBuilder, opt: SelfAttentionOptions, x: LayerOutput) -> LayerOutput:
    """One step of a loop attends to all steps so far, those left out in which it was masked out."""
    _check_state(b, opt)
    out = b.out_feature_dim()
    feature = x.sparse_dim if x.sparse_dim is not None else b.require_feature(x)
    rest = tuple(d for d in x.axes if d is not feature)
    q, k, v, key_dim, value_dim, heads = _projected(b, opt, x, feature, out)
    seen = _SeenInStep(b, opt, k, v, (*rest, heads))
    q = b.mul(q, float(b.size(key_dim)) ** -0.5)
    energy = b.dot(q, seen.keys, key_dim)
    if opt.key_shift is not None:
        query = b.dim("query", 1)
        shift = _shift(b, b.layer(opt.key_shift), query, seen.dim, key_dim)
        energy = b.add(energy, b.dot(q, b.op("squeeze", shift, dim=query), key_dim))
    if seen.mask is not None:
        energy = b.where(seen.mask, energy, -np.inf)
    weights = b.op("softmax", energy, dims=(seen.dim,))
    if b.training:
        weights = b.dropout(weights, opt.attention_dropout, weights.dims, "attention_dropout")
    context = b.dot(weights, seen.values, seen.dim, mask=False)
    value = b.op("merge", context, dims=(heads, value_dim), out=out)
    batch_first = sorted(rest, key=lambda d: not d.is_batch)
    return LayerOutput(value, (*batch_first, out), None, out)


def _time(b: LayerBuilder, opt: SelfAttentionOptions, x: LayerOutput) -> Dim:
    """The axis to attend over, after checking what is not supported."""
    _check_state(b, opt)
    if x.time_dim is None:
        raise ConfigError("the source has no time axis, and the layer is in no loop", where=b.place("from"))
    return x.time_dim


def _check_state(b: LayerBuilder, opt: SelfAttentionOptions) -> None:
    if opt.state_var_lengths is not None:
        raise ConfigError(
            "the lengths of a given state are a tensor of TensorFlow's graph, which a compiled program has none of",
            where=b.place("state_var_lengths"),
            hint="leave it out: all frames of the state count",
        )
    if opt.initial_state in (None, 0, "zeros", "ones", 1):  # there are no frames before the first one
        return
    if opt.initial_state not in KEPT:
        raise ConfigError(
            "self_attention has frames before the first one only from runs before",
            where=b.place("initial_state"),
            expected=f"None, 0, 1, {', '.join(KEPT)}",
            received=repr(opt.initial_state),
        )
    if not opt.attention_left_only:
        raise ConfigError(
            "without attention_left_only nothing says which frames of the runs before are seen",
            where=b.place("initial_state"),
            hint="'attention_left_only': True",
        )


def _projected(
    b: LayerBuilder, opt: SelfAttentionOptions, x: LayerOutput, feature: Dim, out: Dim
) -> tuple[Value, Value, Value, Dim, Dim, Dim]:
    """Query, key and value per head, the dims of key and value, and of the heads."""
    n = opt.num_heads
    for key, size in (("total_key_dim", opt.total_key_dim), ("n_out", b.size(out))):
        if n < 1 or size % n:
            raise ConfigError(
                f"{key} is not divisible by num_heads", where=b.place(key), expected=f"k * {n}", received=size
            )
    heads = b.dim("heads", n)
    key_dim = b.dim("key", opt.total_key_dim // n, feature=True)
    value_dim = b.dim("value", b.size(out) // n, feature=True)
    parts = 2 * b.size(key_dim) + b.size(value_dim)
    columns, per_head = b.dim("qkv", n * parts, feature=True), b.dim("qkv_head", parts, feature=True)
    # as RETURNN has it, although these are blocks within each head
    blocks = {columns: (opt.total_key_dim, opt.total_key_dim, b.size(out))}
    init = option_init(opt, "forward_weights_init")
    weights = b.param("QKV", (feature, columns), init, splits=blocks, split_under_noise=True)
    if x.sparse_dim is not None:
        projected = b.op("gather", weights, b.labels(x.value, feature), dim=feature)
    else:
        projected = b.dot(x.value, weights, feature)
    split = b.op("split", projected, dim=columns, outs=(heads, per_head))
    bounds = (0, b.size(key_dim), 2 * b.size(key_dim), parts)
    q, k, v = (
        b.op("slice", split, dim=per_head, out=part, start=start, end=end)
        for part, start, end in zip((key_dim, key_dim, value_dim), bounds, bounds[1:], strict=False)
    )
    return q, k, v, key_dim, value_dim, heads


def _shift(b: LayerBuilder, shift: LayerOutput, time: Dim, keys: Dim, key_dim: Dim) -> Value:
    """The keys' shift [queries, keys, key_dim] with this layer's dims."""
    where = b.place("key_shift")
    if len(shift.axes) != 3 or shift.axes[2].size != key_dim.size or shift.batch_dim is not None:
        raise DimError(
            "key_shift has other axes",
            where=where,
            expected=f"[queries, keys, {key_dim.size}]",
            received=shift.value.type,
        )
    return b.rename(shift.value, *zip(shift.axes, (time, keys, key_dim), strict=True))
