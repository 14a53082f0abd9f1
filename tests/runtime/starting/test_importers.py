"""Whose variables ``custom_param_importer`` is about, and what its functions see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.config import load_config
from returnn_ir.errors import ConfigError
from returnn_ir.network.net import load_net
from runtime.checkpoints.importers import layer_importers
from runtime.checkpoints.importing_code import ImportingCode
from runtime.checkpoints.sources import Wanted

NET = """#!rnn.py
extern_data = {"data": {"dim": 3}}
def linear(**more):
    return {"class": "linear", "activation": None, "n_out": 3, "from": "data", "custom_param_importer": "reset", **more}
network = {
    "a": linear(), "b": linear(name_scope="x"), "c": linear(name_scope="/y"), "d": linear(name_scope=""),
    "e:f": linear(custom_param_importer=None),
    "lstm": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "data", "custom_param_importer": "subset"},
    "loop": {"class": "rec", "from": "data", "unit": {"output": linear(**{"from": "data:source"})}},
    "sub": {"class": "subnetwork", "from": "data", "custom_param_importer": "subset", "subnetwork": {
        "inner": linear(), "output": {"class": "subnetwork", "from": "inner", "name_scope": "z", "subnetwork": {
            "output": linear()}}}},
    "output": {"class": "copy", "from": ["a", "b", "c", "d", "e:f", "lstm", "loop", "sub"]},
}
"""


def test_prefixes(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    importers = layer_importers(load_net(load_config(tmp_path / "net.py")))
    assert [(importer.layer, importer.prefix) for importer in importers] == [
        ("a", "a/"),
        ("b", "x/"),
        ("c", "y/"),
        ("d", ""),
        ("lstm", "lstm/rec/"),
        ("sub/inner", "sub/inner/"),
        ("sub/output/output", "sub/z/output/"),
        ("sub", "sub/"),
    ]


def values_of(function: Any, stored: dict[str, Any] | None = None) -> dict[str, Any]:
    wanted = {name: Wanted(name, (2,), "float32") for name in ("h/W", "h/b")}
    code = ImportingCode("h", "h/", function, wanted, lambda: stored or {}, None)
    initials = {name: np.zeros(2, np.float32) for name in wanted}
    return {name: code.value(name, initials).tolist() for name in wanted}


def test_a_function_runs_once_on_what_it_knows_of_tensorflow() -> None:
    calls = []

    def importer(layer: Any, values_dict: Any, session: Any) -> None:
        calls.append(layer.name)
        weights = layer.params["W"]
        assert (weights.name, weights.shape.ndims, weights.shape.is_fully_defined()) == ("h/W:0", 1, True)
        assert session.run([weights, {"b": layer.params["b"]}])[1]["b"].tolist() == [0, 0]
        weights.load(values_dict["V"], session)
        layer.params["b"].load(weights.eval(session) + weights.read_value(), session)

    assert values_of(importer, {"V": [1, 2]}) == {"h/W": [1, 2], "h/b": [2, 4]}
    assert calls == ["h"]


def test_what_a_function_cannot_do() -> None:
    with pytest.raises(ConfigError) as caught:
        values_of(lambda layer, values_dict, session: layer.params["W"].load([1.0]))
    assert str(caught.value) == ("parameter 'h/W' got a value of another shape\n  expected: [2]\n  received: [1]")
    with pytest.raises(ConfigError) as caught:
        values_of(lambda layer, values_dict, session: session.run("op"))
    assert str(caught.value) == (
        "a function for custom_param_importer runs parameters only, there is no TensorFlow graph\n"
        "  received: 'op'\n"
        "  try: session.run(layer.params['W']), and NumPy for what is computed"
    )
