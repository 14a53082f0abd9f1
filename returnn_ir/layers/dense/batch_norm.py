"""Batch normalization: the layer, and the option ``batch_norm`` of every layer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.common_options import common_option
from returnn_ir.construct.initializers import Init
from returnn_ir.construct.recurrence import leaves_loop
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.mode import Mode
from returnn_ir.network.layer_options import SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Alias, NonNegative, Probability, checked, option_class, read_options

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["BatchNormOptions", "batch_norm_of"]


@option_class
class StatisticsOptions:
    """Options of ``batch_norm``, the layer and the option of that name; None: by the behaviour version.

    RETURNN had ``fused`` (``fused_bn``: the kernel of TensorFlow) and ``axes`` (those that keep their statistics apart)
    for a time; the latter can only be the features.

    Attributes:
        use_shift: a learned shift.
        use_std: a learned scale.
        use_sample: in training, the share of the running statistics in those that are used.
        force_sample: `use_sample` holds outside of training, too.
        momentum: the share of a batch's statistics in the running ones.
        epsilon: added to the variance.
        update_sample_only_in_training: running statistics stay outside of training.
        delay_sample_update: running statistics are used as they were before the step.
        param_version: how the parameters are called and what shape they have.
        gamma_init: initial value of the scale.
        beta_init: initial value of the shift.
        masked_time: what stands behind a sequence's end does not count.
        fused: TensorFlow's fused kernel, where it computes the same.
        axes: those that keep their statistics apart: the features.
    """

    use_shift: bool = True
    use_std: bool = True
    use_sample: Probability = 0.0
    force_sample: bool = False
    momentum: Probability | None = None
    epsilon: NonNegative = 1e-3
    update_sample_only_in_training: bool | None = None
    delay_sample_update: bool | None = None
    param_version: Literal[0, 1, 2] | None = None
    gamma_init: Init = 1.0
    beta_init: Init = 0.0
    masked_time: bool | None = None
    fused: Annotated[bool | None, Alias("fused_bn")] = None
    axes: Any = None


@option_class
class BatchNormOptions(StatisticsOptions, SourceOptions):
    """Options of ``batch_norm`` as a layer."""


@layer("batch_norm", options=BatchNormOptions, any_size=True, joins_sources=True)
def batch_norm(b: LayerBuilder, opt: BatchNormOptions, x: LayerOutput) -> LayerOutput:
    """Batch normalization over all axes but the features (Ioffe & Szegedy, arXiv:1502.03167)."""
    return _normalize(b, _Settings.of(b, opt), x)


@common_option("batch_norm")
def batch_norm_of(b: LayerBuilder, x: LayerOutput, given: bool | dict[str, Any]) -> LayerOutput:
    """What the option ``batch_norm`` (True, or a dict of the layer's options) does to a layer's output.

    What the activation was applied to stays known: losses see it without the normalization, as RETURNN's do.
    """
    raw = given if isinstance(given, dict) else {}
    options = checked(read_options(StatisticsOptions, raw, lambda key: b.place("batch_norm"), owner="batch_norm"))
    normed = _normalize(b, _Settings.of(b, options), x)
    parts = x.parts
    if b.definition.spec.name == "subnetwork":  # it and its layer "output" are one tensor in RETURNN
        parts = {**parts, "output": normed}
    return replace(normed, activation=x.activation, states=x.states, parts=parts)


@dataclass(frozen=True)
class _Settings:
    """The options with the behaviour version's defaults filled in."""

    opt: StatisticsOptions
    momentum: float
    masked_time: bool
    only_in_training: bool
    delayed: bool
    param_version: int

    @staticmethod
    def of(b: LayerBuilder, opt: StatisticsOptions) -> _Settings:
        new = b.behavior.new_batch_norm
        masked = opt.masked_time
        if masked is None:
            if new:
                raise ConfigError(
                    "batch_norm needs masked_time from behavior_version 12 on",
                    where=b.place(),
                    hint="'masked_time': True leaves out the frames behind each sequence's end",
                )
            masked = True
        version = opt.param_version if opt.param_version is not None else (2 if new else 0)
        momentum = opt.momentum if opt.momentum is not None else (0.1 if new else 0.99)
        only = opt.update_sample_only_in_training
        delayed = opt.delay_sample_update
        return _Settings(
            opt, momentum, masked, new if only is None else only, new if delayed is None else delayed, version
        )

    @property
    def fused(self) -> bool:
        """Where RETURNN takes TensorFlow's kernel, whose running variance is the unbiased one."""
        opt = self.opt
        plain = opt.use_shift and opt.use_std and opt.use_sample == 0 and not opt.force_sample
        chosen = self.param_version >= 2 or bool(opt.fused)
        return chosen and not self.masked_time and plain

    def updates(self, b: LayerBuilder) -> bool:
        """Whether the running statistics move."""
        frozen = b.program.mode == Mode.FORWARD
        return not frozen and (b.training or not (self.only_in_training or self.fused))

    def uses_batch(self, b: LayerBuilder) -> bool:
        """Whether the batch's statistics are needed for anything."""
        mixes = b.training or self.opt.force_sample
        return self.updates(b) or (mixes and self.opt.use_sample != 1)


@dataclass(frozen=True)
class _Statistics:
    mean: Value
    variance: Value


class _Params:
    """The variables of one batch norm, under RETURNN's names of the parameter version.

    Versions 0 and 1 have the rank of the data, with axes of size one; version 2 has the feature axis only. Data
    without features, which the former take, are normalized as a whole.
    """

    def __init__(self, b: LayerBuilder, version: int, axes: Sequence[Dim | None], feature: Dim | None) -> None:
        self._b = b
        self._feature = feature
        name = b.definition.name
        # version 0 has the name of the output in it, and a subnetwork's output is that of its layer "output"
        output = "output" if b.definition.spec.name == "subnetwork" else name
        self._prefix = "batch_norm/" + {0: f"{name}_{output}_output_", 1: "", 2: "v2_"}[version]
        self._dims: tuple[Dim, ...] = (feature,) if feature is not None else ()
        if version < 2:
            self._dims = tuple(
                d if d is not None and d is feature else b.dim(f"batch_norm:{i}", 1) for i, d in enumerate(axes)
            )

    def get(self, name: str, init: Init, *, trainable: bool = True) -> Value:
        """A variable [feature], or one number."""
        value = self._b.param(self._prefix + name, self._dims, init, trainable=trainable)
        for dim in self._dims:
            value = value if dim is self._feature else self._b.op("squeeze", value, dim=dim)
        return value

    def update(self, name: str, value: Value) -> None:
        """The variable's value after this run."""
        b = self._b
        param = b.program.layer_params[b.definition.path][self._prefix + name]
        shaped = b.expand(value, *(d for d in self._dims if d is not self._feature))
        pairs = zip(self._dims, param.dims, strict=True)
        b.program.graph.state_updates[param.name] = b.rename(shaped, *pairs)


def _normalize(b: LayerBuilder, settings: _Settings, x: LayerOutput) -> LayerOutput:
    feature = x.feature_dim if settings.param_version < 2 else b.require_feature(x)
    if feature is not None and feature.size is None:
        raise DimError("batch_norm needs a static feature axis", where=b.place(), received=feature)
    opt = settings.opt
    if opt.axes is not None and b.axes(x, opt.axes, "axes") != [feature]:
        raise ConfigError(
            "batch_norm has statistics per feature only",
            where=b.place("axes"),
            expected="'F'",
            received=opt.axes,
        )
    outside = _leaves_loop(b)
    params = _Params(b, settings.param_version, (None, *x.axes) if outside else x.axes, feature)
    with b.outside_loop() if b.scope.loop is not None else nullcontext():
        running = _Statistics(params.get("mean", 0.0, trainable=False), params.get("variance", 1.0, trainable=False))
    used = _in_loop(b, settings, x, running, params) if b.scope.loop is not None else None
    if used is None:
        used = _statistics(b, settings, x, running, params)
    scale = params.get("gamma", opt.gamma_init) if opt.use_std else b.const(1.0)
    bias = params.get("beta", opt.beta_init) if opt.use_shift else b.const(0.0)
    value = b.op("batch_norm", x.value, used.mean, used.variance, scale, bias, epsilon=opt.epsilon)
    return x.with_value(value)


def _leaves_loop(b: LayerBuilder) -> bool:
    return leaves_loop(b.scope, b.definition.path)


def _in_loop(
    b: LayerBuilder, settings: _Settings, x: LayerOutput, running: _Statistics, params: _Params
) -> _Statistics | None:
    """The statistics of a layer in a loop; None where those of this step are wanted."""
    loop = b.enclosing_loop
    if loop.trial:
        return running
    if loop.probe is not None and loop.probe.path == b.definition.path:
        loop.probe.answer(x)
    if loop.sequence is None or not _leaves_loop(b):
        return None
    if not settings.uses_batch(b):
        return running
    whole = loop.sequence(b.definition.path)
    with b.outside_loop():
        return _statistics(b, settings, whole, running, params)


def _statistics(
    b: LayerBuilder, settings: _Settings, x: LayerOutput, running: _Statistics, params: _Params
) -> _Statistics:
    """The mean and variance to normalize by; updates the running ones. Mode ``forward`` leaves them as they are."""
    opt = settings.opt
    updates = settings.updates(b)
    mixes = b.training or opt.force_sample
    if not settings.uses_batch(b):
        return running
    batch = _of_batch(b, settings, x)
    by_step = b.scope.loop is not None and not _leaves_loop(b)
    if updates and by_step and b.program.searching:
        running = _running_in_search(b, running)
    if updates:
        moved = _moved(b, settings, x, running, batch)
        if by_step:
            _update_by_step(b, settings, running, moved, params)
        else:
            params.update("mean", moved.mean)
            params.update("variance", moved.variance)
        if not settings.delayed and not settings.fused:
            # the value that was just assigned: no gradient goes through it
            running = _Statistics(*(b.op("stop_gradient", v) for v in (moved.mean, moved.variance)))
    if not mixes or opt.use_sample == 1:
        return running
    if opt.use_sample == 0:
        return batch

    def mix(own: Value, held: Value) -> Value:
        return b.add(b.mul(own, 1.0 - opt.use_sample), b.mul(held, opt.use_sample))

    return _Statistics(mix(batch.mean, running.mean), mix(batch.variance, running.variance))


def _running_in_search(b: LayerBuilder, running: _Statistics) -> _Statistics:
    """In a search, unlike in a loop over given labels, every step starts from what the step before it made of them."""
    carry, path = b.enclosing_loop.builder.carry, b.definition.path
    mean, variance = carry(f"{path}:running mean", running.mean), carry(f"{path}:running variance", running.variance)
    return _Statistics(mean, variance)


def _update_by_step(
    b: LayerBuilder, settings: _Settings, running: _Statistics, moved: _Statistics, params: _Params
) -> None:
    """In a loop that the layer cannot leave, each step moves the statistics, always as seen from the value before it.

    TensorFlow's kernel returns the new value, so that only the last step counts; else RETURNN adds the differences. In
    a search the steps follow one another.
    """
    loop = b.enclosing_loop
    replaces = settings.fused or b.program.searching
    for name, before, after in (("mean", running.mean, moved.mean), ("variance", running.variance, moved.variance)):
        key = f"{b.definition.path}:running {name}"
        held = loop.builder.carry(key, before)
        loop.builder.carries[key].following = after if replaces else b.add(held, b.sub(after, before))
        loop.at_end.append(partial(_store, b, params, name, key))


def _store(b: LayerBuilder, params: _Params, name: str, key: str) -> None:
    with b.outside_loop():
        params.update(name, b.enclosing_loop.builder.last(key))


def _moved(
    b: LayerBuilder, settings: _Settings, x: LayerOutput, running: _Statistics, batch: _Statistics
) -> _Statistics:
    """The running statistics, moved towards the batch's."""
    variance = batch.variance
    if settings.fused:
        count = b.const(1.0)
        for dim in x.axes:
            if dim is not x.feature_dim:
                count = b.mul(count, float(dim.size) if dim.size is not None else b.cast(b.extent(dim), "float32"))
        variance = b.mul(variance, b.div(count, b.maximum(b.sub(count, 1.0), 1.0)))

    def move(held: Value, new: Value) -> Value:
        return b.add(held, b.mul(b.sub(new, held), settings.momentum))

    return _Statistics(move(running.mean, batch.mean), move(running.variance, variance))


def _of_batch(b: LayerBuilder, settings: _Settings, x: LayerOutput) -> _Statistics:
    """Mean and (biased) variance over all axes but the features; with ``masked_time`` over valid frames only."""
    mean = _mean(b, settings, x, x.value)
    centred = b.sub(x.value, mean)
    return _Statistics(mean, _mean(b, settings, x, b.mul(centred, centred)))


def _mean(b: LayerBuilder, settings: _Settings, x: LayerOutput, value: Value) -> Value:
    """Only the time axis is masked, as in RETURNN."""
    masked = [d for d in x.axes if d.is_batch or d is x.time_dim] if settings.masked_time else []
    plain = [d for d in x.axes if d is not x.feature_dim and d not in masked]
    if b.program.searching:
        return _over_hypotheses(b, value, masked, plain)
    if plain:
        value = b.reduce("mean", value, *plain, mask=False)
    return b.reduce("mean", value, *masked) if masked else value


def _over_hypotheses(b: LayerBuilder, value: Value, masked: Sequence[Dim], plain: Sequence[Dim]) -> Value:
    """The mean over all hypotheses too, which are part of RETURNN's batch axis; each has frames of its own."""
    ones = b.op("like_beam", b.expand(b.const(1.0), *masked, *plain), value)

    def total(of: Value) -> Value:
        of = b.reduce("sum", of, *plain, mask=False) if plain else of
        return b.op("sum_beam", b.reduce("sum", of, *masked) if masked else of)

    return b.div(total(value), total(ones))
