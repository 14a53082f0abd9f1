"""Trainings whose network changes: pretraining, ``get_network``, ``#`` names, and a resume at every place."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from runtime.cli import main
from runtime.datasets import HDFWriter
from runtime.learning_rate.file import load_history

DATA = """
folder = {folder!r}
train = {{"class": "HDFDataset", "files": [folder + "/../train.hdf"], "seq_ordering": "random"}}
dev = {{"class": "HDFDataset", "files": [folder + "/../train.hdf"], "seq_ordering": "sorted"}}
extern_data = {{"data": {{"dim": 4}}, "classes": {{"dim": 3, "sparse": True}}}}
model = folder + "/net"
learning_rate_file = folder + "/learning_rates"
batch_size = 1000
max_seqs = 8
optimizer = {{"class": "adam"}}
learning_rate = 0.01
"""

#: As the published configs do it: the third network is the whole one; the first two are smaller and shallower.
GROWING = """
use_learning_rate_control_always = True
learning_rate_control = "newbob"
def blstm(layers, units, dropout):
    network, source = {}, "data"
    for i in range(1, layers + 1):
        for direction, name in ((1, "fw"), (-1, "bw")):
            network["lstm%i_%s" % (i, name)] = {
                "class": "rec", "unit": "nativelstm2", "n_out": units, "direction": direction, "from": source,
                "dropout": dropout}
        source = ["lstm%i_fw" % i, "lstm%i_bw" % i]
    network["output"] = {"class": "softmax", "from": source, "loss": "ce", "target": "classes"}
    return network
network = blstm(3, 8, 0.1)
def construction_algo(idx, net_dict):
    if idx >= 2:
        return None
    network = blstm(idx + 1, 4 + 2 * idx, 0.0)
    network["#config"] = {"max_seqs": 4, "learning_rate": 0.02 / (idx + 1)}
    return network
repetitions = {"default": 2, "final": 1}
pretrain = {"construction_algo": construction_algo, "copy_param_mode": "subset", "repetitions": repetitions}
num_epochs = 7
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("changing")
    rng = np.random.default_rng(1)
    with HDFWriter(folder / "train.hdf", 4, ndim=2, extra_type={"classes": (3, 1, "int32")}) as writer:
        for i in range(24):
            frames = rng.normal(size=(int(rng.integers(2, 9)), 4)).astype(np.float32)
            labels = np.argmax(np.cumsum(frames[:, :3], axis=0), axis=1).astype(np.int32)
            writer.insert_seq(f"seq-{i}", frames, extra={"classes": labels})
    return folder


