"""rec, rnn_cell and hidden states: what stays fused, initial values, randomness in training, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.errors import DataError
from returnn_ir.layers.recurrent.hidden_state import initial_state_refs
from tests.layers.nets import _write, refusal, run_net

DATA = {"data": {"dim": 3}}
LENGTHS = np.array([5, 1, 3])


def _inputs(batch: int = 3) -> dict[str, Array]:
    x = np.random.default_rng(0).normal(size=(batch, 5, 3)).astype(np.float32)
    return {"data": x, "data/size1": LENGTHS[:batch]}


def _rec(unit: str, **options: Any) -> dict[str, Any]:
    return {"class": "rec", "unit": unit, "n_out": 2, "from": "data", **options}


def _ops(path: Path, layer: Mapping[str, Any], mode: str = "eval") -> list[str]:
    graph = construct(load(_write(path, {"out": layer}, DATA, {})), mode, ["out"], everything=True).graph
    return [node.op.name for node in graph.body.walk()]


@pytest.mark.parametrize(
    ("unit", "opts", "op"),
    [
        ("NativeLstm2", {}, "lstm"),
        ("lstm", {"rec_weight_dropout": 0.3}, "lstm"),
        ("lstmp", {}, "lstm"),
        ("LSTMBlock", {}, "lstm"),
        ("cudnnlstm", {}, "lstm"),
        ("nativelstm", {}, "lstm"),
        ("nativelstmlowmem", {}, "lstm"),
        ("vanillalstm", {}, "lstm"),
        ("BasicLSTM", {}, "lstm"),
        ("StandardLSTM", {"forget_bias": 0.0, "activation": "tanh"}, "lstm"),
        ("zoneoutlstm", {}, "lstm"),
        ("GRU", {}, "gru"),
        ("standardlstm", {"use_peepholes": True}, "loop"),
        ("gru", {"activation": "relu"}, "loop"),
        ("zoneoutlstm", {"zoneout_factor_cell": 0.1}, "loop"),
        ("layernormvariantslstm", {}, "loop"),
        ("rhn", {}, "loop"),
        ("basicrnn", {}, "loop"),
    ],
)
def test_what_stays_fused(tmp_path: Path, unit: str, opts: dict[str, Any], op: str) -> None:
    """A unit is the composite where that has all that is asked for, in both directions and in training."""
    for mode, direction in (("eval", 1), ("train", -1)):
        ops = _ops(tmp_path, _rec(unit, unit_opts=opts, direction=direction), mode)
        assert [o for o in ops if o in ("lstm", "gru", "loop")] == [op]


def test_initial_values(tmp_path: Path) -> None:
    """Where RETURNN and TensorFlow start a bias or a norm with something else than zero."""
    network = {
        "g": _rec("gru"),
        "l": _rec("nativelstm2", bias_init=0.5),
        "h": _rec("rhn", unit_opts={"transform_bias": -2.0}),
        "n": _rec("layernormvariantslstm", unit_opts={"forget_bias": 1.0, "norm_shift": 0.25, "norm_gain": 2.0}),
        "c": _rec("layernormvariantslstm", unit_opts={"forget_bias": 1.0, "global_norm": False}),
        "j": _rec(
            "layernormvariantslstm", unit_opts={"forget_bias": 1.0, "global_norm": False, "global_norm_joined": True}
        ),
        "p": _rec("layernormvariantslstm", unit_opts={"forget_bias": 1.0, "global_norm": False, "per_gate_norm": True}),
        "u": _rec(
            "layernormvariantslstm", unit_opts={"forget_bias": -1.0, "global_norm": False, "per_gate_norm": True}
        ),
    }
    net = load(_write(tmp_path, network, DATA, {}))
    found = compile_net(net, target="reference", fetch=list(network), everything=True).initial_params()
    expected: dict[str, list[float]] = {
        "g/rec/gru_cell/gates/bias": [1, 1, 1, 1],
        "g/rec/gru_cell/candidate/bias": [0, 0],
        "l/rec/b": [0.5] * 8,
        "h/rec/b": [0, 0, -2, -2],
        "n/rec/beta_input_below": [1.25] * 8,
        "n/rec/gamma_input_below": [2.0] * 8,
        "n/rec/beta_new_c": [0.25] * 2,
        "c/rec/bias_ff": [0, 0, 0, 0, 1, 1, 0, 0],
        "j/rec/beta_lstm_in": [1.0] * 8,
        **{f"p/rec/beta_{gate}_gate": [float(gate == "f")] * 2 for gate in "ijfo"},
        **{f"u/rec/beta_{gate}_gate": [0.0] * 2 for gate in "ijfo"},
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, err_msg=name)


def test_zoneout_draws_per_entry(tmp_path: Path) -> None:
    """In training an entry of the state either keeps its old value or takes the new one."""
    opts = {"zoneout_factor_cell": 0.5, "zoneout_factor_output": 0.5, "use_zoneout_output": True}
    network = {"z": _rec("zoneoutlstm", unit_opts=opts, n_out=50)}
    y = run_net(tmp_path, network, DATA, _inputs(), mode="train")["output/z"]
    same = y[1:5, 0] == y[:4, 0]
    assert 0.35 < same.mean() < 0.65


def test_state_dropout_has_one_mask(tmp_path: Path) -> None:
    """The dropout of the cell's input: the same entries are dead in every frame."""
    network = {"n": _rec("layernormvariantslstm", unit_opts={"dropout": 0.5, "cell_norm": False}, n_out=40)}
    y = run_net(tmp_path, network, DATA, _inputs(), mode="train")["output/n"]
    dead = y[:5, 0] == 0
    assert 0.2 < dead[0].mean() < 0.8
    np.testing.assert_array_equal(dead, np.broadcast_to(dead[0], dead.shape))


