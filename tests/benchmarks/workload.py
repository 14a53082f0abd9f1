"""What the benchmark computes: shapes, the network dict and the data, shared by the driver and by every worker.

Imports NumPy only, because the workers run in the Python environments of the peers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

NUM_THREADS = 2
"""CPU threads of every contestant (inter-op as well as intra-op)."""


@dataclass(frozen=True)
class Workload:
    """Size of the acoustic model: `layers` BLSTM layers of `units` units per direction and a softmax.

    With another `unit` the layers are not LSTMs.
    """

    layers: int = 3
    units: int = 256
    inputs: int = 40
    classes: int = 100
    batch: int = 40
    frames: int = 100
    behavior_version: int = 16
    unit: str = "nativelstm2"

    def network(self) -> dict[str, dict[str, Any]]:
        """The network dict; RETURNN and we read the same one."""
        net: dict[str, dict[str, Any]] = {}
        source: list[str] = ["data"]
        for i in range(1, self.layers + 1):
            for name, direction in ((f"fw{i}", 1), (f"bw{i}", -1)):
                net[name] = {
                    "class": "rec",
                    "unit": self.unit,
                    "n_out": self.units,
                    "direction": direction,
                    "from": list(source),
                }
            source = [f"fw{i}", f"bw{i}"]
        net["output"] = {"class": "softmax", "loss": "ce", "target": "classes", "from": list(source)}
        return net

    def extern_data(self) -> dict[str, dict[str, Any]]:
        """RETURNN's `extern_data` for the inputs [batch, frames, inputs] and the targets [batch, frames]."""
        return {"data": {"dim": self.inputs}, "classes": {"dim": self.classes, "sparse": True}}

    def data(self, batch: int | None = None) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Inputs [batch, frames, inputs] and target labels [batch, frames]; every sequence has all frames."""
        rng = np.random.default_rng(1)
        shape = (batch or self.batch, self.frames)
        inputs = rng.standard_normal((*shape, self.inputs)).astype(np.float32)
        return inputs, rng.integers(0, self.classes, shape).astype(np.int32)

    def config(self) -> str:
        """The same as a config file."""
        version = f"behavior_version = {self.behavior_version}"
        return f"extern_data = {self.extern_data()!r}\nnetwork = {self.network()!r}\n{version}\n"


def deep_config(layers: int = 50) -> str:
    """A config of `layers` layers for the check of the command line: tanh layers of many widths, and a softmax."""
    net: dict[str, dict[str, Any]] = {}
    source = "data"
    for i in range(1, layers):
        net[f"hidden{i}"] = {"class": "linear", "activation": "tanh", "n_out": 100 + i, "from": source}
        source = f"hidden{i}"
    net["output"] = {"class": "softmax", "loss": "ce", "target": "classes", "from": source}
    return f"extern_data = {Workload().extern_data()!r}\nnetwork = {net!r}\n"
