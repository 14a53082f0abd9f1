"""Record which axes RETURNN means: ``python -m tests.axes.record_axes`` with a Python that has RETURNN.

Writes ``data/axes.json``: by behaviour version, tensor and description the numbers of the axes, or null where RETURNN
refuses the description.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.axes.tensors import DESCRIPTIONS, TENSORS, VERSIONS, Axis, Tensor


def recorded() -> dict[str, dict[str, list[list[int] | None]]]:
    """RETURNN's answers, in the order of the descriptions."""
    from returnn.util.basic import BehaviorVersion

    found: dict[str, dict[str, list[list[int] | None]]] = {}
    for version in VERSIONS:
        BehaviorVersion._reset()
        BehaviorVersion.set(version)
        found[str(version)] = {name: [_axes(tensor, d) for d in DESCRIPTIONS] for name, tensor in TENSORS.items()}
    return found


def _axes(tensor: Tensor, description: object) -> list[int] | None:
    from returnn.tensor import Dim
    from returnn.tf.util.data import Data

    dims: dict[str, Any] = {}

    def dim(axis: Axis) -> Any:
        if axis.name not in dims:
            kind = {"batch": Dim.Types.Batch, "spatial": Dim.Types.Spatial, "feature": Dim.Types.Feature, None: None}
            dims[axis.name] = Dim(axis.size, name=axis.name, kind=kind[axis.kind])
        base = dims[axis.name]
        return base.copy(match_priority=axis.priority) if axis.priority else base

    options: dict[str, Any] = {"dim_tags": [dim(axis) for axis in tensor.axes]}
    for key, number in (("time_dim_axis", tensor.time), ("feature_dim_axis", tensor.feature)):
        if number != -1:
            options[key] = number
    if tensor.labels:
        options.update(sparse=True, dim=5)
    data = Data(name="data", **options)
    if isinstance(description, str) and description.startswith("dim="):
        description = dims.get(description.removeprefix("dim=")) or Dim(8, name="elsewhere")
    if isinstance(description, tuple):
        description = list(description)
    try:
        return [int(axis) for axis in data.get_axes_from_description(description)]
    except Exception:  # whatever it is: RETURNN does not take this
        return None


if __name__ == "__main__":
    path = Path(__file__).parent / "data" / "axes.json"
    path.write_text(json.dumps(recorded(), separators=(",", ":")) + "\n", encoding="utf-8")
