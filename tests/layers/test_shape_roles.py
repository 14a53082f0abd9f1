"""The order of axes, and which of them count as time and feature, are RETURNN's: later layers name axes by them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from compiler.check.recorded import read_recorded
from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.ir.dims import Dim

CASES = Path(__file__).parents[1] / "golden" / "shape"

# A new axis before a feature axis that is ragged: RETURNN keeps the feature axis' number, so that the new axis of size
# one becomes the feature, and the features become time. The values are equal.
OTHER_ROLES = {("own_axes_zoo", "ex2")}


def _kind(dim: Dim) -> str:
    if dim.is_batch:
        return "batch"
    return f"static:{dim.size}" if dim.size is not None else "dynamic"


@pytest.mark.parametrize("case", sorted(p.stem for p in CASES.glob("*.py")))
def test_axes_and_roles(case: str) -> None:
    """Of every layer of every recorded case of the family."""
    path = CASES / f"{case}.npz"
    with np.load(path) as archive:
        layers = json.loads(str(archive["meta"]))["layers"]
    recorded = read_recorded(path)
    net = load(CASES / f"{case}.py")
    program = compile_net(net, target="reference", mode=recorded.mode, fetch=list(recorded.outputs), everything=True)
    for name in recorded.outputs:
        output, meta = program.graph.outputs[name], layers[name]
        assert [_kind(d) for d in output.axes] == [k.partition(":")[0] if k[0] == "d" else k for k in meta["kinds"]]
        if (case, name) in OTHER_ROLES:
            continue
        time, feature = (output.axes.index(d) if d is not None else None for d in (output.time_dim, output.feature_dim))
        assert (name, time, feature) == (name, meta["time_axis"], meta["feature_axis"])
