"""Labels out of range: refused where data enter, inside, or when the network is checked; never another label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.passes.check_labels import resolve_labels
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.errors import DataError, UserError

CLASSES = {"dim": 4, "sparse": True}
SOFTMAX: dict[str, Any] = {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}
FRAMES = np.random.default_rng(0).standard_normal((2, 3, 3)).astype(np.float32)
LENGTHS = np.array([3, 2])


def _file(path: Path, extern_data: dict[str, Any], network: dict[str, Any]) -> Path:
    file = path / "net.py"
    file.write_text(f"extern_data = {extern_data!r}\nnetwork = {network!r}\n")
    return file


def _program(
    path: Path, network: dict[str, Any], *, sparse: bool = False, target: str = "reference", mode: str = "eval"
) -> Program:
    data = CLASSES if sparse else {"dim": 3}
    return compile_net(load(_file(path, {"data": data, "classes": CLASSES}, network)), target=target, mode=mode)


def _run(program: Program, labels: list[list[int]], key: str = "classes") -> dict[str, Array]:
    """One of the inputs has these labels, the others fit."""
    feed: dict[str, Array] = {}
    for name in program.input_names():
        given, _, axis = name.partition("/")
        fine = np.zeros((2, 3), np.int32) if given == "classes" or key == "data" else FRAMES
        feed[name] = LENGTHS if axis else np.array(labels, np.int32) if given == key else fine
    return program.run(feed, program.initial_params(1))


def _refusal(program: Program, labels: list[list[int]], key: str = "classes") -> str:
    with pytest.raises(DataError) as caught:
        _run(program, labels, key)
    return str(caught.value)


# -------------------------------------------------------------------- from the inputs


@pytest.mark.parametrize("target", ["reference", "tf"])
@pytest.mark.parametrize(("value", "row", "frame"), [(99, 0, 2), (4, 1, 1), (-1, 1, 0)])
def test_cross_entropy(tmp_path: Path, target: str, value: int, row: int, frame: int) -> None:
    labels = [[0, 1, 3], [2, 0, 0]]
    labels[row][frame] = value
    assert _refusal(_program(tmp_path, {"output": SOFTMAX}, target=target), labels) == (
        "a label of data 'classes' is out of range\n"
        "  expected: 0 to 3\n"
        f"  received: {value} at position {frame} of sequence {row} of the batch"
    )


def test_gradients(tmp_path: Path) -> None:
    program = _program(tmp_path, {"output": SOFTMAX}, target="tf", mode="train")
    feed = {"data": FRAMES, "data/size1": LENGTHS, "classes": np.full((2, 3), 4), "classes/size1": LENGTHS}
    with pytest.raises(DataError, match="a label of data 'classes' is out of range"):
        program.gradients(feed, program.initial_params(1))


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
@pytest.mark.parametrize("value", [99, -1])
def test_embedding(tmp_path: Path, target: str, value: int) -> None:
    linear = {"class": "linear", "activation": None, "n_out": 2, "from": "data"}
    program = _program(tmp_path, {"output": linear}, sparse=True, target=target, mode="forward")
    assert _refusal(program, [[0, 1, value], [0, 0, 0]], "data") == (
        f"a label of data 'data' is out of range\n  expected: 0 to 3\n"
        f"  received: {value} at position 2 of sequence 0 of the batch"
    )
    table = program.initial_params(1)["output/W"]
    found = _run(program, [[0, 1, 3], [2, 0, 0]], "data")["output/output"]
    np.testing.assert_allclose(found, table[np.array([[0, 1, 3], [2, 0, 0]])], rtol=1e-6)


def test_ctc_has_no_label_for_the_blank(tmp_path: Path) -> None:
    network = {"output": {"class": "softmax", "from": "data", "n_out": 5, "loss": "ctc", "target": "classes"}}
    assert _refusal(_program(tmp_path, network), [[0, 4, 0], [0, 0, 0]]) == (
        "a label of data 'classes' is out of range\n"
        "  expected: 0 to 3\n"
        "  received: 4 at position 1 of sequence 0 of the batch"
    )


SPARSE_CE = {
    "logits": {"class": "linear", "activation": None, "n_out": 4, "from": "data"},
    "output": {
        "class": "sparse_softmax_cross_entropy_with_logits",
        "logits": "logits",
        "targets": "data:classes",
    },
}
EVAL_CE = {
    "labels": {"class": "reinterpret_data", "size_base": "data", "from": "data:classes", "enforce_batch_major": True},
    "logits": {"class": "linear", "activation": None, "n_out": 4, "from": "data"},
    "output": {
        "class": "eval",
        "from": ["labels", "logits"],
        "eval": "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=source(0)[..., 0], logits=source(1))",
        "out_type": {"shape": (None,), "dtype": "float32", "sparse": False, "dim": None},
    },
}


@pytest.mark.parametrize(
    "network",
    [
        {"output": {**SOFTMAX, "loss_opts": {"label_smoothing": 0.1}}},
        {"output": {**SOFTMAX, "loss_opts": {"focal_loss_factor": 2.0}}},
        {"output": {**SOFTMAX, "loss": "generic_ce"}},
        {"output": {**SOFTMAX, "loss": "mse"}},
        {"output": {**SOFTMAX, "loss": "sampling_loss", "loss_opts": {"num_sampled": 2, "use_full_softmax": True}}},
        {"output": {**SOFTMAX, "class": "linear", "activation": "sigmoid", "n_out": 4}},
        SPARSE_CE,
        EVAL_CE,
        {"output": {"class": "loss", "loss_": "ce", "target_": "classes", "from": "p"}, "p": {**SOFTMAX, "loss": None}},
        {
            "p": {**SOFTMAX, "loss": None},
            "output": {"class": "gather", "from": "table", "position": "data:classes", "axis": "F"},
            "table": {"class": "reduce", "mode": "mean", "axis": "T", "from": "p"},
        },
    ],
    ids=["smoothing", "focal", "generic_ce", "mse", "sampling", "probs", "layer", "eval", "loss layer", "gather"],
)
def test_every_use_of_a_label(tmp_path: Path, network: dict[str, Any]) -> None:
    program = _program(tmp_path, network)
    assert _run(program, [[0, 1, 3], [2, 0, 0]])
    assert _refusal(program, [[0, 1, 3], [2, 7, 0]]) == (
        "a label of data 'classes' is out of range\n"
        "  expected: 0 to 3\n"
        "  received: 7 at position 1 of sequence 1 of the batch"
    )


@pytest.mark.parametrize(
    "moved",
    [
        {"class": "slice", "axis": "T", "slice_start": 0},
        {"class": "shift_axis", "axis": "T", "amount": 1},
        {"class": "cast", "dtype": "int64"},
        {"class": "prefix_in_time", "prefix": 3, "repeat": 1},
    ],
    ids=lambda layer: str(layer["class"]),
)
def test_values_that_only_move(tmp_path: Path, moved: dict[str, Any]) -> None:
    linear = {"class": "linear", "activation": None, "n_out": 2, "from": "moved"}
    program = _program(tmp_path, {"moved": {**moved, "from": "data"}, "output": linear}, sparse=True, mode="forward")
    assert program.inputs[0].labels == 4
    assert "99 at position 1 of sequence 1" in _refusal(program, [[0, 1, 3], [2, 99, 0]], "data")


def test_labels_of_a_step(tmp_path: Path) -> None:
    """The decoder's input is the target one step earlier; the first one is a constant."""
    unit = {
        "embedding": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
        "p": {"class": "softmax", "from": ["data:source", "embedding"], "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "from": "p", "beam_size": 2, "target": "classes", "initial_output": 2},
    }
    network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": unit}}
    program = _program(tmp_path, network, mode="train")
    assert {spec.name: spec.labels for spec in program.inputs if spec.labels} == {"classes": 4}
    assert not list(program.graph.nodes("label_index"))


def test_the_most_narrow_use_counts(tmp_path: Path) -> None:
    few = {
        "class": "eval",
        "from": "data",
        "eval": "source(0)",
        "out_type": {"dim": 2, "sparse": True, "shape": (None,)},
    }
    network = {
        "few": few,
        "a": {"class": "linear", "activation": None, "n_out": 2, "from": "few"},
        "b": {"class": "linear", "activation": None, "n_out": 2, "from": "data"},
        "output": {"class": "combine", "kind": "add", "from": ["a", "b"]},
    }
    program = _program(tmp_path, network, sparse=True, mode="forward")
    assert program.inputs[0].labels == 2
    assert "expected: 0 to 1" in _refusal(program, [[0, 1, 3], [0, 0, 0]], "data")


def test_keys_that_index_nothing_are_free(tmp_path: Path) -> None:
    network = {"output": {"class": "cast", "dtype": "float32", "from": "data"}}
    program = _program(tmp_path, network, sparse=True, mode="forward")
    assert program.inputs[0].labels is None
    found = _run(program, [[0, 1, 99], [-5, 0, 0]], "data")["output/output"]
    assert found[0, 2] == 99
    assert found[1, 0] == -5


# -------------------------------------------------------------------- behind a sequence's end


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
@pytest.mark.parametrize("value", [99, -1])
def test_tails_become_zero(tmp_path: Path, target: str, value: int) -> None:
    """A convolution reads them: RETURNN pads with 0. The caller's array stays as it was."""
    network = {
        "embedding": {"class": "linear", "activation": None, "n_out": 2, "from": "data"},
        "output": {
            "class": "conv",
            "filter_size": (3,),
            "n_out": 2,
            "padding": "same",
            "with_bias": False,
            "from": "embedding",
        },
    }
    program = _program(tmp_path, network, sparse=True, target=target, mode="forward")
    labels = np.array([[0, 1, 3], [2, 1, value]], np.int32)
    feed = {"data": labels, "data/size1": LENGTHS}
    params = program.initial_params(1)
    found = program.run(feed, params)["output/output"]
    zero = program.run({**feed, "data": np.where(labels == value, 0, labels)}, params)["output/output"]
    three = program.run({**feed, "data": np.where(labels == value, 3, labels)}, params)["output/output"]
    np.testing.assert_array_equal(found, zero)
    assert labels[1, 2] == value
    assert not np.allclose(found[1, 1], three[1, 1])  # a tail in range is left alone


# -------------------------------------------------------------------- computed by the network


def _shifted(to: str) -> dict[str, Any]:
    return {
        "next": {"class": "eval", "from": "data:classes", "eval": "source(0) + 1"},
        "output": {**SOFTMAX, "target": to},
    }


@pytest.mark.parametrize("target", ["reference", "tf"])
def test_computed_labels_are_checked_inside(tmp_path: Path, target: str) -> None:
    program = _program(tmp_path, _shifted("layer:next"), target=target)
    assert [spec.labels for spec in program.inputs if spec.name == "classes"] == [None]
    assert _run(program, [[0, 1, 2], [2, 0, 3]])["loss/output"] > 0  # 3 + 1 is behind the end
    assert _refusal(program, [[0, 1, 2], [2, 3, 0]]).replace(f"{tmp_path}/", "") == (
        "layer 'output' (net.py:2): a label is out of range\n  expected: 0 to 3"
    )


def test_what_a_condition_keeps_out_is_no_label(tmp_path: Path) -> None:
    network = {
        "known": {
            "class": "eval",
            "from": "data",
            "eval": "tf.where(source(0) >= 4, tf.zeros_like(source(0)), source(0))",
        },
        "output": {"class": "linear", "activation": None, "n_out": 2, "from": "known"},
    }
    program = _program(tmp_path, network, sparse=True, mode="forward")
    found = _run(program, [[0, 255, 3], [2, 0, 0]], "data")["output/output"]
    np.testing.assert_array_equal(found[0, 1], found[0, 0])
    assert "a label is out of range" in _refusal(program, [[0, -1, 3], [2, 0, 0]], "data")


def _running(first: int) -> dict[str, Any]:
    """Labels that follow from the step before, in a loop that nothing can leave."""
    unit = {
        "output": {"class": "eval", "from": "prev:output", "eval": "source(0) + 1", "initial_output": first,
                   "out_type": {"dtype": "int32", "sparse": True, "dim": 4, "shape": ()}},
        "embedding": {"class": "linear", "activation": None, "n_out": 2, "from": "output"},
        "state": {"class": "eval", "from": ["prev:state", "embedding"], "eval": "tf.tanh(source(0) + source(1))",
                  "is_output_layer": True},
    }  # fmt: skip
    network = {"loop": {"class": "rec", "from": "data", "unit": unit}}
    return {**network, "output": {"class": "copy", "from": "loop/state"}}


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
def test_labels_computed_from_step_to_step(tmp_path: Path, target: str) -> None:
    program = _program(tmp_path, _running(0), target=target, mode="forward")
    feed = {"data": FRAMES, "data/size1": LENGTHS}
    assert program.run(feed, program.initial_params(1))["output/output"].shape[-1] == 2
    longer = {"data": np.concatenate([FRAMES, FRAMES], 1), "data/size1": np.array([3, 4])}
    with pytest.raises(DataError) as caught:
        program.run(longer, program.initial_params(1))
    told = str(caught.value).replace(f"{tmp_path}/", "")
    assert told == "layer 'loop/embedding' (net.py:2): a label is out of range\n  expected: 0 to 3"


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
@pytest.mark.parametrize("steps", [3, 4])
def test_labels_in_a_loop_that_ends_by_itself(tmp_path: Path, target: str, steps: int) -> None:
    """The fourth step looks up label 4 of 0 to 3."""
    network = _running(0)
    end = {"class": "compare", "kind": "greater_equal", "from": "output", "value": steps}
    network["loop"]["unit"]["end"] = end
    network["loop"]["max_seq_len"] = 10
    program = _program(tmp_path, network, target=target, mode="forward")
    feed = {"data": FRAMES, "data/size1": LENGTHS}
    if steps == 3:
        assert program.run(feed, program.initial_params(1))["output/output"].shape[-1] == 2
        return
    with pytest.raises(DataError) as caught:
        program.run(feed, program.initial_params(1))
    assert "layer 'loop/embedding'" in str(caught.value)
    assert "a label is out of range\n  expected: 0 to 3" in str(caught.value)


@pytest.mark.parametrize("target", ["reference", "tf"])
def test_labels_computed_in_a_branch(tmp_path: Path, target: str) -> None:
    """Here the kernel refuses."""
    network = {
        "next": {"class": "eval", "from": "data", "eval": "source(0) + 1"},
        "count": {"class": "length", "axis": "B", "from": "data"},
        "output": {
            "class": "cond",
            "from": [],
            "condition": {"class": "eval", "from": "count", "eval": "source(0) > 0"},
            "true_layer": {"class": "linear", "activation": None, "n_out": 2, "from": "next"},
            "false_layer": {"class": "linear", "activation": None, "n_out": 2, "from": "data"},
        },
    }
    program = _program(tmp_path, network, sparse=True, target=target, mode="forward")
    assert len(list(program.graph.nodes("label_index"))) == 1
    assert _run(program, [[0, 1, 2], [2, 0, 3]], "data")["output/output"].shape == (2, 3, 2)
    told = _refusal(program, [[0, 1, 3], [2, 0, 0]], "data").replace(f"{tmp_path}/", "")
    assert told == "layer 'output/true_layer' (net.py:2): a label is out of range\n  expected: 0 to 3\n  received: 4"


# -------------------------------------------------------------------- constants


def _decoder(first: object) -> dict[str, Any]:
    unit = {
        "e": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
        "p": {"class": "softmax", "from": ["data:source", "e"], "target": "classes"},
        "output": {"class": "choice", "from": "p", "beam_size": 2, "target": "classes", "initial_output": first},
    }
    return {"output": {"class": "rec", "from": "data", "target": "classes", "unit": unit}}


@pytest.mark.parametrize("first", [99, 4, -1])
def test_initial_output(tmp_path: Path, first: int) -> None:
    net = load(_file(tmp_path, {"data": {"dim": 3}, "classes": CLASSES}, _decoder(first)))
    with pytest.raises(UserError) as caught:
        resolve_labels(construct(net, "search").graph)
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "layer 'output/output' (net.py:2, key 'initial_output'): the label is out of range, "
        f"which layer 'output/e' looks up\n  expected: 0 to 3\n  received: {first}"
    )


