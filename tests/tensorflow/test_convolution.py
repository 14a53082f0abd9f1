"""Windows that are dilated and move by strides, which TensorFlow's kernels do not combine: against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load

CONV = {"class": "conv", "filter_size": (3,), "n_out": 2, "activation": None, "from": "data"}
POOL = {"class": "pool", "mode": "max", "pool_size": (3,), "from": "data"}


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 2), (2, 2), (3, 2), (2, 1)])
@pytest.mark.parametrize("layer", [CONV, POOL, {**CONV, "n_out": 3, "groups": 3}], ids=["conv", "pool", "grouped"])
def test_dilation_with_strides(
    tmp_path: Path, layer: dict[str, Any], strides: int, dilation: int, padding: str
) -> None:
    network = {"output": {**layer, "strides": strides, "dilation_rate": dilation, "padding": padding}}
    file = tmp_path / "net.py"
    file.write_text(f"extern_data = {{'data': {{'dim': 3}}}}\nnetwork = {network!r}\n")
    rng = np.random.default_rng(1)
    feed = {"data": rng.normal(size=(2, 11, 3)).astype(np.float32), "data/size1": np.array([11, 8])}
    program, reference = (compile_net(load(file), target=target) for target in ("tf", "reference"))
    params = {k: rng.normal(size=v.shape).astype(np.float32) for k, v in program.initial_params().items()}
    found, expected = program.run(feed, params), reference.run(feed, params)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
