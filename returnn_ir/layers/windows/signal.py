"""Layers that process spectra: mel_filterbank, dct, complex_linear_projection, noise estimation, masks, channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import batch_major, with_roles
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.axes.batch import merge_batch
from returnn_ir.losses.framewise import safe_log
from returnn_ir.network.layer_options import LayerOptions, LayerRef, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import NonNegative, Positive, Size, option_class

__all__: list[str] = []

Matrix = NDArray[np.float64]


@option_class
class MelFilterbankOptions(SourceOptions):
    """Options of ``mel_filterbank``; frequencies in Hz.

    Attributes:
        sampling_rate: of the signal.
        fft_size: of the Fourier transform that the source is of.
        nr_of_filters: how many filters.
        f_min: where the lowest filter begins.
        f_max: where the highest filter ends; None: half of the sampling rate.
    """

    sampling_rate: Size = 16000
    fft_size: Size = 1024
    nr_of_filters: Size = 80
    f_min: NonNegative | None = None
    f_max: Positive | None = None


@layer("mel_filterbank", options=MelFilterbankOptions)
def mel_filterbank(b: LayerBuilder, opt: MelFilterbankOptions, x: LayerOutput) -> LayerOutput:
    """Sums of a spectrum's bins, weighted by triangles that are of equal width on the mel scale."""
    if opt.n_out is not None and opt.n_out != opt.nr_of_filters:
        raise ConfigError(
            "n_out differs from nr_of_filters", where=b.place("n_out"), expected=opt.nr_of_filters, received=opt.n_out
        )
    high = opt.f_max or opt.sampling_rate / 2
    b.require_room(opt.fft_size // 2 + 1, opt.nr_of_filters)
    filters = _triangles(
        opt.f_min or 0, high, opt.fft_size / opt.sampling_rate, opt.fft_size // 2 + 1, opt.nr_of_filters
    )
    return _projected(b, batch_major(x), filters)


def _triangles(low: float, high: float, bins_per_hertz: float, bins: int, filters: int) -> Matrix:
    """[bins, filters]: Huang, Acero and Hon, "Spoken Language Processing" (2001), equation 6.141."""
    mel_low, mel_high = (1125.0 * np.log(1 + f / 700.0) for f in (low, high))
    corners = 700.0 * (np.exp(np.linspace(mel_low, mel_high, filters + 2) / 1125.0) - 1) * bins_per_hertz
    left, center, right = corners[:-2], corners[1:-1], corners[2:]
    number = np.arange(bins)[:, None]
    return np.clip(np.minimum((number - left) / (center - left), (right - number) / (right - center)), 0, None)


@option_class
class DctOptions(SourceOptions):
    """Options of ``dct``.

    Attributes:
        type: of the transform.
        n: must be None.
        norm: ortho, or None.
    """

    type: Literal[1, 2, 3, 4] = 2
    n: Any = None
    norm: str | None = None


@layer("dct", options=DctOptions, recurrent=True)
def dct(b: LayerBuilder, opt: DctOptions, x: LayerOutput) -> LayerOutput:
    """The discrete cosine transform of the features; ``norm`` is None or "ortho"."""
    if opt.n is not None:
        raise ConfigError("the transform takes no size, in RETURNN neither", where=b.place("n"), received=opt.n)
    if opt.norm not in (None, "ortho") or (opt.type == 1 and opt.norm):
        raise ConfigError(
            "no such transform",
            where=b.place("type"),
            expected="norm None or 'ortho' (not with type 1)",
            received=f"type {opt.type}, norm {opt.norm!r}",
        )
    feature = b.require_feature(x)
    size = feature.size
    if size is None or (opt.type == 1 and size < 2):
        raise DimError("the transform needs a fixed number of features", where=b.place("from"), received=x.value.type)
    b.require_room(size, size)
    made = _projected(b, batch_major(x), _cosines(opt.type, size, ortho=opt.norm == "ortho"))
    axes = tuple(feature if d is made.feature_dim else d for d in made.axes)
    return LayerOutput(b.rename(made.value, (b.require_feature(made), feature)), axes, made.time_dim, feature)


def _cosines(kind: int, size: int, *, ortho: bool) -> Matrix:
    """[input, output]: Britanak, Yip and Rao, "Discrete Cosine and Sine Transforms" (2007)."""
    n, k = np.arange(size)[:, None], np.arange(size)[None, :]
    if kind == 1:
        ends = np.where((n == 0) | (n == size - 1), 1.0, 2.0)
        return np.asarray(ends * np.cos(np.pi * n * k / (size - 1)))
    if kind == 4:
        matrix = 2.0 * np.cos(np.pi * (2 * n + 1) * (2 * k + 1) / (4 * size))
        return np.asarray(matrix * np.sqrt(1 / (2 * size)) if ortho else matrix)
    matrix = 2.0 * np.cos(np.pi * (2 * n + 1) * k / (2 * size))
    if ortho:
        matrix = matrix * np.sqrt(np.where(k == 0, 1 / (4 * size), 1 / (2 * size)))
    elif kind == 3:
        matrix = matrix * np.where(k == 0, 0.5, 1.0)
    return np.asarray(matrix if kind == 2 else matrix.T)


def _projected(b: LayerBuilder, x: LayerOutput, matrix: Matrix) -> LayerOutput:
    """The features times a fixed matrix [input, output], which stand behind all other axes."""
    feature = b.require_feature(x)
    if feature.size != matrix.shape[0]:
        raise DimError(
            "the source has another number of features",
            where=b.place("from"),
            expected=matrix.shape[0],
            received=feature,
        )
    out: Dim = b.dim("out", matrix.shape[1], feature=True)
    weights = b.const(matrix.astype(np.float32), "float32", (feature, out))
    value = b.dot(x.value, weights, feature)
    axes = (*(d for d in x.axes if d is not feature), out)
    return LayerOutput(value, axes, x.time_dim, out)


@option_class
class ComplexLinearProjectionOptions(SourceOptions):
    """Options of ``complex_linear_projection``.

    Attributes:
        nr_of_filters: how many filters.
        clp_weights_init: initial value of the weights.
    """

    nr_of_filters: Size
    clp_weights_init: Init = "glorot_uniform"


@layer("complex_linear_projection", options=ComplexLinearProjectionOptions)
def complex_linear_projection(b: LayerBuilder, opt: ComplexLinearProjectionOptions, x: LayerOutput) -> LayerOutput:
    """The logarithm of the magnitude of a complex product (Variani et al. 2016, "Complex linear projection (CLP)").

    The features are real and imaginary parts by turns, [..., 2 * bins] to [..., nr_of_filters].
    """
    if opt.n_out is not None and opt.n_out != opt.nr_of_filters:
        raise ConfigError(
            "n_out differs from nr_of_filters", where=b.place("n_out"), expected=opt.nr_of_filters, received=opt.n_out
        )
    x, feature = batch_major(x), b.require_feature(x)
    if feature.size is None or feature.size % 2:
        raise DimError(
            "the features are no pairs of real and imaginary parts",
            where=b.place("from"),
            expected="an even number",
            received=feature,
        )
    bins, out = b.dim("bins", feature.size // 2), b.dim("out", opt.nr_of_filters, feature=True)
    part, one = b.dim("part", 2), b.dim("one", 1)
    kernel = b.param("clp_kernel", (part, bins, out), option_init(opt, "clp_weights_init"))
    pairs = b.op("split", x.value, dim=feature, outs=(bins, part))

    def at(value: Value, index: int) -> Value:
        return b.op("squeeze", b.op("slice", value, dim=part, out=one, start=index, end=index + 1), dim=one)

    (x_re, x_im), (w_re, w_im) = ((at(v, 0), at(v, 1)) for v in (pairs, kernel))
    real = b.sub(b.dot(x_re, w_re, bins), b.dot(x_im, w_im, bins))
    imag = b.add(b.dot(x_im, w_re, bins), b.dot(x_re, w_im, bins))
    size = b.unary("sqrt", b.add(b.mul(real, real), b.mul(imag, imag)))
    axes = (*(d for d in x.axes if d is not feature), out)
    return LayerOutput(safe_log(b, size), axes, x.time_dim, out)


@layer("complex_to_alternating_real", options=SourceOptions)
def complex_to_alternating_real(b: LayerBuilder, opt: SourceOptions, x: LayerOutput) -> LayerOutput:
    """Complex features as real ones, real and imaginary parts by turns: [batch, ..., 2 * features]."""
    x, feature = batch_major(x), b.require_feature(x)
    if x.dtype != "complex64" or feature.size is None:
        raise DimError(
            "the source has no fixed number of complex features", where=b.place("from"), received=x.value.type
        )
    part, out = b.dim("part", 2), b.dim("out", 2 * feature.size, feature=True)
    real, imag = b.unary("real", x.value), b.unary("imag", x.value)
    pairs = b.where(b.binary("equal", b.iota(part), 0), b.expand(real, part), b.expand(imag, part))
    value = b.op("merge", pairs, dims=(feature, part), out=out)
    return LayerOutput(value, (*(d for d in x.axes if d is not feature), out), x.time_dim, out)


@option_class
class SignalMaskingOptions(LayerOptions):
    """Options of ``signal_masking``.

    Attributes:
        signal: the layer that is masked, real or complex.
        mask: the layer with the factors.
    """

    signal: LayerRef
    mask: LayerRef


@layer("signal_masking", options=SignalMaskingOptions, sources="none")
def signal_masking(b: LayerBuilder, opt: SignalMaskingOptions) -> LayerOutput:
    """A signal, entry by entry times a mask."""
    signal, given = batch_major(b.layer(opt.signal)), b.layer(opt.mask)
    for dim in [d for d in given.axes if d.size == 1 and d not in signal.axes]:  # one entry for all
        given = given.with_axes(b.op("squeeze", given.value, dim=dim), {dim: ()})
    value, mask = b.unify([signal, given]).values
    extra = [d for d in mask.dims if d not in value.dims]
    if extra:
        raise DimError(
            "the mask has axes that the signal lacks", where=b.place("mask"), expected=signal.axes, received=extra
        )
    return signal.with_value(b.mul(value, mask))


@layer("normalize_length_scores", options=LayerOptions, sources="many")
def normalize_length_scores(b: LayerBuilder, opt: LayerOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """Each frame of the source to the power of its number, counted from 1."""
    if not sources or sources[0].time_dim is None:
        raise DimError("the layer needs a source with a time axis", where=b.place("from"))
    x, time = sources[0], sources[0].time_dim
    number = b.cast(b.add(b.iota(time), 1), x.dtype)
    return x.with_value(b.unary("exp", b.mul(b.unary("log", x.value), number)))


@option_class
class FirstFramesOptions(SourceOptions):
    """Options of ``first_t_frames_noise_estimator``; -1: all frames.

    Attributes:
        nr_of_frames: how many frames the mean is over.
    """

    nr_of_frames: int


@layer("first_t_frames_noise_estimator", options=FirstFramesOptions, recurrent=True)
def first_frames(b: LayerBuilder, opt: FirstFramesOptions, x: LayerOutput) -> LayerOutput:
    """The mean of the first frames at every frame; frames behind a short sequence's end count, as RETURNN has it."""
    x = batch_major(x)
    if opt.nr_of_frames < 1 and opt.nr_of_frames != -1:
        raise ConfigError(
            "no number of frames", where=b.place("nr_of_frames"), expected="1 or more, or -1", received=opt.nr_of_frames
        )
    if x.time_dim is None:
        raise DimError("the source has no time axis", where=b.place("from"), received=x.value.type)
    time, mask = x.time_dim, b.program.masks_tails
    if opt.nr_of_frames == -1:
        mean = b.reduce("mean", x.value, time, mask=mask)
    else:
        first = b.binary("less", b.iota(time), opt.nr_of_frames)
        total = b.reduce("sum", b.where(first, x.value, 0.0), time, mask=mask)
        mean = b.div(total, b.reduce("sum", b.cast(first, x.dtype), time, mask=mask))
    return with_roles(b.expand(mean, time), x.axes, time, x.feature_dim)


@option_class
class SplitChannelsOptions(SourceOptions):
    """Options of ``split_concatenated_multichannel``.

    Attributes:
        nr_of_channels: how many channels the features consist of.
    """

    nr_of_channels: Size = 1


@layer("split_concatenated_multichannel", options=SplitChannelsOptions)
def split_channels(b: LayerBuilder, opt: SplitChannelsOptions, x: LayerOutput) -> LayerOutput:
    """Channels from the features to the batch, [batch * channels, time, features / channels]."""
    x, feature, batch = batch_major(x), b.require_feature(x), x.batch_dim
    if batch is None:
        raise DimError("the source has no batch axis", where=b.place("from"), received=x.value.type)
    if feature.size is None or opt.nr_of_channels < 1 or feature.size % opt.nr_of_channels:
        raise DimError(
            "the features are not those of so many channels",
            where=b.place("nr_of_channels"),
            expected="a divisor of the number of features",
            received=f"{opt.nr_of_channels} channels, {feature}",
        )
    channel = b.dim("channel", opt.nr_of_channels)
    out = b.dim("out", feature.size // opt.nr_of_channels, feature=True)
    merged = batch * channel
    value = b.op("split", x.value, dim=feature, outs=(channel, out))
    value, renamed = merge_batch(b, value, (batch, channel), merged)
    axes = [merged, *(renamed.get(d, d) for d in x.axes if d not in (batch, feature)), out]
    time = renamed.get(x.time_dim, x.time_dim) if x.time_dim is not None else None
    return with_roles(value, axes, time, out)