def test_initial_output_in_range(tmp_path: Path) -> None:
    net = load(_file(tmp_path, {"data": {"dim": 3}, "classes": CLASSES}, _decoder(3)))
    assert not list(compile_net(net, target="reference", mode="search").graph.nodes("label_index"))


def test_a_prefix(tmp_path: Path) -> None:
    network = {
        "begun": {"class": "prefix_in_time", "prefix": 4, "from": "data"},
        "output": {"class": "linear", "activation": None, "n_out": 2, "from": "begun"},
    }
    program = _program(tmp_path, network, sparse=True, mode="forward")
    assert _refusal(program, [[0, 1, 3], [2, 0, 0]], "data").replace(f"{tmp_path}/", "") == (
        "layer 'output' (net.py:2): a label is out of range\n  expected: 0 to 3"
    )


def test_a_constant(tmp_path: Path) -> None:
    network = {
        "seven": {"class": "constant", "value": 7, "dtype": "int32", "with_batch_dim": True},
        "label": {"class": "reinterpret_data", "set_sparse": True, "set_sparse_dim": 4, "from": "seven"},
        "output": {"class": "linear", "activation": None, "n_out": 2, "from": "label"},
    }
    with pytest.raises(UserError) as caught:
        _program(tmp_path, network, mode="forward")
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "layer 'seven' (net.py:2): the label is out of range, which layer 'output' looks up\n"
        "  expected: 0 to 3\n  received: 7"
    )


@pytest.mark.parametrize("target", ["reference", "tf"])
def test_labels_of_an_unknown_number(tmp_path: Path, target: str) -> None:
    """How many labels there are is not needed to number them, and a state of a loop may start with one."""
    unit = {
        "t": {"class": "copy", "from": "data:source", "initial_output": -1},
        "output": {
            "class": "eval",
            "from": "prev:t",
            "eval": "tf.cast(source(0), 'float32')",
            "out_type": {"dtype": "float32"},
        },
    }
    network = {"output": {"class": "rec", "from": "data:align", "unit": unit}}
    align = {"dim": None, "shape": (None,), "dtype": "int32", "sparse": True}
    net = load(_file(tmp_path, {"data": {"dim": 3}, "align": align}, network))
    program = compile_net(net, target=target, mode="forward")
    labels = np.array([[7, 900, 3], [5, 6, 0]], np.int32)
    feed = {"data": FRAMES, "data/size1": LENGTHS, "align": labels, "align/size1": LENGTHS}
    values = program.run(feed, program.initial_params(1))["output/output"]
    np.testing.assert_array_equal(values, [[-1, -1], [7, 5], [900, 6]])
