"""How many nodes a step of an exported search has: on a GPU each of them is a kernel launch, whatever the batch is.

Counted in the body of the ``Loop`` as onnxruntime runs it: after its extended optimisation, saved by the option of a
session. A change that makes one of these numbers smaller writes the new one down.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import onnxruntime
import pytest

import compiler
import returnn_ir
from compiler.onnx.program import OnnxProgram
from tests.benchmarks.attention import AttentionWorkload

LSTM_DECODER = 59
TRANSFORMER_DECODER = 59
TRANSFORMER_LAYER = 32
TRANSFORMER_LAYER_OF_ONNXRUNTIME = 27

#: Nodes that find out sizes, or that copy what does not change in a step.
OF_SIZES = {"Shape", "Range", "ConstantOfShape", "Pad", "Expand", "Size"}


def linear(source: str, size: int = 8) -> dict[str, Any]:
    return {"class": "linear", "activation": None, "with_bias": False, "n_out": size, "from": source}


def decoder_layer(prefix: str, x: str) -> tuple[str, dict[str, Any]]:
    """Self-attention over the labels so far, attention over the encoder, a feed-forward layer; norms in front."""
    p = prefix
    both = [f"{p}f1", f"{p}f2"]
    return f"{p}out", {
        f"{p}ln": {"class": "layer_norm", "from": x},
        f"{p}sa": {
            "class": "self_attention",
            "num_heads": 2,
            "total_key_dim": 8,
            "n_out": 8,
            "from": f"{p}ln",
            "attention_left_only": True,
        },
        f"{p}so": linear(f"{p}sa"),
        f"{p}a": {"class": "combine", "kind": "add", "from": [x, f"{p}so"]},
        f"{p}ln1": {"class": "layer_norm", "from": f"{p}a"},
        f"{p}q0": linear(f"{p}ln1"),
        f"{p}q": {"class": "split_dims", "axis": "F", "dims": (2, 4), "from": f"{p}q0"},
        f"{p}e": {"class": "dot", "red1": -1, "red2": -1, "var1": "T", "var2": "T?", "from": [f"base:{p}k", f"{p}q"]},
        f"{p}w": {"class": "softmax_over_spatial", "from": f"{p}e", "energy_factor": 0.5},
        f"{p}c0": {"class": "generic_attention", "weights": f"{p}w", "base": f"base:{p}v"},
        f"{p}c": {"class": "merge_dims", "axes": "static", "from": f"{p}c0"},
        f"{p}co": linear(f"{p}c"),
        f"{p}b": {"class": "combine", "kind": "add", "from": [f"{p}a", f"{p}co"]},
        f"{p}ln2": {"class": "layer_norm", "from": f"{p}b"},
        both[0]: {"class": "linear", "n_out": 16, "activation": "relu", "from": f"{p}ln2"},
        both[1]: {"class": "linear", "n_out": 8, "activation": None, "from": both[0]},
        f"{p}out": {"class": "combine", "kind": "add", "from": [f"{p}b", both[1]]},
    }


def transformer(layers: int) -> str:
    """A Transformer decoder over a linear encoder."""
    net: dict[str, Any] = {"encoder": linear("data")}
    unit: dict[str, Any] = {"embedding": linear("prev:output")}
    x = "embedding"
    for i in range(layers):
        for part in "kv":
            net[f"d{i}_{part}0"] = linear("encoder")
            net[f"d{i}_{part}"] = {"class": "split_dims", "axis": "F", "dims": (2, 4), "from": f"d{i}_{part}0"}
        x, made = decoder_layer(f"d{i}_", x)
        unit.update(made)
    unit |= {
        "normed": {"class": "layer_norm", "from": x},
        "prob": {"class": "softmax", "from": "normed", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0},
    }
    output = {"class": "rec", "from": [], "unit": unit, "target": "classes"}
    net["output"] = {**output, "max_seq_len": "max_len_from('base:encoder')"}
    net["decision"] = {"class": "decide", "from": "output", "is_output_layer": True}
    data = {"data": {"dim": 4}, "classes": {"dim": 11, "sparse": True, "available_for_inference": False}}
    return f"extern_data = {data!r}\nnetwork = {net!r}\n"


@cache
def step(config: str, profile: str = "portable") -> Mapping[str, int]:
    """The nodes of the search's body by type, as onnxruntime runs it."""
    with TemporaryDirectory() as folder:
        net, optimized = Path(folder, "net.py"), Path(folder, "optimized.onnx")
        net.write_text(config, encoding="utf-8")
        program = compiler.compile(returnn_ir.load(net), target="onnx", mode="search", profile=profile)
        assert isinstance(program.executable, OnnxProgram)
        model = program.executable.model(program.initial_params())
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(optimized)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        search = next(n for n in onnx.load(optimized).graph.node if n.op_type == "Loop")
    body = next(onnx.helper.get_attribute_value(a) for a in search.attribute if a.name == "body")
    counts: dict[str, int] = {}
    for node in body.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


def lstm() -> str:
    """The decoder of the benchmark, small."""
    return AttentionWorkload(units=8, inputs=4, labels=11, beam_size=3).config()


def test_an_lstm_decoder() -> None:
    assert sum(step(lstm()).values()) <= LSTM_DECODER, step(lstm())


def test_a_transformer_decoder() -> None:
    one, two = step(transformer(1)), step(transformer(2))
    assert sum(one.values()) <= TRANSFORMER_DECODER, one
    assert sum(two.values()) - sum(one.values()) <= TRANSFORMER_LAYER, two


@pytest.mark.parametrize("config", [lstm(), transformer(2)], ids=["lstm", "transformer"])
def test_no_sizes_are_computed_in_a_step(config: str) -> None:
    assert not OF_SIZES & step(config).keys()


def test_a_hypothesis_is_followed_by_one_gather_for_each_thing_that_it_carries() -> None:
    """Its end and its length; cell, output and two feedbacks of attention; keys and values of each layer."""
    assert step(lstm())["GatherND"] == 6
    assert step(transformer(2))["GatherND"] == 2 + 4
    assert step(transformer(2))["Concat"] == 4


def test_what_follows_from_the_number_of_a_step_is_looked_up() -> None:
    """The factor by which scores of ended hypotheses grow: one read instead of a cast, a sum, a maximum, a quotient."""
    found = step(lstm())
    assert (found["Gather"], found["Cast"], found["Div"]) == (2, 1, 1)  # with the embedding, the labels, the slots
    assert "Max" not in found


def test_no_array_is_copied_to_be_given_twice() -> None:
    """The labels of a step are carried on and stacked."""
    assert not {"Identity"} & step(lstm()).keys()


def test_a_mask_is_read_once_where_only_a_product_reads_the_weights() -> None:
    """That of the energies, in each layer, and two of the search; the LSTM's weights are feedback, too."""
    assert step(transformer(2))["Where"] == step(transformer(1))["Where"] + 1


def test_bias_and_activation_are_part_of_a_product() -> None:
    """Of the feed-forward part."""
    one, two = step(transformer(1)), step(transformer(2))
    assert (two["FusedGemm"] - one["FusedGemm"], two["Gemm"] - one["Gemm"]) == (1, 1)


def test_with_operators_of_onnxruntime() -> None:
    """Attention over the encoder is one operator; over the labels so far it would ask for sizes in each step."""
    one, two = (step(transformer(layers), "onnxruntime") for layers in (1, 2))
    assert two["MultiHeadAttention"] - one["MultiHeadAttention"] == 1
    assert sum(two.values()) - sum(one.values()) <= TRANSFORMER_LAYER_OF_ONNXRUNTIME
    assert not OF_SIZES & two.keys()
