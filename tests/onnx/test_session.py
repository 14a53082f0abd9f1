"""``OnnxSession``: inputs are checked by name before onnxruntime sees them; only the providers that were asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from compiler.program.artifacts import write_artifact
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.errors import DataError, UserError
from runtime.deployment.session import OnnxSession

LSTM = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
    "output": {"class": "softmax", "from": "lstm", "n_out": 5},
}
EMBEDDING = {"output": {"class": "linear", "activation": None, "n_out": 2, "from": "data"}}


def _program(folder: Path, network: dict[str, Any], data: dict[str, Any]) -> Program:
    net = folder / "net.py"
    net.write_text(f"extern_data = {{'data': {data!r}}}\nnetwork = {network!r}\n")
    return compile_net(load(net), target="onnx", mode="forward")


def _saved(folder: Path, network: dict[str, Any], data: dict[str, Any]) -> OnnxSession:
    program = _program(folder, network, data)
    executable: Any = program.executable
    executable.save(folder / "m.onnx", program.initial_params(1))
    return OnnxSession(folder / "m.onnx")


@pytest.fixture(scope="module")
def lstm(tmp_path_factory: pytest.TempPathFactory) -> OnnxSession:
    """A model that ended the process on an empty batch."""
    return _saved(tmp_path_factory.mktemp("lstm"), LSTM, {"dim": 4})


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> OnnxSession:
    """A model that looks labels up."""
    return _saved(tmp_path_factory.mktemp("embedding"), EMBEDDING, {"dim": 4, "sparse": True})


def _feed(batch: int = 2, time: int = 3, lengths: object = (3, 2), features: int = 4) -> dict[str, Array]:
    return {"data": np.ones((batch, time, features), np.float32), "data/size1": np.array(lengths, np.int64)}


@pytest.mark.parametrize(
    ("feed", "told"),
    [
        (
            _feed(0, 7, ()),
            "the batch has no sequence\n  expected: at least one\n  received: 0\n  try: leave the batch out",
        ),
        (
            _feed(lengths=(4, 2)),
            "a length in 'data/size1' is out of range\n"
            "  expected: 0 to 3, the size of axis data.T of 'data'\n"
            "  received: 4 for sequence 0 of the batch",
        ),
        (
            _feed(lengths=(3, -1)),
            "a length in 'data/size1' is out of range\n"
            "  expected: 0 to 3, the size of axis data.T of 'data'\n"
            "  received: -1 for sequence 1 of the batch",
        ),
        (
            _feed(lengths=(3, 2, 1)),
            "inputs 'data' and 'data/size1' disagree about axis B\n  expected: 2\n  received: 3",
        ),
        (
            _feed(lengths=3),
            "input 'data/size1' has a wrong shape\n  expected: [B]\n  received: []",
        ),
        (
            {**_feed(), "data": np.ones((2, 3), np.float32)},
            "input 'data' has a wrong shape\n  expected: [B, data.T, data.F 4]\n  received: [2, 3]",
        ),
        (
            _feed(features=5),
            "input 'data' has a wrong shape\n  expected: [B, data.T, data.F 4]\n  received: [2, 3, 5]",
        ),
        (
            {"data": _feed()["data"]},
            "input 'data/size1' is missing\n  expected: data, data/size1\n  received: ['data']",
        ),
        (
            {"data": _feed()["data"], "data/size": _feed()["data/size1"]},
            "the model has no input 'data/size'\n  expected: data, data/size1\n  try: did you mean 'data/size1'?",
        ),
        (
            {**_feed(), "data/size1": np.array([1.5, 2])},
            "input 'data/size1' has a wrong dtype\n  expected: int64\n  received: float64",
        ),
    ],
    ids=["batch 0", "long", "negative", "count", "scalar", "rank", "size", "missing", "unknown", "dtype"],
)
def test_inputs_that_do_not_fit(lstm: OnnxSession, feed: dict[str, Array], told: str) -> None:
    with pytest.raises(DataError) as caught:
        lstm.run(feed)
    assert str(caught.value) == told


def test_what_is_short_runs(lstm: OnnxSession) -> None:
    assert lstm.run(_feed(lengths=(3, 0)))["output"].shape == (3, 2, 5)
    assert lstm.run(_feed(2, 0, (0, 0)))["output"].shape == (0, 2, 5)
    assert lstm.run_sequences([]) == []


def test_sequences_that_do_not_fit(lstm: OnnxSession) -> None:
    data = [np.ones((3, 4), np.float32), np.ones((2, 5), np.float32)]
    with pytest.raises(DataError) as caught:
        lstm.run_sequences(data)
    assert str(caught.value) == ("sequence 1 does not fit the first one\n  expected: [time, 4]\n  received: [2, 5]")
    with pytest.raises(DataError) as caught:
        lstm.run_sequences(data[:1], output="ouput")
    assert str(caught.value) == (
        f"the model has no output 'ouput'\n  expected: {', '.join(lstm.outputs)}\n  try: did you mean 'output'?"
    )
    assert [row.shape for row in lstm.run_sequences([data[0], data[0][:1]])] == [(3, 5), (1, 5)]


def test_a_program_refuses_an_empty_batch_too(tmp_path: Path) -> None:
    program = _program(tmp_path, LSTM, {"dim": 4})
    with pytest.raises(DataError, match="the batch has no sequence"):
        program.run(_feed(0, 7, ()), program.initial_params(1))


@pytest.mark.parametrize("value", [4, 99, -1])
def test_labels(embedding: OnnxSession, value: int) -> None:
    with pytest.raises(DataError) as caught:
        embedding.run({"data": np.array([[0, 1], [value, 3]]), "data/size1": np.array([2, 1])})
    assert str(caught.value) == (
        "a label of data 'data' is out of range\n"
        "  expected: 0 to 3\n"
        f"  received: {value} at position 0 of sequence 1 of the batch"
    )


def test_labels_behind_the_end_are_zero(embedding: OnnxSession) -> None:
    lengths = np.array([2, 1])
    found = embedding.run({"data": np.array([[0, 1], [2, -1]]), "data/size1": lengths})["output"]
    zero = embedding.run({"data": np.array([[0, 1], [2, 0]]), "data/size1": lengths})["output"]
    np.testing.assert_array_equal(found, zero)


def test_an_exported_file_says_what_is_checked(tmp_path: Path) -> None:
    program = _program(tmp_path, EMBEDDING, {"dim": 4, "sparse": True})
    write_artifact(program, load(tmp_path / "net.py"), tmp_path / "m.onnx", checkpoint=None, params=None)
    session = OnnxSession(tmp_path / "m.onnx")
    assert json.loads(session.metadata["returnn_ir.inputs"])["data"] == {
        "dtype": "int32",
        "axes": ["B", "data.T"],
        "sparse": 4,
        "sizes": [None, None],
        "lengths": [None, "data/size1"],
        "batch": ["B"],
        "range": [0, 3],
    }
    with pytest.raises(DataError, match="expected: 0 to 3"):
        session.run({"data": np.array([[7]]), "data/size1": np.array([1])})


def test_a_check_inside_of_the_model(tmp_path: Path) -> None:
    """A label that the network computes."""
    shifted = {"class": "eval", "from": "data", "eval": "source(0) + 1"}
    network = {"next": shifted, "output": {**EMBEDDING["output"], "from": "next"}}
    session = _saved(tmp_path, network, {"dim": 4, "sparse": True})
    feed = {"data": np.array([[0, 1, 2], [2, 0, 3]]), "data/size1": np.array([3, 2])}
    assert session.run(feed)["output"].shape == (2, 3, 2)
    with pytest.raises(DataError) as caught:
        session.run({**feed, "data/size1": np.array([3, 3])})
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "layer 'output' (net.py:2): a label is out of range\n  expected: 0 to 3"
    )


def test_a_model_of_somebody_else(tmp_path: Path) -> None:
    """Without our metadata, onnxruntime's own description is what is checked."""
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    infos = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["N", 2]) for n in ("x", "y")]
    graph = onnx.helper.make_graph([node], "g", infos[:1], infos[1:])
    opsets = [onnx.helper.make_opsetid("", 21)]
    onnx.save(onnx.helper.make_model(graph, ir_version=10, opset_imports=opsets), tmp_path / "m.onnx")
    session = OnnxSession(tmp_path / "m.onnx")
    assert session.run({"x": np.array([[-1, 1]], np.float32)})["y"].tolist() == [[0, 1]]
    with pytest.raises(DataError) as caught:
        session.run({"x": np.ones((1, 3), np.float32)})
    assert str(caught.value) == "input 'x' has a wrong shape\n  expected: [N, x.1 2]\n  received: [1, 3]"


# -------------------------------------------------------------------- providers


def test_a_provider_that_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Onnxruntime is built for CUDA, its libraries are missing: it goes on without, and would say so in a log only."""
    program = _program(tmp_path, EMBEDDING, {"dim": 4, "sparse": True})
    executable: Any = program.executable
    executable.save(tmp_path / "m.onnx", program.initial_params(1))
    create = onnxruntime.InferenceSession
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *args, **kwargs: create(*args, providers=["CPUExecutionProvider"])
    )
    with pytest.raises(UserError) as caught:
        OnnxSession(tmp_path / "m.onnx", device="cuda")
    assert str(caught.value) == (
        "onnxruntime could not load CUDAExecutionProvider\n"
        "  expected: CUDAExecutionProvider\n"
        "  received: CPUExecutionProvider\n"
        "  try: its libraries (for CUDA: cuDNN too) in the versions that this onnxruntime was built for"
    )
    OnnxSession(tmp_path / "m.onnx")
