"""The attention encoder-decoder of the benchmark: network dict and inputs, for every worker. Imports NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class AttentionWorkload:
    """Sizes of the model and of the beam search.

    The weights are random, so that (nearly) no hypothesis ends before the longest possible output: every contestant
    does the same number of steps.
    """

    units: int = 256
    inputs: int = 40
    labels: int = 1000
    beam_size: int = 12
    sentences: int = 100
    batch: int = 20
    frames: int = 30
    behavior_version: int = 16

    def network(self) -> dict[str, dict[str, Any]]:
        """A BLSTM, an LSTM decoder with additive attention and its accumulated weights as feedback."""
        lstm = {"class": "rec", "unit": "nativelstm2", "n_out": self.units, "from": "data"}
        return {
            "fw": {**lstm, "direction": 1},
            "bw": {**lstm, "direction": -1},
            "encoder": {"class": "copy", "from": ["fw", "bw"]},
            "keys": self._linear("encoder"),
            "output": {
                "class": "rec",
                "from": [],
                "unit": self._decoder(),
                "target": "classes",
                "max_seq_len": "max_len_from('base:encoder')",
            },
            "decision": {"class": "decide", "from": "output", "is_output_layer": True},
        }

    def _decoder(self) -> dict[str, dict[str, Any]]:
        return {
            "embedding": self._linear("prev:output"),
            "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["embedding", "prev:att"], "n_out": self.units},
            "query": self._linear("s"),
            "seen": self._linear("prev:accum_weights"),
            "energy_in": {"class": "combine", "kind": "add", "from": ["base:keys", "query", "seen"]},
            "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
            "energy": {**self._linear("energy_tanh"), "n_out": 1},
            "weights": {"class": "softmax_over_spatial", "from": "energy"},
            "accum_weights": {
                "class": "eval",
                "from": ["prev:accum_weights", "weights"],
                "eval": "source(0) + source(1)",
                "out_type": {"dim": 1, "shape": (None, 1)},
            },
            "att": {"class": "generic_attention", "weights": "weights", "base": "base:encoder"},
            "readout": {"class": "linear", "activation": "tanh", "from": ["s", "att"], "n_out": self.units},
            "output_prob": {"class": "softmax", "from": "readout", "target": "classes", "loss": "ce"},
            "output": {
                "class": "choice",
                "target": "classes",
                "beam_size": self.beam_size,
                "from": "output_prob",
                "initial_output": 0,
            },
            "end": {"class": "compare", "from": "output", "value": 0},
        }

    def _linear(self, source: str) -> dict[str, Any]:
        return {"class": "linear", "activation": None, "with_bias": False, "from": source, "n_out": self.units}

    def extern_data(self) -> dict[str, dict[str, Any]]:
        """RETURNN's `extern_data`."""
        labels = {"dim": self.labels, "sparse": True, "available_for_inference": False}
        return {"data": {"dim": self.inputs}, "classes": labels}

    def batches(self) -> list[Batch]:
        """The sentences: inputs [batch, time, inputs] and lengths [batch], between half of `frames` and all."""
        rng = np.random.default_rng(1)
        found = []
        for _ in range(self.sentences // self.batch):
            lengths = rng.integers(self.frames // 2, self.frames + 1, self.batch)
            lengths[0] = self.frames
            found.append((rng.standard_normal((self.batch, self.frames, self.inputs)).astype(np.float32), lengths))
        return found

    def targets(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Labels [batch, label] of the first batch, between half as many as `frames` and all, and their lengths."""
        rng = np.random.default_rng(2)
        lengths = rng.integers(self.frames // 2, self.frames + 1, self.batch)
        lengths[0] = self.frames
        return rng.integers(1, self.labels, (self.batch, self.frames)).astype(np.int32), lengths

    def config(self) -> str:
        """The same as a config file."""
        version = f"behavior_version = {self.behavior_version}"
        return f"extern_data = {self.extern_data()!r}\nnetwork = {self.network()!r}\n{version}\n"
