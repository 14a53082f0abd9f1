"""The TensorFlow target: training, SavedModel."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.analysis.external import external_reason
from compiler.target.protocol import Accept, Reject
from compiler.tensorflow.composite import COMPOSITES
from compiler.tensorflow.device import Device
from compiler.tensorflow.program import TensorFlowProgram
from compiler.tensorflow.recurrent import CUDNN_KERNELS, why_not_cudnn
from compiler.tensorflow.table import PRIMITIVES
from returnn_ir.errors import IRError
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.ir.mode import Stage

__all__ = ["TensorFlowTarget"]


@dataclass(frozen=True)
class TensorFlowTarget:
    """Lowers graphs to ``tf.function`` with dynamic shapes.

    Attributes:
        device: what the programs run on.
    """

    device: Device = field(default_factory=Device)
    name: str = "tf"

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        """Every primitive; a composite where there is a kernel for it."""
        op = node.op.name
        if op in PRIMITIVES:
            return Accept()
        external = external_reason(node)
        if external is not None:
            return Reject(external)
        without_cudnn = why_not_cudnn(node, region, self.device) if op in CUDNN_KERNELS else None
        if op in CUDNN_KERNELS and without_cudnn is None:
            return Accept(CUDNN_KERNELS[op])
        if op not in COMPOSITES:
            reason = f": only cuDNN has, and {without_cudnn}" if without_cudnn else ""
            return Reject(f"TensorFlow has no kernel for {op}{reason}")
        fused = COMPOSITES[op]
        refusal = fused.why_not(node, region, self.device)
        if refusal is not None:
            return Reject(refusal)
        return Accept(f"{fused.kernel}, not cuDNN: {without_cudnn}" if without_cudnn else fused.kernel)

    def lower(self, graph: Graph) -> TensorFlowProgram:
        """Make a program of a graph in the TARGET stage."""
        if graph.stage != Stage.TARGET:
            raise IRError(f"the graph is in stage {graph.stage!r}, lowering needs 'target'")
        return TensorFlowProgram(graph, self.device)