def test_recurrent_weight_dropout_by_row(tmp_path: Path) -> None:
    """A noise shape (None, 1) drops whole rows of the recurrent weights; eval drops nothing."""
    plain = run_net(tmp_path, {"l": _rec("lstm")}, DATA, _inputs(), mode="train")["output/l"]
    opts = {"rec_weight_dropout": 0.9, "rec_weight_dropout_shape": (None, 1)}
    network = {"l": _rec("lstm", unit_opts=opts)}
    np.testing.assert_array_equal(run_net(tmp_path, network, DATA, _inputs())["output/l"], plain)
    dropped = run_net(tmp_path, network, DATA, _inputs(), mode="train")["output/l"]
    np.testing.assert_array_equal(dropped[0], plain[0])
    assert not np.allclose(dropped[1:], plain[1:])


def test_state_kept_over_an_epoch(tmp_path: Path) -> None:
    """The next run goes on where the last one stopped; step 0 starts anew; another batch size is refused."""
    net = load(_write(tmp_path, {"g": _rec("gru", initial_state="keep_over_epoch")}, DATA, {}))
    program = compile_net(net, target="reference", mode="eval", fetch=["g"], everything=True)
    params = {k: v + 0.3 for k, v in program.initial_params().items()}
    name = "g/rec/keep_state_var"
    first = program.run({**_inputs(), "epoch_step": np.array(0)}, params)
    assert first[f"state/{name}"].shape == (3, 2)
    kept = {**params, name: first[f"state/{name}"]}
    second = program.run({**_inputs(), "epoch_step": np.array(1)}, kept)
    assert not np.allclose(first["output/g"][0], second["output/g"][0])
    again = program.run({**_inputs(), "epoch_step": np.array(0)}, kept)
    np.testing.assert_array_equal(first["output/g"], again["output/g"])
    with pytest.raises(DataError, match="of another batch"):
        program.run({**_inputs(2), "epoch_step": np.array(1)}, kept)


def test_kept_state_in_forward_is_the_callers(tmp_path: Path) -> None:
    """There is no epoch: no stored rows mean zeros, stored ones are used."""
    net = load(_write(tmp_path, {"g": _rec("gru", initial_state="keep_over_epoch")}, DATA, {}))
    program = compile_net(net, target="reference", mode="forward", fetch=["g"], everything=True)
    params = program.initial_params()
    first = program.run(_inputs(), params)
    name = "g/rec/keep_state_var"
    second = program.run(_inputs(), {**params, name: first[f"state/{name}"]})
    assert not np.allclose(first["output/g"][0], second["output/g"][0])


