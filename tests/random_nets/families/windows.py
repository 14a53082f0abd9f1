"""Layers that look at neighbouring frames, spectra of the features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable


@family("conv", places=("root", "subnetwork"))
def conv(net: Sketch) -> None:
    """Along time; strides and dilation exclude each other."""
    x = net.pick(lambda v: v.is_frames)
    out, feature = net.features()
    options: dict[str, Any] = {
        "filter_size": (net.random.randint(1, 3),),
        "padding": net.choose(["same", "valid", "same"]),
    }
    options |= net.some(activation=["tanh", "relu"], with_bias=[True, False])
    changes = net.choose([{}, {}, {"strides": 2}, {"dilation_rate": 2}])
    if changes.get("dilation_rate") and options["filter_size"] == (1,):
        changes = {}
    options |= {"groups": 2} if x.size % 2 == 0 and feature.size in (2, 4, 6) and net.chance(0.3) else {}
    same = options["padding"] == "same" and "strides" not in changes
    net.add(
        "conv",
        {"from": x.name, **options, **changes, **out},
        replace(x, axes=x.axes if same else (net.axis(),), feature=feature, bounded=False),
    )


@family("conv", places=("root", "subnetwork"))
def conv_image(net: Sketch) -> None:
    """Along time and another axis."""
    x = net.pick(
        lambda v: (
            v.has_features and v.batch and len(v.times) == 1 and len(v.statics) == 1 and v.statics[0].size != v.size
        )
    )
    out, feature = net.features()
    options: dict[str, Any] = {
        "filter_size": (net.random.randint(1, 3), 2),
        "padding": "same",
        **net.some(activation=["tanh"]),
    }
    if net.modern:
        height = x.statics[0].dim
        if height is None or x.times[0].dim is None:
            raise Unsuitable
        options |= {"in_spatial_dims": [x.times[0].dim, height]}
    elif net.shared.behavior_version >= 8:
        options |= {"in_spatial_dims": ["T", f"dim:{x.statics[0].size}"]}
    strides = net.choose([{}, {"strides": (1, 2)}])
    axes = x.axes if not strides else (x.times[0], net.axis((x.statics[0].size or 0) // 2))
    net.add(
        "conv", {"from": x.name, **options, **strides, **out}, replace(x, axes=axes, feature=feature, bounded=False)
    )


@family("transposed_conv", places=("root", "subnetwork"))
def transposed_conv(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    out, feature = net.features()
    size = net.random.randint(1, 3)
    options = {
        "filter_size": [size],
        "strides": [net.random.randint(1, 2)],
        "padding": net.choose(["same", "valid"]),
        "activation": net.choose([None, "tanh"]),
    }
    net.add(
        "transposed_conv",
        {"from": x.name, **options, **out},
        replace(x, axes=(net.axis(),), feature=feature, bounded=False),
    )


@family("pool", places=("root", "subnetwork"))
def pool(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    size = net.random.randint(1, 3)
    options: dict[str, Any] = {
        "mode": net.choose(["max", "avg"]),
        "pool_size": (size,),
        "padding": net.choose(["same", "valid", "same"]),
    }
    options |= net.some(strides=[1, min(2, size)], dilation_rate=[1])
    if "dilation_rate" in options:
        options["strides"] = 1
    net.add("pool", {"from": x.name, **options}, replace(x, axes=(net.axis(),)))


@family("window")
def window(net: Sketch) -> None:
    """Frames around each frame, on a new axis; in a loop those so far."""
    x = net.pick(lambda v: v.has_features and v.batch and (v.is_sequence or (net.in_loop and not v.axes)))
    size = net.random.randint(2, 3)
    options = net.choose(
        [{}, {"window_left": size - 1, "window_right": 0}, {"window_left": 0, "window_right": size - 1}]
    )
    if not x.axes:
        options = {"window_left": size - 1, "window_right": 0}
    axis = net.dim(size, "window") if net.modern else net.axis(size)
    strides = {"stride": 2} if x.axes and net.chance(0.2) else {}
    where = {"axis": net.time(x)} if x.axes and net.chance(0.5) else {}
    dims = {"window_dim": axis.dim} if axis.dim else {"window_size": size}
    net.add(
        "window",
        {"from": x.name, **dims, **options, **strides, **where},
        replace(x, axes=((net.axis(),) if strides else x.axes) + (axis,)),
    )


@family("time_chunking", "time_unchunking", places=("root", "subnetwork"), modes=("eval", "train"))
def chunking(net: Sketch) -> None:
    """Blocks of frames that a layer sees by themselves."""
    x = net.pick(lambda v: v.is_frames)
    size = net.random.randint(2, 4)
    chunks = net.add(
        "time_chunking", {"from": x.name, "chunk_size": size, "chunk_step": net.random.randint(1, size)}, None
    )
    out, feature = net.features()
    inner = net.choose([("linear", {"activation": "tanh"}), ("rec", {"unit": "nativelstm2"})])
    work = net.add(inner[0], {"from": chunks.name, **inner[1], **out}, None)
    net.add(
        "time_unchunking",
        {"from": work.name, "chunking_layer": chunks.name},
        replace(x, axes=(net.axis(),), feature=feature),
    )


@family("fold", places=("root", "subnetwork"))
def fold(net: Sketch) -> None:
    """The windows of ``window`` put back where they came from."""
    x = net.pick(lambda v: v.is_frames)
    size = net.random.randint(2, 3)
    if x.axes[0].dim is None:
        raise Unsuitable
    dim = net.dim(size, "window").dim
    windows = net.add(
        "window", {"from": x.name, "window_dim": dim, **({"axis": x.axes[0].dim} if net.shared.strict else {})}, None
    )
    where = {"in_spatial_dim": x.axes[0].dim, "window_dim": dim}
    net.add("fold", {"from": windows.name, "mode": net.choose(["sum", "mean"]), **where}, replace(x, bounded=False))


@family("dct")
def dct(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    net.add("dct", {"from": x.name, **net.some(type=[2])}, x)


@family("mel_filterbank")
def mel_filterbank(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames and v.size >= 3)
    net.add(
        "mel_filterbank",
        {"from": x.name, "sampling_rate": 16000, "fft_size": 2 * (x.size - 1), "nr_of_filters": 3, "n_out": 3},
        replace(x, feature=net.axis(3)),
    )
