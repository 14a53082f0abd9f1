"""What an untrained parameter starts with: RETURNN's initialisers, seeded per variable name.

The distributions are TensorFlow's; the random numbers are not (NumPy draws them).
"""

from __future__ import annotations

import functools
import inspect
import math
import re
import typing
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from returnn_ir.errors import ConfigError, Origin, UnsupportedError, did_you_mean
from returnn_ir.options import fits

__all__ = [
    "Draw",
    "Init",
    "OptionInit",
    "check_init",
    "initial_value",
    "initializer_names",
    "option_init",
    "parse_init",
]

#: A number, an array, or RETURNN's description of an initialiser (a name, a call in a string, a dict with "class").
Init = Any
#: The initial value of a shape, a new array; the element type that is wanted comes last, and may be left to the caller.
Draw = Callable[[tuple[int, ...], np.random.Generator, str], NDArray[Any]]

#: The standard deviation of a normal distribution that is cut off at two of its own.
_TRUNCATED_STD = 0.87962566103423978
#: Numbers that are drawn at once: double precision of so many stays in the cache.
_PIECE = 1 << 14


@dataclass(frozen=True)
class OptionInit:
    """An initialiser as an option of a layer gives it.

    Attributes:
        key: the option, for messages.
    """

    init: Init
    key: str


def option_init(options: object, key: str) -> Init:
    """The initialiser that a layer's or unit's options hold under a key, with the key; None where they hold None."""
    init = getattr(options, key)
    return None if init is None else OptionInit(init, key)


