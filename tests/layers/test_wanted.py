"""What is wanted of a network (outputs, losses, fetched layers) is in the program, or a problem says why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.errors import UserError
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.mode import Mode

DATA = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
SOFTMAX = {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}
#: "state" needs itself to know its size; it is only read one step later.
BROKEN = {
    "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 2, "from": ["data:source", "prev:state"]},
    "state": {"class": "get_last_hidden_state", "from": ["s"]},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["prev:state"]},
}
GOOD = {"output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["data:source", "prev:output"]}}


def _loop(unit: dict[str, Any]) -> dict[str, Any]:
    return {"class": "rec", "from": "data", "unit": unit}


def _squared(source: str) -> dict[str, Any]:
    return {"class": "eval", "from": source, "eval": "source(0) ** 2", "loss": "as_is"}


def _build(path: Path, network: dict[str, Any], mode: str = "train", fetch: Sequence[str] | None = None) -> Graph:
    file = path / "net.py"
    file.write_text(f"extern_data = {DATA!r}\nnetwork = {network!r}\n")
    return construct(load(file), mode, fetch).graph


def _problems(path: Path, network: dict[str, Any], mode: str = "train", fetch: Sequence[str] | None = None) -> str:
    with pytest.raises(UserError) as caught:
        _build(path, network, mode, fetch)
    return str(caught.value).replace(f"{path}/", "")


@pytest.mark.parametrize("mode", ["train", "eval", "search"])
def test_a_loss_behind_a_loop_that_cannot_be_built(tmp_path: Path, mode: str) -> None:
    """A layer that is only read one step later fails: nobody waits for it, and its loop ended without a report."""
    network = {"loop": _loop(BROKEN), "obj": _squared("loop"), "output": SOFTMAX}
    assert _problems(tmp_path, network, mode) == (
        "layer 'loop/state' (net.py:2): the output size is not known\n  try: give 'n_out'"
    )


def test_without_losses_the_other_output_is_all_that_is_wanted(tmp_path: Path) -> None:
    network = {"loop": _loop(BROKEN), "obj": _squared("loop"), "output": SOFTMAX}
    assert list(_build(tmp_path, network, "forward").outputs) == ["output"]


LATE = {key: layer for key, layer in BROKEN.items() if key != "output"}
COPY = {"class": "copy", "from": "data"}


def _sub(network: dict[str, Any]) -> dict[str, Any]:
    return {"class": "subnetwork", "from": "data", "subnetwork": network}


def _cond(layer: str) -> dict[str, Any]:
    condition = {"class": "constant", "value": True}
    return {"class": "cond", "from": [], "condition": condition, "true_layer": layer, "false_layer": "data"}


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ({"a": _loop({"output": _loop(BROKEN) | {"from": "base:data"}}), "obj": _squared("a")}, "a/output/state"),
        ({"a": _sub({"output": _loop(BROKEN)}), "obj": _squared("a")}, "a/output/state"),
        ({"a": _loop({**GOOD, **LATE, "obj": _squared("prev:state")}), "b": _squared("a")}, "a/state"),
        ({"a": _sub({"output": COPY, "l": _loop(BROKEN), "obj": _squared("l")}), "b": _squared("a")}, "a/l/state"),
        ({"l": _loop(BROKEN), "extra.two:obj": _squared("l")}, "l/state"),
        ({"l": _loop(BROKEN), "c": _cond("l"), "obj": _squared("c")}, "l/state"),
    ],
    ids=["loop in loop", "loop in subnetwork", "loss in loop", "loss in subnetwork", "extra network", "cond"],
)
def test_the_reason_comes_from_any_depth(tmp_path: Path, network: dict[str, Any], layer: str) -> None:
    assert _problems(tmp_path, {**network, "output": SOFTMAX}) == (
        f"layer '{layer}' (net.py:2): the output size is not known\n  try: give 'n_out'"
    )


def test_what_was_fetched(tmp_path: Path) -> None:
    network = {"loop": _loop(BROKEN), "next": {"class": "copy", "from": "loop"}, "output": SOFTMAX}
    assert _problems(tmp_path, network, "forward", ["output", "next"]) == (
        "layer 'loop/state' (net.py:2): the output size is not known\n  try: give 'n_out'"
    )


def test_a_problem_outside_of_a_loop_is_told_once(tmp_path: Path) -> None:
    unit = {"output": {"class": "combine", "kind": "add", "from": ["base:x", "prev:output"]}}
    network = {
        "x": {"class": "linear", "from": "data"},
        "loop": _loop(unit),
        "obj": _squared("loop"),
        "output": SOFTMAX,
    }
    told = _problems(tmp_path, network)
    assert told.startswith("layer 'x' (net.py:2): the output size is not known")
    assert told.count("layer '") == 1


REPORT = "\n  try: report it: the network may be right, and the compiler has lost a part of it"


def test_a_loss_that_got_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it happens: a program without a loss that is due is no program."""
    monkeypatch.setattr("returnn_ir.construct.common_options.add_losses", lambda b, output: None)
    assert _problems(tmp_path, {"output": SOFTMAX}) == (
        f"layer 'output' (net.py:2, key 'loss'): the loss is not in the program{REPORT}"
    )


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ({"output": _loop({**GOOD, "obj": _squared("output")})}, "output/obj"),
        (
            {
                "sub": {
                    "class": "subnetwork",
                    "from": "data",
                    "subnetwork": {"output": {"class": "copy", "from": "data"}, "obj": _squared("output")},
                },
                "output": {"class": "copy", "from": "sub"},
            },
            "sub/obj",
        ),
    ],
    ids=["loop", "subnetwork"],
)
def test_a_nested_loss_that_got_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: dict[str, Any], layer: str
) -> None:
    assert list(_build(tmp_path, network).losses) == [layer]
    monkeypatch.setattr("returnn_ir.construct.common_options.has_loss", lambda options, mode: False)
    told = f"layer '{layer}' (net.py:2, key 'loss'): the loss is not in the program{REPORT}"
    assert _problems(tmp_path, network) == told


def test_a_layer_that_got_lost(tmp_path: Path) -> None:
    from returnn_ir.construct.completeness import missing
    from returnn_ir.construct.inputs import ExternData
    from returnn_ir.construct.network_keys import NetworkKeys
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.construct.state import ProgramState

    _build(tmp_path, {"output": SOFTMAX})
    net, graph = load(tmp_path / "net.py"), Graph()
    program = ProgramState(graph, Mode.TRAIN, net.behavior, ExternData({}, graph.body), NetworkKeys(), {})
    scope = NetScope(net, program, graph.body, problems=[])
    told = [str(problem).replace(f"{tmp_path}/", "") for problem in missing(scope, ["output", "loop/x"], ())]
    assert told == [
        f"layer 'output' (net.py:2): the layer is wanted, and it was not built{REPORT}",
        f"layer 'loop/x': the layer is wanted, and it was not built{REPORT}",
    ]
