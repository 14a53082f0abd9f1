"""Losses of layers, and layers that are losses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch
from tests.random_nets.text import Code
from tests.random_nets.values import Value

MODES = ("eval", "train")


def _labels(net: Sketch, key: str) -> Value:
    """The labels of a data key."""
    return net.pick(lambda v: v.name == f"data:{key}")


def _classes_option(net: Sketch, labels: Value, extra: int = 0) -> dict[str, Any]:
    count = (labels.labels or 0) + extra
    return {} if not extra and not net.modern and net.chance(0.5) else {"n_out": count}


@family("softmax", modes=MODES, places=("root",))
def framewise_cross_entropy(net: Sketch) -> None:
    """The loss of acoustic models: one label per frame."""
    labels = _labels(net, "classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    loss: dict[str, Any] = {"loss": "ce"}
    loss |= (
        {
            "loss_opts": net.choose(
                [
                    {"label_smoothing": 0.1},
                    {"focal_loss_factor": 2.0},
                    {"use_flatten_frames": False},
                    {"safe_log_opts": {"use_fake_grad": False}},
                ]
            )
        }
        if net.chance(0.5)
        else {}
    )
    loss |= net.some(loss_scale=[0.3], loss_only_on_non_search=[True])
    size = {"n_out": labels.labels}
    net.add(
        "softmax", {"from": x.name, "target": "classes", **size, **loss}, replace(x, feature=net.axis(labels.labels))
    )


@family("linear", modes=MODES, places=("root",))
def binary_and_generic(net: Sketch) -> None:
    """Losses on sigmoids or log probabilities."""
    labels = _labels(net, "classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    loss = net.choose(
        [
            ("sigmoid", "bin_ce"),
            ("log_softmax", "ce"),
            ("softmax", "generic_ce"),
            ("tanh", "mse"),
            (None, "l1"),
            ("sigmoid", "sse_sigmoid"),
            (None, "mean_l1"),
        ]
    )
    target = "classes"
    if loss[1] in ("l1", "mean_l1", "mse", "bin_ce", "sse_sigmoid"):
        target = "layer:" + net.pick(lambda v: v.is_frames and v.axes == x.axes).name
        size = next(v.size for v in net.values if v.name == target.removeprefix("layer:"))
    else:
        size = labels.labels or 0
    net.add(
        "linear",
        {"from": x.name, "activation": loss[0], "n_out": size, "loss": loss[1], "target": target},
        replace(x, feature=net.axis(size)),
    )


@family("softmax", modes=MODES, places=("root",))
def ctc(net: Sketch) -> None:
    """CTC on labels that are shorter than the frames."""
    labels = _labels(net, "labels")
    x = net.pick(lambda v: v.is_frames and v.name != "data:memory")
    options = net.choose([{}, {"ctc_opts": {"ctc_merge_repeated": False}}, {"beam_width": 4}])
    classes = (labels.labels or 0) + 1
    loss = {"loss": "ctc", "target": "labels", **({"loss_opts": options} if options else {})}
    net.add("softmax", {"from": x.name, "n_out": classes, **loss}, replace(x, feature=net.axis(classes)))


@family("ctc_loss", modes=MODES, places=("root",))
def ctc_loss(net: Sketch) -> None:
    labels = _labels(net, "labels")
    x = net.pick(lambda v: v.is_frames)
    logits = net.add("linear", {"from": x.name, "activation": None, "n_out": (labels.labels or 0) + 1}, None)
    options = net.some(max_approx=[True], label_loop=[False], logits_normalized=[False])
    loss = {"loss": "as_is"} if net.chance(0.6) else {}
    net.add("ctc_loss", {"logits": logits.name, "targets": "data:labels", **options, **loss}, None)


@family("sparse_softmax_cross_entropy_with_logits", modes=MODES, places=("root",))
def sparse_cross_entropy(net: Sketch) -> None:
    labels = _labels(net, "classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    size = {"n_out": labels.labels} if not net.modern else {"out_dim": _label_dim(net, labels)}
    logits = net.add("linear", {"from": x.name, "activation": None, **size}, None)
    net.add(
        "sparse_softmax_cross_entropy_with_logits",
        {"logits": logits.name, "targets": "data:classes", "axis": "F", "loss": "as_is"},
        None,
    )


def _label_dim(net: Sketch, labels: Value) -> Code:
    key = labels.name.removeprefix("data:")
    dim: Code = net.shared.extern_data[key]["sparse_dim"]
    return dim


@family("loss", modes=MODES, places=("root",))
def loss_layer(net: Sketch) -> None:
    labels = _labels(net, "classes")
    x = net.pick(lambda v: v.is_frames and v.axes == labels.axes)
    prob = net.add("softmax", {"from": x.name, "n_out": labels.labels}, None)
    found = net.add("loss", {"from": prob.name, "loss_": "ce", "target_": "classes"}, None)
    net.add("copy", {"from": f"{found.name}/error"}, None) if net.chance(0.4) else None


@family("fast_bw", modes=MODES, places=("root",))
def fast_bw(net: Sketch) -> None:
    labels = _labels(net, "labels")
    x = net.pick(lambda v: v.is_frames and v.name != "data:memory")
    classes = (labels.labels or 0) + 1
    prob = net.add("softmax", {"from": x.name, "n_out": classes}, None)
    options = {
        "align_target": "ctc",
        "align_target_key": "labels",
        "input_type": "prob",
        "ctc_opts": {"blank_idx": classes - 1},
    }
    found = net.add(
        "fast_bw", {"from": prob.name, "n_out": classes, **options, **net.some(am_scale=[0.5], min_prob=[0.1])}, None
    )
    net.add(
        "copy",
        {
            "from": prob.name,
            "loss": "via_layer",
            "loss_opts": {"loss_wrt_to_act_in": "softmax", "align_layer": found.name},
        },
        None,
    )


@family("forced_align", modes=MODES, places=("root",))
def forced_align(net: Sketch) -> None:
    labels = _labels(net, "labels")
    x = net.pick(lambda v: v.is_frames and v.name != "data:memory")
    classes = (labels.labels or 0) + 1
    prob = net.add("linear", {"from": x.name, "activation": "log_softmax", "n_out": classes}, None)
    options = {"align_target": "data:labels", "input_type": "log_prob", "topology": net.choose(["ctc", "rna"])}
    found = net.add("forced_align", {"from": prob.name, **options}, None)
    net.add("copy", {"from": f"{found.name}/scores"}, None) if net.chance(0.5) else None


@family("edit_distance", modes=MODES, places=("root",))
def edit_distance(net: Sketch) -> None:
    a = net.pick(lambda v: v.is_labels and v.is_sequence)
    b = net.pick(lambda v: v.is_labels and v.is_sequence and v.labels == a.labels)
    options = {"a": a.name, "a_spatial_dim": net.time(a), "b": b.name, "b_spatial_dim": net.time(b)}
    net.add("edit_distance", options, None)
