"""Loops of other kinds: in loops, without a source, with losses, with results that keep axes of what they attend to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.generate import fill
from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value


def named_time(net: Sketch, x: Value) -> dict[str, Any]:
    """Which axis a loop runs over, where that has to be said."""
    dim = x.axes[0].dim
    return {"axis": dim} if net.shared.strict or (dim is not None and net.chance(0.3)) else {}


@family("rec", places=("loop",))
def loop_in_loop(net: Sketch) -> None:
    """In each step a loop, or a unit, over a sequence outside, and its last frame."""
    x = net.pick(lambda v: v.is_frames and v.name.startswith("base:") and v.batch)
    step = net.pick(lambda v: v.is_vector)
    out, feature = net.features()
    if net.chance(0.3):
        inner = net.add("rec", {"from": x.name, "unit": "nativelstm2", **out}, replace(x, feature=feature))
    else:
        unit = {"output": {"class": "linear", "from": ["data:source", "prev:output", f"base:{step.name}"], **out}}
        unit["output"] |= {"activation": "tanh"}
        inner = net.add("rec", {"from": x.name, "unit": unit, **named_time(net, x)}, replace(x, feature=feature))
        net.shared.classes.append("linear")
    net.add(
        "reduce",
        {"from": inner.name, "mode": net.choose(["mean", "max"]), "axis": net.time(x)},
        replace(step, feature=feature),
    )


@family("rec", "softmax", modes=("eval", "train"), places=("root",))
def loss_in_loop(net: Sketch) -> None:
    """A cross entropy in each step, with the label before as input."""
    labels = net.pick(lambda v: v.name == "data:classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    out, feature = net.features()
    inner = net.nested([Value("data:source", (), x.feature), Value("prev:s", (), feature)], "loop")
    fill(inner, net.random.randint(0, 2))
    last = inner.pick(lambda v: v.is_vector and v.name != "prev:s")
    inner.add("linear", {"from": [last.name, "prev:s"], "activation": "tanh", **out}, Value("", (), feature), "s")
    fill(inner, net.random.randint(0, 1))
    source = inner.pick(lambda v: v.is_vector and v.name in inner.layers)
    loss = {"loss": "ce", "target": "classes", **net.some(loss_scale=[0.5])}
    prob = inner.add("softmax", {"from": source.name, "n_out": labels.labels, **loss}, None)
    inner.layers["output"] = {"class": "copy", "from": prob.name}
    options = net.some(optimize_move_layers_out=[True, False])
    output = replace(x, feature=net.axis(labels.labels))
    net.add("rec", {"from": x.name, "target": "classes", "unit": inner.layers, **options, **named_time(net, x)}, output)


@family("rec", places=("root",))
def loop_with_matrix(net: Sketch) -> None:
    """A result that has an axis of a sequence outside in each step."""
    x = net.pick(lambda v: v.is_frames)
    y = net.pick(lambda v: v.is_frames and v.axes != x.axes)
    out, feature = net.features()
    unit: dict[str, Any] = {
        "key": {"class": "linear", "from": f"base:{y.name}", "activation": None, **out},
        "query": {"class": "linear", "from": ["data:source", "prev:query"], "activation": "tanh", **out},
        "sum": {"class": "combine", "kind": net.choose(["add", "mul"]), "from": ["key", "query"]},
        "output": {"class": "activation", "activation": "tanh", "from": "sum"},
    }
    net.shared.classes.extend(layer["class"] for layer in unit.values())
    output = replace(x, axes=(*x.axes, *y.axes), feature=feature)
    net.add("rec", {"from": x.name, "unit": unit, **named_time(net, x)}, output)


@family("rec", places=("root",))
def counted_loop(net: Sketch) -> None:
    """A loop without a source, over as many steps as the labels have, or until its own condition holds."""
    out, feature = net.features()
    x = net.pick(lambda v: v.is_vector)
    inner = net.nested([replace(x, name=f"base:{x.name}"), Value("prev:state", (), feature)], "loop")
    fill(inner, net.random.randint(0, 2))
    last = inner.pick(lambda v: v.is_vector and v.name != "prev:state")
    state = {"activation": net.choose(["tanh", "sigmoid"]), **net.some(initial_output=["ones", 0.5]), **out}
    inner.add("linear", {"from": [last.name, "prev:state"], **state}, None, "state")
    inner.layers["output"] = {"class": "copy", "from": "state"}
    labels = net.pick(lambda v: v.is_labels and v.is_sequence and v.name.startswith("data:"))
    options: dict[str, Any] = {"target": labels.name.removeprefix("data:")}
    axes = labels.axes
    if net.chance(0.5):
        inner.add("reduce", {"from": "state", "mode": "sum", "axis": "F"}, None, "total")
        inner.add("compare", {"from": "total", "kind": "greater", "value": net.choose([0.3, 1.0])}, None, "end")
        options = {"max_seq_len": net.random.randint(2, 5), **net.some(include_eos=[True])}
        axes = (net.axis(),)
    net.add("rec", {"from": [], "unit": inner.layers, **options}, Value("", axes, feature))


@family("linear", "rec", "subnetwork", places=("root",))
def shared_networks(net: Sketch) -> None:
    """Two units or subnetworks with the same parameters."""
    x = net.pick(lambda v: v.is_frames)
    y = net.pick(lambda v: v.is_frames and net.same_features(v, x))
    out, feature = net.features()
    if net.chance(0.5):
        options: dict[str, Any] = {"unit": net.choose(["nativelstm2", "LSTMBlock", "standardlstm"]), **out}
        first = net.add("rec", {"from": x.name, **options}, replace(x, feature=feature))
        net.add("rec", {"from": y.name, **options, "reuse_params": first.name}, replace(y, feature=feature))
        return
    inner = {
        "hidden": {"class": "linear", "from": "data", "activation": "relu", "n_out": 3},
        "output": {"class": "linear", "from": "hidden", "activation": "tanh", **out},
    }
    first = net.add("subnetwork", {"from": x.name, "subnetwork": inner}, replace(x, feature=feature))
    again = {name: dict(layer) for name, layer in inner.items()}
    options = {"from": y.name, "subnetwork": again, "reuse_params": first.name}
    net.add("subnetwork", options, replace(y, feature=feature))


@family("dot", "softmax_over_spatial", places=("root", "subnetwork"))
def attention_matrix(net: Sketch) -> None:
    """Each frame attends to all frames of another sequence, or of its own one as another axis."""
    if not net.modern:
        raise Unsuitable
    x = net.pick(lambda v: v.is_frames and v.axes[0].dim is not None)
    y = net.pick(lambda v: v.is_frames and v.axes[0].dim is not None and v.axes != x.axes)
    out, feature = net.features()
    query = net.add("linear", {"from": x.name, "activation": None, **out}, replace(x, feature=feature))
    key = net.add("linear", {"from": y.name, "activation": None, **out}, replace(y, feature=feature))
    reduce = feature.dim or "F"
    energy = net.add("dot", {"from": [query.name, key.name], "reduce": reduce}, Value("", (*x.axes, *y.axes)))
    options = {"axis": y.axes[0].dim, **net.some(energy_factor=[0.5])}
    weights = net.add("softmax_over_spatial", {"from": energy.name, **options}, None)
    net.add("dot", {"from": [weights.name, y.name], "reduce": y.axes[0].dim}, replace(x, feature=y.feature))


@family("reduce", "cumsum", "layer_norm", places=("root", "subnetwork"))
def two_dynamic_axes(net: Sketch) -> None:
    """Layers on one of two axes along which sequences differ."""
    x = net.pick(lambda v: v.is_float and v.batch and len(v.times) == 2 and all(a.dim is not None for a in v.times))
    axis = net.choose(list(x.times))
    left = replace(x, axes=tuple(a for a in x.axes if a != axis))
    kind = net.choose(["reduce", "reduce", "cumsum", "math_norm", "softmax_over_spatial"])
    if kind == "reduce":
        mode = net.choose(["mean", "max", "sum", "min", "logsumexp"])
        net.add("reduce", {"from": x.name, "mode": mode, "axis": axis.dim}, left)
    elif kind == "math_norm":
        net.add("math_norm", {"from": x.name, "p": 2, "axis": axis.dim}, left)
    else:
        net.add(kind, {"from": x.name, "axis": axis.dim}, x if kind == "cumsum" else None)
