"""How long a training does nothing between two epochs of the same network."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from compiler.target.protocol import Array
from runtime.cli import main
from runtime.model.step import TrainStep

CONFIG = """
import numpy as np
rng = np.random.default_rng(1)
def sequence(length):
    labels = rng.integers(0, 3, length).astype("int32")
    return {"data": rng.normal(size=(length, 4)).astype("float32"), "classes": labels}
train = {"class": "StaticDataset", "data": [sequence(n) for n in rng.integers(2, 30, 10_000)],
         "output_dim": {"data": (4, 2), "classes": (3, 1)}, "seq_ordering": "laplace:.100"}
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch_size, max_seqs = 20_000, 100
num_epochs = 4
def get_network(epoch, **kwargs):
    network = {"output": {"class": "softmax", "from": "layer39", "loss": "ce", "target": "classes"}}
    for i in range(40):
        source = "layer%i" % (i - 1) if i else "data"
        network["layer%i" % i] = {"class": "linear", "activation": "tanh", "n_out": 8, "from": source}
    return network
"""


@pytest.mark.slow
def test_the_next_epoch_begins_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 0.1 s of computing time for 10,000 sequences, the first batch included."""
    times: list[float] = []
    original = TrainStep.__call__

    def call(self: TrainStep, feed: Mapping[str, Array], learning_rate: float) -> dict[str, Array]:
        times.append(time.process_time())
        results = original(self, feed, learning_rate)
        times.append(time.process_time())
        return results

    monkeypatch.setattr(TrainStep, "__call__", call)
    path = tmp_path / "net.py"
    path.write_text(CONFIG, encoding="utf-8")
    assert main([str(path)]) == 0
    pauses = [begin - end for end, begin in zip(times[1::2], times[2::2], strict=False)]
    steps = len(times) // 2 // 4
    between = pauses[steps - 1 :: steps]
    assert len(between) == 3
    assert max(between) < 0.1, between
