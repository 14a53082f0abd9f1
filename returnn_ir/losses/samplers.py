"""Labels drawn without replacement, as TensorFlow's candidate samplers draw them, and how often each is to be expected.

TensorFlow draws labels until it has as many different ones as are wanted. Its number of tries and the order of the
labels have the same distribution here, where nothing is rejected: label c arrives first at a time that is exponential
with rate p(c), so that the first arrivals are the drawn labels in their order; between the arrivals j and j + 1 the
number of tries is geometric, with the probability of all labels that are not among the first j.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from returnn_ir.options import Count, Described, Finite, checked, option_class, read_options

__all__ = ["Sampler", "Samples", "draw", "learn", "sampler_of"]

Sampler = Literal["log_uniform", "uniform", "learned_unigram", "fixed_unigram"]
#: The weights of ``learned_unigram``, which live as long as a run and are in no checkpoint, as in RETURNN.
_COUNTS = "sampler_counts"


@option_class
class SamplerOptions:
    """``sampler_args`` of most samplers.

    Attributes:
        seed: another one draws other labels.
        name: without effect.
    """

    seed: int | None = None
    name: str | None = None


@option_class
class FixedUnigramOptions(SamplerOptions):
    """``sampler_args`` of ``fixed_unigram``.

    Attributes:
        vocab_file: a line for each label, with its weight behind the last comma.
        unigrams: the weights instead.
        distortion: the exponent of the weights.
        num_reserved_ids: so many labels in front that are never drawn.
        num_shards: the labels are not divided among several.
        shard: which of them.
    """

    vocab_file: str = ""
    unigrams: Annotated[Sequence[float], Described("a list of numbers")] = ()
    distortion: Finite = 1.0
    num_reserved_ids: Count = 0
    num_shards: Literal[1] = 1
    shard: Literal[0] = 0


@dataclass(frozen=True)
class Samples:
    """What is drawn at once, for many frames.

    Attributes:
        labels: [dim], int64.
        expected: how often each is among so many draws [dim].
        expected_of: the same of other labels.
    """

    labels: Value
    dim: Dim
    expected: Value
    expected_of: Callable[[Value], Value]


def sampler_of(
    b: LayerBuilder, name: Sampler, given: Mapping[str, Any] | None, classes: Dim, count: int
) -> tuple[Value, int | None]:
    """The probability of each label [classes] in float64, and the seed; ``count`` are to be drawn at once.

    Raises:
        ConfigError: wrong arguments, or weights of another number of labels.
    """
    kind = FixedUnigramOptions if name == "fixed_unigram" else SamplerOptions
    opts = checked(read_options(kind, given or {}, lambda key: b.place("loss_opts"), owner=f"sampler {name!r}"))
    return _SAMPLERS[name](b, opts, classes, count), opts.seed


def _uniform(b: LayerBuilder, opts: SamplerOptions, classes: Dim, count: int) -> Value:
    size = b.size(classes)
    return b.const(np.full(size, 1.0 / size), "float64", (classes,))


def _log_uniform(b: LayerBuilder, opts: SamplerOptions, classes: Dim, count: int) -> Value:
    """Zipf's law, for labels that are sorted by how frequent they are."""
    number = b.iota(classes, "float64")
    return b.div(b.unary("log1p", b.div(1.0, b.add(number, 1.0))), float(np.log1p(b.size(classes))))


def _learned_unigram(b: LayerBuilder, opts: SamplerOptions, classes: Dim, count: int) -> Value:
    """How often labels were targets in this run, each once more."""
    weights = b.cast(_counts(b, classes), "float64")
    return b.div(weights, b.reduce("sum", weights, classes))


def _fixed_unigram(b: LayerBuilder, opts: SamplerOptions, classes: Dim, count: int) -> Value:
    if not isinstance(opts, FixedUnigramOptions) or bool(opts.vocab_file) == bool(opts.unigrams):
        raise ConfigError(
            "the sampler 'fixed_unigram' needs weights of the labels",
            where=b.place("loss_opts"),
            expected="either vocab_file or unigrams in sampler_args",
        )
    weights = [float(w) for w in opts.unigrams] or _weights_in(b, opts.vocab_file)
    if len(weights) + opts.num_reserved_ids != classes.size or not all(0 <= w < np.inf for w in weights):
        raise ConfigError(
            "the sampler 'fixed_unigram' has not a weight of each label",
            where=b.place("loss_opts"),
            expected=f"{b.size(classes) - opts.num_reserved_ids} numbers that are not negative",
            received=f"{len(weights)}",
        )
    with np.errstate(all="ignore"):
        powers = np.asarray(weights, np.float64) ** opts.distortion
    if not np.isfinite(powers.sum()):
        raise ConfigError(
            "the sampler 'fixed_unigram' has weights whose powers are no numbers",
            where=b.place("loss_opts"),
            expected="a 'distortion' that keeps all of them finite",
            received=opts.distortion,
        )
    scaled: np.ndarray[Any, Any] = np.concatenate([np.zeros(opts.num_reserved_ids), powers])
    if np.count_nonzero(scaled) < count:
        raise ConfigError(
            "the sampler 'fixed_unigram' has fewer labels with a weight than are to be drawn",
            where=b.place("loss_opts"),
            expected=f"at least {count}",
            received=np.count_nonzero(scaled),
        )
    return b.const(scaled / scaled.sum(), "float64", (classes,))