def initial_value(name: str, init: Init, shape: Sequence[int], dtype: str, seed: int) -> NDArray[Any]:
    """The initial value of a parameter.

    The random stream depends on the variable's name and ``seed`` only, so adding a layer does not change the others.

    Raises:
        ConfigError: the description is not understood, or does not fit the shape.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    try:
        drawn = parse_init(init)(tuple(shape), rng, dtype)
    except ConfigError as error:
        error.where = error.where or f"parameter {name!r}"
        raise
    return np.asarray(drawn).astype(dtype, copy=False)


@dataclass(frozen=True)
class _Demanding:
    """A draw that not every shape can have.

    Attributes:
        check: a :class:`ConfigError` for a shape that cannot.
    """

    check: Callable[[tuple[int, ...]], None]
    make: Draw

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        """The initial value."""
        self.check(shape)
        return self.make(shape, rng, dtype)


def check_init(init: Init, shape: tuple[int, ...], where: Origin | None = None) -> None:
    """Whether a description is understood and gives a value of this shape; nothing is drawn, no file is read.

    Raises:
        ConfigError: it is not, or does not.
    """
    draw = parse_init(init, where)
    if isinstance(draw, _Demanding):
        try:
            draw.check(shape)
        except ConfigError as error:
            error.where = error.where or where
            raise


def parse_init(init: Init, where: Origin | None = None) -> Draw:
    """The initialiser that a description names.

    Raises:
        ConfigError: there is none of that name, or it does not take these options.
    """
    if init is None:
        return _zeros()
    try:
        if isinstance(init, (bool, int, float, np.generic, np.ndarray, list, tuple)):
            return _constant(init)
        if isinstance(init, str):
            return _parse_text(init, where)
        if isinstance(init, Mapping) and "class" in init:
            options = {k: v for k, v in init.items() if k != "class"}
            return _by_name(str(init["class"]), where)(**options)
    except (TypeError, ValueError, ArithmeticError) as error:
        text = re.sub(r"^\S*<lambda>\(\) ", "", str(error))  # a maker has no name
        raise ConfigError(f"initialiser {init!r}: {text}", where=where) from error
    raise ConfigError(
        "not an initialiser",
        where=where,
        expected="a number, an array, a name such as 'glorot_uniform', a call in a string, or a dict with 'class'",
        received=repr(init),
    )


def initializer_names() -> list[str]:
    """The names without ``_initializer``, sorted."""
    return sorted(_MAKERS)


def _parse_text(text: str, where: Origin | None) -> Draw:
    """An initialiser as text is data, whatever the config is: it sees pure functions of numbers only."""
    if "(" not in text:
        return _by_name(text, where)()
    # the walker needs the whole expression package, which most nets do without
    from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
    from returnn_ir.expression.number_functions import NUMBER_NAMES
    from returnn_ir.facade.access import DeniedError

    names: dict[str, Any] = dict(NUMBER_NAMES)
    for name, make in _MAKERS.items():
        names[name] = names[f"{name}_initializer"] = make
    names.update({name: _MAKERS[short] for name, short in _CLASSES.items()})
    tree = parse_expression(text, where)
    try:
        made = evaluate_expression(tree, names)
    except (UnsupportedError, DeniedError) as error:
        called = text.partition("(")[0].strip()
        raise ConfigError(
            f"initialiser {text!r} is not understood: {error.what if isinstance(error, DeniedError) else error}",
            where=where,
            expected="one of the initialisers, or a number that is computed with math or NumPy",
            hint=did_you_mean(called.removesuffix("_initializer"), _MAKERS) or "a Python config can give the array",
        ) from error
    except (ArithmeticError, LookupError) as error:
        raise ConfigError(f"initialiser {text!r}: {error}", where=where) from error
    except ConfigError as error:
        error.where = error.where or where
        raise
    if getattr(made, "__module__", None) != __name__:
        return parse_init(made, where)
    draw: Draw = made() if any(made is make for make in _MAKERS.values()) else made
    return draw


def _by_name(name: str, where: Origin | None) -> Callable[..., Draw]:
    short = _CLASSES.get(name, name.removesuffix("_initializer"))
    if short not in _MAKERS:
        raise ConfigError(
            f"unknown initialiser {name!r}",
            where=where,
            expected=", ".join(initializer_names()),
            hint=did_you_mean(short, [*_MAKERS, *_CLASSES]),
        )
    return _MAKERS[short]


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Numbers of inputs and outputs: filter axes first, then in and out."""
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _uniform(low: float, high: float, shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
    """The numbers of ``rng.uniform(low, high, shape).astype(dtype)``, in half the time for a large matrix.

    Most of the other half goes to the pages of the matrix in double precision.
    """
    drawn = np.empty(shape, dtype)
    flat, piece = drawn.reshape(-1), np.empty(min(_PIECE, drawn.size))
    for start in range(0, flat.size, _PIECE):
        part = piece[: flat.size - start]
        rng.random(out=part)
        part *= high - low
        part += low
        flat[start : start + _PIECE] = part
    return drawn


def _truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """A normal draw without anything beyond two standard deviations."""
    drawn = rng.standard_normal(shape)
    while True:
        beyond = np.abs(drawn) > 2.0
        count = int(np.sum(beyond))
        if not count:
            return np.asarray(drawn)
        if not shape:
            drawn = rng.standard_normal(shape)
        else:
            drawn[beyond] = rng.standard_normal(count)


def _checked(make: Callable[..., Draw]) -> Callable[..., Draw]:
    """Refuses arguments of another type than the function says, before anything is drawn."""
    signature, hints = inspect.signature(make), typing.get_type_hints(make)
    known = {name: hint for name, hint in hints.items() if hint not in (object, Any, Draw) and name != "return"}

    @functools.wraps(make)
    def checked(*args: object, **options: object) -> Draw:
        for name, value in signature.bind(*args, **options).arguments.items():
            if name in known and not fits(value, known[name]):
                raise TypeError(f"{name} is {value!r}")
        return make(*args, **options)

    return checked


def _zeros(dtype: object = None) -> Draw:
    return lambda shape, rng, dtype: np.zeros(shape)


def _ones(dtype: object = None) -> Draw:
    return lambda shape, rng, dtype: np.ones(shape)


def _constant(value: Any = 0, dtype: object = None, verify_shape: bool = False) -> Draw:
    array = np.asarray(value)
    if array.dtype.kind == "O":  # whole numbers above 64 bits
        array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise TypeError("a constant is a number or an array of numbers")

    def check(shape: tuple[int, ...]) -> None:
        if array.ndim and array.shape != shape and array.size != math.prod(shape):
            raise ConfigError("the initial value has another shape", expected=shape, received=array.shape)

    def draw(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        return (array.reshape(shape) if array.ndim else np.broadcast_to(array, shape)).copy()

    return _Demanding(check, draw)


@_checked
def _random_uniform(
    minval: float = 0.0, maxval: float | None = None, seed: object = None, dtype: object = None
) -> Draw:
    high = 1.0 if maxval is None else maxval
    if not minval <= high:
        raise ValueError(f"maxval {high} is below minval {minval}")
    if not math.isfinite(high - minval):
        raise ValueError(f"there is no finite range from minval {minval} to maxval {high}")
    return lambda shape, rng, dtype: _uniform(minval, high, shape, rng, dtype)


@_checked
def _random_uniform_abs(limit: float, **options: Any) -> Draw:
    return _random_uniform(-limit, limit, **options)


@_checked
def _random_normal(mean: float = 0.0, stddev: float = 1.0, seed: object = None, dtype: object = None) -> Draw:
    return lambda shape, rng, dtype: mean + stddev * rng.standard_normal(shape)


@_checked
def _truncated_normal(mean: float = 0.0, stddev: float = 1.0, seed: object = None, dtype: object = None) -> Draw:
    return lambda shape, rng, dtype: mean + stddev * _truncated(rng, shape)


@_checked
def _uniform_unit_scaling(factor: float = 1.0, seed: object = None, dtype: object = None) -> Draw:
    def draw(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        limit = math.sqrt(3 / max(math.prod(shape[:-1]), 1)) * factor
        return _uniform(-limit, limit, shape, rng, dtype)

    return draw


@_checked
def _variance_scaling(
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    seed: object = None,
    dtype: object = None,
) -> Draw:
    """Variance ``scale / n`` with n inputs, outputs, or their mean (He et al., arXiv:1502.01852)."""
    if scale <= 0:
        raise ValueError(f"scale is {scale}, which is not positive")
    if mode not in ("fan_in", "fan_out", "fan_avg"):
        raise ValueError(f"unknown mode {mode!r}, expected fan_in, fan_out or fan_avg")
    kind = distribution.lower()
    if kind not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
        raise ValueError(f"unknown distribution {distribution!r}")

    def draw(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        fan_in, fan_out = _fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[mode]
        variance = scale / max(1.0, n)
        if kind == "uniform":
            limit = math.sqrt(3.0 * variance)
            return _uniform(-limit, limit, shape, rng, dtype)
        if kind == "untruncated_normal":
            return math.sqrt(variance) * rng.standard_normal(shape)
        return math.sqrt(variance) / _TRUNCATED_STD * _truncated(rng, shape)

    return draw


@_checked
def _variance_scaling_non_zero(non_zero_fraction: float = 0.5, **options: Any) -> Draw:
    """As ``variance_scaling``, but nothing within ``non_zero_fraction`` of the limit around zero."""
    uniform = options.get("distribution") == "uniform"
    # RETURNN does not correct the deviation for the truncation here
    plain = _variance_scaling(**{**options, "distribution": "uniform" if uniform else "truncated_normal"})

    def draw(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        fan_in, fan_out = _fans(shape)
        mode = options.get("mode", "fan_in")
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[mode]
        deviation = math.sqrt(options.get("scale", 1.0) / max(1.0, n))
        limit = math.sqrt(3.0) * deviation if uniform else 2.0 * deviation
        x = plain(shape, rng, "float64") * (1.0 if uniform else _TRUNCATED_STD)
        return x * (1.0 - non_zero_fraction) + np.where(x >= 0, 1.0, -1.0) * non_zero_fraction * limit

    return draw


@_checked
def _xavier(uniform: bool = True, seed: object = None, dtype: object = None) -> Draw:
    return _variance_scaling(1.0, "fan_avg", "uniform" if uniform else "normal")


def _scaled(scale: float, mode: str, distribution: str) -> Callable[..., Draw]:
    return lambda seed=None, dtype=None: _variance_scaling(scale, mode, distribution)


@_checked
def _orthogonal(gain: float = 1.0, seed: object = None, dtype: object = None) -> Draw:
    """Orthonormal columns or rows (Saxe et al., arXiv:1312.6120)."""

    def check(shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            raise ConfigError("the orthogonal initialiser needs two axes", received=shape)

    def draw(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        return gain * (q.T if rows < columns else q).reshape(shape)

    return _Demanding(check, draw)


@_checked
def _identity(gain: float = 1.0, dtype: object = None) -> Draw:
    def check(shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ConfigError("the identity initialiser needs two axes", received=shape)

    return _Demanding(check, lambda shape, rng, dtype: gain * np.eye(shape[0], shape[1]))


@_checked
def _load_txt_file(filename: str, dtype: object = None) -> Draw:
    """Numbers of a text file: one per line, or within brackets."""

    def draw(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        path = Path(filename)
        if not path.exists():
            raise ConfigError(f"the initialiser's file {filename!r} does not exist")
        try:
            words = path.read_text(encoding="utf8").replace("[", " ").replace("]", " ").replace(",", " ").split()
            array = np.array([float(w) for w in words if not w.startswith("#")])
        except (OSError, ValueError) as error:  # whose text may quote the file
            raise ConfigError(f"the initialiser's file {filename!r} is not a text of numbers") from error
        if array.size != math.prod(shape):
            raise ConfigError(f"{filename!r} has {array.size} numbers", expected=math.prod(shape))
        return array.reshape(shape)

    return draw


_MAKERS: dict[str, Callable[..., Draw]] = {
    "zeros": _zeros,
    "ones": _ones,
    "constant": _constant,
    "random_uniform": _random_uniform,
    "random_uniform_abs": _random_uniform_abs,
    "random_normal": _random_normal,
    "truncated_normal": _truncated_normal,
    "uniform_unit_scaling": _uniform_unit_scaling,
    "variance_scaling": _variance_scaling,
    "variance_scaling_non_zero": _variance_scaling_non_zero,
    "xavier": _xavier,
    "glorot_uniform": _scaled(1.0, "fan_avg", "uniform"),
    "glorot_normal": _scaled(1.0, "fan_avg", "truncated_normal"),
    "he_uniform": _scaled(2.0, "fan_in", "uniform"),
    "he_normal": _scaled(2.0, "fan_in", "truncated_normal"),
    "lecun_uniform": _scaled(1.0, "fan_in", "uniform"),
    "lecun_normal": _scaled(1.0, "fan_in", "truncated_normal"),
    "orthogonal": _orthogonal,
    "identity": _identity,
    "load_txt_file": _load_txt_file,
}
_CLASSES = {
    "Zeros": "zeros",
    "Ones": "ones",
    "Constant": "constant",
    "RandomUniform": "random_uniform",
    "RandomNormal": "random_normal",
    "TruncatedNormal": "truncated_normal",
    "UniformUnitScaling": "uniform_unit_scaling",
    "VarianceScaling": "variance_scaling",
    "VarianceScalingNonZero": "variance_scaling_non_zero",
    "GlorotUniform": "glorot_uniform",
    "GlorotNormal": "glorot_normal",
    "Orthogonal": "orthogonal",
    "Identity": "identity",
}
