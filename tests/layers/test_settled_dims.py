"""Dims of which it turns out later what they are: asked for before their layer is built, or by another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.program.named import build_named
from returnn_ir import load
from returnn_ir.errors import UserError

_CONFIG = """
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
t, f, s, same = SpatialDim("time"), FeatureDim("in", 5), SpatialDim("strided"), SpatialDim("same")
s.declare_same_as(same)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
"""
_STRIDED = "{'class': 'window', 'window_size': 3, 'stride': 2, 'from': %r, 'out_spatial_dim': s}"
_LONGER = "{'class': 'eval', 'from': ['data', 'n'], 'eval': \"source(0) + tf.cast(source(1), 'float32')\"}"
_OUTPUT = "{'class': 'copy', 'from': 'x'}"


def message(folder: Path, **layers: str) -> str | None:
    """What is said of a network, None if it is taken."""
    path = folder / "net.py"
    network = "".join(f"  {name!r}: {layer},\n" for name, layer in layers.items())
    path.write_text(f"{_CONFIG}network = {{\n{network}}}\n", encoding="utf-8")
    try:
        build_named(load(path), mode="forward")
    except UserError as error:
        return str(error).replace(str(path), "net.py")
    return None


@pytest.mark.parametrize("asked", ["s", "same"])
def test_the_length_of_a_dim_that_is_made_later(tmp_path: Path, asked: str) -> None:
    length = f"{{'class': 'length', 'axis': {asked}, 'from': ()}}"
    assert message(tmp_path, n=length, x=_LONGER, made=_STRIDED % "data", output=_OUTPUT) is None


def test_of_several_makers_the_one_that_does_not_need_the_length(tmp_path: Path) -> None:
    layers = {"n": "{'class': 'length', 'axis': s, 'from': ()}", "x": _LONGER, "waits": _STRIDED % "x"}
    assert message(tmp_path, **layers, output=_OUTPUT) == (
        "layer 'n' (net.py:9): dim same(dynamic) has no lengths here"
    )
    assert message(tmp_path, **layers, made=_STRIDED % "data", output=_OUTPUT) is None


def test_two_names_of_one_dim_in_one_option(tmp_path: Path) -> None:
    noise = "{s: 1, same: 1, '*': None}"
    layer = f"{{'class': 'dropout', 'from': 'made', 'dropout': 0.5, 'dropout_noise_shape': {noise}}}"
    assert message(tmp_path, made=_STRIDED % "data", x=layer, output=_OUTPUT) is None
    layer = layer.replace("s: 1, same: 1", "same: 1, s: 1")
    assert message(tmp_path, made=_STRIDED % "data", x=layer, output=_OUTPUT) is None