def config_in(folder: Path, text: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "net.py"
    path.write_text(DATA.format(folder=str(folder)) + text, encoding="utf-8")
    return str(path)


def checkpoint(prefix: Path) -> dict[str, np.ndarray]:
    reader = CheckpointReader.open(str(prefix))
    return {name: reader.read(name) for name in reader.names()}


def learning_rates(folder: Path) -> str:
    """The file, but for times."""
    text = (folder / "learning_rates").read_text(encoding="utf-8")
    return re.sub(r"(epoch_train_time_secs': )\d+", r"\1", text)


@pytest.fixture(scope="module")
def grown(data: Path) -> Path:
    folder = data / "whole"
    assert main([config_in(folder, GROWING)]) == 0
    return folder


def test_a_network_grows(grown: Path) -> None:
    """Epochs 1 to 5 are those of the pretraining, the original network's last step included."""
    names = sorted(path.name for path in grown.glob("net.*.index") if "optimizer" not in path.name)
    assert names == [
        *("net.006.index", "net.007.index"),
        *(f"net.pretrain.00{epoch}.index" for epoch in range(1, 6)),
    ]
    first, third, fifth = (checkpoint(grown / f"net.pretrain.00{epoch}") for epoch in (1, 3, 5))
    assert [values["lstm1_fw/rec/W_re"].shape for values in (first, third, fifth)] == [(4, 16), (6, 24), (8, 32)]
    assert "lstm2_fw/rec/W" not in first
    assert third["lstm2_fw/rec/W"].shape == (12, 24)
    history = load_history(grown / "learning_rates")
    assert [history[epoch].learning_rate for epoch in range(1, 6)] == [0.02, 0.02, 0.01, 0.01, 0.01]
    steps = [history[epoch].meta["epoch_num_train_steps"] for epoch in range(1, 8)]
    assert steps == [6, 6, 6, 6, 3, 3, 3]
    scores = [history[epoch].scores["dev_score"] for epoch in range(1, 8)]
    assert scores[1] < scores[0]
    assert scores[3] < scores[2]
    assert scores[6] < scores[5] < scores[4]
    assert checkpoint(grown / "net.007")["global_step"] == 33


@pytest.mark.parametrize("epoch", range(1, 7))
def test_a_resume_changes_nothing(data: Path, grown: Path, epoch: int) -> None:
    """It begins with the network of the checkpoint, wherever that is, and goes on with that of the next epoch."""
    folder = data / f"resumed{epoch}"
    config = config_in(folder, GROWING)
    assert main([config, "++num_epochs", str(epoch)]) == 0
    assert main([config]) == 0
    assert learning_rates(folder) == learning_rates(grown)
    expected, found = checkpoint(grown / "net.007"), checkpoint(folder / "net.007")
    assert expected.keys() == found.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_a_kill_changes_nothing(data: Path, grown: Path) -> None:
    """In the epoch after a change of the network, in the middle of it."""
    folder = data / "killed"
    lines = """
killed_at = folder + "/killed"
def order(epoch):
    import os, signal
    if epoch == 4 and not os.path.exists(killed_at):
        open(killed_at, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return "random"
train["seq_ordering"] = order
"""
    config = config_in(folder, GROWING + lines)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for expected in (-signal.SIGKILL, 0):
        command = [sys.executable, "-m", "runtime.cli", config]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == expected, done.stderr
    assert f"resumed from {folder / 'net.pretrain.003'}" in done.stdout
    assert learning_rates(folder) == learning_rates(grown)
    found, whole = checkpoint(folder / "net.007"), checkpoint(grown / "net.007")
    assert all(np.array_equal(found[name], whole[name]) for name in whole)


#: Another network in epochs 3 and 5; nothing is learned, so that what is copied can be seen.
BY_EPOCH = """
learning_rate = 0.0
num_epochs = 5
def get_network(epoch, **kwargs):
    units = {1: 4, 2: 4, 3: 6, 4: 6, 5: 5}[epoch]
    network = {
        "hidden": {"class": "linear", "activation": "tanh", "n_out": units, "from": "data"},
        "output": {"class": "softmax", "from": "hidden", "loss": "ce", "target": "classes"},
    }
    if epoch in (3, 4):
        network["#copy_param_mode"] = "subset"
    if epoch == 5:
        network["more"] = {"class": "linear", "activation": None, "n_out": 3, "from": "hidden"}
        network["output"]["from"] = "more"
    return network
"""


def test_get_network_by_epoch(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a copy mode, what does not have its shape any more starts anew."""
    folder = data / "by_epoch"
    config = config_in(folder, BY_EPOCH)
    assert main([config]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if "changes" in line] == [
        "the network changes, in hidden, #copy_param_mode",
        "the network changes, in hidden, output, #copy_param_mode, more",
    ]
    second, fourth, fifth = (checkpoint(folder / f"net.00{epoch}") for epoch in (2, 4, 5))
    np.testing.assert_array_equal(fourth["hidden/W"][:, :4], second["hidden/W"])
    np.testing.assert_array_equal(fourth["output/W"][:4], second["output/W"])
    assert fourth["hidden/W"][:, 4:].any()
    assert fifth["hidden/W"].shape == (4, 5)
    assert not np.array_equal(fifth["hidden/W"], fourth["hidden/W"][:, :5])
    np.testing.assert_array_equal(fifth["output/b"], fourth["output/b"])
    for epoch, found in ((4, 4), (2, 2)):
        assert main([config, "++task", "eval", "++load_epoch", str(epoch)]) == 0
        assert f"loaded {folder / 'net'}.00{found}" in capsys.readouterr().out


def test_the_tasks_run_the_network_of_the_checkpoint(grown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one of the pretraining; the scores are those that the training found."""
    history = load_history(grown / "learning_rates")
    for epoch in (2, 4, 7):
        assert main([str(grown / "net.py"), "++task", "eval", "++load_epoch", str(epoch)]) == 0
        assert f"dev: score {history[epoch].scores['dev_score']} error " in capsys.readouterr().out


def test_a_layer_with_a_copy_mode_of_its_own(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``custom_param_importer`` wins over the network's mode; what it cannot be there is told before the training."""
    folder = data / "importer"
    lines = """
learning_rates = [0.01, 0.0]
num_epochs = 2
def get_network(epoch, **kwargs):
    hidden = {"class": "linear", "activation": "tanh", "n_out": 3 + epoch, "from": "data"}
    network = {
        "a": dict(hidden), "b": dict(hidden), "c": dict(hidden, n_out=5),
        "output": {"class": "softmax", "from": ["a", "b", "c"], "loss": "ce", "target": "classes"},
        "#copy_param_mode": "subset",
    }
    if epoch == 2:
        network["b"]["custom_param_importer"] = MODES[0]
        network["c"]["custom_param_importer"] = MODES[1]
    return network
"""
    assert main([config_in(folder, lines + 'MODES = "ifpossible", "reset"')]) == 0
    first, second = (checkpoint(folder / f"net.00{epoch}") for epoch in (1, 2))
    np.testing.assert_array_equal(second["a/W"][:, :4], first["a/W"])
    assert not np.isin(second["b/W"][:, :4], first["b/W"]).any()
    assert not (second["c/W"] == first["c/W"]).any()
    np.testing.assert_array_equal(second["output/W"][:4], first["output/W"][:4])

    config = config_in(data / "wrong_importer", lines + 'MODES = print, "subsets"')
    assert main([config]) == 2
    error = re.sub(r" \(\S+net.py:\d+, key 'custom_param_importer'\)", "", capsys.readouterr().err)
    assert error == (
        "returnn-run: 2 problems:\n"
        "[1] layer 'b': custom_param_importer cannot be a function where the network changes (in epoch 2)\n"
        "  expected: 'subset', 'ifpossible', 'reset'\n"
        "[2] layer 'c': custom_param_importer is not understood (in epoch 2)\n"
        "  expected: 'subset', 'ifpossible', 'reset', or a function\n"
        "  received: 'subsets'\n"
        "  try: did you mean 'subset'?\n"
    )


def test_what_is_not_trained(data: Path) -> None:
    """``#trainable`` off: the epoch has scores, and changes neither parameters nor the number of steps."""
    folder = data / "frozen"
    lines = """
num_epochs = 3
from copy import deepcopy
def get_network(epoch, **kwargs):
    output = {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}
    return {"output": output, "#trainable": epoch != 2}
"""
    assert main([config_in(folder, lines)]) == 0
    first, second, third = (checkpoint(folder / f"net.00{epoch}") for epoch in (1, 2, 3))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert [values["global_step"] for values in (first, second, third)] == [3, 3, 6]
    assert not np.array_equal(second["output/W"], third["output/W"])
    scores = load_history(folder / "learning_rates")[2].scores
    assert scores["train_score"] == pytest.approx(scores["dev_score"], rel=1e-6)


def test_the_optimizer_starts_anew_with_the_network(data: Path) -> None:
    """A name with ``#`` makes another network, too; what comes behind goes on from the same place as a fresh Adam."""
    slots = []
    for change in ("", "if epoch == 3: network['#finish_all_data'] = True"):
        folder = data / f"slots{bool(change)}"
        lines = f"""
num_epochs = 3
def get_network(epoch, **kwargs):
    network = {{"output": {{"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}}}}
    {change or "pass"}
    return network
"""
        assert main([config_in(folder, lines)]) == 0
        slots.append(checkpoint(folder / "net.003.optimizer")["optimize/beta1_power"])
    np.testing.assert_allclose(slots, [0.9 ** (9 + 1), 0.9 ** (3 + 1)], rtol=1e-5)


def test_an_optimizer_of_a_network(data: Path) -> None:
    """``#config`` may give another one for some epochs: that one updates, not the one in a step that was compiled."""
    slots = {}
    for last in (1, 2, 3, 4):
        folder = data / f"optimizers{last}"
        lines = f"""
num_epochs = {last}
def get_network(epoch, **kwargs):
    network = {{"output": {{"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}}}}
    if epoch in (2, 3):
        network["#config"] = {{"optimizer": {{"class": "momentum", "momentum": 0.5}}}}
    return network
"""
        assert main([config_in(folder, lines)]) == 0
        state = checkpoint(folder / f"net.00{last}.optimizer")
        slots[last] = sorted(name for name, value in state.items() if "output/W" in name and value.any())
    adam, momentum = ["optimize/output/W/Adam", "optimize/output/W/Adam_1"], ["optimize/output/W/Momentum"]
    assert slots == {1: adam, 2: momentum, 3: momentum, 4: adam}


def test_datasets_of_a_network(data: Path) -> None:
    """``#config`` gives others, with options of their own, and what it does not give goes back."""
    folder = data / "datasets"
    lines = """
num_epochs = 3
other = dict(train, seq_ordering="default", partition_epoch=2)
def get_network(epoch, **kwargs):
    lstm = {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"}
    network = {"lstm": lstm, "output": {"class": "softmax", "from": "lstm", "loss": "ce", "target": "classes"}}
    if epoch == 2:
        network["#config"] = {"train": other, "eval_datasets": {"dev": dev, "test": dev}, "max_seqs": 2}
    return network
eval_datasets = {}
"""
    assert main([config_in(folder, lines)]) == 0
    history = load_history(folder / "learning_rates")
    assert [history[epoch].meta["epoch_num_train_steps"] for epoch in (1, 2, 3)] == [3, 6, 3]
    assert [sorted(k for k in history[e].scores if "score" in k) for e in (1, 2, 3)] == [
        ["dev_score", "train_score"],
        ["dev_score", "test_score", "train_score"],
        ["dev_score", "train_score"],
    ]


def test_callbacks(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As RETURNN calls them; parameters that one takes away start anew."""
    folder = data / "callbacks"
    lines = (
        BY_EPOCH.replace("num_epochs = 5", "num_epochs = 3")
        + """
def startup_callback(config, **kwargs):
    print("started with", config.int("num_epochs", 0))
def init_new_network_callback(session, new_epoch, new_network, old_network_params, **kwargs):
    values = old_network_params.values_dict
    print("epoch", new_epoch, sorted(new_network.layers), {n: sorted(values[n]) for n in sorted(values)})
    del values["hidden"]["W"]
"""
    )
    config = config_in(folder, lines)
    assert main([config]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "started with 3" in out
    assert "epoch 3 ['hidden', 'output'] {'hidden': ['W', 'b'], 'output': ['W', 'b']}" in out
    second, third = (checkpoint(folder / f"net.00{epoch}") for epoch in (2, 3))
    np.testing.assert_array_equal(third["output/W"][:4], second["output/W"])
    assert not np.array_equal(third["hidden/W"][:, :4], second["hidden/W"])


def test_what_is_wrong_in_a_later_network_is_told_first(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data / "wrong"
    config = config_in(
        folder, BY_EPOCH.replace('"n_out": 3', '"n_out": "3"').replace('"class": "softmax"', '"class": "sofmax"')
    )
    assert main([config]) == 2
    assert "'sofmax'" in capsys.readouterr().err
    config = config_in(folder, BY_EPOCH.replace('"class": "linear", "activation": None', '"class": "linaer"'))
    assert main([config]) == 2
    error = capsys.readouterr().err
    assert "unknown layer class 'linaer' (in epoch 5)" in error
    assert not (folder / "learning_rates").exists()
