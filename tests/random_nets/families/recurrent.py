"""Recurrent units and loops."""

from __future__ import annotations

from dataclasses import replace

from tests.random_nets.generate import fill
from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value


@family("rec", places=("root", "subnetwork"))
def rec_unit(net: Sketch) -> None:
    """A unit over the time of a sequence."""
    x = net.pick(lambda v: v.is_frames)
    out, feature = net.features()
    unit = net.choose(["nativelstm2", "lstm", "nativelstm2", "LSTMBlock", "GRU", "BasicLSTM", "standardlstm"])
    options = net.some(direction=[-1, 1], initial_state=["zeros", "ones"], forward_weights_init=[0.1])
    net.add("rec", {"from": x.name, "unit": unit, **options, **out}, replace(x, feature=feature, bounded=True))


@family("rnn_cell", places=("loop",))
def rnn_cell(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_vector)
    size = net.random.randint(2, 4)
    unit = net.choose(["LSTMBlock", "GRU", "BasicLSTM", "BasicRNN"])
    options = net.some(initial_state=["zeros", "ones"], weights_init=[0.1])
    output = replace(x, feature=net.axis(size), bounded=True)
    net.add("rnn_cell", {"from": x.name, "unit": unit, **options, "n_out": size}, output)


@family("rec", places=("root", "subnetwork"))
def rec_loop(net: Sketch) -> None:
    """A loop over a sequence: a state, and layers of any family that works on a step."""
    x = net.pick(lambda v: v.is_frames)
    loop, output = _loop(net, x)
    options = net.some(optimize_move_layers_out=[True, False], unroll=[False])
    options |= {"axis": x.axes[0].dim} if net.shared.strict or (x.axes[0].dim and net.chance(0.3)) else {}
    net.add("rec", {"from": x.name, "unit": loop.layers, **options}, replace(output, axes=x.axes))


def _loop(net: Sketch, x: Value) -> tuple[Sketch, Value]:
    """The body of a loop over ``x``, and its output."""
    out, feature = net.features()
    outside = [v for v in net.values if v.is_frames and not v.name.startswith("data:") and net.chance(0.4)]
    base = [Value(f"base:{v.name}", v.axes, v.feature) for v in outside if net.place == "root"]
    if net.shared.wanted and net.place == "root":
        base = [Value(f"base:{v.name}", v.axes, v.feature) for v in net.values if v.is_frames]
    inner = net.nested([*base, Value("data:source", (), x.feature), Value("prev:h", (), feature)], "loop")
    fill(inner, net.random.randint(0, 2))
    last = inner.pick(lambda v: v.is_vector and v.name != "prev:h")
    state = {"activation": net.choose(["tanh", "sigmoid"]), **net.some(initial_output=["zeros", "ones", 0.5]), **out}
    inner.add("linear", {"from": [last.name, "prev:h"], **state}, Value("", (), feature), "h")
    fill(inner, net.random.randint(0, 2))
    output = inner.pick(lambda v: v.is_vector and not v.name.startswith(("prev:", "data:", "base:")))
    inner.add("copy", {"from": output.name}, output, "output")
    return inner, output


@family("rec_last_output", "get_rec_accumulated", "rec", places=("root",))
def parts_of_loop(net: Sketch) -> None:
    """What a layer in a loop gave in all steps, and in the last one."""
    x = net.pick(lambda v: v.is_frames)
    loop, output = _loop(net, x)
    options = {"axis": x.axes[0].dim} if net.shared.strict else {}
    loop.layers["h"] |= {"is_output_layer": True, "need_last": True}
    found = net.add("rec", {"from": x.name, "unit": loop.layers, **options}, replace(output, axes=x.axes))
    net.add("get_rec_accumulated", {"from": found.name, "sub_layer": "h"}, None) if net.chance(0.6) else None
    net.add("rec_last_output", {"rec_layer": found.name, "sub_layer_name": "h"}, None) if net.chance(0.6) else None


@family("get_last_hidden_state", "rec", places=("root", "subnetwork"))
def last_state(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    out, feature = net.features()
    unit = net.choose(["nativelstm2", "LSTMBlock", "lstm"])
    found = net.add(
        "rec", {"from": x.name, "unit": unit, **out, **net.some(direction=[-1])}, replace(x, feature=feature)
    )
    key = net.choose(["c", "h", "*"])
    size = (feature.size or 1) * (2 if key == "*" else 1)
    net.add("get_last_hidden_state", {"from": found.name, "key": key, "n_out": size}, Value("", (), net.axis(size)))


@family("rec", places=("root", "subnetwork"))
def bidirectional(net: Sketch) -> None:
    """Forwards and backwards, joined by the next layer."""
    x = net.pick(lambda v: v.is_frames)
    out, _ = net.features()
    both = [net.add("rec", {"from": x.name, "unit": "nativelstm2", "direction": d, **out}, None).name for d in (1, -1)]
    out2, after = net.features()
    net.add("linear", {"from": both, "activation": "tanh", **out2}, replace(x, feature=after))


@family("rec_unstack", "rec", places=("root",))
def unstacked(net: Sketch) -> None:
    """A sequence from outside, step by step."""
    x = net.pick(lambda v: v.is_frames and v.axes[0].dim is not None)
    out, feature = net.features()
    inner = net.nested([], "loop")
    inner.add(
        "rec_unstack",
        {"from": f"base:{x.name}", "axis": x.axes[0].dim, **net.some(declare_rec_time=[True])},
        None,
        "step",
    )
    inner.add("linear", {"from": ["step", "prev:output"], "activation": "tanh", **out}, None, "output")
    net.add("rec", {"from": [], "axis": x.axes[0].dim, "unit": inner.layers}, replace(x, feature=feature))


@family("cum_concat", "rec", places=("root",))
def so_far(net: Sketch) -> None:
    """All steps so far, weighed in each step."""
    if not net.modern:
        raise Unsuitable
    x = net.pick(lambda v: v.is_frames and v.axes[0].dim is not None)
    history = net.dim(None, "history")
    inner = net.nested([], "loop")
    out, feature = net.features()
    inner.add("linear", {"from": "data:source", "activation": "tanh", **out}, None, "key")
    inner.add("cum_concat", {"from": "key", "out_spatial_dim": history.dim}, None, "keys")
    inner.add(
        "reduce", {"from": "keys", "mode": net.choose(["mean", "max", "sum"]), "axis": history.dim}, None, "output"
    )
    net.add("rec", {"from": x.name, "axis": x.axes[0].dim, "unit": inner.layers}, replace(x, feature=feature))


@family("rnn_cell", places=("root", "subnetwork"))
def cell_outside(net: Sketch) -> None:
    x = net.pick(lambda v: v.is_frames)
    size = net.random.randint(2, 4)
    unit = net.choose(["LSTMBlock", "GRU", "BasicLSTM"])
    net.add("rnn_cell", {"from": x.name, "unit": unit, "n_out": size}, replace(x, feature=net.axis(size)))
