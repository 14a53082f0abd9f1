"""Layers without sources: parameters, constants, counters; drawn numbers that can only be one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch
from tests.random_nets.values import Value


@family("variable")
def variable(net: Sketch) -> None:
    """A parameter with the shape of a sequence's features, added to them."""
    x = net.pick(lambda v: v.has_features and v.batch and not v.statics and _named(net, v))
    assert x.feature is not None
    shape = (x.feature.dim or x.size,)
    options = net.some(init=[0.5], add_batch_axis=[True] if not net.modern else [False], trainable=[False])
    found = net.add("variable", {"shape": shape, **options}, replace(x, axes=(), batch=False))
    sources = [x.name, found.name]
    net.add("combine", {"from": sources, "kind": net.choose(["add", "mul"])}, replace(x, bounded=False))


def _named(net: Sketch, x: Value) -> bool:
    """Whether the feature axis can be told in a shape."""
    return not net.modern or (x.feature is not None and x.feature.dim is not None)


@family("constant")
def constant(net: Sketch) -> None:
    """A number, or an array of the features' shape, with a sequence."""
    x = net.pick(lambda v: v.has_features and v.batch)
    options: dict[str, Any] = {"value": net.choose([1.5, -0.5])}
    if net.modern and x.feature and x.feature.dim and net.chance(0.6):
        options |= {"shape": [x.feature.dim], "dtype": "float32"}
    elif net.chance(0.5) and not net.modern:
        options["with_batch_dim"] = True
    found = net.add("constant", options, None)
    net.add(
        "combine", {"from": [x.name, found.name], "kind": net.choose(["add", "mul", "sub"])}, replace(x, bounded=False)
    )


@family("variable_assign", "variable_read", modes=("eval",), places=("root",))
def assigned(net: Sketch) -> None:
    """A variable that the run changes."""
    found = net.add("variable", {"shape": (), "init": 1.0, "trainable": False}, None)
    value = net.add("constant", {"value": 2.5}, None)
    assign = net.add("variable_assign", {"var": found.name, "value": value.name, **net.some(op=["add"])}, None)
    net.add("variable_read", {"var": found.name, "control_dependencies": [assign.name]}, None)


@family("global_train_step", "train_flag", places=("root",))
def counters(net: Sketch) -> None:
    net.add("global_train_step", {}, None)
    net.add("train_flag", {}, None)


@family("rand_int", "random", places=("root",))
def drawn(net: Sketch) -> None:
    """Draws with one possible result."""
    net.add(
        "rand_int", {"shape": (3,), "minval": 2, "maxval": 3}, Value("", (net.axis(3),), None, "int32", batch=False)
    )
    net.add(
        "random",
        {"shape": (2,), "distribution": "normal", "mean": 0.5, "stddev": 0.0, "static": True},
        Value("", (), net.axis(2), batch=False),
    )


@family("random_state_init", places=("root",))
def random_state(net: Sketch) -> None:
    net.add("random_state_init", {"seed": 3}, None)


@family("framewise_statistics", places=("root",))
def framewise_statistics(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames and v.axes[0].name.startswith("time") and v.axes[0].name != "time_classes")
    labels = next(v for v in net.values if v.name == "data:classes")
    options = {"target": "classes", "loss": "ce", "n_out": labels.labels}
    prob = net.add("softmax", {"from": x.name, **options}, None)
    net.add("framewise_statistics", {"from": prob.name, "sil_label_idx": 0}, None)


@family("source")
def source(net: Sketch) -> None:
    """An input by its key."""
    net.require("root")
    x = net.pick(lambda v: v.name == "data")
    net.add("source", {"data_key": "data", "from": []}, x)


@family("gradient", modes=("eval", "train"))
def gradient(net: Sketch) -> None:
    """The derivative of a sum with respect to a layer before it."""
    net.require("root")
    x = net.pick(lambda v: v.is_vector and v.name in net.layers)
    square = net.add("eval", {"from": x.name, "eval": "source(0) ** 2"}, None)
    total = net.add("reduce", {"from": square.name, "mode": "sum", "axis": ["B", "F"]}, None)
    net.add("gradient", {"y": total.name, "x": x.name}, None)


@family("synthetic_gradient", modes=("eval",))
def synthetic_gradient(net: Sketch) -> None:
    net.require("root")
    x = net.pick(lambda v: v.is_frames)
    guess = net.add("linear", {"from": x.name, "activation": None, "n_out": x.size}, None)
    net.add("synthetic_gradient", {"from": x.name, "gradient": guess.name}, None)
    net.shared.case["grad"] = False


@family("tikhonov_regularization", modes=("eval",))
def tikhonov(net: Sketch) -> None:
    net.require("root")
    x = net.pick(lambda v: v.is_frames)
    net.add("tikhonov_regularization", {"from": x.name, "meta_loss_scale": 0.1}, None)
    net.shared.case["grad"] = False
