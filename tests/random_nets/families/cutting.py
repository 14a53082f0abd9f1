"""Layers that cut, pad, shift, mask and pick frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.text import Code
from tests.random_nets.values import Value


@family("pad")
def pad(net: Sketch) -> None:
    """Features or frames before and behind."""
    x = net.pick(lambda v: v.has_features and v.batch)
    before, behind = net.random.randint(0, 2), net.random.randint(0, 2)
    options = net.some(value=[0.5, -1.0])
    if len(x.times) == 1 and net.chance(0.5):
        options |= net.some(handle_dynamic_dims=[True, False]) if net.shared.behavior_version < 21 else {}
        net.add(
            "pad",
            {"from": x.name, "axes": net.time(x), "padding": (before, behind), **options},
            replace(x, axes=(net.axis(), *x.statics)),
        )
    else:
        mode = {"mode": "constant"} if net.chance(0.3) else {}
        net.add(
            "pad",
            {"from": x.name, "axes": net.feature(x), "padding": (before, behind), **options, **mode},
            replace(x, feature=net.axis(x.size + before + behind)),
        )


@family("slice")
def slice_features(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.size >= 3)
    start, step = net.random.randint(0, 1), net.random.randint(1, 2)
    end = net.choose([x.size - 1, x.size, -1, None])
    size = len(range(x.size)[start:end:step])
    options: dict[str, Any] = {"slice_start": start, "slice_end": end}
    options |= {"slice_step": step} if step > 1 else {}
    net.add("slice", {"from": x.name, "axis": net.feature(x), **options}, replace(x, feature=net.axis(size)))


@family("slice")
def slice_time(net: Sketch) -> None:
    """From the memory, padded frames too."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    options = net.choose(
        [
            {"slice_start": 1},
            {"slice_end": -1},
            {"slice_step": 2},
            {"slice_end": 3},
            {"slice_start": 1, "slice_step": 2},
        ]
    )
    net.add("slice", {"from": x.name, "axis": net.time(x), **options}, replace(x, axes=(net.axis(),)))


@family("slice_nd")
def slice_nd(net: Sketch) -> None:
    """A window of its own for each sequence."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    start = _position(net, x)
    size = net.random.randint(1, 3)
    net.add(
        "slice_nd",
        {"from": x.name, "start": start.name, "size": size, **({} if not net.chance(0.3) else {"axis": net.time(x)})},
        None,
    )


def _position(net: Sketch, x: Value) -> Value:
    """A frame of each sequence: the last one, or the middle."""
    length = net.add("length", {"from": x.name, "axis": net.time(x)}, Value("", (), None, "int32"))
    text = net.choose(["source(0) - 1", "source(0) // 2", "source(0) * 0"])
    return net.add("eval", {"from": length.name, "eval": text}, Value("", (), None, "int32"))


@family("gather")
def gather(net: Sketch) -> None:
    """One frame of each sequence, or a fixed one."""
    x = net.pick(lambda v: v.is_frames)
    options = net.some(clip_to_valid=[True])
    position: str | int = 0 if net.chance(0.3) else _position(net, x).name
    net.add("gather", {"from": x.name, "position": position, "axis": net.time(x), **options}, replace(x, axes=()))


@family("gather")
def gather_features(net: Sketch) -> None:
    """Features by labels, frame by frame."""
    x = net.pick(lambda v: v.has_features and v.batch)
    position = net.pick(
        lambda v: v.dtype == "int32" and v.batch and set(v.axes) <= set(x.axes) and (v.labels or 99) <= x.size
    )
    net.add("gather", {"from": x.name, "position": position.name, "axis": net.feature(x)}, replace(x, feature=None))


@family("gather_nd")
def gather_nd(net: Sketch) -> None:
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    net.add("gather_nd", {"from": x.name, "position": _position(net, x).name}, replace(x, axes=()))


@family("shift_axis")
def shift_axis(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.batch and v.is_sequence)
    amount = net.choose([1, 2, -1])
    net.require("root", "subnetwork")
    options = net.some(pad=[False], pad_value=[0.5])
    axes = (net.axis(),) if "pad" in options or not net.modern else x.axes
    net.add("shift_axis", {"from": x.name, "axis": net.time(x), "amount": amount, **options}, replace(x, axes=axes))


@family("prefix_in_time", "postfix_in_time")
def prefix_postfix(net: Sketch) -> None:
    """Frames in front of each sequence, or directly behind it."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    name = net.choose(["prefix_in_time", "postfix_in_time"])
    what: Any = net.choose([0.0, 0.5])
    if name == "postfix_in_time" and net.chance(0.4):
        vectors = [v for v in net.values if v.is_vector and net.same_features(v, x)]
        what = net.choose(vectors).name if vectors else what
    options = net.some(repeat=[1, 2])
    net.add(name, {"from": x.name, name.partition("_")[0]: what, **options}, replace(x, axes=(net.axis(),)))


