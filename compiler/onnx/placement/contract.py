"""What was asked of the placement of the files that are written: to tell it, or to have no node without a kernel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from compiler.onnx.placement.count import count_borders
from compiler.onnx.placement.placement import HostNode, Placement
from returnn_ir.errors import ProblemList, TargetError, UserError

__all__ = ["PLACEMENT", "PlacementContract"]

#: The entry of a model's metadata.
PLACEMENT = "returnn_ir.placement"


class PlacementContract:
    """Counts the models that are to be written.

    Args:
        required: whether a node without a CUDA kernel is an error.

    Attributes:
        placements: those of the models so far, by their names.
    """

    def __init__(self, *, required: bool = False) -> None:
        self._required = required
        self.placements: dict[str, Placement] = {}

    def check(self, models: Mapping[str, Any]) -> None:
        """Count these models and write the result into the metadata of each.

        Args:
            models: all ``onnx.ModelProto`` of one export by their names, before any is written.

        Raises:
            ProblemList: there are nodes without a kernel, and none may be.
        """
        from onnx import helper

        for name, model in models.items():
            placement = self.placements[name] = count_borders(model)
            kept = {entry.key: entry.value for entry in model.metadata_props}
            helper.set_model_props(model, {**kept, PLACEMENT: json.dumps(placement.to_json())})
        problems = [problem for name in models for problem in _problems(self.placements[name])]
        if self._required and problems:
            raise ProblemList(problems)

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {name: placement.to_json() for name, placement in self.placements.items()}


def _problems(placement: Placement) -> list[UserError]:
    """One for all nodes of a layer that lack the same."""
    held: dict[tuple[str, str, str], list[HostNode]] = {}
    for fault in placement.faults:
        if isinstance(fault, HostNode):
            held.setdefault((fault.layer, fault.reason, fault.hint), []).append(fault)
    return [
        TargetError(
            reason,
            where=f"layer {layer!r}",
            expected="on CUDA all but shape arithmetic",
            received=f"on the CPU: {', '.join(node.name or node.op for node in nodes)}",
            hint=hint or "without --require-device it runs on the CPU",
        )
        for (layer, reason, hint), nodes in held.items()
    ]
