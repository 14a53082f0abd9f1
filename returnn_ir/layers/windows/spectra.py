"""Layers: short-time Fourier transforms and their inverse.

Frames, windows and scaling are those that TensorFlow documents for ``tf.signal.stft`` and ``tf.signal.inverse_stft``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.roles import batch_major, with_roles
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.layers.windows.geometry import SpatialAxes, SpatialInput, adopt_dims, spatial_input
from returnn_ir.network.layer_options import LayerOptions, SourceOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import Size, option_class

__all__: list[str] = []

Window = NDArray[np.float64]


def _hann(size: int) -> Window:
    """TensorFlow's Hann window [size]: periodic where the size is even, else symmetric."""
    turn = size if size % 2 == 0 else size - 1
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / turn)) if size > 1 else np.ones(1)


def _blackman(size: int) -> Window:
    """The symmetric Blackman window [size] (Oppenheim and Schafer, "Discrete-Time Signal Processing", 7.2)."""
    return np.blackman(size)


_WINDOWS = {"hanning": _hann, "blackman": _blackman, "None": np.ones, "ones": np.ones}


@option_class
class StftOptions(SourceOptions):
    """Options of ``stft`` and ``istft``; all sizes in samples.

    Attributes:
        frame_shift: from the start of a frame to the start of the next one.
        frame_size: of a frame.
        fft_size: of the Fourier transform.
        in_spatial_dims: the axes that the filter runs over; None: all dynamic and other spatial ones.
        out_spatial_dims: the axes that come out for them, in the same order.
        use_time_mask: what stands behind a sequence's end does not count.
    """

    frame_shift: Size
    frame_size: Size
    fft_size: Size | None = None
    in_spatial_dims: SpatialAxes = None
    out_spatial_dims: Sequence[Dim] | None = None
    use_time_mask: bool = False


