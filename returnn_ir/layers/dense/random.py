"""Layers that draw random numbers: random, rand_int, random_state_init.

A draw follows from the config's ``random_seed``, the training step, the layer's path and the step of the loops around
it; no state is stored. Only where a layer's numbers depend on a ``seed`` alone (``static``, or ``explicit_state`` of a
random_state_init) are they those that RETURNN draws, except for truncated_normal.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.recurrence import leaves_loop
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import is_float
from returnn_ir.layers.dense.constant import static_axes
from returnn_ir.network.layer_options import LayerOptions, LayerRef
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import DType, NonNegative, Range, option_class

__all__: list[str] = []

#: The state of a generator: the counter's lower and upper half, and the key.
State = tuple[int, int, int]

#: A normal number is farther than 2 standard deviations away with probability 0.0455, seven in a row with 4e-10.
_ATTEMPTS = 7


#: TensorFlow takes parts of 64 bits, with or without sign; a single number may have more.
_Seed64 = Annotated[int, Range(-(2**63), 2**64 - 1)]
_Seed = Annotated[int, Range()] | Sequence[_Seed64] | None


@option_class
class RandomOptions(LayerOptions):
    """Options of ``random``.

    Attributes:
        shape: the axes, as Dims or sizes.
        distribution: uniform, normal, truncated_normal, bernoulli, or an initialiser.
        mean: of the numbers.
        stddev: their standard deviation.
        bound: uniform numbers are between -bound and bound.
        minval: the smallest number.
        maxval: the bound above the largest one.
        dtype: of the entries.
        sparse_dim: what the entries, as labels, number.
        feature_dim: which of the axes is the feature axis.
        seed: of the random numbers.
        algorithm: of the random generator; without effect.
        explicit_state: the layer with the generator's state.
        auto_update_state: a draw changes that state.
        static: the same numbers in each step.
        shape_deps: layers whose sizes the shape names.
        stop_grad: nothing is derived through the arguments.
    """

    shape: list[Any] | tuple[Any, ...]
    distribution: str
    mean: float | int | LayerRef | None = None
    stddev: NonNegative | LayerRef | None = None
    bound: float | int | LayerRef | None = None
    minval: float | int | LayerRef | None = None
    maxval: float | int | LayerRef | None = None
    dtype: DType = "float32"
    sparse_dim: Dim | None = None
    feature_dim: Dim | None = None
    seed: _Seed = None
    algorithm: Any = None
    explicit_state: LayerRef | None = None
    auto_update_state: bool | None = None
    static: bool | None = None
    shape_deps: LayerRef | list[LayerRef] | tuple[LayerRef, ...] = ()
    stop_grad: bool = False


@layer("random", options=RandomOptions, sources="none")
def random(b: LayerBuilder, opt: RandomOptions) -> LayerOutput:
    """Numbers of a shape from a uniform, normal or truncated normal distribution."""
    for dep in [opt.shape_deps] if isinstance(opt.shape_deps, str) else opt.shape_deps:
        b.layer(dep)
    axes = static_axes(b, opt.shape)
    _say_where_drawn(b)
    draw = _Draw(b, axes, _state(b, opt))
    if opt.distribution == "uniform":
        value = _uniform(b, opt, draw)
    elif opt.distribution in ("normal", "truncated_normal"):
        value = _normal(b, opt, draw)
    else:
        raise ConfigError(
            "unknown distribution",
            where=b.place("distribution"),
            expected="uniform, normal or truncated_normal",
            received=opt.distribution,
        )
    return _output(b.cast(value, opt.dtype), axes, opt.sparse_dim, opt.feature_dim, b)


@dataclass(frozen=True)
class _Draw:
    """How a layer draws."""

    b: LayerBuilder
    axes: tuple[Dim, ...]
    state: State | None

    def __call__(self, kind: str, role: str = "random") -> Value:
        dtype = "int64" if kind == "bits" else "float32"
        path = self.b.random_path(role)
        return self.b.op("random", kind=kind, path=path, dims=self.axes, dtype=dtype, state=self.state)


def _say_where_drawn(b: LayerBuilder) -> None:
    if leaves_loop(b.scope, b.definition.path):
        b.note(
            "draws anew in every step; RETURNN computes it outside of the loop, one draw for all of them, unless "
            "optimize_move_layers_out is False"
        )


def _output(
    value: Value, axes: Sequence[Dim], sparse_dim: Dim | None, feature: Dim | None, b: LayerBuilder
) -> LayerOutput:
    if sparse_dim is not None:
        value = b.op("set_sparse", value, sparse_dim=sparse_dim)
    time = default_time_dim(axes)
    default = default_feature_dim(axes, time, sparse=sparse_dim is not None)
    return LayerOutput(value, tuple(axes), time, feature if feature is not None else default)


def _number(b: LayerBuilder, key: str, given: Any, dtype: str, *, stop: bool = False) -> Value:
    """A parameter of a distribution: a number, or a layer without axes."""
    if not isinstance(given, str):
        return b.const(given, dtype)
    value = b.layer(given).value
    if value.dims:
        raise ConfigError("a distribution's parameter has no axes", where=b.place(key), received=value.type)
    value = b.cast(b.op("set_sparse", value, sparse_dim=None), dtype)
    return b.op("stop_gradient", value) if stop else value


# -------------------------------------------------------------------- distributions


def _uniform(b: LayerBuilder, opt: RandomOptions, draw: _Draw) -> Value:
    low, high = _limits(b, opt)
    if is_float(opt.dtype):
        return b.add(b.mul(draw("uniform"), b.sub(high, low)), low)
    return _integers(b, draw, low, high)


def _limits(b: LayerBuilder, opt: RandomOptions) -> tuple[Value, Value]:
    """The range of a uniform distribution, by limits, by a bound, or by mean and standard deviation."""
    dtype = "float32" if is_float(opt.dtype) else "int64"
    given = {key: getattr(opt, key) for key in ("minval", "maxval", "bound", "mean", "stddev")}
    held = {k: _number(b, k, v, dtype, stop=opt.stop_grad) for k, v in given.items() if v is not None}
    if held.keys() <= {"minval", "maxval"} and "maxval" in held:
        return held.get("minval", b.const(0, dtype)), held["maxval"]
    if held.keys() == {"bound"}:
        return b.unary("neg", held["bound"]), held["bound"]
    if held.keys() <= {"mean", "stddev"} and "stddev" in held:
        half, middle = b.mul(held["stddev"], math.sqrt(3.0)), held.get("mean", b.const(0, dtype))
        return b.sub(middle, half), b.add(half, middle)
    raise ConfigError(
        "a uniform distribution has other parameters",
        where=b.place(),
        expected="maxval and perhaps minval; or bound; or stddev and perhaps mean",
        received=", ".join(held) or "none",
    )


def _integers(b: LayerBuilder, draw: _Draw, low: Value, high: Value) -> Value:
    """int64 from ``low`` to below ``high``, which are at most 2^32 apart."""
    return b.add(low, b.binary("mod", draw("bits"), b.sub(high, low)))


def _normal(b: LayerBuilder, opt: RandomOptions, draw: _Draw) -> Value:
    mean = _number(b, "mean", opt.mean or 0, "float32", stop=opt.stop_grad)
    deviation = _number(b, "stddev", 1 if opt.stddev is None else opt.stddev, "float32", stop=opt.stop_grad)
    truncated = opt.distribution == "truncated_normal"
    for key in ("bound", "minval", "maxval"):
        given = getattr(opt, key)
        if given is not None and not (truncated and given == _two_deviations(opt, key)):
            raise ConfigError(
                f"a {opt.distribution} distribution has no such parameter",
                where=b.place(key),
                expected="mean and stddev" + ("; limits are 2 * stddev from the mean" if truncated else ""),
                received=given,
            )
    value = _cut_off(b, draw) if truncated else draw("normal")
    return b.add(b.mul(value, deviation), mean)


def _two_deviations(opt: RandomOptions, key: str) -> float | None:
    """The limit of a truncated normal distribution with these numbers."""
    mean, deviation = opt.mean or 0, 1 if opt.stddev is None else opt.stddev
    if isinstance(mean, str) or isinstance(deviation, str) or key == "bound":
        return None
    return mean + 2 * deviation if key == "maxval" else mean - 2 * deviation


def _cut_off(b: LayerBuilder, draw: _Draw) -> Value:
    """Normal numbers within 2: the first of a few draws that is."""
    value: Value | None = None
    for attempt in reversed(range(_ATTEMPTS)):
        state = draw.state
        shifted = (state[0], state[1], state[2] + attempt) if state is not None else None
        found = replace(draw, state=shifted)("normal", f"random{attempt or ''}")
        within = b.binary("less_equal", b.unary("abs", found), 2.0)
        value = b.where(within, found, b.const(0.0) if value is None else value)
    return b.const(0.0) if value is None else value


# -------------------------------------------------------------------- states


def _state(b: LayerBuilder, opt: RandomOptions) -> State | None:
    """The generator's state where the numbers are the same in every run."""
    if opt.explicit_state is not None:
        if opt.static or opt.seed is not None:
            raise ConfigError("explicit_state excludes static and seed", where=b.place("explicit_state"))
        given = b.layer(opt.explicit_state)
        if opt.auto_update_state:
            _require_variable(b, given)
            return None
        if given.value.node is None or given.value.node.op.name != "const":
            raise ConfigError(
                "the numbers of this state are not known before a run",
                where=b.place("explicit_state"),
                expected="a layer random_state_init, or a variable and auto_update_state",
                received=opt.explicit_state,
                hint="'static' and a 'seed': the same numbers in each step",
            )
        low, high, key = (int(n) for n in given.value.node.attrs["value"])
        _check_algorithm(b, opt.algorithm)
        return low, high, key
    if not opt.static:
        return None
    _check_algorithm(b, opt.algorithm)
    return _state_of_seed(b, opt.seed)


