"""Descriptions of axes mean what RETURNN means by them, on tensors of many kinds and in several behaviour versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.axes.grammar import resolve_axes
from returnn_ir.axes.output import LayerOutput, default_feature_dim, default_time_dim
from returnn_ir.behavior import Behavior
from returnn_ir.errors import DimError
from returnn_ir.ir.dim_names import DimOptions, Role
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TensorType
from tests.axes.tensors import DESCRIPTIONS, TENSORS, VERSIONS, Axis, Tensor

RECORDED: dict[str, dict[str, list[list[int] | None]]] = json.loads(
    (Path(__file__).parent / "data" / "axes.json").read_text(encoding="utf-8")
)


def output_of(tensor: Tensor) -> tuple[LayerOutput, dict[str, Dim]]:
    """The tensor as a layer's output, and its dims by name."""
    dims: dict[str, Dim] = {}

    def dim(axis: Axis) -> Dim:
        if axis.kind == "batch":
            dims[axis.name] = BATCH
        options = DimOptions(role=Role(axis.kind) if axis.kind is not None else None)
        new = Dim(axis.name, axis.size, feature=axis.kind == "feature", declared=True, options=options)
        made = dims.setdefault(axis.name, new)
        return made.copy(match_priority=axis.priority) if axis.priority else made

    axes = tuple(dim(axis) for axis in tensor.axes)
    labels = Dim("labels", 5) if tensor.labels else None
    value = Value(TensorType("int32" if tensor.labels else "float32", axes, labels))
    time = default_time_dim(axes) if tensor.time == -1 else None if tensor.time is None else axes[tensor.time]
    feature = None if tensor.feature is None else axes[tensor.feature] if tensor.feature != -1 else None
    if tensor.feature == -1:
        feature = default_feature_dim(axes, time, sparse=tensor.labels)
    return LayerOutput(value, axes, time, feature), dims


def found(tensor: Tensor, description: Any, version: int) -> list[int] | None:
    """The numbers of the axes, None where the description is refused."""
    x, dims = output_of(tensor)
    if isinstance(description, str) and description.startswith("dim="):
        description = dims.get(description.removeprefix("dim=")) or Dim("elsewhere", 8)
    try:
        return [x.axes.index(d) for d in resolve_axes(x, description, Behavior.of(version))]
    except DimError:
        return None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", TENSORS)
def test_axes_are_those_of_returnn(name: str, version: int) -> None:
    expected = dict(zip(map(repr, DESCRIPTIONS), RECORDED[str(version)][name], strict=True))
    ours = {repr(d): found(TENSORS[name], d, version) for d in DESCRIPTIONS}
    batch = any(axis.kind == "batch" for axis in TENSORS[name].axes)
    for description, axes in list(expected.items()):
        if axes == [] and description.startswith("'dim="):
            expected[description] = None  # RETURNN overlooks a dim that the tensor lacks: here it is refused
        if description in ("'except_time'", "'except_batch'") and not batch:
            assert axes is None  # RETURNN needs a batch to leave it out: here there is nothing to leave out
            del expected[description], ours[description]
    assert ours == expected
