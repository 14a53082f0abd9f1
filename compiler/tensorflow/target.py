"""The TensorFlow target: training, SavedModel."""

from __future__ import annotations

from compiler.target.protocol import Accept, Reject
from compiler.tensorflow.composite import COMPOSITES
from compiler.tensorflow.program import TensorFlowProgram
from compiler.tensorflow.table import PRIMITIVES
from returnn_ir.errors import IRError
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.ir.mode import Stage

__all__ = ["TensorFlowTarget"]


class TensorFlowTarget:
    """Lowers graphs to ``tf.function`` with dynamic shapes."""

    name: str = "tf"

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        """Every primitive; a composite where there is a kernel for it."""
        op = node.op.name
        if op in PRIMITIVES:
            return Accept()
        if op not in COMPOSITES:
            return Reject(f"TensorFlow has no kernel for {op}")
        fused = COMPOSITES[op]
        refusal = fused.refusal(node, region)
        return Accept(fused.kernel) if refusal is None else Reject(refusal)

    def lower(self, graph: Graph) -> TensorFlowProgram:
        """Make a program of a graph in the TARGET stage."""
        if graph.stage != Stage.TARGET:
            raise IRError(f"the graph is in stage {graph.stage!r}, lowering needs 'target'")
        return TensorFlowProgram(graph)