def _weights_in(b: LayerBuilder, path: str) -> list[float]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.reason
        raise ConfigError(f"cannot read vocab_file: {reason}", where=b.place("loss_opts"), received=path) from error
    try:
        return [float(line.rpartition(",")[2]) for line in lines if line]
    except ValueError as error:
        raise ConfigError(
            f"{path}: a line of vocab_file does not end in a number: {error}", where=b.place("loss_opts")
        ) from error


#: By RETURNN's names.
_SAMPLERS: Mapping[Sampler, Callable[[LayerBuilder, SamplerOptions, Dim, int], Value]] = {
    "log_uniform": _log_uniform,
    "uniform": _uniform,
    "learned_unigram": _learned_unigram,
    "fixed_unigram": _fixed_unigram,
}


def _counts(b: LayerBuilder, classes: Dim) -> Value:
    return b.param(_COUNTS, (classes,), 1.0, trainable=False, regularize=False, kept=True)


def learn(b: LayerBuilder, labels: Value, valid: Value, classes: Dim) -> None:
    """Count the targets of a batch, for ``learned_unigram``; as in TensorFlow that shows in the next one."""
    if b.in_loop:
        raise ConfigError(
            "the sampler 'learned_unigram' learns from whole sequences",
            where=b.place("loss_opts"),
            hint="put the layer behind the loop",
        )
    held = _counts(b, classes)
    ones = b.cast(valid, "float32")
    dims = tuple(labels.dims)
    found = b.op("scatter_add", b.expand(ones, *dims), labels, dims=dims, out=classes)
    name = b.program.layer_params[b.definition.path][_COUNTS].name
    b.program.graph.state_updates[name] = b.add(held, found)


def draw(b: LayerBuilder, probs: Value, classes: Dim, count: int, role: str) -> Samples:
    """``count`` different labels; in a loop they are the same in all steps."""
    dim = b.dim("sampled", count)
    # log p - log E is the larger the earlier the label arrives at the time E / p
    times = b.unary("log", b.unary("neg", b.unary("log", _unit(b, (classes,), role))))
    found = b.emit(get_op("top_k"), [b.sub(b.unary("log", probs), times)], {"dim": classes, "k": dim, "mask": False})
    labels = b.op("set_sparse", found[1], sparse_dim=None)
    reached = b.minimum(b.op("cumsum", b.op("gather", probs, labels, dim=classes), dim=dim), 1.0 - 1e-12)
    spaces = b.unary("floor", b.div(b.unary("log", _unit(b, (dim,), f"{role}/tries")), b.unary("log", reached)))
    between = b.where(b.binary("less", b.iota(dim), count - 1), b.add(spaces, 1.0), 0.0)
    tries = b.op("stop_gradient", b.add(b.reduce("sum", between, dim), 1.0))

    def expected(which: Value) -> Value:
        """1 - (1 - p) ** tries; so many times p where nothing was drawn twice."""
        p = b.op("gather", probs, which, dim=classes)
        rejecting = b.unary("neg", b.unary("expm1", b.mul(tries, b.unary("log1p", b.unary("neg", p)))))
        plain = b.binary("equal", tries, float(count))
        return b.cast(b.where(plain, b.mul(p, float(count)), rejecting), "float32")

    return Samples(labels, dim, expected(labels), expected)


def _unit(b: LayerBuilder, dims: tuple[Dim, ...], role: str) -> Value:
    """Uniform in (0, 1], with 64 bits: rare labels need more digits than float32 has."""
    high, low = (b.cast(b.random("bits", dims, f"{role}/{part}"), "float64") for part in ("high", "low"))
    return b.mul(b.add(b.add(b.mul(high, 2.0**32), low), 0.5), 2.0**-64)
