"""The ONNX target: which ops it takes, and the format that it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.analysis.external import external_reason
from compiler.onnx import control, conv, elementwise, indexing, linalg, reduce, shape, state
from compiler.onnx.composite import activations, norms, recurrent, softmax
from compiler.onnx.dtypes import CODES
from compiler.onnx.profile import DEFAULT_OPSET, Format, Profile
from compiler.onnx.program import OnnxProgram
from compiler.onnx.registry import REFUSED, Row, rows
from compiler.target.protocol import Accept, Reject
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.ir.op import Trait

__all__ = ["OnnxTarget"]

#: Importing these modules fills the table.
FAMILIES = (activations, control, conv, elementwise, indexing, linalg, norms, recurrent, reduce, shape, softmax, state)


@dataclass(frozen=True)
class OnnxTarget:
    """Writes ONNX models.

    Attributes:
        opset: the version of the operator set, 17 to 26. The default 21 loads nearly everywhere; from 22 on Elu, Selu
            and MaxPool leave the GPU in onnxruntime.
        profile: whether onnxruntime's own ops may be used.
    """

    name: ClassVar[str] = "onnx"
    opset: int = DEFAULT_OPSET
    profile: Profile = Profile.PORTABLE

    def __post_init__(self) -> None:
        Format(self.opset)  # refuses an opset that is unknown

    @property
    def format(self) -> Format:
        """What the files are written in."""
        return Format(self.opset, self.profile)

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        """Whether the node has a row whose condition holds."""
        name, external = node.op.name, external_reason(node)
        if external is not None:
            return Reject(external)
        if name in REFUSED:
            why = node.attrs.get("reason")
            return Reject(f"{REFUSED[name]}; it is not compiled: {why}" if why else REFUSED[name])
        for value in (*node.operands, *node.results):
            if value.dtype not in CODES:
                return Reject(f"onnxruntime has no kernels for {value.dtype}")
        found = rows(name, self.profile)
        if not found:
            composite = node.op.has(Trait.COMPOSITE)
            return Reject("ONNX has no operator for it" if composite else f"op {name!r} is not implemented for ONNX")
        return self._first(found, node, region)

    def _first(self, found: Sequence[Row], node: Node, region: Region) -> Accept | Reject:
        """The first row that takes the node; why those before it do not is told, too."""
        reasons: list[str] = []
        for row in found:
            reason = row.check(node, region, self.format)
            if reason is None:
                passed = "".join(f" (not {r.kernel}: {why})" for r, why in zip(found, reasons, strict=False))
                return Accept(f"{row.kernel}{passed}" if row.kernel is not None else None)
            reasons.append(reason)
        return Reject("; ".join(reasons))

    def lower(self, graph: Graph) -> OnnxProgram:
        """A program of a graph in the TARGET stage."""
        return OnnxProgram(graph, self.format)
