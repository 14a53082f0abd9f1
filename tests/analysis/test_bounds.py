"""How large axes can get: what is asked for, and what lengths can be."""

from __future__ import annotations

import pytest

from compiler.analysis.bounds import Bounds, bounded_dims
from returnn_ir.ir.loop import LoopView
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.verify import verify

TEXT = """\
graph named forward {{
  dim B batch := %2
  dim T dynamic := %1
  dim N dynamic := %9
  %0 = input() {{name="data", dtype="float32", dims=[B, T]}} : float32[B, T]
  %1 = input() {{name="data/size1", dtype="int64", dims=[B]}} : int64[B]
  %2 = size_of(%0) {{dim=B}} : int64[]
  %3 = length() {{dim=T}} : int64[B]
  %4 = const() {{value=3, dtype="int64", dims=[]}} : int64[]
  %5 = const() {{value=0.5, dtype="float32", dims=[]}} : float32[]
  %6 = input() {{name="free", dtype="int64", dims=[]}} : int64[]
  %7 = reduce(%3) {{kind="max", dims=[B]}} : int64[]
  %8 = cast(%7) {{dtype="float32"}} : float32[]
{nodes}
  %90 = iota() {{dim=N}} : int64[N]
  output "y" = %90 axes [N]
}}
"""


@pytest.mark.parametrize(
    ("nodes", "size"),
    [
        ("%9 = add(%7, %4) : int64[]", 23),
        ("%9 = sub(%7, %4) : int64[]", 17),
        ("%9 = mul(%7, %4) : int64[]", 60),
        ("%9 = floordiv(%7, %4) : int64[]", 6),
        ("%9 = mod(%6, %4) : int64[]", 3),
        ("%9 = minimum(%6, %4) : int64[]", 3),
        ("%9 = maximum(%7, %4) : int64[]", 20),
        ("%9 = maximum(%6, %4) : int64[]", None),
        ("%9 = add(%7, %6) : int64[]", None),
        ('%9 = reduce(%3) {kind="sum", dims=[B]} : int64[]', 100),
        ("%9 = extent() {dim=T} : int64[]", 20),
        ("%10 = greater(%7, %4) : bool[]\n  %9 = where(%10, %4, %7) : int64[]", 20),
        (
            "%10 = mul(%8, %5) : float32[]\n  %11 = ceil(%10) : float32[]\n"
            '  %12 = cast(%11) {dtype="int64"} : int64[]\n  %9 = add(%12, %4) : int64[]',
            13,
        ),
        ("%10 = neg(%4) : int64[]\n  %9 = sub(%7, %10) : int64[]", 23),
    ],
)
def test_lengths_that_are_computed(nodes: str, size: int | None) -> None:
    """At most five sequences of twenty frames."""
    graph = parse_graph(TEXT.format(nodes="  " + nodes))
    verify(graph)
    bounds = Bounds(graph, batch=5, longest=20)
    dims = {d.name: d for d in bounded_dims(graph)}
    assert {name: bounds.extent(dim) for name, dim in dims.items()} == {"B": 5, "T": 20, "N": size}
    assert bounds.extent(dims["T"].ceildiv(3) + 2 * dims["B"]) == 17
    assert bounds.extent(dims["T"] - 30) == 0
    assert (bounds.extent(dims["N"] // 2) is None) == (size is None)


def test_what_a_loop_remembers() -> None:
    """Its length is a number of steps; of these there are at most as many as the limit says."""
    graph = parse_graph(
        """\
graph named forward {
  dim B batch := %2
  dim T dynamic := %1
  dim S dynamic := %7
  dim H dynamic
  %0 = input() {name="data", dtype="float32", dims=[B, T]} : float32[B, T]
  %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %2 = size_of(%0) {dim=B} : int64[]
  %3 = reduce(%1) {kind="max", dims=[B]} : int64[]
  %4 = const() {value=4, dtype="int64", dims=[]} : int64[]
  %5 = add(%3, %4) : int64[]
  %6, %7 = loop(%5) {dim=S, carries=0, stacked=[int64[]], ends=true} : int64[S], int64[] {
    params(%8: int64[])
    define H := %10
    %9 = const() {value=1, dtype="int64", dims=[]} : int64[]
    %10 = add(%8, %9) : int64[]
    %11 = iota() {dim=H} : int64[H]
    %12 = reduce(%11) {kind="sum", dims=[H]} : int64[]
    %13 = greater(%12, %4) : bool[]
    yield(%12, %13)
  }
  output "y" = %6 axes [S]
}
"""
    )
    verify(graph)
    bounds = Bounds(graph, batch=2, longest=20)
    (loop,) = (LoopView.of(node) for node in graph.nodes("loop"))
    assert bounds.steps(loop) == 24
    found = {d.name: bounds.extent(d) for d in bounded_dims(graph)}
    assert found == {"B": 2, "T": 20, "S": 24, "H": 24}
