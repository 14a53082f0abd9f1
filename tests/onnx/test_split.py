"""The split layout of a search: four files and a host that does no arithmetic give the bits of the single file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from compiler.check.recorded import read_recorded
from compiler.cli import main
from compiler.target.split_driver import PARTS
from returnn_ir.errors import DataError, UserError
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession

SEARCH = Path(__file__).parents[1] / "golden" / "search"


@pytest.mark.parametrize(
    "case", ["beam4_length_norm", "fixed_length", "lm_fusion", "transformer_decoder", "two_choices"]
)
def test_both_layouts_give_the_same_bits(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, params = SEARCH / f"{case}.py", str(SEARCH / f"{case}.npz")
    command = [str(net), "--target", "onnx", "--mode", "search", "--params", params, "--fetch", "output"]
    assert main([*command, "-o", str(tmp_path / "whole.onnx")]) == 0
    assert main([*command, "-o", str(tmp_path / "parts"), "--layout", "split"]) == 0
    assert "the parts give the bits of the whole" in capsys.readouterr().out
    inputs = {k: v for k, v in read_recorded(SEARCH / f"{case}.npz").inputs.items() if k.startswith("data")}
    whole = OnnxSession(tmp_path / "whole.onnx").run(inputs)
    parts = SearchDriver(tmp_path / "parts").run(inputs)
    assert set(whole) == set(parts)
    assert {"output", "output/beam_scores"} <= set(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)


def test_a_batch_in_the_same_arrays(tmp_path: Path) -> None:
    """A caller may write the next batch over the last one."""
    net, params = SEARCH / "lm_fusion.py", str(SEARCH / "lm_fusion.npz")
    command = [str(net), "--target", "onnx", "--mode", "search", "--params", params, "--layout", "split"]
    assert main([*command, "-o", str(tmp_path)]) == 0
    driver = SearchDriver(tmp_path)
    first = {k: v for k, v in read_recorded(SEARCH / "lm_fusion.npz").inputs.items() if k.startswith("data")}
    second = {k: v[::-1].copy() for k, v in first.items()}
    expected = driver.run(second)
    assert any((driver.run(first)[name] != value).any() for name, value in expected.items())
    for name, value in first.items():
        value[...] = second[name]
    for name, value in driver.run(first).items():
        np.testing.assert_array_equal(value, expected[name])


def test_no_matrix_crosses_the_cut(tmp_path: Path) -> None:
    """Gates of a cell are put into another order in front of the loop: the step does that itself, from its parameters.

    With layers this wide kernels for packed matrices round differently; the export compares the bits.
    """
    net = Path(__file__).parents[2] / "examples" / "attention.py"
    assert main([str(net), "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path)]) == 0
    step = onnx.load(tmp_path / "step.onnx")
    shapes = {i.name: [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in step.graph.input}
    assert len(shapes) > 5
    assert all("B" in shape for name, shape in shapes.items() if name != "i"), shapes


@pytest.mark.parametrize(("end", "told"), [(2, "the parts give the bits of the whole"), (99, None)])
def test_batches_that_the_network_refuses(
    end: int, told: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others are taken in their place, where there are any."""
    net = tmp_path / "net.py"
    cut = f"network['cut'] = {{'class': 'slice', 'axis': 'T', 'slice_end': {end}, 'from': 'data'}}\n"
    first = "network['first'] = {'class': 'reduce', 'mode': 'max', 'axis': 'spatial', 'from': 'cut'}\n"
    read = "network['output']['unit']['prob']['from'] = ['s', 'base:first']\n"
    net.write_text((SEARCH / "fixed_length.py").read_text(encoding="utf-8") + cut + first + read)
    command = [str(net), "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path / "parts")]
    assert main(command) == 0, capsys.readouterr().err
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (told or "warning: the parts were compared with the whole on no batch")


def test_a_net_without_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = SEARCH.parent / "dense" / "softmax_ce.py"
    assert main([str(net), "--target", "onnx", "--layout", "split", "-o", str(tmp_path / "parts")]) == 2
    assert "the split layout needs exactly one search" in capsys.readouterr().err


def test_a_missing_part(tmp_path: Path) -> None:
    (tmp_path / "init.onnx").touch()
    with pytest.raises(UserError) as caught:
        SearchDriver(tmp_path)
    assert str(caught.value) == (
        f"no encoder.onnx, step.onnx, finish.onnx in {tmp_path}\n"
        "  expected: encoder.onnx, init.onnx, step.onnx, finish.onnx\n"
        "  try: returnn-compile net.py --target onnx --mode search --layout split -o FOLDER"
    )


#: A decoder that starts from the last state of an encoder, of which every step reads something else.
BRIDGE = """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
unit = {
    "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
    "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["emb", "prev:c"],
        "initial_state": {"c": "base:start", "h": "base:start"}},
    "query": {"class": "linear", "activation": None, "n_out": 5, "from": "s"},
    "energy": {"class": "dot", "from": ["base:enc", "query"], "red1": "F", "red2": "F", "var1": "T", "var2": None,
        "add_var2_if_empty": False},
    "weights": {"class": "softmax_over_spatial", "from": "energy"},
    "c": {"class": "generic_attention", "weights": "weights", "base": "base:enc", "initial_output": "base:mean"},
    "prob": {"class": "softmax", "from": ["s", "c"], "target": "classes"},
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    "end": {"class": "compare", "from": "output", "value": 0},
}
network = {
    "fw": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "direction": 1, "from": "data"},
    "bw": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "direction": -1, "from": "data"},
    "pool": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": ["fw", "bw"]},
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "pool"},
    "mean": {"class": "reduce", "mode": "mean", "axes": "T", "from": "enc"},
    "last": {"class": "get_last_hidden_state", "n_out": 8, "from": "fw"},
    "start": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "last"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc')",
        "unit": unit},
    "decision": {"class": "decide", "from": "output"},
}
"""
#: What computes something from numbers.
WORK = {"Conv", "GRU", "Gemm", "LSTM", "MatMul", "MaxPool", "ReduceSum", "Sigmoid", "Softmax", "Tanh", "TopK"}


def work(path: Path) -> Counter[str]:
    """The nodes of a file by layer and op, those of loops, too."""

    def count(graph: onnx.GraphProto) -> Iterator[str]:
        for node in graph.node:
            if node.op_type in WORK:
                yield f"{node.name.rpartition('/')[0]} {node.op_type}"
            for attribute in node.attribute:
                yield from count(attribute.g)

    return Counter(count(onnx.load(path).graph))


def test_nothing_is_computed_twice(tmp_path: Path) -> None:
    """What first states and steps need of the encoder crosses the cut; init has no encoder of its own."""
    net = tmp_path / "net.py"
    net.write_text(BRIDGE)
    command = [str(net), "--target", "onnx", "--mode", "search"]
    assert main([*command, "-o", str(tmp_path / "whole.onnx")]) == 0
    assert main([*command, "--layout", "split", "-o", str(tmp_path / "parts")]) == 0
    parts = {name: work(tmp_path / "parts" / f"{name}.onnx") for name in PARTS}
    assert sum(parts.values(), Counter()) == work(tmp_path / "whole.onnx")
    assert parts["init"] == {"mean ReduceSum": 1, "start MatMul": 1, "start Tanh": 1}
    assert parts["encoder"]["fw LSTM"] == 1
    read = [i.name for i in onnx.load(tmp_path / "parts" / "init.onnx").graph.input]
    assert all(name.startswith("encoder/") for name in read), read


def test_inputs_and_labels_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is fed by the part that reads it; labels that the network computes behind the last step."""
    unit = {
        "next": {"class": "eval", "from": "prev:output", "eval": "source(0) + tf.cast(source(0) >= 4, tf.int32)"},
        "e": {"class": "linear", "activation": None, "n_out": 3, "from": "next"},
        "p": {"class": "softmax", "from": ["data:source", "e"], "target": "classes"},
        "output": {"class": "choice", "from": "p", "beam_size": 3, "target": "classes", "initial_output": 0},
    }
    network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": unit}}
    net = tmp_path / "net.py"
    net.write_text(
        "extern_data = {'data': {'dim': 3}, 'classes': {'dim': 4, 'sparse': True, 'available_for_inference': False}}\n"
        f"network = {network!r}\n"
    )
    command = [str(net), "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path / "parts")]
    assert main(command) == 0, capsys.readouterr().err
    driver = SearchDriver(tmp_path / "parts")
    feed = {"data": np.ones((2, 3, 3), np.float32), "data/size1": np.array([3, 2])}
    found = driver.run(feed)
    assert [name for name in found if name.startswith("check/") and found[name].all()] == ["check/0"]
    for wrong, told in (
        ({"data": feed["data"]}, "input 'data/size1' is missing"),
        (
            {**feed, "data/size": feed["data/size1"]},
            "the search has no input 'data/size'(.|\n)*did you mean 'data/size1'",
        ),
        ({**feed, "data/size1": np.array([4, 2])}, "a length in 'data/size1' is out of range"),
        ({"data": feed["data"][:0], "data/size1": np.zeros(0, np.int64)}, "the batch has no sequence"),
    ):
        with pytest.raises(DataError, match=told):
            driver.run(wrong)
