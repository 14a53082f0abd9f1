"""What an export for inference asks for: only data keys that are available then."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.cli import main
from compiler.program.program import compile_net
from returnn_ir import load
from runtime.deployment.session import OnnxSession

#: The decoder's target is made of the reference labels; a search needs no more of it than how many labels there are.
SEARCH = """
extern_data = {"classes": {"dim": 4, "sparse": True}, "data": {"dim": 3}}
network = {
  "with_end": {"class": "postfix_in_time", "from": "data:classes", "postfix": 0, "register_as_extern_data": "targets"},
  "output": {"class": "rec", "from": "data", "target": "targets", "unit": {
    "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
    "prob": {"class": "softmax", "from": ["emb", "data:source"], "target": "targets", "loss": "ce"},
    "output": {"class": "choice", "from": "prob", "beam_size": 2, "target": "targets", "initial_output": 0}}}}
"""
SHARED = """
from returnn.tensor import Dim, batch_dim
time, labels, feature = Dim(None, name="time"), Dim(4, name="labels"), Dim(3, name="feature")
extern_data = {
  "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "available_for_inference": False},
  "data": {"dim_tags": [batch_dim, time, feature]},
  "context": {"dim_tags": [batch_dim, feature], "available_for_inference": True},
}
network = {
  "loss": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "n_out": 4},
  "length": {"class": "length", "from": "data:classes"},
  "output": {"class": "combine", "kind": "add", "from": ["data:context", "length"], "is_output_layer": True}}
"""


def _config(folder: Path, text: str) -> str:
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_search_asks_for_no_reference_labels(tmp_path: Path) -> None:
    model = tmp_path / "search.onnx"
    command = [_config(tmp_path, SEARCH), "--target", "onnx", "--mode", "search", "-o", str(model)]
    assert main(command) == 0
    assert OnnxSession(model).inputs == ["data", "data/size1"]


def test_lengths_are_those_of_a_key_that_is_available(tmp_path: Path) -> None:
    """The same dim is in a key that is there and in one that is not."""
    net = load(_config(tmp_path, SHARED))
    program = compile_net(net, target="reference", fetch=["output"])
    assert program.input_names() == ["data", "data/size1", "context"]


@pytest.mark.parametrize("target", ["onnx", "tf"])
def test_an_input_that_is_not_available_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    path = _config(tmp_path, SEARCH)
    message = (
        f"returnn-compile: layer 'with_end' ({path}:4): the forward program needs the data key 'classes', which is not "
        "available for inference\n"
        "  expected: only data\n"
        "  received: classes, read by with_end, output\n"
        '  try: --fetch layers that do without it, or extern_data["classes"]["available_for_inference"] = True\n'
    )
    for output in ([], ["-o", str(tmp_path / "model")]):
        assert main([path, "--target", target, *output]) == 2
        assert capsys.readouterr().err == message
    assert not (tmp_path / "model").exists()


def test_losses_may_ask_for_targets(tmp_path: Path) -> None:
    model = tmp_path / "eval.onnx"
    text = SEARCH.partition("network")[0] + (
        'network = {"output": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}}\n'
    )
    assert main([_config(tmp_path, text), "--target", "onnx", "--mode", "eval", "-o", str(model)]) == 0
    assert "classes" in OnnxSession(model).inputs
