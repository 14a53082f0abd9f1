"""What layers take from other layers, and code from the network around it: parameters, initial values, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load
from tests.layers.nets import refusal, run_net

DATA = {"data": {"dim": 3}}
LINEAR = {"class": "linear", "n_out": 3, "activation": "tanh"}
LOW = {**LINEAR, "from": "data", "reuse_params": "high"}


def _message(folder: Path, **network: Any) -> str:
    return refusal(folder, network, DATA)


# ---------------------------------------------------------------- reuse_params of a layer that comes later


def test_a_parameter_of_another_shape(tmp_path: Path) -> None:
    high = {**LINEAR, "n_out": 4, "from": "low"}
    assert _message(tmp_path, low={**LOW, "with_bias": False}, high=high) == (
        f"layer 'low' ({tmp_path}/net.py:2, key 'reuse_params'): the shared parameter 'high/W' has another shape\n"
        "  expected: [3, 3]\n"
        "  received: [3, 4]"
    )


def test_a_parameter_that_is_not_there(tmp_path: Path) -> None:
    assert _message(tmp_path, low=LOW, high={**LINEAR, "from": "low", "with_bias": False}) == (
        f"layer 'low' ({tmp_path}/net.py:2, key 'reuse_params'): reuse_params: layer 'high' has no parameter 'b'\n"
        "  expected: W"
    )


def test_parameters_of_each_other(tmp_path: Path) -> None:
    high = {**LINEAR, "from": "low", "reuse_params": "low", "with_bias": False}
    assert _message(tmp_path, low={**LOW, "with_bias": False}, high=high) == (
        f"layer 'low' ({tmp_path}/net.py:2, key 'reuse_params'): the parameters of layers are to be those of "
        "each other\n"
        "  try: let one of them have its own"
    )


# ---------------------------------------------------------------- initial values


def test_a_variable_starts_with_what_a_layer_gives(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        f"extern_data = {DATA!r}\n"
        "network = {\n"
        "  'w': {'class': 'variable', 'shape': (3,), 'init': 2.0},\n"
        "  'r': {'class': 'random', 'shape': (3,), 'distribution': 'uniform', 'minval': 0.0, 'maxval': 0.1},\n"
        "  'c': {'class': 'eval', 'from': ['w', 'r'], 'eval': 'source(0) * 2. + source(1)'},\n"
        "  'v': {'class': 'variable', 'shape': (3,), 'init_by_layer': 'c'},\n"
        "  'output': {'class': 'combine', 'kind': 'add', 'from': ['data', 'v']}}\n"
    )
    params = compile_net(load(path), target="reference", mode="train").initial_params(1)
    value = params["v/v"]
    assert value.shape == (3,)
    assert np.all((value >= 4.0) & (value < 4.1))
    assert np.ptp(value) > 0  # the draws


def test_an_initial_value_that_depends_on_data(tmp_path: Path) -> None:
    variable = {"class": "variable", "shape": (3,), "init_by_layer": "data"}
    assert _message(tmp_path, x=variable) == (
        f"layer 'x' ({tmp_path}/net.py:2, key 'init_by_layer'): an initial value cannot depend on data\n"
        "  expected: a layer that is computed from constants, variables and random numbers\n"
        "  received: one that needs 'data'"
    )


def test_an_initial_value_of_another_shape(tmp_path: Path) -> None:
    constant = {"class": "constant", "shape": (4,), "value": 1.0}
    assert _message(tmp_path, c=constant, x={"class": "variable", "shape": (3,), "init_by_layer": "c"}) == (
        f"layer 'x' ({tmp_path}/net.py:2, key 'init_by_layer'): the layer has another shape\n"
        "  expected: (x.static:0(3),)\n"
        "  received: (c.static:0(4),)"
    )


# ---------------------------------------------------------------- code


def test_code_without_sources_says_what_it_gives(tmp_path: Path) -> None:
    assert _message(tmp_path, x={"class": "eval", "from": [], "eval": "tf.ones((3,))"}) == (
        f"layer 'x' ({tmp_path}/net.py:2, key 'from'): without sources nothing says what axes the result has\n"
        "  expected: 'out_type' with 'shape', 'dims' or 'dim_tags'\n"
        "  received: no out_type"
    )


def test_there_are_steps_in_loops_only(tmp_path: Path) -> None:
    code = "source(0) * tf.cast(self.network.get_rec_step_index(), tf.float32)"
    assert _message(tmp_path, x={"class": "eval", "from": "data", "eval": code}) == (
        f"layer 'x' ({tmp_path}/net.py:2, key 'eval'): network.get_rec_step_index(), but the layer stands in no "
        "recurrent subnetwork"
    )


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("py_print(source(0), [source(0)])", "what its expression prints is not printed"),
        ("check_input_dim(source(0), -1, 3)", "the checks that its expression makes are not made"),
        ("[tf.summary.scalar('x', 1.0), source(0)][1]", "the summaries that its expression writes are not written"),
    ],
)
def test_what_code_does_besides_computing_is_told(tmp_path: Path, code: str, note: str) -> None:
    path = tmp_path / "net.py"
    layer = {"class": "eval", "from": "data", "eval": code}
    path.write_text(f"extern_data = {DATA!r}\nnetwork = {{'output': {layer!r}}}\n")
    program = compile_net(load(path), target="reference", mode="eval")
    assert f"layer 'output': {note}" in program.graph.notes


# ---------------------------------------------------------------- further references


def test_a_scale_with_an_axis_that_the_source_lacks(tmp_path: Path) -> None:
    total = {"class": "reduce", "mode": "sum", "axes": "T", "from": "data"}
    assert _message(tmp_path, r=total, g={"class": "scaled_grad", "from": "r", "scale": "data"}) == (
        f"layer 'g' ({tmp_path}/net.py:2, key 'scale'): the layer has the axis data.T(dynamic), which the source does "
        "not\n"
        "  expected: float32[B, data.F]\n"
        "  received: float32[B, data.T, data.F]"
    )


def test_an_assignment_in_some_steps_only(tmp_path: Path) -> None:
    inner = {
        "a": {"class": "variable_assign", "var": "base:base:v", "value": "base:base:v"},
        "output": {"class": "identity", "from": "base:data:source", "control_dependencies": ["a"]},
    }
    unit = {
        "e": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data:source"},
        "m": {"class": "compare", "kind": "greater", "value": 0.0, "from": "e"},
        "x": {
            "class": "masked_computation",
            "mask": "m",
            "unit": {"class": "subnetwork", "from": [], "subnetwork": inner},
        },
        "output": {"class": "copy", "from": "x"},
    }
    loop = {"class": "rec", "from": "data", "unit": unit}
    assert _message(tmp_path, v={"class": "variable", "shape": (3,)}, loop=loop) == (
        f"layer 'loop/x/unit/a' ({tmp_path}/net.py:2): an assignment in a loop that happens in some steps only\n"
        "  expected: one that stands in the loop itself, in no cond and no masked_computation\n"
        "  try: assign a value that is chosen by a switch"
    )


def test_features_are_needed(tmp_path: Path) -> None:
    total = {"class": "reduce", "mode": "sum", "axes": "F", "from": "data"}
    assert _message(tmp_path, s=total, x={**LINEAR, "from": "s"}) == (
        f"layer 'x' ({tmp_path}/net.py:2, key 'from'): the source has no feature axis\n  received: float32[B, data.T]"
    )


def test_a_layer_of_a_loop_in_a_loop_is_seen_whole(tmp_path: Path) -> None:
    """RETURNN knows no such name; here it means what ``LOOP/LAYER`` means outside of loops."""
    ones = {"class": "linear", "from": "data:source", "n_out": 2, "activation": None, "forward_weights_init": 1.0}
    inner = {"class": "rec", "from": "base:data", "unit": {"x": ones, "output": {"class": "copy", "from": "x"}}}
    unit = {
        "inner": inner,
        "a": {"class": "reduce", "mode": "sum", "axes": "T", "from": "inner/x"},
        "output": {"class": "combine", "kind": "add", "from": ["a", "prev:output"]},
    }
    x = np.arange(24, dtype=np.float32).reshape(2, 4, 3) / 24
    feed = {"data": x, "data/size1": np.array([4, 2])}
    params = {
        "outer/rec/inner/rec/x/W": np.ones((3, 2), np.float32),
        "outer/rec/inner/rec/x/b": np.zeros(2, np.float32),
    }
    network = {"outer": {"class": "rec", "from": "data", "unit": unit}}
    outer = run_net(tmp_path, network, DATA, feed, params=params)["output/outer"]
    sums = np.array([x[0].sum(), x[1, :2].sum()])
    expected = np.arange(1, 5)[:, None, None] * sums[None, :, None] * np.ones((1, 1, 2))
    np.testing.assert_allclose(outer[:, 0], expected[:, 0], rtol=1e-5)
    np.testing.assert_allclose(outer[:2, 1], expected[:2, 1], rtol=1e-5)


def test_a_search_asks_for_no_labels_of_which_only_the_number_matters() -> None:
    path = Path(__file__).parent.parent / "golden" / "search" / "search_needs_no_targets.py"
    graph = compile_net(load(path, mode="search"), target="onnx", mode="search").graph
    assert [node.attrs["name"] for node in graph.nodes("input")] == ["data", "data/size1"]
