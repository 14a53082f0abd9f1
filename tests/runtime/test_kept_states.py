"""``initial_state = "keep_over_epoch"``: a state goes from batch to batch in every task, and begins anew with each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from compiler.program.parameters import checkpoint_parameters
from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.config import load_config
from runtime.cli import main
from runtime.tasks.search.search import search

CONFIG = """
import numpy
rng = numpy.random.default_rng(1)
seqs = [{{"data": rng.normal(size=(4, 3)).astype("float32"), "classes": rng.integers(2, size=4)}} for _ in range(6)]
train = {{"class": "StaticDataset", "data": seqs, "input_dim": 3, "output_dim": {{"classes": (2, 1)}}}}
forward_data = search_data = train
extern_data = {{"data": {{"dim": 3}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{
    "gru": {{"class": "rec", "unit": "gru", "n_out": 5, "from": "data", "initial_state": "keep_over_epoch"}},
    "output": {{"class": "softmax", "from": "gru", "loss": "ce"}},
}}
batch_size = 100
max_seqs = 2
num_epochs = 1
learning_rate = 0.1
model = {folder!r} + "/net"
output_file = {folder!r} + "/out.hdf"
search_output_layer = "output"
search_do_eval = False
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a training that is done."""
    folder = tmp_path_factory.mktemp("kept")
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder)), encoding="utf-8")
    assert main([str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def expected(config: Path) -> Array:
    """The outputs of all frames, computed by NumPy in three steps of an epoch; the first state is zero."""
    program = compile_net(load(config), target="reference", mode="eval", fetch=["output"], losses=False)
    params = checkpoint_parameters(program, str(config.parent / "net.001"))
    seqs: Any = load_config(config)["seqs"]
    frames = np.stack([seq["data"] for seq in seqs])
    outputs = []
    for step in range(3):
        inputs = {"data": frames[2 * step : 2 * step + 2], "data/size1": np.array([4, 4]), "epoch_step": np.array(step)}
        found = program.run(inputs, params)
        params["gru/rec/keep_state_var"] = found["state/gru/rec/keep_state_var"]
        outputs.append(found["output/output"].swapaxes(0, 1))
    alone = program.run({**inputs, "epoch_step": np.array(0)}, params)["output/output"].swapaxes(0, 1)
    assert np.abs(alone - outputs[-1]).max() > 1e-3  # the state is worth asking for
    return np.concatenate(outputs)


def test_forward(config: Path, expected: Array) -> None:
    assert main([str(config), "++task", "forward"]) == 0
    with h5py.File(config.parent / "out.hdf") as file:
        np.testing.assert_allclose(file["inputs"][:].reshape(6, 4, 2), expected, rtol=1e-5)


def test_search(config: Path, expected: Array) -> None:
    entries = search(load_config(config, ["++task", "search"])).entries
    found = np.stack([np.asarray(entries[index][1]) for index in range(6)])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_export(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A checkpoint has no kept state; the file takes it as an input and gives the next one."""
    from compiler.cli import main as compile_main

    path = config.parent / "net.onnx"
    checkpoint = str(config.parent / "net.001")
    assert compile_main([str(config), "--target", "onnx", "-o", str(path), "--checkpoint", checkpoint]) == 0
    assert "verified against the reference" in capsys.readouterr().out
