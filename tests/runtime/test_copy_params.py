"""What a changed network takes over of the parameters before, compared with what RETURNN did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.config.network_names import CopyMode
from returnn_ir.construct.construct import construct
from returnn_ir.construct.state import Param
from returnn_ir.errors import ConfigError, ProblemList
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TensorType
from returnn_ir.network.net import Net, parse_network
from runtime.model.copy_params import (
    copy_params,
    fit_blocks,
    importer_modes,
    plan_copy,
    reinitialized_outputs,
)
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
    values = copy_params(old, params, fresh, mode, anew=anew, modes=importer_modes(after, params))
    with np.load(DATA / f"{name}.npz") as archive:
        recorded = {n: archive[n] for n in archive.files}
    assert values.keys() == recorded.keys()
    for n, value in values.items():
        np.testing.assert_array_equal(value, recorded[n], err_msg=n)


def param(name: str, *blocks: Sequence[int]) -> Param:
    """A parameter whose axes consist of these blocks."""
    dims = tuple(Dim(f"d{i}", sum(sizes)) for i, sizes in enumerate(blocks))
    value = Value(TensorType("float32", dims))
    return Param(name, value, dims, 0.0, True, name.partition("/")[0], tuple(map(tuple, blocks)))


def test_rules() -> None:
    """RETURNN's guess of the old blocks and its copy, for random blocks and shapes; where it stops we refuse."""
    cases = json.loads((DATA / "rules.json").read_text(encoding="utf-8"))
    assert len(cases) == 200
    for blocks, shape, old_blocks, result in cases:
        params = {"a/W": param("a/W", *blocks)}
        old = {"a/W": old_value(tuple(shape))}
        if old_blocks is None:
            with pytest.raises(ProblemList, match="cannot be found in what it was"):
                plan_copy(old, params, "subset")
            continue
        plan = plan_copy(old, params, "subset")
        values = plan.apply(old, {"a/W": initial_value(params["a/W"].shape)})
        if plan.blocks:
            assert plan.blocks["a/W"] == tuple(map(tuple, old_blocks)), (blocks, shape)
        assert values["a/W"].tolist() == result, (blocks, shape)


def test_what_does_not_fit_is_told_at_once() -> None:
    """Before any value is there, of all parameters."""
    params = {p.name: p for p in (param("a/W", [3], [4, 4]), param("b/W", [3, 3, 3], [3, 3]), param("c/b", [5]))}
    old = {"a/W": param("a/W", [3]), "b/W": param("b/W", [9], [1]), "c/b": param("c/b", [4])}
    with pytest.raises(ProblemList) as caught:
        plan_copy(old, params, "subset")
    assert str(caught.value) == (
        "2 problems:\n"
        "[1] copy_param_mode: the blocks of parameter 'a/W' cannot be found in what it was in the network before\n"
        "  expected: axes with the blocks [[3], [4, 4]], or with others in their place\n"
        "  received: shape [3]\n"
        "  try: '#copy_param_mode': 'ifpossible' in this network: then the parameter starts anew\n"
        "[2] copy_param_mode: the blocks of parameter 'b/W' cannot be found in what it was in the network before\n"
        "  expected: axes with the blocks [[3, 3, 3], [3, 3]], or with others in their place\n"
        "  received: shape [9, 1]\n"
        "  try: '#copy_param_mode': 'ifpossible' in this network: then the parameter starts anew"
    )


def test_nothing_is_copied_in_vain() -> None:
    """Arrays that stay, or start anew, are the given ones; initial values are asked for where they are needed."""
    params = {p.name: p for p in (param("a/W", [4], [2]), param("b/W", [4], [2]), param("c/W", [2]), param("d/W", [3]))}
    old = {"a/W": old_value((4, 2)), "b/W": old_value((5, 3)), "c/W": old_value((1,))}
    plan = plan_copy(old, params, "subset")
    assert (plan.whole, plan.fresh, [*plan.blocks]) == (["a/W"], ["d/W"], ["b/W", "c/W"])
    assert plan.needs_initial == ["d/W", "c/W"]
    fresh = {n: initial_value(params[n].shape) for n in plan.needs_initial}
    values = plan.apply(old, fresh)
    assert values["a/W"] is old["a/W"]
    assert values["d/W"] is fresh["d/W"]
    assert [*values] == [*params]
    assert [*map(int, fresh["c/W"])] == [-1, -2]


def test_one_value_of_another_shape() -> None:
    """As in a whole copy; the initial value that is given stays as it is."""
    gates = param("a/b", [2, 2])
    initial = initial_value((4,))
    assert fit_blocks(gates, old_value((6,)), initial).tolist() == [1, 2, 4, 5]
    assert fit_blocks(gates, old_value((2,)), initial).tolist() == [1, -2, 2, -4]
    assert initial.tolist() == [-1, -2, -3, -4]
    with pytest.raises(ConfigError, match="cannot be found"):
        fit_blocks(gates, old_value((2, 2)), initial)


def test_a_function_as_importer_is_refused(tmp_path: Path) -> None:
    """It would be handed layers of TensorFlow in the middle of a training."""
    config = a_config(tmp_path)
    layer = {"class": "linear", "activation": None, "n_out": 2, "from": "data", "custom_param_importer": print}
    net = parse_network({"output": layer}, config)
    with pytest.raises(ProblemList) as caught:
        importer_modes(net, parameters(net))
    assert str(caught.value) == (
        f"layer 'output' ({tmp_path}/config.py, key 'custom_param_importer'): "
        "custom_param_importer cannot be a function where the network changes\n"
        "  expected: 'subset', 'ifpossible', 'reset'"
    )


def test_states_of_batches_are_no_part_of_it() -> None:
    """A state that is kept from batch to batch has the size of one, and starts anew."""
    dims = (Dim("B"), Dim("F", 2))
    kept = Param("a/h", Value(TensorType("float32", dims)), dims, 0.0, False, "a", ((0,), (2,)))
    assert plan_copy({"a/h": old_value((0, 2))}, {"a/h": kept}, None).fresh == ["a/h"]
