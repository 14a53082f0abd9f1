"""Loops that choose labels, in training those of the target and in search the best ones."""

from __future__ import annotations

from typing import Any

from tests.random_nets.generate import fill
from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Axis, Value


def _labels(net: Sketch, *keys: str) -> Value:
    return net.pick(lambda v: v.name.removeprefix("data:") in keys and v.name.startswith("data:") and v.is_sequence)


def _step(net: Sketch, x: Value | None, labels: Value) -> tuple[Sketch, dict[str, Any]]:
    """A step with an embedding of the label before; layers of it may read what is outside."""
    outside = [v for v in net.values if v.is_frames and not v.name.startswith("data:")][-2:]
    if len(outside) < 1:
        raise Unsuitable
    inner = net.nested([Value(f"base:{v.name}", v.axes, v.feature) for v in outside], "loop")
    embedding, feature = net.features()
    options = {"with_bias": False} if net.chance(0.5) else {}
    inner.add("linear", {"from": "prev:output", "activation": None, **options, **embedding}, Value("", (), feature))
    if x is not None:
        inner.values.append(Value("data:source", (), x.feature))
    return inner, {
        "class": "choice",
        "beam_size": net.random.randint(2, 4),
        "target": labels.name.removeprefix("data:"),
        "initial_output": 0,
    }


def _choice(net: Sketch, inner: Sketch, labels: Value, choice: dict[str, Any]) -> None:
    """Scores from a few layers, and the choice."""
    fill(inner, net.random.randint(1, 3))
    scores = [v for v in inner.values if v.is_vector and v.name in inner.layers]
    sources = [v.name for v in net.random.sample(scores, min(len(scores), 2))]
    kind = net.choose([("softmax", {}, "prob"), ("linear", {"activation": "log_softmax"}, "log_prob")])
    loss = {"loss": "ce"} if net.shared.mode != "search" and net.chance(0.7) and kind[0] == "softmax" else {}
    size = {"n_out": labels.labels} if not loss or net.modern or net.chance(0.5) else {}
    target = {"target": choice["target"]} if loss or not size else {}
    prob = inner.add(kind[0], {"from": sources, **kind[1], **size, **target, **loss}, None)
    options = net.some(length_normalization=[False], prob_scale=[0.5], base_beam_score_scale=[0.9])
    inner.layers["output"] = {**choice, "from": prob.name, "input_type": kind[2], **options}
    net.shared.classes.append("choice")


def _behind(net: Sketch, loop: Value, labels: Value, time: Axis) -> None:
    """What others read: the labels, in search the best ones."""
    found = Value("", (time,), None, "int32", labels.labels)
    if net.shared.mode == "search" or net.chance(0.5):
        net.add(
            net.choose(["decide", "decide", "decide_keep_beam"]),
            {"from": loop.name},
            None if net.shared.mode == "search" else found,
        )
    if net.shared.mode == "search" and net.chance(0.3):
        net.add("choice_get_beam_scores", {"from": loop.name}, None)
    if net.shared.mode == "search" and net.chance(0.4):
        net.values.append(Value(loop.name, (net.axis(),), None, "int32", labels.labels))
        fill(net, net.random.randint(1, 3))
    if net.shared.mode == "search" and net.chance(0.3):
        vector = net.add("linear", {"from": loop.name, "activation": "tanh", "n_out": 2}, None)
        pooled = net.add("reduce", {"from": vector.name, "mode": "mean", "axis": "T"}, None)
        net.add("split_batch_beam", {"from": pooled.name}, None)
    net.shared.case.setdefault("param_scale", 1.0)


@family("choice", "rec", "decide", "decide_keep_beam", "choice_get_beam_scores", "split_batch_beam", places=("root",))
def transducer(net: Sketch) -> None:
    """A label for each frame."""
    labels = _labels(net, "classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    inner, choice = _step(net, x, labels)
    _choice(net, inner, labels, choice)
    options = net.some(optimize_move_layers_out=[False, True])
    loop = net.add("rec", {"from": x.name, "target": choice["target"], "unit": inner.layers, **options}, None)
    _behind(net, loop, labels, x.axes[0])


@family("choice", "rec", "decide", places=("root",))
def decoder(net: Sketch) -> None:
    """Labels until one of them ends the sequence."""
    labels = _labels(net, "labels", "classes")
    inner, choice = _step(net, None, labels)
    _choice(net, inner, labels, choice)
    inner.add("compare", {"from": "output", "value": 0}, None, "end")
    options: dict[str, Any] = (
        {"max_seq_len": net.choose([4, 5, "max_len_from('base:data')"])} if net.chance(0.9) else {}
    )
    loop = net.add("rec", {"from": [], "target": choice["target"], **options, "unit": inner.layers}, None)
    _behind(net, loop, labels, labels.axes[0])


@family("choice_get_src_beams", "choice", modes=("search",), places=("root",))
def source_beams(net: Sketch) -> None:
    """Which hypothesis each one comes from, step by step."""
    labels = _labels(net, "classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    inner, choice = _step(net, x, labels)
    _choice(net, inner, labels, choice)
    inner.add("choice_get_src_beams", {"from": "output", "is_output_layer": True}, None, "beams")
    net.add("rec", {"from": x.name, "target": choice["target"], "unit": inner.layers}, None)


@family("edit_distance_table", "optimal_completions", modes=("eval", "train"), places=("root",))
def edit_table(net: Sketch) -> None:
    """Distances to each prefix of the target, label by label."""
    labels = _labels(net, "labels")
    x = net.pick(lambda v: v.is_labels and v.is_sequence and v.labels == labels.labels)
    inner = net.nested([], "loop")
    target = f"layer:base:{labels.name}"
    inner.add("edit_distance_table", {"from": "data:source", "target": target, "is_output_layer": True}, None, "table")
    inner.add("optimal_completions", {"from": "prev:table", "target": target, "is_output_layer": True}, None, "next")
    inner.add("copy", {"from": "data:source"}, None, "output")
    loop = net.add("rec", {"from": x.name, "unit": inner.layers, "optimize_move_layers_out": False}, None)
    net.add("copy", {"from": f"{loop.name}/table"}, None)
    net.add("copy", {"from": f"{loop.name}/next"}, None)
