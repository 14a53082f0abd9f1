"""Layers that make, join, split, reorder and rename axes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value


def static(net: Sketch, x: Value) -> Any:
    """What names the only axis of a fixed size beside the features."""
    axis = x.statics[0]
    return axis.dim if axis.dim else f"dim:{axis.size}"


def one_static(x: Value) -> bool:
    """Floats with features and one further axis of a fixed size, which is told from them by its size."""
    return x.has_features and x.batch and len(x.statics) == 1 and x.statics[0].size not in (1, x.size)


@family("expand_dims", "squeeze")
def expand_squeeze(net: Sketch) -> None:
    """An axis of size one comes and goes."""
    x = net.pick(lambda v: v.has_features and len(v.axes) < 3 and not v.statics)
    axis = net.axis(1)
    found = net.add("expand_dims", {"from": x.name, "axis": "spatial"}, replace(x, axes=(*x.axes, axis)))
    net.add("squeeze", {"from": found.name, "axis": net.choose(["dim:1", "auto"]) if x.size != 1 else "auto"}, x)


@family("expand_dims")
def expand(net: Sketch) -> None:
    """Everything again along a new axis."""
    x = net.pick(lambda v: v.has_features and len(v.axes) < 2 and not v.statics)
    axis = net.dim(2, "copies") if net.modern else net.axis(2)
    net.add(
        "expand_dims",
        {"from": x.name, "axis": "spatial", "dim": axis.dim or axis.size},
        replace(x, axes=(*x.axes, axis)),
    )


@family("expand_dims")
def expand_labels(net: Sketch) -> None:
    """A number per frame gets a feature axis."""
    x = net.pick(lambda v: v.is_float and v.feature is None)
    net.add("expand_dims", {"from": x.name, "axis": "F"}, replace(x, feature=net.axis(1)))


@family("split_dims")
def split_features(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.size in (4, 6) and len(v.axes) < 3 and not v.statics)
    outer = 2 if x.size == 4 or net.chance(0.5) else 3
    if net.modern:
        a, b = net.dim(outer, "outer"), net.dim(x.size // outer, "feat")
        dims: Any = (a.dim, b.dim)
    else:
        a, b = net.axis(outer), net.axis(x.size // outer)
        dims = net.choose([(outer, -1), (outer, b.size), (-1, b.size)])
    net.add(
        "split_dims", {"from": x.name, "axis": net.feature(x), "dims": dims}, replace(x, axes=(*x.axes, a), feature=b)
    )


@family("split_dims")
def split_time(net: Sketch) -> None:
    """Frames in blocks, the last one padded."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    block = net.random.randint(2, 3)
    axis = net.dim(block, "block") if net.modern else net.axis(block)
    dims = (net.dim(None, "blocks").dim, axis.dim) if net.modern else (-1, block)
    options = net.some(pad_value=[0.5, 0.0])
    net.add(
        "split_dims",
        {"from": x.name, "axis": net.time(x), "dims": dims, "pad_to_multiples": True, **options},
        replace(x, axes=(net.axis(), axis)),
    )


@family("merge_dims", "combine_dims")
def merge_static(net: Sketch) -> None:
    """A static axis and the features become one."""
    x = net.pick(one_static)
    order = [static(net, x), net.feature(x)]
    axes = order if net.shared.behavior_version >= 6 or net.chance(0.5) else "static"
    name = "merge_dims" if axes == "static" else net.choose(["merge_dims", "combine_dims"])
    size = x.size * (x.statics[0].size or 1)
    net.add(name, {"from": x.name, "axes": axes}, replace(x, axes=x.times, feature=net.axis(size)))


@family("merge_dims", modes=("eval", "train"))
def merge_batch_time(net: Sketch) -> None:
    """Batch and time become one, padded frames too."""
    net.require("root")
    x = net.pick(lambda v: v.is_frames)
    found = net.add(
        "merge_dims",
        {
            "from": x.name,
            "axes": net.choose(["BT", ["B", "T"]]) if net.shared.behavior_version < 6 else ["B", net.time(x)],
        },
        None,
    )
    net.add("split_batch_time", {"from": found.name, "base": x.name}, x) if net.chance(0.6) else None


@family("flatten_batch", "unflatten_batch", modes=("eval", "train"))
def flatten_unflatten(net: Sketch) -> None:
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    options = net.some(batch_major=[True, False], axis=[net.time(x)])
    flat = net.add("flatten_batch", {"from": x.name, **options}, None)
    out, feature = net.features()
    lin = net.add("linear", {"from": flat.name, "activation": "tanh", **out}, None)
    net.add("unflatten_batch", {"from": lin.name}, replace(x, feature=feature))


