"""What a long training keeps: nothing of the networks and epochs that are over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.datasets import HDFWriter

DATA = """
folder = {folder!r}
train = {{"class": "HDFDataset", "files": [folder + "/train.hdf"], "seq_ordering": "random"}}
dev = {{"class": "HDFDataset", "files": [folder + "/train.hdf"], "seq_ordering": "sorted"}}
extern_data = {{"data": {{"dim": 5}}, "classes": {{"dim": 7, "sparse": True}}}}
batch_size, max_seqs = 1000, 8
optimizer = {{"class": "adam"}}
learning_rate = 0.001
learning_rate_file = folder + "/learning_rates"
num_epochs = {epochs}
def report(**kwargs):
    pages = int(open("/proc/self/statm").read().split()[1])
    print("resident", pages, flush=True)
"""

#: Two kinds of networks in turns, with LSTMs, layer norm and a loop.
CHANGING = """
init_new_network_callback = report
def get_network(epoch, **kwargs):
    units = 8 + 2 * (epoch % 2)
    return {
        "#copy_param_mode": "subset",
        "norm": {"class": "layer_norm", "from": "data"},
        "fw": {"class": "rec", "unit": "nativelstm2", "n_out": units, "direction": 1, "from": "norm"},
        "bw": {"class": "rec", "unit": "nativelstm2", "n_out": units, "direction": -1, "from": "norm"},
        "norm2": {"class": "layer_norm", "from": ["fw", "bw"]},
        "output": {"class": "rec", "from": "norm2", "target": "classes", "unit": {
            "in": {"class": "linear", "activation": "tanh", "from": ["data:source", "prev:s"], "n_out": units},
            "s": {"class": "eval", "from": ["in", "prev:s"], "eval": "source(0) * source(1) + source(0)"},
            "output": {"class": "softmax", "from": "s", "loss": "ce", "n_out": 7},
        }},
    }
"""

SAME = """
def get_network(epoch, **kwargs):
    report()
    lstm = {"class": "rec", "unit": "nativelstm2", "n_out": 8, "from": "data"}
    return {"lstm": lstm, "output": {"class": "softmax", "from": "lstm", "loss": "ce", "target": "classes"}}
"""


def resident(folder: Path, text: str, epochs: int) -> list[int]:
    """The pages in memory whenever the config reports them."""
    rng = np.random.default_rng(1)
    with HDFWriter(folder / "train.hdf", 5, ndim=2, extra_type={"classes": (7, 1, "int32")}) as writer:
        for i in range(16):
            frames = rng.normal(size=(int(rng.integers(2, 9)), 5)).astype(np.float32)
            writer.insert_seq(f"seq-{i}", frames, extra={"classes": rng.integers(0, 7, len(frames)).astype(np.int32)})
    config = folder / "net.py"
    config.write_text(DATA.format(folder=str(folder), epochs=epochs) + text, encoding="utf-8")
    command = [sys.executable, "-m", "runtime.cli", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("resident ")]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux says so what a process has in memory")
@pytest.mark.parametrize(("text", "changes", "allowed"), [(CHANGING, 56, 0.05), (SAME, 210, 0.02)])
def test_memory_stays_as_it_is(tmp_path: Path, text: str, changes: int, allowed: float) -> None:
    """50 changes of a network, or 200 epochs of the same; the first few are not counted."""
    pages = resident(tmp_path, text, changes)[-51 if text is CHANGING else -201 :]
    assert max(pages) <= (1 + allowed) * pages[0], pages
