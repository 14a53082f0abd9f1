"""Loops without a single step: what they stack has the right axes all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compiler.program.program import compile_net
from returnn_ir import load

NET = """
extern_data = {"data": {"dim": 3}, "memory": {"dim": 3}}
network = {
  "loop": {"class": "rec", "from": "data", "unit": {
    "h": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:h"]},
    "x": {"class": "combine", "kind": "add", "from": ["base:data:memory", "h", "prev:x"]},
    "output": {"class": "merge_dims", "axes": ["stag:extern_data:memory", "F"], "from": "x"}}},
  "output": {"class": "copy", "from": "loop"}}
"""


def test_an_axis_of_a_dynamic_and_a_static_one(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NET)
    program, reference = (compile_net(load(file), target=target) for target in ("tf", "reference"))
    params = {name: np.ones_like(value) for name, value in program.initial_params().items()}
    memory = {"memory": np.ones((2, 4, 3), np.float32), "memory/size1": np.array([4, 1])}
    for frames in (2, 0):
        data = np.ones((2, frames, 3), np.float32)
        feed = {"data": data, "data/size1": np.full(2, frames), **memory}
        found, expected = (made.run(feed, params)["output/output"] for made in (program, reference))
        assert found.shape == (frames, 2, 12)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
