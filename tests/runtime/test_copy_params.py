"""What a changed network takes over of the parameters before, compared with what RETURNN did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.target.protocol import Array
from returnn_ir.config import Config, load_config
from returnn_ir.construct.construct import construct
from returnn_ir.construct.state import Param
from returnn_ir.ir.dims import Dim
from returnn_ir.network.net import Net, parse_network
from runtime.model.copy_params import CopyMode, copy_params, plan_copy, reinitialized_outputs
from tests.runtime.copy_cases import BEHAVIOR_VERSION, CASES, EXTERN_DATA, CopyCase, initial_value, old_value

DATA = Path(__file__).parent / "data" / "copy"


def make_dim(name: str, size: int) -> Dim:
    return Dim(name, size, feature=True, declared=True)


def a_config(folder: Path, **keys: Any) -> Config:
    path = folder / "config.py"
    options = {"extern_data": EXTERN_DATA, "behavior_version": BEHAVIOR_VERSION, **keys}
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in options.items()), encoding="utf-8")
    return load_config(path)


def parameters(net: Net) -> dict[str, Param]:
    return construct(net, "train").params


def copy_mode(case: CopyCase) -> tuple[CopyMode | None, bool | str]:
    """The mode, and whether the output layer is copied: what the schedule of networks says."""
    options = case.pretrain or {}
    mode = options.get("copy_param_mode")
    output = options.get("copy_output_layer", mode or "ifpossible")
    network: Any = case.networks(make_dim)[1]
    return network.get("#copy_param_mode", mode), output


@pytest.mark.parametrize("name", CASES)
def test_changes(name: str, tmp_path: Path) -> None:
    """Each entry of each parameter comes from where RETURNN takes it."""
    case = CASES[name]
    config = a_config(tmp_path, **case.config)
    before, after = (parse_network(network, config) for network in case.networks(make_dim))
    old = {n: old_value(p.shape) for n, p in parameters(before).items()}
    params = parameters(after)
    mode, output = copy_mode(case)
    anew = reinitialized_outputs(after, params, output) if case.pretrain is not None else ()
    fresh = {n: initial_value(p.shape) for n, p in params.items()}
    values = copy_params(old, params, fresh, mode, anew=anew)
    with np.load(DATA / f"{name}.npz") as archive:
        recorded = {n: archive[n] for n in archive.files}
    assert values.keys() == recorded.keys()
    for n, value in values.items():
        np.testing.assert_array_equal(value, recorded[n], err_msg=n)
