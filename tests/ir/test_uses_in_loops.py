"""Which values somebody reads."""

from __future__ import annotations

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


def test_used_in_loops() -> None:
    """Operands also in bodies, what bodies give, lengths, fetches; what a value that nobody reads reads is read."""
    graph = parse_graph(TEXT.replace("TYPES", "[float32[F], float32[F]]"))
    view = LoopView.of(next(graph.nodes("loop")))
    data, length, extent, h, inner, outer, captured = (n.result for n in graph.body.nodes[:7])
    mul, tanh = view.region.nodes
    (carry,), (kept, dropped) = view.carries, view.stacked
    uses = graph.uses()
    for value in (data, length, extent, h, inner, captured, mul.result, carry.param, kept.outer):
        assert value in uses
    for value in (outer, tanh.result, carry.result, dropped.outer, view.index):
        assert value not in uses