def _require_variable(b: LayerBuilder, given: LayerOutput) -> None:
    """Refuse a state that no draw can move on; a variable means other numbers in each step, as without it."""
    if not given.variable:
        raise ConfigError(
            "auto_update_state needs a variable", where=b.place("explicit_state"), expected="a layer of class variable"
        )
    b.note("what is drawn follows from random_seed and the step; the variable of the state stays as it is")


def _check_algorithm(b: LayerBuilder, algorithm: object) -> None:
    """Where the numbers are promised, only TensorFlow's default will do."""
    if algorithm not in (None, 1, "philox") and getattr(algorithm, "name", "") != "PHILOX":
        raise ConfigError(
            "RETURNN cannot choose the algorithm with TensorFlow 2.21",
            where=b.place("algorithm"),
            expected="none, or philox, its default",
            received=algorithm,
        )


def _state_of_seed(b: LayerBuilder, seed: Any) -> State:
    """As TensorFlow makes it: the 64-bit parts of a number, the lowest first; of several, the first three or zeros."""
    if seed is None:
        seed = zlib.crc32(b.definition.path.encode())
    if isinstance(seed, (int, np.integer)):
        parts = [int(seed) >> 64 * i & (2**64 - 1) for i in range(3)]
    else:
        given = [int(n) for n in np.asarray(seed).reshape(-1)]
        parts = [*[0] * (3 - len(given)), *given[:3]]
    low, high, key = (n - 2**64 if n >= 2**63 else n for n in parts)
    return low, high, key


