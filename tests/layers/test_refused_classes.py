"""Layer classes and losses that RETURNN has and this compiler has not: each is refused with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from returnn_ir.network.layer_registry import find_layer
from returnn_ir.network.loss_registry import find_loss
from returnn_ir.network.refused_classes import REFUSED_CLASSES
from tests.layers.nets import refusal

EXTERN = {"data": {"dim": 4}, "classes": {"dim": 4}}


@pytest.mark.parametrize("name", sorted(REFUSED_CLASSES))
def test_classes(tmp_path: Path, name: str) -> None:
    reason, instead = REFUSED_CLASSES[name]
    assert find_layer(name) is None
    message = refusal(tmp_path, {"output": {"class": name, "from": "data"}}, EXTERN)
    assert message == (
        f"layer 'output' ({tmp_path / 'net.py'}:2, key 'class'): the layer class {name!r} {reason}\n  try: {instead}"
    )


def test_layers_that_are_named_as_another_way_exist() -> None:
    for name, (_, instead) in REFUSED_CLASSES.items():
        named = instead.split("'")[1::2]
        assert all(find_layer(part) or part in (":i", "mask_value") for part in named), name


def test_a_class_that_nobody_has(tmp_path: Path) -> None:
    message = refusal(tmp_path, {"output": {"class": "gauss_weighting", "from": "data"}}, EXTERN)
    assert message == (
        f"layer 'output' ({tmp_path / 'net.py'}:2, key 'class'): unknown layer class 'gauss_weighting'\n"
        "  try: RETURNN has no class of that name, either"
    )


def test_a_loss(tmp_path: Path) -> None:
    output = {"class": "copy", "from": "data", "loss": "deep_clustering", "target": "classes"}
    assert find_loss("deep_clustering") is None
    assert refusal(tmp_path, {"output": output}, EXTERN) == (
        f"layer 'output' ({tmp_path / 'net.py'}:2, key 'loss'): "
        "the loss 'deep_clustering' fails in RETURNN itself with TensorFlow 2"
    )
