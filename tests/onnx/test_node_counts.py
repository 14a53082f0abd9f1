"""How many nodes an exported encoder has: what a layer adds, and what is there once for all layers.

Counted behind onnxruntime's extended optimisation on the CPU, as its own session option saves it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import returnn_ir
from compiler.onnx.placement import count_borders
from compiler.onnx.program import OnnxProgram
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from tests.onnx.graphs import compare

LayerDict = dict[str, Any]
Net = dict[str, LayerDict]

#: What computes masks, lengths and shapes: for all layers once.
SHARED = ("Less", "Greater", "Range", "Shape", "Squeeze", "Unsqueeze", "Concat", "Expand", "ReduceMax", "Cast", "Pad")


def transformer(layers: int) -> Net:
    """Self-attention and feed-forward layers, a norm in front of each."""
    net: Net = {"in": {"class": "linear", "n_out": 16, "from": "data", "activation": None}}
    x = "in"
    for i in range(layers):
        x = attention(net, f"l{i}_", x)
        x = feed_forward(net, f"l{i}_ff_", x, "relu")
    net["output"] = {"class": "softmax", "n_out": 9, "from": x}
    return net


def attention(net: Net, name: str, x: str, **options: Any) -> str:
    """The part with self-attention; returns its last layer."""
    sizes = {"num_heads": 2, "total_key_dim": 16, "n_out": 16}
    net[name + "norm"] = {"class": "layer_norm", "from": x}
    net[name + "att"] = {"class": "self_attention", "from": name + "norm", **sizes, **options}
    net[name + "out"] = {"class": "linear", "n_out": 16, "activation": None, "from": name + "att"}
    net[name + "sum"] = {"class": "combine", "kind": "add", "from": [x, name + "out"]}
    return name + "sum"


def feed_forward(net: Net, name: str, x: str, activation: str) -> str:
    """Two linear layers; returns the last layer."""
    net[name + "norm"] = {"class": "layer_norm", "from": x}
    net[name + "in"] = {"class": "linear", "n_out": 32, "activation": activation, "from": name + "norm"}
    net[name + "out"] = {"class": "linear", "n_out": 16, "activation": None, "from": name + "in"}
    net[name + "sum"] = {"class": "combine", "kind": "add", "from": [x, name + "out"]}
    return name + "sum"


def conformer(layers: int) -> Net:
    """Feed-forward, self-attention with relative positions, convolution."""
    net: Net = {"in": {"class": "linear", "n_out": 16, "from": "data", "activation": None}}
    x = "in"
    for i in range(layers):
        name = f"l{i}_"
        x = feed_forward(net, name + "ff_", x, "swish")
        net[name + "shift"] = {"class": "relative_positional_encoding", "from": x, "n_out": 8}
        x = attention(net, name, x, key_shift=name + "shift")
        x = convolution(net, name + "conv_", x)
    net["output"] = {"class": "softmax", "n_out": 9, "from": x}
    return net


def convolution(net: Net, name: str, x: str) -> str:
    """The convolution part of a Conformer; returns its last layer."""
    depthwise = {"filter_size": (5,), "groups": 16, "n_out": 16, "padding": "same", "activation": None}
    net[name + "in"] = {"class": "linear", "n_out": 32, "activation": None, "from": x}
    net[name + "gate"] = {"class": "gating", "activation": "identity", "from": name + "in"}
    net[name + "depth"] = {"class": "conv", "from": name + "gate", "with_bias": True, **depthwise}
    net[name + "norm"] = {"class": "batch_norm", "from": name + "depth"}
    net[name + "act"] = {"class": "activation", "activation": "swish", "from": name + "norm"}
    net[name + "out"] = {"class": "linear", "n_out": 16, "activation": None, "from": name + "act"}
    net[name + "sum"] = {"class": "combine", "kind": "add", "from": [x, name + "out"]}
    return name + "sum"


def convolutions(layers: int) -> Net:
    """Convolutions over time and frequency with pooling of the frequencies."""
    net: Net = {"image": {"class": "split_dims", "axis": "F", "dims": (-1, 1), "from": "data"}}
    x = "image"
    for i in range(layers):
        net[f"l{i}"] = {
            "class": "conv",
            "from": x,
            "filter_size": (3, 3),
            "padding": "same",
            "n_out": 4,
            "activation": "relu",
        }
        net[f"l{i}_pool"] = {
            "class": "pool",
            "mode": "max",
            "padding": "same",
            "pool_size": (1, 2),
            "from": f"l{i}",
        }
        x = f"l{i}_pool"
    net["merged"] = {"class": "merge_dims", "axes": "static", "from": x}
    net["output"] = {"class": "softmax", "n_out": 9, "from": "merged"}
    return net


def blstm(layers: int) -> Net:
    """Bidirectional LSTM layers."""
    net: Net = {}
    source = ["data"]
    for i in range(layers):
        for direction, name in ((1, f"l{i}_fw"), (-1, f"l{i}_bw")):
            net[name] = {"class": "rec", "unit": "nativelstm2", "n_out": 8, "direction": direction, "from": source}
        source = [f"l{i}_fw", f"l{i}_bw"]
    net["output"] = {"class": "softmax", "n_out": 9, "from": source}
    return net


@cache
def counts(make: Callable[[int], Net], layers: int) -> Counter[str]:
    """By operator, how many nodes there are in the optimised model."""
    model = model_of(make, layers)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return Counter(node.op_type for node in onnx.load(path).graph.node)


def compiled(make: Callable[[int], Net], layers: int, target: str) -> Program:
    """The net as a program."""
    options = {"extern_data": {"data": {"dim": 40}}, "network": make(layers)}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "net.py"
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in options.items()))
        return compile_net(returnn_ir.load(path), target=target)


def model_of(make: Callable[[int], Net], layers: int) -> Any:
    """The exported model."""
    program = compiled(make, layers, "onnx")
    assert isinstance(program.executable, OnnxProgram)
    return program.executable.model(program.initial_params())


@pytest.mark.parametrize("make", [transformer, conformer, convolutions])
def test_shared_shapes_hold_for_every_batch(make: Callable[[int], Net]) -> None:
    """Sequences without frames, and batches of nothing else."""
    ours, reference = (compiled(make, 2, target) for target in ("onnx", "reference"))
    params = ours.initial_params()
    for lengths in ([0, 0], [3, 0], [5, 1, 4]):
        frames = np.random.default_rng(1).standard_normal((len(lengths), max(lengths), 40)).astype(np.float32)
        inputs: dict[str, Array] = {"data": frames, "data/size1": np.asarray(lengths, np.int64)}
        compare(ours.run(inputs, params), reference.run(inputs, params))


@pytest.mark.parametrize(
    ("make", "most"),
    [(transformer, 25), (conformer, 45), (convolutions, 6), (blstm, 4)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_nodes_of_one_more_layer(make: Callable[[int], Net], most: int) -> None:
    """What the third layer adds to a net of two."""
    added = counts(make, 3).copy()
    added.subtract(counts(make, 2))
    assert added.total() <= most, dict(+added)


@pytest.mark.parametrize("make", [transformer, conformer, blstm])
def test_masks_and_shapes_are_there_once(make: Callable[[int], Net]) -> None:
    """However many layers read them."""
    two, three = counts(make, 2), counts(make, 3)
    joined = {"Concat": 1} if make is blstm else {}  # the two directions of a layer
    assert {op: three[op] - two[op] for op in SHARED if three[op] != two[op]} == joined
    assert two["Less"] + two["Greater"] + two["GreaterOrEqual"] <= 1


@pytest.mark.parametrize(("make", "most"), [(transformer, 1), (conformer, 1), (convolutions, 1), (blstm, 2)])
def test_copies_between_host_and_device(make: Callable[[int], Net], most: int) -> None:
    """The longest sequence's length and, of a recurrent layer, the lengths: kernels want them in the host's memory."""
    placement = count_borders(model_of(make, 2))
    assert len(placement.copies) <= most, placement.copies
    assert not placement.faults


def test_convolutions_keep_the_order_of_axes() -> None:
    """One transposition in front of all and one behind them."""
    found = counts(convolutions, 3)
    assert (found["Conv"], found["Transpose"]) == (3, 2)