@layer("stft", options=StftOptions, recurrent=True)
def stft(b: LayerBuilder, opt: StftOptions, x: LayerOutput) -> LayerOutput:
    """The spectrum of every frame of one channel, complex [batch, frames, fft_size // 2 + 1]."""
    _refuse_sizes_of_output(b, opt)
    source = _samples(b, opt, x)
    if source.feature.size != 1:
        raise DimError("stft takes one channel", where=b.place("from"), received=source.feature, expected="1 feature")
    (time,) = source.dims
    out = (time - (opt.frame_size - 1)).ceildiv(opt.frame_shift)
    signal = b.op("squeeze", source.value, dim=source.feature)
    frames = _framed(b, signal, time, out, opt.frame_size, opt.frame_shift)
    bins = b.dim("out", _fft_size(opt) // 2 + 1, feature=True)
    value = _spectrum(b, *frames, _hann, _fft_size(opt), bins)
    return adopt_dims(b, source.output(b, value, (out,), bins), (out,), opt.out_spatial_dims)


@layer("istft", options=StftOptions, recurrent=True)
def istft(b: LayerBuilder, opt: StftOptions, x: LayerOutput) -> LayerOutput:
    """The samples of spectra: overlapping frames are added, [batch, samples, 1]."""
    _refuse_sizes_of_output(b, opt)
    source, size, shift = _samples(b, opt, x), opt.frame_size, opt.frame_shift
    if source.value.dtype != "complex64" or source.feature.size != _fft_size(opt) // 2 + 1:
        raise DimError(
            "istft takes the spectra of stft",
            where=b.place("from"),
            expected=f"complex64 with {_fft_size(opt) // 2 + 1} features",
            received=source.value.type,
        )
    (time,) = source.dims
    out, one = time * shift + max(size - shift, 0), b.dim("out", 1, feature=True)
    samples, frame = b.dim("samples", _fft_size(opt)), b.dim("frame", size)
    frames = b.op("irfft", source.value, dim=source.feature, out=samples)
    frames = b.op("resize_axis", frames, dim=samples, out=frame)
    b.require_room(size)
    b.require_room(shift)
    frames = b.mul(frames, b.const(_inverse_window(size, shift), "float32", (frame,)))
    position = b.add(b.mul(b.iota(time), shift), b.iota(frame))
    value = b.expand(b.op("scatter_add", frames, position, dims=(time, frame), out=out), one)
    return adopt_dims(b, source.output(b, value, (out,), one), (out,), opt.out_spatial_dims)


def _inverse_window(size: int, shift: int) -> Window:
    """[size]: with it overlapping Hann windows add up to one (Griffin and Lim 1984, equation 6).

    Where every window over a sample is zero (no overlap), the sample is lost and its weight is zero, as in TensorFlow.
    """
    window = _hann(size)
    padded = np.pad(window**2, (0, -size % shift))
    total = np.tile(padded.reshape(-1, shift).sum(0), len(padded) // shift)[:size]
    return np.asarray(np.divide(window, total, out=np.zeros_like(window), where=total != 0))


def _fft_size(opt: StftOptions) -> int:
    return opt.fft_size or opt.frame_size


def _refuse_sizes_of_output(b: LayerBuilder, opt: LayerOptions) -> None:
    for key in ("n_out", "out_type"):
        if getattr(opt, key) is not None:
            raise ConfigError(
                f"the sizes of the transform give the output's, {key!r} does not", where=b.place(key), hint="fft_size"
            )


def _samples(b: LayerBuilder, opt: StftOptions, x: LayerOutput) -> SpatialInput:
    """The source with the axis of the samples (istft: of the frames) found, its tails as the options ask."""
    source = spatial_input(b, batch_major(x), 1, opt.in_spatial_dims)
    mask = b.mask_tails if opt.use_time_mask else b.window_input
    return replace(source, value=mask(source.value, source.dims, 0))


def _framed(
    b: LayerBuilder, signal: Value, time: Dim, out: Dim, size: int, shift: int, role: str = "frame"
) -> tuple[Value, Dim]:
    """The signal along ``time`` cut into frames [out, frame]."""
    if signal.dtype != "float32":
        raise DimError("needs samples in float32", where=b.place("from"), received=signal.type)
    frame = b.dim(role, size)
    return b.op("window", signal, dim=time, out=out, window=frame, stride=shift), frame


def _spectrum(b: LayerBuilder, frames: Value, frame: Dim, window: Any, fft_size: int, bins: Dim) -> Value:
    size = b.size(frame)
    b.require_room(size)
    shape = b.const(window(size), "float32", (frame,))
    return b.op("rfft", b.mul(frames, shape), dim=frame, out=bins, size=fft_size)


@option_class
class _ChannelOptions(SourceOptions):
    """Options of both layers for several channels; all sizes in samples.

    Attributes:
        frame_shift: from the start of a frame to the start of the next one.
        window: hanning, blackman, none or ones.
        use_rfft: only the frequencies that are not there twice.
        nr_of_channels: how many channels the features consist of.
        pad_last_frame: a last frame that is not whole is padded.
    """

    frame_shift: Size
    window: str = "hanning"
    use_rfft: bool = True
    nr_of_channels: Size = 1
    pad_last_frame: bool = False


@option_class
class MultichannelStftOptions(_ChannelOptions):
    """Options of ``multichannel_stft_layer``.

    Attributes:
        frame_size: of a frame.
        fft_size: of the Fourier transform.
    """

    frame_size: Size
    fft_size: Size


@option_class
class MultiresolutionStftOptions(_ChannelOptions):
    """Options of ``multichannel_multiresolution_stft_layer``: the first frame size says how many frames there are.

    Attributes:
        frame_sizes: of the frames, by resolution.
        fft_sizes: of the Fourier transforms, by resolution.
    """

    frame_sizes: Sequence[Size]
    fft_sizes: Sequence[Size]


@layer("multichannel_stft_layer", options=MultichannelStftOptions, recurrent=True)
def multichannel_stft(b: LayerBuilder, opt: MultichannelStftOptions, x: LayerOutput) -> LayerOutput:
    """The spectra of channels (features of the source) side by side, [batch, frames, channels * bins]."""
    return _channel_spectra(b, opt, x, [opt.frame_size], [opt.fft_size])


@layer("multichannel_multiresolution_stft_layer", options=MultiresolutionStftOptions, recurrent=True)
def multiresolution_stft(b: LayerBuilder, opt: MultiresolutionStftOptions, x: LayerOutput) -> LayerOutput:
    """As ``multichannel_stft_layer`` for several sizes of frames, whose spectra are joined: the size varies slowest."""
    if not opt.frame_sizes or len(opt.frame_sizes) != len(opt.fft_sizes):
        raise ConfigError(
            "every resolution has a frame size and an FFT size",
            where=b.place("fft_sizes"),
            expected=f"{max(len(opt.frame_sizes), 1)} entries",
            received=opt.fft_sizes,
        )
    return _channel_spectra(b, opt, x, opt.frame_sizes, opt.fft_sizes)


def _channel_spectra(
    b: LayerBuilder, opt: _ChannelOptions, x: LayerOutput, frame_sizes: Sequence[int], fft_sizes: Sequence[int]
) -> LayerOutput:
    _check_channels(b, opt, x)
    x, channel = batch_major(x), b.require_feature(x)
    (time,) = spatial_input(b, x, 1, None).dims
    reference, shift = frame_sizes[0], opt.frame_shift
    if opt.pad_last_frame:  # one frame more: the first one that reaches the end
        reach = time - (reference - shift) if reference > shift else time + (shift - reference)
        out = reach.ceildiv(shift)
    else:
        out = (time - (reference - 1)).ceildiv(shift)
    b.also_called(out, f"{b.definition.name}:MultiChannelMultiResolutionStft")
    signal = b.window_input(x.value, [time], 0)
    parts: list[Value] = []
    dims: list[Dim] = []
    for i, (size, fft_size) in enumerate(zip(frame_sizes, fft_sizes, strict=True)):
        samples, long = _lengthened(b, signal, time, size - reference)
        bins = b.dim(f"bins{i}", fft_size // 2 + 1)
        frames = _framed(b, samples, long, out, size, shift, f"frame{i}")
        value = _spectrum(b, *frames, _WINDOWS[opt.window], fft_size, bins)
        dims.append(b.dim(f"part{i}", b.size(channel) * (fft_size // 2 + 1)))
        parts.append(b.op("merge", value, dims=(channel, bins), out=dims[-1]))
    features = b.dim("out", sum(map(b.size, dims)), feature=True)
    if opt.n_out is not None and opt.n_out != features.size:
        raise ConfigError(
            "n_out is not the number of all bins", where=b.place("n_out"), expected=features.size, received=opt.n_out
        )
    joined = b.op("concat", *parts, dims=tuple(dims), out=features)
    axes = [features if d is channel else out if d is time else d for d in x.axes]
    return with_roles(joined, axes, out, features)


def _lengthened(b: LayerBuilder, signal: Value, time: Dim, missing: int) -> tuple[Value, Dim]:
    """A longer frame looks beyond the end of the signal, where RETURNN has 1e-7 (a zero would make log fail)."""
    if missing <= 0:
        return signal, time
    long = time + missing
    return b.op("pad", signal, dim=time, out=long, right=missing, value=1e-7), long


def _check_channels(b: LayerBuilder, opt: _ChannelOptions, x: LayerOutput) -> None:
    if not opt.use_rfft:
        raise ConfigError("only real signals have a transform here, in RETURNN too", where=b.place("use_rfft"))
    if opt.window not in _WINDOWS:
        raise ConfigError(
            "no such window", where=b.place("window"), expected=", ".join(_WINDOWS), received=repr(opt.window)
        )
    if b.require_feature(x).size != opt.nr_of_channels:
        raise DimError(
            "the features are not the channels",
            where=b.place("nr_of_channels"),
            expected=f"{opt.nr_of_channels} features",
            received=x.value.type,
        )
