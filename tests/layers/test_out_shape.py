"""``out_shape`` and ``out_dim`` are checked: which dims an output has, and on which lengths and labels it depends."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.program.named import build_named
from returnn_ir import load
from returnn_ir.errors import UserError

_CONFIG = """
from returnn.tensor import batch_dim
from returnn.tensor.marked_dim import ImplicitDynSizeDim, ImplicitSparseDim, OptionalDim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
t, f, labels, other = SpatialDim("time"), FeatureDim("in", 5), FeatureDim("labels", 7), SpatialDim("other", 3)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
extern_data["y"] = {"dim_tags": [batch_dim, t], "sparse_dim": labels, "available_for_inference": True}
"""


#: The steps of the loop around are not asked for.
LOOP = """{'class': 'rec', 'from': [], 'axis': t, 'out_shape': {batch_dim, t, f}, 'unit': {
    'x': {'class': 'rec_unstack', 'from': 'base:data', 'axis': t, 'out_shape': {batch_dim, f, t}},
    'output': {'class': 'copy', 'from': 'x', 'out_shape': {batch_dim, f, OptionalDim(other)}}}}"""


def message(folder: Path, layer: str) -> str | None:
    """What is said of a network of one layer, None if it is taken."""
    path = folder / "net.py"
    path.write_text(f"{_CONFIG}network = {{'output': {layer}}}\n", encoding="utf-8")
    try:
        build_named(load(path), mode="forward")
    except UserError as error:
        return str(error).replace(str(path), "net.py")
    return None


@pytest.mark.parametrize(
    "layer",
    [
        "{'class': 'copy', 'from': 'data', 'out_shape': {batch_dim, t, f}}",
        "{'class': 'copy', 'from': 'data', 'out_shape': {batch_dim, t, f.copy(match_priority=1), OptionalDim(other)}}",
        "{'class': 'copy', 'from': 'data:y', 'out_shape': {batch_dim, t, ImplicitSparseDim(labels)}}",
        "{'class': 'range_in_axis', 'from': 'data', 'axis': t, 'out_shape': {t, ImplicitDynSizeDim(batch_dim)}}",
        "{'class': 'constant', 'value': 1, 'out_shape': ()}",
        "{'class': 'copy', 'from': 'data', 'out_dim': f}",
        LOOP,
    ],
)
def test_taken(tmp_path: Path, layer: str) -> None:
    assert message(tmp_path, layer) is None


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': {batch_dim, t}}",
            "layer 'output' (net.py:9, key 'out_shape'): the output has dims that out_shape does not list\n"
            "  expected: {B(batch), time(dynamic)}\n"
            "  received: {B(batch), time(dynamic), in(5)}",
        ),
        (
            "{'class': 'range_in_axis', 'from': 'data', 'axis': t, 'out_shape': {t}}",
            "layer 'output' (net.py:9, key 'out_shape'): the output has dims that out_shape does not list\n"
            "  expected: {time(dynamic)}\n"
            "  received: {time(dynamic), ImplicitDynSizeDim(B(batch))}",
        ),
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': {batch_dim, t, f, other}}",
            "layer 'output' (net.py:9, key 'out_shape'): the output does not have this dim\n"
            "  expected: other(3)\n"
            "  received: {B(batch), time(dynamic), in(5)}",
        ),
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': {ImplicitDynSizeDim(batch_dim), batch_dim, t, f}}",
            "layer 'output' (net.py:9, key 'out_shape'): the output does not have this dim\n"
            "  expected: ImplicitDynSizeDim(B(batch))\n"
            "  received: {B(batch), time(dynamic), in(5)}",
        ),
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': [batch_dim, t, f]}",
            "layer 'output' (net.py:9, key 'out_shape'): out_shape is a set\n"
            "  expected: {batch_dim, time_dim, ...}\n"
            "  received: [B(batch), time(dynamic), in(5)]",
        ),
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': ()}",
            "layer 'output' (net.py:9, key 'out_shape'): the output has dims that out_shape does not list\n"
            "  expected: {}\n"
            "  received: {B(batch), time(dynamic), in(5)}",
        ),
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': False}",
            "layer 'output' (net.py:9, key 'out_shape'): out_shape is a set\n"
            "  expected: {batch_dim, time_dim, ...}\n"
            "  received: False",
        ),
        (
            "{'class': 'copy', 'from': 'data', 'out_shape': {5}}",
            "layer 'output' (net.py:9, key 'out_shape'): out_shape lists dims\n  expected: Dim objects\n  received: 5",
        ),
        (
            "{'class': 'reduce', 'mode': 'mean', 'axis': t, 'from': 'data', 'out_dim': labels}",
            "layer 'output' (net.py:9, key 'out_dim'): a 'reduce' layer does not make this dim\n"
            "  expected: one of B(batch), in(5), or no out_dim\n"
            "  received: labels(7)\n"
            "  try: 'reinterpret_data' with 'set_dim_tags' gives an axis another dim",
        ),
    ],
)
def test_refused(tmp_path: Path, layer: str, expected: str) -> None:
    assert message(tmp_path, layer) == expected
