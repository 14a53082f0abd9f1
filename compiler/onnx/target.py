"""The ONNX target: which ops it takes, and the versions that it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from compiler.analysis.external import external_reason
from compiler.onnx import control, conv, elementwise, indexing, linalg, reduce, shape, state
from compiler.onnx.composite import activations, norms, recurrent, softmax
from compiler.onnx.dtypes import CODES
from compiler.onnx.program import OnnxProgram
from compiler.onnx.registry import REFUSED, ROWS
from compiler.target.protocol import Accept, Reject
from returnn_ir.errors import TargetError
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.ir.op import Trait

__all__ = ["DEFAULT_OPSET", "IR_VERSIONS", "OnnxTarget"]

#: Importing these modules fills the table.
FAMILIES = (activations, control, conv, elementwise, indexing, linalg, norms, recurrent, reduce, shape, softmax, state)

#: The IR version that came with each opset; onnxruntime 1.31 loads up to opset 26 and IR 13 (onnx, docs/Versioning.md).
IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}

DEFAULT_OPSET = 21


@dataclass(frozen=True)
class OnnxTarget:
    """Writes ONNX models.

    Attributes:
        opset: the version of the operator set, 17 to 26. The default 21 loads nearly everywhere; from 22 on Elu, Selu
            and MaxPool leave the GPU in onnxruntime.
    """

    name: ClassVar[str] = "onnx"
    opset: int = DEFAULT_OPSET

    def __post_init__(self) -> None:
        if self.opset not in IR_VERSIONS:
            raise TargetError(
                "unknown ONNX opset",
                where="--opset",
                expected=f"{min(IR_VERSIONS)} to {max(IR_VERSIONS)}",
                received=self.opset,
            )

    @property
    def ir_version(self) -> int:
        """The version of the file format that belongs to the opset."""
        return IR_VERSIONS[self.opset]

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
        if name not in ROWS:
            composite = node.op.has(Trait.COMPOSITE)
            return Reject("ONNX has no operator for it" if composite else f"op {name!r} is not implemented for ONNX")
        row = ROWS[name]
        reason = row.check(node, region, self.opset)
        return Accept(row.kernel) if reason is None else Reject(reason)

    def lower(self, graph: Graph) -> OnnxProgram:
        """A program of a graph in the TARGET stage."""
        return OnnxProgram(graph, self.opset, self.ir_version)