@family("prefix_in_time", "postfix_in_time")
def prefix_labels(net: Sketch) -> None:
    """The start or the end of a sentence."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_labels and v.is_sequence)
    name = net.choose(["prefix_in_time", "postfix_in_time"])
    net.add(name, {"from": x.name, name.partition("_")[0]: 0, **net.some(repeat=[2])}, replace(x, axes=(net.axis(),)))


@family("seq_len_mask")
def seq_len_mask(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    net.add("seq_len_mask", {"from": x.name, "axis": net.time(x), "mask_value": net.choose([0.0, -1.0])}, x)


@family("resize")
def resize(net: Sketch) -> None:
    """Frames closer together."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    options: dict[str, Any] = net.choose([{}, {"kind": "nn"}, {"kind": "linear"}, {"kind": "fill", "fill_value": 0.5}])
    net.add(
        "resize",
        {"from": x.name, "factor": net.choose([2, 3]), "axis": net.time(x), **options},
        replace(x, axes=(net.axis(),)),
    )


@family("repeat")
def repeat(net: Sketch) -> None:
    """Each frame several times, or as often as labels say."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    counts = [v for v in net.values if v.dtype == "int32" and v.axes == x.axes and v.batch]
    repetitions: str | int = net.choose(counts).name if counts and net.chance(0.5) else net.random.randint(1, 3)
    net.add("repeat", {"from": x.name, "repetitions": repetitions, "axis": net.time(x)}, replace(x, axes=(net.axis(),)))


@family("boolean_mask", modes=("eval", "train"))
def boolean_mask(net: Sketch) -> None:
    """The frames of the whole batch in which a label stands."""
    if not net.modern:
        raise Unsuitable
    net.require("root")
    x = net.pick(lambda v: v.is_frames and v.axes[0].dim is not None)
    labels = net.pick(lambda v: v.is_labels and v.axes == x.axes and v.batch)
    mask = net.add("compare", {"from": labels.name, "value": 1, "kind": net.choose(["equal", "greater", "less"])}, None)
    net.add("boolean_mask", {"from": x.name, "mask": mask.name, "dims": [Code("batch_dim"), x.axes[0].dim]}, None)


@family("scatter_nd")
def scatter_nd(net: Sketch) -> None:
    """Frames to places of another axis; frames at the same place add up."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    steps = net.add("range_in_axis", {"from": x.name, "axis": net.time(x)}, None)
    place = net.add(
        "eval", {"from": steps.name, "eval": net.choose(["source(0) // 2", "source(0)", "source(0) * 0 + 1"])}, None
    )
    options = {
        "position": place.name,
        "position_axis": net.time(x),
        "output_dim_via_time_from": x.name,
        "filter_invalid_indices": True,
    }
    net.add("scatter_nd", {"from": x.name, **options}, replace(x, bounded=False))
