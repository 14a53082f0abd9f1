"""A target's answer may depend on what is around a node: it is asked about a graph in which nothing is in motion."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from compiler.passes.base import Context
from compiler.passes.lowering.legalize import CheckAccepted, ExpandComposites
from compiler.target.protocol import Accept, Executable, Reject
from returnn_ir.errors import TargetError
from returnn_ir.ir.graph import Graph, Node, Region
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph

GRAPH = """\
graph named forward {
  dim F static 3
  %0 = param() {name="a", dtype="float32", dims=[F]} : float32[F]
  %1 = silu(%0) : float32[F]
  %2 = mul(%1, %0) : float32[F]
  %3 = silu(%2) : float32[F]
  %4 = mul(%3, %0) : float32[F]
  %5 = add(%4, %3) : float32[F]
  %6 = silu(%5) : float32[F]
  output "a" = %6 axes [F]
}
"""


@dataclass(frozen=True)
class GatedTarget:
    """Has a kernel for a silu and the product that alone reads it."""

    name: str = "gated"

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        if node.op.name != "silu":
            return Accept()
        user = region.uses().only_user(node.result)
        return Accept("gate") if user is not None and user.op.name == "mul" else Reject("more than a product reads it")

    def lower(self, graph: Graph) -> Executable:
        raise NotImplementedError("nothing is run here")


def test_only_what_fits_its_surroundings_is_fused() -> None:
    graph, context = parse_graph(GRAPH), Context(GatedTarget())
    assert ExpandComposites().run(graph, context)
    text = print_graph(graph)
    assert text.count("silu") == 1
    assert "%1 = silu(%0)" in text
    assert str(context.journal) == "silu expanded: more than a product reads it (x2)\nsilu fused: gate"
    assert not ExpandComposites().run(graph, Context(GatedTarget()))


def test_a_finished_graph_is_asked_about_again() -> None:
    graph = parse_graph(GRAPH)
    with pytest.raises(TargetError, match="target 'gated' cannot run op 'silu': more than a product reads it"):
        CheckAccepted().run(graph, Context(GatedTarget()))
