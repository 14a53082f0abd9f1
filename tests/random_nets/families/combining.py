"""Layers with several sources: sums, expressions, comparisons, products, choices between two."""

from __future__ import annotations

from dataclasses import replace

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value


def pair(net: Sketch) -> tuple[Value, Value]:
    """Two outputs with the same axes; the second one may lack some that the first one has."""
    x = net.pick(lambda v: v.has_features)
    return x, net.pick(lambda v: v.has_features and net.same(v, x))


@family("combine")
def combine(net: Sketch) -> None:
    x, y = pair(net)
    kind = net.choose(["add", "sub", "mul", "maximum", "minimum", "average"])
    options = net.some(activation=["tanh", "relu"], with_bias=[True])
    net.add("combine", {"from": [x.name, y.name], "kind": kind, **options}, replace(x, bounded=False))


@family("combine")
def combine_broadcast(net: Sketch) -> None:
    """A vector per sequence together with frames."""
    x = net.pick(lambda v: v.has_features and v.batch and bool(v.axes))
    y = net.pick(lambda v: v.has_features and v.batch and not v.axes and net.same_features(v, x))
    options = {"allow_broadcast_all_sources": True} if net.shared.behavior_version >= 4 and net.chance(0.5) else {}
    sources = [x.name, y.name] if net.chance(0.7) else [y.name, x.name]
    net.add(
        "combine", {"from": sources, "kind": net.choose(["add", "mul", "sub"]), **options}, replace(x, bounded=False)
    )


@family("eval")
def evaluation(net: Sketch) -> None:
    """An expression with functions of TensorFlow."""
    x, y = pair(net)
    one = [
        "tf.nn.relu(source(0)) * 0.5",
        "tf.tanh(source(0)) + 1.",
        "tf.where(source(0) > 0., source(0), 0.1 * source(0))",
        "source(0) / (1. + tf.abs(source(0)))",
        "tf.stop_gradient(source(0)) + source(0) * 2",
        "tf.clip_by_value(source(0), -0.7, 0.9)",
        "tf.math.log1p(tf.exp(-tf.abs(source(0))))",
        "tf.cast(source(0) > 0.1, tf.float32) * source(0)",
        "tf.nn.softmax(source(0))",
        "tf.reduce_sum(source(0), axis=-1, keepdims=True) * 0.1 + source(0)",
        "tf.sin(source(0))",
    ]
    two = ["source(0) * source(1)", "tf.maximum(source(0), source(1)) - source(1)", "source(0) - 2 * source(1)"]
    if net.chance(0.5):
        net.add("eval", {"from": x.name, "eval": net.choose(one)}, replace(x, bounded=False))
    else:
        net.add("eval", {"from": [x.name, y.name], "eval": net.choose(two)}, replace(x, bounded=False))


@family("eval")
def evaluation_function(net: Sketch) -> None:
    """A function of the config, with arguments of its own."""
    x = net.pick(lambda v: v.has_features)
    name = f"function{len(net.shared.lines)}"
    net.shared.lines.append("import tensorflow as tf")
    body = net.choose(
        ["source(0) * scale", "tf.tanh(source(0, auto_convert=False)) + scale", "tf.exp(-tf.abs(source(0) * scale))"]
    )
    net.shared.lines.append(f"def {name}(source, scale, **kwargs):\n    return {body}")
    from tests.random_nets.text import Code

    net.add("eval", {"from": x.name, "eval": Code(name), "eval_locals": {"scale": net.choose([0.5, 2.0])}}, x)


@family("compare", "switch")
def compare_switch(net: Sketch) -> None:
    """A condition on entries, and a choice by it."""
    x, y = pair(net)
    if net.chance(0.6):
        options = {
            "from": x.name,
            "value": net.choose([0, 0.1, -0.3]),
            "kind": net.choose(["greater", "less", "greater_equal", "less_equal"]),
        }
    else:
        options = {"from": [x.name, y.name], "kind": net.choose(["less", "greater"])}
    mask = net.add("compare", options, replace(x, dtype="bool"))
    true, false = (net.choose([x.name, y.name, 0.5]) for _ in range(2))
    net.add("switch", {"condition": mask.name, "true_from": true, "false_from": false}, replace(x, bounded=False))


@family("compare")
def compare_labels(net: Sketch) -> None:
    """Labels compared with a number, or with labels on the same axes; logic on the results."""
    x = net.pick(lambda v: v.is_labels)
    value = net.random.randrange(x.labels or 1)
    kind = net.choose(["equal", "not_equal", "less", "greater"])
    first = net.add("compare", {"from": x.name, "value": value, "kind": kind}, replace(x, dtype="bool", labels=None))
    second = net.pick(lambda v: v.dtype == "bool" and net.same(v, first))
    net.add("compare", {"from": [first.name, second.name], "kind": net.choose(["logical_and", "logical_or"])}, first)


@family("dot")
def dot_features(net: Sketch) -> None:
    """Products over features: [batch, time, other time], or [batch, time]."""
    x = net.pick(lambda v: v.is_frames)
    y = net.pick(
        lambda v: (
            v.has_features and v.batch and net.same_features(v, x) and (v.is_vector or v.is_frames) and v.axes != x.axes
        )
    )
    old = {"red1": "F", "red2": "F", "var1": "T", "var2": "T" if y.axes else []}
    new = {"reduce": net.feature(x) if net.modern else "F"}
    net.add(
        "dot",
        {"from": [x.name, y.name], **(old if not net.modern and net.chance(0.5) else new)},
        Value("", (*x.axes, *y.axes), None, bounded=False),
    )


@family("dot")
def dot_time(net: Sketch) -> None:
    """Products over time: [batch, features, other features]."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    y = net.pick(lambda v: v.is_frames and v.axes == x.axes and not net.same_features(v, x))
    new = {"reduce": net.time(x)} if net.modern else {"red1": "T", "red2": "T", "var1": "F", "var2": "F"}
    assert x.feature is not None
    net.add("dot", {"from": [x.name, y.name], **new}, Value("", (x.feature,), y.feature, bounded=False))


@family("concat")
def concat(net: Sketch) -> None:
    """Features side by side, or one sequence behind the other."""
    x = net.pick(lambda v: v.has_features and v.batch)
    y = net.pick(lambda v: v.has_features and v.axes == x.axes and v.batch)
    net.add(
        "concat",
        {"from": [(x.name, net.feature(x)), (y.name, net.feature(y))]},
        replace(x, feature=net.axis(x.size + y.size)),
    )


@family("concat")
def concat_time(net: Sketch) -> None:
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.is_frames)
    y = net.pick(lambda v: v.is_frames and net.same_features(v, x))
    net.add("concat", {"from": [(x.name, net.time(x)), (y.name, net.time(y))]}, replace(x, axes=(net.axis(),)))


@family("stack")
def stack(net: Sketch) -> None:
    """A new axis of two entries."""
    x, y = pair(net)
    if len(x.axes) > 2:
        raise Unsuitable
    axis = net.dim(2, "stack") if net.modern else net.axis(2)
    options = {"out_spatial_dim": axis.dim} if axis.dim else {}
    net.add("stack", {"from": [x.name, y.name], **options}, replace(x, axes=(*x.axes, axis)))
