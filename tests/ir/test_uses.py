"""Who needs a value: operands, yields, lengths and fetches, asked of the graph as it is."""

from __future__ import annotations

import pytest

from returnn_ir.errors import IRError
from returnn_ir.ir.graph import Graph, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.text.parser import parse_graph

TEXT = """\
graph named forward {
  dim B batch := %2
  dim T dynamic := %1
  dim F static 3
  %0 = input() {name="data", dtype="float32", dims=[B, T, F]} : float32[B, T, F]
  %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %2 = size_of(%0) {dim=B} : int64[]
  %3 = param() {name="w", dtype="float32", dims=[F]} : float32[F]
  %4 = exp(%3) : float32[F]
  %5 = mul(%4, %4) : float32[F]
  %6, %7 = loop(%5, %0) {dim=T, carries=1, stacked=[float32[F]]} : float32[F], float32[T, F] {
    params(%8: int64[], %9: float32[F], %10: float32[B, F])
    %11 = add(%9, %4) : float32[F]
    %12 = tanh(%11) : float32[F]
    yield(%12, %11)
  }
  %13 = neg(%7) : float32[T, F]
  output "a" = %13 axes [T, F]
}
"""


def _graph() -> tuple[Graph, dict[str, Value]]:
    """The graph and its values by number."""
    graph = parse_graph(TEXT)
    values: list[Value] = []

    def number(region: Region) -> None:
        values.extend(region.params)
        for node in region.nodes:
            values.extend(node.results)
            for inner in node.regions:
                number(inner)

    number(graph.body)
    return graph, {str(i): value for i, value in enumerate(values)}


def test_users_of_values() -> None:
    graph, value = _graph()
    uses = graph.uses()
    names = {k: [n.op.name for n in uses.of_value(v)] for k, v in value.items()}
    assert names["0"] == ["size_of", "loop"]
    assert names["4"] == ["mul", "add"], "each once, those in nested regions too"
    assert names["13"] == []
    assert [k for k, v in value.items() if v not in uses] == ["6", "8", "10"]


def test_the_only_user() -> None:
    graph, value = _graph()
    uses = graph.uses()
    only = {k: node.op.name for k, v in value.items() if (node := uses.only_user(v)) is not None}
    # not among them: 0 and 4 have two users, 1 and 2 are lengths, 11 and 12 are yielded, 13 is asked for
    assert only == {"3": "exp", "5": "loop", "7": "neg", "9": "add"}


def test_regions_know_the_program_that_they_belong_to() -> None:
    graph, value = _graph()
    loop = next(graph.nodes("loop"))
    assert list(graph.body.regions()) == [graph.body, loop.regions[0]]
    assert loop.regions[0].uses().of_value(value["7"]) == graph.uses().of_value(value["7"])
    order = [(node.op.name, region is graph.body) for node, region in graph.body.placed()]
    assert order[5:] == [("mul", True), ("add", False), ("tanh", False), ("loop", True), ("neg", True)]
    assert loop.regions[0].program() is graph
    with pytest.raises(IRError, match="the region belongs to no graph"):
        Region().uses()


def test_uses_are_those_of_now_unless_the_graph_is_frozen() -> None:
    graph, value = _graph()
    with graph.frozen():
        held = graph.uses()
        assert graph.uses() is held
        assert value["7"] in held
    graph.body.nodes.pop()
    graph.outputs.clear()
    assert value["7"] not in graph.uses()
    assert graph.uses() is not graph.uses()


#: A loop whose body and whose results are partly for nobody; the same inputs in front of it.
UNREAD = (
    TEXT[: TEXT.index("  %3")]
    + """\
  %3 = param() {name="h", dtype="float32", dims=[F]} : float32[F]
  %4 = exp(%3) : float32[F]
  %5 = exp(%4) : float32[F]
  %6 = exp(%3) : float32[F]
  %7, %8, %9 = loop(%3) {dim=T, carries=1, stacked=TYPES} : float32[F], float32[T, F], float32[T, F] {
    params(%10: int64[], %11: float32[F])
    %12 = mul(%11, %6) : float32[F]
    %13 = tanh(%12) : float32[F]
    yield(%12, %12, %11)
  }
  output "y" = %8 axes [T, F]
}
"""
)


def test_used_in_loops() -> None:
    """Operands also in bodies, what bodies give, lengths, fetches; what a value that nobody reads reads is read."""
    graph = parse_graph(UNREAD.replace("TYPES", "[float32[F], float32[F]]"))
    view = LoopView.of(next(graph.nodes("loop")))
    data, length, extent, h, inner, outer, captured = (n.result for n in graph.body.nodes[:7])
    mul, tanh = view.region.nodes
    (carry,), (kept, dropped) = view.carries, view.stacked
    uses = graph.uses()
    for value in (data, length, extent, h, inner, captured, mul.result, carry.param, kept.outer):
        assert value in uses
    for value in (outer, tanh.result, carry.result, dropped.outer, view.index):
        assert value not in uses