def test_input_without_batch(tmp_path: Path) -> None:
    """A single sequence needs no batch axis."""
    extern = {"data": {"dim": 3, "batch_dim_axis": None, "shape": (None, 3), "time_dim_axis": 0}}
    batched, inputs = run_net(tmp_path, {"l": _rec("lstm")}, DATA, _inputs(1)), _inputs(1)
    single = run_net(
        tmp_path, {"l": _rec("lstm")}, extern, {"data": inputs["data"][0], "data/size0": inputs["data/size1"][0]}
    )
    np.testing.assert_allclose(single["output/l"], batched["output/l"][:, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (_rec("nativelstn2"), "did you mean 'nativelstm2'"),
        (_rec("layerrnn"), "is an abstract class"),
        (_rec("cudnngru"), "has no CPU kernel"),
        (_rec("lstm", unit_opts={"forget_bias": 1.0}), "adds no forget bias"),
        (_rec("standardlstm", unit_opts={"forget_bais": 1.0}), "did you mean 'forget_bias'"),
        (_rec("standardlstm", unit_opts={"activation": "tahn"}), "did you mean 'tanh'"),
        (_rec("standardlstm", unit_opts={"num_proj": 3}), "num_proj must be n_out"),
        (_rec("zoneoutlstm", unit_opts={"zoneout_factor_cell": 1.5}), "out of range"),
        (_rec("layernormvariantslstm", unit_opts={"per_gate_norm": True}), "exclude each other"),
        (_rec("layernormvariantslstm", unit_opts={"with_concat": True}), "needs global_norm False"),
        (_rec("lstm", direction=0), "'direction' is out of range"),
        (_rec("lstm", max_seq_len=5), "is for recurrent subnetworks"),
        (_rec("lstm", input_projection=False), "four times the output's size"),
        (_rec("gru", input_projection=False), "cannot do without input projection"),
        (_rec("lstm", initial_state="other"), "must be a dict"),
        (_rec("lstm", initial_state={"h": 0}), "needs every part"),
        (_rec("gru", initial_state={"h": 0}), "the state is one tensor"),
        (_rec("gru", initial_state="placeholder"), "only RETURNN's own session feeds a placeholder"),
        (_rec("gru", initial_state="nowhere"), "there is no layer 'nowhere'"),
        (_rec("lstm", state="other"), "state of a unit with several states must be a dict"),
        (
            _rec("lstm", state={"h": "other"}),
            "state needs every part of the unit's state\n  expected: c, h\n  received: h",
        ),
        (_rec("gru", state=["zeros"]), "there is no layer 'zeros'"),
        (_rec("gru", state=[0]), "state is no layer\n  expected: a layer\n  received: 0"),
        (
            {**_rec("gru", state="other"), "unit": {"output": {"class": "copy", "from": "data:source"}}},
            "state is for units with a name",
        ),
        (
            {"class": "rnn_cell", "unit": "gru", "n_out": 2, "from": "data", "state": "other"},
            "state is for a single frame, and the source has a time axis\n"
            "  received: float32[B, data.T, data.F]\n  try: initial_state",
        ),
        ({"class": "rnn_cell", "unit": "lstm", "n_out": 2, "from": "data"}, "is for a whole sequence"),
        ({"class": "get_last_hidden_state", "n_out": 3, "from": "data"}, "has no hidden state"),
        # one part alone is not a sequence to make flat, in RETURNN neither
        (
            {"class": "get_last_hidden_state", "key": "flat", "n_out": 2, "from": "gru"},
            "has no part 'flat'\n  expected: *",
        ),
    ],
)
def test_refusals(tmp_path: Path, layer: dict[str, Any], message: str) -> None:
    """What is wrong is said."""
    others = {"other": {"class": "linear", "activation": None, "n_out": 2, "from": "data"}, "gru": _rec("gru")}
    assert message in refusal(tmp_path, {"out": layer, **others}, DATA, behavior_version=12)


def test_layers_that_an_initial_state_names() -> None:
    given = {"h": "x", "c": ["y", "zeros", {"a": "z"}], "m": "keep_over_epoch", "n": 0}
    assert initial_state_refs(given) == ["x", "y", "z"]
    assert initial_state_refs(None) == []
