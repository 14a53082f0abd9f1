"""Networks in layers: subnetworks, branches, masked computation."""

from __future__ import annotations

from dataclasses import replace

from tests.random_nets.generate import fill
from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value


@family("subnetwork")
def subnetwork(net: Sketch) -> None:
    """A few layers with a name of their own; some read layers outside."""
    if net.place == "subnetwork" and net.chance(0.5):
        raise Unsuitable
    x = net.pick(lambda v: v.has_features and v.batch)
    outside = [
        replace(v, name=f"base:{v.name}")
        for v in net.values
        if net.chance(0.3) and not v.name.startswith(("prev:", "data:source"))
    ]
    inner = net.nested(
        [*(outside if not net.in_loop else []), replace(x, name="data")], "subnetwork" if not net.in_loop else "loop"
    )
    fill(inner, net.random.randint(1, 3))
    last = inner.pick(lambda v: v.has_features and v.batch and not v.name.startswith(("base:", "prev:")))
    inner.add("copy", {"from": last.name}, last, "output")
    options = net.some(trainable=[False], concat_sources=[True])
    found = net.add("subnetwork", {"from": x.name, "subnetwork": inner.layers, **options}, last)
    others = [v for v in inner.values if v.name in inner.layers and v.has_features and v.batch]
    if others and net.chance(0.4):
        other = net.choose(others)
        net.add("copy", {"from": f"{found.name}/{other.name}"}, other)


@family("cond", modes=("eval", "train"))
def cond(net: Sketch) -> None:
    """One of two layers, by a single truth value."""
    net.require("root")
    x = net.pick(lambda v: v.is_vector or v.is_frames)
    total = net.add("reduce", {"from": x.name, "mode": "mean", "axis": ["B", *(["T"] if x.axes else []), "F"]}, None)
    test = net.add("compare", {"from": total.name, "kind": net.choose(["greater", "less"]), "value": 0.0}, None)
    out, feature = net.features()
    true = {"class": "linear", "from": x.name, "activation": "tanh", **out}
    false = {"class": net.choose(["linear", "softmax"]), "from": x.name, **out}
    if false["class"] == "linear":
        false["activation"] = None
    net.add(
        "cond",
        {"from": [], "condition": test.name, "true_layer": true, "false_layer": false},
        replace(x, feature=feature),
    )


@family("masked_computation", places=("root",))
def masked_outside(net: Sketch) -> None:
    """A layer on the frames with certain labels."""
    labels = net.pick(lambda v: v.is_labels and v.is_sequence)
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    mask = net.add(
        "compare",
        {"from": labels.name, "kind": net.choose(["not_equal", "less"]), "value": net.random.randint(0, 2)},
        replace(labels, dtype="bool", labels=None),
    )
    out, feature = net.features()
    unit = net.choose(
        [
            {"class": "linear", "from": "data", "activation": "tanh", **out},
            {"class": "rec", "unit": "nativelstm2", "from": "data", **out},
        ]
    )
    net.add(
        "masked_computation",
        {"from": x.name, "mask": mask.name, "unit": unit},
        replace(x, axes=(net.axis(),), feature=feature),
    )


@family("masked_computation", "unmask", places=("loop",))
def masked_in_loop(net: Sketch) -> None:
    """A layer that some steps skip; they see its last value."""
    x = net.pick(lambda v: v.is_vector)
    total = net.add("reduce", {"from": x.name, "mode": "sum", "axis": "F"}, None)
    mask = net.add("compare", {"from": total.name, "kind": "greater", "value": 0.0, "initial_output": True}, None)
    out, feature = net.features()
    unit = net.choose(
        [
            {"class": "linear", "from": "data", "activation": "tanh", **out},
            {"class": "rnn_cell", "unit": "LSTMBlock", "from": "data", **out},
        ]
    )
    prefix = net.choose(["", "prev:"])
    found = net.add("masked_computation", {"from": x.name, "mask": f"{prefix}{mask.name}", "unit": unit}, None)
    net.add("unmask", {"from": found.name, "mask": f"{prefix}{mask.name}"}, Value("", (), feature))


@family("print", places=("root",))
def shown(net: Sketch) -> None:
    """Layers that only show what they read."""
    x = net.pick(lambda v: v.has_features and v.batch)
    net.add("print", {"from": x.name}, x)