@family("split_batch_time", modes=("eval", "train"))
def split_batch_time(net: Sketch) -> None:
    net.require("root")
    x = net.pick(lambda v: v.is_frames)
    found = net.add("merge_dims", {"from": x.name, "axes": ["B", net.time(x)]}, None)
    net.add("split_batch_time", {"from": found.name, "base": x.name}, x)


@family("split")
def split(net: Sketch) -> None:
    """Parts of the features, which others read by number."""
    x = net.pick(lambda v: v.has_features and v.size >= 2)
    first = net.random.randint(1, x.size - 1)
    sizes = [first, x.size - first]
    if net.modern and net.chance(0.5):
        parts = [net.dim(size, "feat") for size in sizes]
        options: dict[str, Any] = {"out_dims": [part.dim for part in parts]}
    else:
        parts = [net.axis(size) for size in sizes]
        options = {"size_splits": sizes}
    if x.size % 2 == 0 and net.chance(0.4):
        parts = [net.axis(x.size // 2)] * 2
        options = {"num_splits": 2}
    found = net.add("split", {"from": x.name, "axis": net.feature(x), **options}, None)
    for number, part in enumerate(parts):
        net.add("copy", {"from": f"{found.name}/{number}"}, replace(x, feature=part))


@family("swap_axes")
def swap_axes(net: Sketch) -> None:
    """Two axes change places, which only their order shows."""
    if net.shared.behavior_version >= 7:
        raise Unsuitable
    x = net.pick(lambda v: v.has_features and v.batch and len(v.axes) == 1)
    first = net.time(x) if x.times else static(net, x)
    second = net.choose([net.feature(x), "B"])
    net.add("swap_axes", {"from": x.name, "axis1": first, "axis2": second}, None if second != "B" else x)


@family("transpose")
def transpose(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    axes = ["B", "T", "F"]
    if net.shared.strict:
        raise Unsuitable
    order = net.random.sample(axes, 3)
    perm = order if net.chance(0.6) else dict(zip(axes, order, strict=True))
    net.add("transpose", {"from": x.name, "perm": perm}, x if net.chance(0.3) else None)


@family("reinterpret_data")
def reinterpret_major(net: Sketch) -> None:
    """Another axis in front, other roles."""
    x = net.pick(lambda v: v.is_frames)
    options: dict[str, Any] = net.choose(
        [{"enforce_batch_major": True}, {"enforce_time_major": True}, {"set_axes": {"T": "T"}}]
    )
    net.add("reinterpret_data", {"from": x.name, **options}, x)


@family("reinterpret_data")
def reinterpret_labels(net: Sketch) -> None:
    """More labels, or none any more."""
    x = net.pick(lambda v: v.is_labels and v.batch)
    labels = x.labels or 1
    options: dict[str, Any] = net.choose(
        [{"increase_sparse_dim": 2}, {"set_sparse_dim": labels + 1}, {"set_sparse": False}]
    )
    count = {"increase_sparse_dim": labels + 2, "set_sparse_dim": labels + 1}.get(next(iter(options)))
    net.add("reinterpret_data", {"from": x.name, **options}, replace(x, labels=count))


@family("reinterpret_data")
def reinterpret_size(net: Sketch) -> None:
    """Two sequences of the same lengths count as one axis."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    y = net.pick(lambda v: v.is_frames and v.axes != x.axes and v.name.startswith("data:image"))
    net.add("reinterpret_data", {"from": y.name, "size_base": x.name}, replace(y, axes=x.axes))


@family("reinterpret_data")
def reinterpret_dims(net: Sketch) -> None:
    """Features under a new Dim."""
    if not net.modern:
        raise Unsuitable
    x = net.pick(lambda v: v.has_features)
    axis = net.dim(x.size, "feat")
    net.add("reinterpret_data", {"from": x.name, "set_dim_tags": {"F": axis.dim}}, replace(x, feature=axis))


@family("reshape")
def reshape(net: Sketch) -> None:
    if not net.modern:
        raise Unsuitable
    x = net.pick(
        lambda v: (
            v.has_features
            and v.feature is not None
            and v.feature.dim is not None
            and v.size in (4, 6)
            and not v.statics
        )
    )
    assert x.feature is not None
    a, b = net.dim(2, "outer"), net.dim(x.size // 2, "feat")
    net.add(
        "reshape",
        {"from": x.name, "in_dims": [x.feature.dim], "out_dims": [a.dim, b.dim]},
        replace(x, axes=(*x.axes, a), feature=b),
    )


@family("tile")
def tile(net: Sketch) -> None:
    """Features, or frames, several times."""
    x = net.pick(lambda v: v.has_features and v.batch)
    count = net.random.randint(2, 3)
    net.add(
        "tile", {"from": x.name, "multiples": {net.feature(x): count}}, replace(x, feature=net.axis(x.size * count))
    )
