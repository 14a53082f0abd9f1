"""Layers that weigh frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value


@family("self_attention")
def self_attention(net: Sketch) -> None:
    """Over a sequence, or in a loop over the steps so far; now and then with relative positions."""
    x = net.pick(lambda v: v.is_frames or (net.in_loop and v.is_vector))
    heads = net.random.randint(1, 2)
    n_out = heads * net.random.randint(1, 3)
    options: dict[str, Any] = {"num_heads": heads, "total_key_dim": heads * net.random.randint(1, 3), "n_out": n_out}
    left_only = not x.axes or net.chance(0.4)
    options |= {"attention_left_only": True} if left_only else {}
    if x.axes and net.chance(0.3):
        shift = net.add(
            "relative_positional_encoding",
            {"from": x.name, "n_out": options["total_key_dim"] // heads, **net.some(clipping=[2], fixed=[False])},
            None,
        )
        options["key_shift"] = shift.name
    net.add("self_attention", {"from": x.name, **options}, replace(x, feature=net.axis(n_out), bounded=False))


@family("softmax_over_spatial")
def softmax_over_spatial(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_sequence and v.is_float)
    options = net.some(
        energy_factor=[0.5], use_time_mask=[True], log_space=[True] if x.feature else [False], axis=[net.time(x)]
    )
    net.add("softmax_over_spatial", {"from": x.name, **options}, None)


@family("generic_attention", "softmax_over_spatial", "linear", "reduce")
def generic_attention(net: Sketch) -> None:
    """Weights from an energy per frame, and the frames weighed by them."""
    x = net.pick(lambda v: v.is_frames)
    heads = net.random.randint(1, 2)
    energy = net.add("linear", {"from": x.name, "activation": None, "n_out": heads}, None)
    if net.shared.strict:
        raise Unsuitable
    weights = net.add("softmax_over_spatial", {"from": energy.name}, None)
    options = net.some(auto_squeeze=[False, True]) if heads == 1 else {}
    net.add("generic_attention", {"weights": weights.name, "base": x.name, **options}, None)


@family("dot_attention", "concat_attention", places=("loop",))
def old_attention(net: Sketch) -> None:
    """Frames of a sequence outside, weighed in each step."""
    base = net.pick(lambda v: v.is_frames and v.name.startswith("base:"))
    query = net.pick(lambda v: v.is_vector)
    name = net.choose(["dot_attention", "concat_attention"])
    same = net.add("linear", {"from": query.name, "activation": "tanh", "n_out": base.size}, None)
    net.add(name, {"from": same.name, "base": base.name, "base_ctx": base.name}, Value("", (), base.feature))


@family("gauss_window_attention", places=("loop",))
def gauss_window(net: Sketch) -> None:
    """Frames around a position that moves on."""
    base = net.pick(lambda v: v.is_frames and v.name.startswith("base:"))
    query = net.pick(lambda v: v.is_vector)
    position = net.add("linear", {"from": query.name, "activation": "sigmoid", "n_out": 1}, None)
    at = net.add("squeeze", {"from": position.name, "axis": "F"}, None)
    scaled = net.add("eval", {"from": at.name, "eval": "source(0) * 3."}, None)
    net.add(
        "gauss_window_attention",
        {"from": scaled.name, "base": base.name, "window_size": net.random.randint(1, 3), **net.some(std=[0.7])},
        Value("", (), base.feature),
    )


@family("linear", "combine", "softmax_over_spatial", "generic_attention", "dot", places=("loop",))
def attention(net: Sketch) -> None:
    """Additive attention on frames outside of the loop, as decoders have it."""
    base = net.pick(lambda v: v.is_frames and v.name.startswith("base:"))
    query = net.pick(lambda v: v.is_vector)
    out, feature = net.features()
    key = net.add("linear", {"from": base.name, "activation": None, **out}, replace(base, feature=feature))
    asked = net.add("linear", {"from": query.name, "activation": None, **out}, Value("", (), feature))
    added = net.add("combine", {"from": [key.name, asked.name], "kind": "add"}, replace(base, feature=feature))
    act = net.add("activation", {"from": added.name, "activation": "tanh"}, None)
    energy = net.add("linear", {"from": act.name, "activation": None, "n_out": 1}, None)
    weights = net.add(
        "softmax_over_spatial", {"from": energy.name, **({"axis": base.axes[0].dim} if base.axes[0].dim else {})}, None
    )
    if net.modern and base.axes[0].dim:
        squeezed = net.add("squeeze", {"from": weights.name, "axis": "dim:1"}, None)
        net.add("dot", {"from": [base.name, squeezed.name], "reduce": base.axes[0].dim}, Value("", (), base.feature))
    else:
        net.add("generic_attention", {"weights": weights.name, "base": base.name}, Value("", (), base.feature))


@family("positional_encoding")
def positional_encoding(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames or (net.in_loop and v.is_vector))
    if net.chance(0.6) and x.size >= 4:
        net.add("positional_encoding", {"from": x.name, "add_to_input": True}, x)
    else:
        out = {"n_out": net.choose([4, 6])}
        net.add("positional_encoding", {"from": x.name, "add_to_input": False, **out, **net.some(constant=[3])}, None)


@family("relative_positional_encoding", places=("root", "subnetwork"))
def relative_positional_encoding(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    net.add(
        "relative_positional_encoding",
        {"from": x.name, "n_out": net.choose([4, 6]), **net.some(clipping=[1, 3], fixed=[True])},
        None,
    )
