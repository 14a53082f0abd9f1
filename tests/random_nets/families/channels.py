"""Signals of several channels, and spectra of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch
from tests.random_nets.values import Value


def signal(net: Sketch, x: Value, channels: int) -> Value:
    """A signal that is long enough for a frame, with a channel per feature."""
    samples = net.add("linear", {"from": x.name, "activation": "tanh", "n_out": channels}, None)
    return net.add("pad", {"from": samples.name, "axes": net.time(x), "padding": (8, 8)}, None)


@family("stft", "istft", places=("root",))
def stft(net: Sketch) -> None:
    """Spectra of a signal, and a signal from spectra."""
    x = net.pick(lambda v: v.is_frames)
    options = {"frame_size": 4, "frame_shift": 2, "fft_size": 4}
    spectrum = net.add("stft", {"from": signal(net, x, 1).name, **options}, None)
    if net.chance(0.5):
        net.add("istft", {"from": spectrum.name, **options}, None)
    else:
        net.add("eval", {"from": spectrum.name, "eval": "tf.abs(source(0))", "out_type": {"dtype": "float32"}}, None)


@family("signal_masking", "complex_to_alternating_real", places=("root",))
def masked_spectrum(net: Sketch) -> None:
    """A spectrum times a mask, as real features; RETURNN takes the sizes of neither from its source."""
    x = net.pick(lambda v: v.is_frames)
    source = signal(net, x, 1).name
    spectrum = net.add("stft", {"from": source, "frame_size": 4, "frame_shift": 2, "fft_size": 4}, None)
    options = {"from": spectrum.name, "eval": "tf.sigmoid(tf.abs(source(0)))", "out_type": {"dtype": "float32"}}
    mask = net.add("eval", options, None)
    out_type = {"dim": 3, "dtype": "complex64"}
    masked = net.add("signal_masking", {"signal": spectrum.name, "mask": mask.name, "out_type": out_type}, None)
    real = {"from": masked.name, "out_type": {"dim": 6, "dtype": "float32"}}
    net.add("complex_to_alternating_real", real, None)


@family("normalize_length_scores", places=("root",))
def length_scores(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    scores = net.add("linear", {"from": x.name, "activation": "sigmoid", "n_out": x.size}, None)
    net.add("normalize_length_scores", {"from": scores.name}, None)


@family("multichannel_stft_layer", "multichannel_multiresolution_stft_layer", places=("root",))
def multichannel_stft(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    channels, shift = net.random.randint(1, 2), net.random.randint(2, 4)
    options: dict[str, Any] = {"frame_shift": shift, "nr_of_channels": channels}
    options |= net.some(pad_last_frame=[True], window=["hanning", "ones"])
    one: dict[str, Any] = {"frame_size": 4, "fft_size": net.choose([4, 8])}
    two: dict[str, Any] = {"frame_sizes": [4, 6], "fft_sizes": [4, 8]}
    name, sizes = net.choose([("stft", one), ("multiresolution_stft", two)])
    source = signal(net, x, channels).name
    net.add(f"multichannel_{name}_layer", {"from": source, **options, **sizes}, None)


@family("split_concatenated_multichannel", places=("root",))
def split_channels(net: Sketch) -> None:
    """Each channel becomes a sequence of its own."""
    x = net.pick(lambda v: v.is_frames and v.size in (4, 6))
    channels = 2 if x.size == 4 else net.choose([2, 3])
    size = x.size // channels
    net.add("split_concatenated_multichannel", {"from": x.name, "nr_of_channels": channels, "n_out": size}, None)


@family("complex_linear_projection", places=("root",))
def complex_linear_projection(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames and v.size % 2 == 0)
    count = net.random.randint(2, 4)
    output = replace(x, feature=net.axis(count))
    net.add("complex_linear_projection", {"from": x.name, "nr_of_filters": count, "n_out": count}, output)


@family("first_t_frames_noise_estimator", places=("root",))
def noise_estimator(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    net.add(
        "first_t_frames_noise_estimator",
        {"from": x.name, "nr_of_frames": net.choose([-1, 1, 2]), "n_out": x.size},
        None,
    )


@family("unflatten_nd", places=("root",))
def unflatten_nd(net: Sketch) -> None:
    """The frames of each sequence as an image of two columns."""
    x = net.pick(lambda v: v.is_frames)
    length = net.add("length", {"from": x.name, "axis": net.time(x)}, Value("", (), None, "int32"))
    double = net.add("repeat", {"from": x.name, "repetitions": 2, "axis": net.time(x)}, None)
    two = net.add("eval", {"from": length.name, "eval": "source(0) * 0 + 2"}, None)
    sizes = net.add("stack", {"from": [length.name, two.name]}, None)
    net.add("unflatten_nd", {"from": double.name, "sizes": sizes.name, "num_axes": 2}, None)
