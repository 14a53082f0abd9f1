"""Which layers, losses and networks look at other frames, compared with what RETURNN says (``record_recurrent``)."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compiler.program.named import build_named
from returnn_ir import load
from returnn_ir.network.layer_registry import find_layer, layer_names
from returnn_ir.network.loss_registry import find_loss, loss_names
from tests.layers.record_recurrent import EXTERN_DATA, NETS

RETURNN = json.loads((Path(__file__).parent / "data" / "recurrent.json").read_text(encoding="utf-8"))
#: It depends on their options or their output.
ASKED = {"activation", "combine", "softmax_over_spatial"}


def test_layer_classes() -> None:
    ours = {name for name in layer_names() if (spec := find_layer(name)) is not None and spec.recurrent is True}
    assert ours == set(RETURNN["layers"]) & set(layer_names()) - ASKED
    assert {name for name in layer_names() if callable(getattr(find_layer(name), "recurrent", None))} == ASKED


@pytest.mark.parametrize(
    ("activation", "dynamic", "expected"),
    [("log_softmax", True, True), ("softmax", False, False), ("tanh", True, False), (abs, True, False)],
)
def test_a_softmax_of_frames(activation: object, dynamic: bool, expected: bool) -> None:
    """It is over the last axis, which may be time."""
    spec = find_layer("activation")
    output = SimpleNamespace(axes=(SimpleNamespace(is_dynamic=dynamic),))
    assert spec is not None and callable(spec.recurrent)
    assert spec.recurrent(SimpleNamespace(activation=activation), output) is expected


def test_losses() -> None:
    ours = {name for name in loss_names() if (spec := find_loss(name)) is not None and spec.recurrent}
    assert ours == set(RETURNN["losses"]) & set(loss_names())


@pytest.mark.parametrize("name", NETS)
def test_networks(tmp_path: Path, name: str) -> None:
    """The data keys that a network reads are those of which chunks are made."""
    path = tmp_path / "net.py"
    path.write_text(f"behavior_version = 12\nextern_data = {EXTERN_DATA!r}\nnetwork = {NETS[name]!r}\n", "utf-8")
    graph = build_named(load(path), "train").graph
    used: set[Any] = {str(node.attrs["name"]).partition("/")[0] for node in graph.nodes("input")}
    assert {"recurrent": graph.recurrent, "used": sorted(used)} == RETURNN["nets"][name]
