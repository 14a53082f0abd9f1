"""Layers that take axes away, or number, count and order what is on them."""

from __future__ import annotations

from dataclasses import replace

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch
from tests.random_nets.values import Value


@family("reduce")
def reduce_time(net: Sketch) -> None:
    """Over the valid frames of a sequence."""
    x = net.pick(lambda v: v.has_features and len(v.times) == 1)
    mode = net.choose(["sum", "mean", "max", "min", "logsumexp"])
    options = net.some(use_time_mask=[True], keep_dims=[False])
    net.add(
        "reduce",
        {"from": x.name, "mode": mode, net.choose(["axis", "axes"]): net.time(x), **options},
        replace(x, axes=x.statics),
    )


@family("reduce")
def reduce_features(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features)
    mode = net.choose(["sum", "mean", "max", "min", "logsumexp"])
    if net.chance(0.3):
        one = net.axis(1)
        net.add(
            "reduce", {"from": x.name, "mode": mode, "axis": net.feature(x), "keep_dims": True}, replace(x, feature=one)
        )
    else:
        net.add("reduce", {"from": x.name, "mode": mode, "axis": net.feature(x)}, replace(x, feature=None))


@family("reduce")
def reduce_to_labels(net: Sketch) -> None:
    """The number of the largest or smallest feature."""
    x = net.pick(lambda v: v.has_features and v.batch)
    output = replace(x, feature=None, dtype="int32", labels=x.size)
    net.add("reduce", {"from": x.name, "mode": net.choose(["argmax", "argmin"]), "axis": net.feature(x)}, output)


@family("reduce")
def reduce_static(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and len(v.statics) == 1 and v.statics[0].size != v.size)
    axis = x.statics[0].dim or f"dim:{x.statics[0].size}"
    net.add(
        "reduce", {"from": x.name, "mode": net.choose(["sum", "mean", "max"]), "axis": axis}, replace(x, axes=x.times)
    )


@family("reduce", modes=("eval", "train"))
def reduce_batch(net: Sketch) -> None:
    """A number for the whole batch, which others broadcast."""
    net.require("root")
    x = net.pick(lambda v: v.is_vector)
    net.add("reduce", {"from": x.name, "mode": net.choose(["mean", "sum"]), "axis": "B"}, replace(x, batch=False))


@family("math_norm")
def math_norm(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.batch)
    time = len(x.times) == 1 and net.chance(0.4)
    axis = net.time(x) if time else net.feature(x)
    output = replace(x, axes=x.statics) if time else replace(x, feature=None)
    net.add("math_norm", {"from": x.name, "p": net.choose([1, 2, 3]), net.choose(["axis", "axes"]): axis}, output)


@family("top_k")
def top_k(net: Sketch) -> None:
    """The largest features, and which ones they are."""
    x = net.pick(lambda v: v.has_features and v.batch and v.size >= 2)
    k = net.random.randint(1, x.size)
    axis = net.dim(k, "best") if net.modern else net.axis(k)
    options = {"k_dim": axis.dim} if axis.dim and net.chance(0.6) else {}
    found = net.add(
        "top_k", {"from": x.name, "axis": net.feature(x), "k": k, **options, **net.some(sorted=[True])}, None
    )
    values = replace(x, axes=(*x.axes, axis), feature=None)
    net.add("copy", {"from": found.name}, values)
    net.add("copy", {"from": f"{found.name}/indices"}, replace(values, dtype="int32", labels=x.size))


@family("accumulate_mean")
def accumulate_mean(net: Sketch) -> None:
    net.require("root")
    x = net.pick(lambda v: v.is_frames)
    options = net.some(initial_value=[0.5], axes=["bt"])
    net.add(
        "accumulate_mean",
        {"from": x.name, "exp_average": net.choose([0.1, 0.5]), **options},
        replace(x, axes=(), batch=False),
    )


@family("length")
def length(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_sequence)
    options = net.some(dtype=["int64", "float32"], add_time_axis=[False])
    dtype = options.get("dtype", "int32")
    net.add("length", {"from": x.name, "axis": net.time(x), **options}, Value("", (), None, str(dtype)))


@family("range_in_axis")
def range_in_axis(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_sequence)
    found = net.add(
        "range_in_axis", {"from": x.name, "axis": net.time(x), **net.some(keepdims=[False], dtype=["int64"])}, None
    )
    net.add("cast", {"from": found.name, "dtype": "float32"}, Value("", x.axes, None, batch=False))


@family("range_from_length")
def range_from_length(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_sequence)
    size = net.add("length", {"from": x.name, "axis": net.time(x)}, Value("", (), None, "int32"))
    net.add("range_from_length", {"from": size.name}, Value("", x.axes, None, "int32", batch=False))


@family("range")
def numbers(net: Sketch) -> None:
    """Numbers without a batch, as an axis that others gather from."""
    stop = net.random.randint(3, 6)
    options = net.some(start=[1], dtype=["float32"])
    net.add(
        "range",
        {"limit": stop, **options},
        Value("", (net.axis(stop - options.get("start", 0)),), None, options.get("dtype", "int32"), batch=False),
    )


@family("cumsum")
def cumsum(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and (len(v.times) == 1 or net.in_loop) and v.batch)
    options = net.some(reverse=[True], additional_left_summand_per_element=[0.5])
    if x.axes:
        net.add("cumsum", {"from": x.name, "axis": net.time(x), **options}, replace(x, bounded=False))
    else:
        net.add("cumsum", {"from": x.name}, replace(x, bounded=False))


@family("search_sorted")
def search_sorted(net: Sketch) -> None:
    """Where numbers would be put in a sorted sequence of positions."""
    x = net.pick(lambda v: v.is_sequence and v.is_float)
    steps = net.add("cumsum", {"from": _positive(net, x).name, "axis": net.time(x)}, replace(x, feature=None))
    y = net.pick(lambda v: v.is_vector)
    options = {
        "sorted_sequence": steps.name,
        "values": y.name,
        "axis": net.time(x),
        "side": net.choose(["left", "right"]),
    }
    net.add("search_sorted", options, Value("", (), y.feature, "int32"))


def _positive(net: Sketch, x: Value) -> Value:
    source = (
        net.add("reduce", {"from": x.name, "mode": "mean", "axis": "F"}, replace(x, feature=None)) if x.feature else x
    )
    return net.add("activation", {"from": source.name, "activation": "sigmoid"}, source)