@option_class
class RandomStateInitOptions(LayerOptions):
    """Options of ``random_state_init``.

    Attributes:
        algorithm: of the random generator; without effect.
        seed: of the random numbers.
    """

    algorithm: Any = None
    seed: _Seed = None


@layer("random_state_init", options=RandomStateInitOptions, sources="none")
def random_state_init(b: LayerBuilder, opt: RandomStateInitOptions) -> LayerOutput:
    """The state of a generator that starts with a seed, three int64."""
    _check_algorithm(b, opt.algorithm)
    dim = opt.out_dim if opt.out_dim is not None else b.dim("state", 3, feature=True, description="random_PHILOX_state")
    if dim.size != 3:
        raise ConfigError("a state has three parts", where=b.place("out_dim"), received=dim)
    value = b.const(np.asarray(_state_of_seed(b, opt.seed), np.int64), "int64", (dim,))
    return LayerOutput.of(value, (dim,))


@option_class
class RandIntOptions(LayerOptions):
    """Options of ``rand_int``.

    Attributes:
        shape: the axes, as Dims or sizes.
        maxval: the number above the largest one.
        minval: the smallest number.
        dtype: of the entries.
        sparse_dim: what the entries, as labels, number.
        seed: of the random numbers.
    """

    shape: list[Any] | tuple[Any, ...]
    maxval: int | LayerRef
    minval: int | LayerRef = 0
    dtype: DType = "int32"
    sparse_dim: Dim | None = None
    seed: _Seed64 | None = None


@layer("rand_int", options=RandIntOptions, sources="none")
def rand_int(b: LayerBuilder, opt: RandIntOptions) -> LayerOutput:
    """Whole numbers from ``minval`` to below ``maxval``; a ``seed`` chooses another sequence of draws."""
    axes = static_axes(b, opt.shape)
    _say_where_drawn(b)
    low, high = (_number(b, key, getattr(opt, key), "int64") for key in ("minval", "maxval"))
    path = b.random_path("random" if opt.seed is None else f"random{opt.seed}")
    if is_float(opt.dtype):
        number = b.op("random", kind="uniform", path=path, dims=axes, dtype="float32")
        value = b.add(b.mul(number, b.cast(b.sub(high, low), "float32")), b.cast(low, "float32"))
    else:
        bits = b.op("random", kind="bits", path=path, dims=axes, dtype="int64")
        value = b.add(low, b.binary("mod", bits, b.sub(high, low)))
    return _output(b.cast(value, opt.dtype), axes, opt.sparse_dim, None, b)
