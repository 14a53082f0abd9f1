"""What is known of a search before it runs: positions in range, axes that are only cut, axes with frames."""

from __future__ import annotations

import pytest

from compiler.analysis.cuts import is_cut
from compiler.analysis.extents import has_frames
from compiler.analysis.labels import Trace
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.text.parser import parse_graph

SEARCH = """
graph named search {
  dim B batch := %1
  dim T dynamic := %2
  dim V static 5
  dim K static 3
  dim S dynamic := %13
  dim L dynamic := %15
  dim M dynamic := %16
  dim O dynamic := %17
  dim N dynamic
  %0 = input() {name="data", dtype="float32", dims=[B, T, V]} : float32[B, T, V]
  %1 = size_of(%0) {dim=B} : int64[]
  %2 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %3 = const() {value=0, dtype="int64", dims=[]} : int64[]
  %4 = const() {value=1, dtype="int64", dims=[]} : int64[]
  %5 = const() {value=5, dtype="int64", dims=[]} : int64[]
  %6 = length() {dim=T} : int64[B]
  %7 = reduce(%6) {kind="max", dims=[B], mask=false} : int64[]
  %8 = mul(%7, %5) : int64[]
  %9 = expand(%3) {dims=[B]} : int64[B]
  %10 = expand(%3) {dims=[B, K]} : int64[B, K]
  %11, %12, %14, %20, %13 = LOOP {
    params(%30: int64[], %31: int64[B], %32: int64[B], %33: int64[B, K])
    define N := %34
    %34 = add(%30, %4) : int64[]
    %35 = less(%31, %5) : bool[B]
    %36 = where(%35, %3, %4) : int64[B]
    %37 = add(%31, %36) : int64[B]
    %38 = add(%32, %5) : int64[B]
    %39 = gather(%0, %30) {dim=T} : float32[B, V]
    %40, %41 = top_k(%39) {dim=V, k=K, mask=false} : float32[B, K], int64[B, K] sparse V
    %42 = set_sparse(%41) {sparse_dim=none} : int64[B, K]
    %43 = mod(%42, %4) : int64[B, K]
    %44 = floordiv(%42, %5) : int64[B, K]
    %45 = sub(%44, %5) : int64[B, K]
    %46 = reduce(%35) {kind="all", dims=[B], mask=false} : bool[]
    %47 = floordiv(%45, %5) : int64[B, K]
    yield(%37, %38, %44, %47, %46)
  }
  %15 = rename(%11) {dims=[]} : int64[B]
  %16 = rename(%12) {dims=[]} : int64[B]
  %17 = length() {dim=L} : int64[B]
  output "out" = %20 axes [S, B, K] time S
}
"""


LOOP = (
    "loop(%9, %9, %10, %8) {dim=S, carries=3, stacked=[int64[B, K]], ends=true}"
    " : int64[B], int64[B], int64[B, K], int64[S, B, K], int64[]"
)


def search() -> tuple[Graph, Node]:
    graph = parse_graph(SEARCH.replace("LOOP", LOOP))
    return graph, next(n for n in graph.body.nodes if n.op.name == "loop")


def dims(region: Region) -> dict[str, Dim]:
    own = {} if region.parent is None else dims(region.parent)
    return {**own, **{d.name: d for d in region.dim_defs}}


def result(region: Region, op: str, number: int = 0) -> Value:
    return [v for n in region.nodes if n.op.name == op for v in n.results][number]


@pytest.mark.parametrize(
    ("dim", "out", "cut"),
    [
        ("S", "L", True),  # a count of the steps
        ("S", "M", False),  # five more in each step
        ("L", "O", True),  # the lengths themselves
        ("T", "L", False),
        ("S", "T", False),
    ],
)
def test_an_axis_is_only_cut(dim: str, out: str, cut: bool) -> None:
    graph, _ = search()
    known = dims(graph.body)
    assert is_cut(known[dim], known[out], graph.body) is cut


def test_axes_with_frames() -> None:
    """In a step: the steps so far, and what limits the steps. Around the loop nothing is known of them."""
    graph, loop = search()
    body = loop.regions[0]
    known = dims(body)
    found = {name: has_frames(dim, body) for name, dim in known.items() if name != "B"}
    assert found == {"T": True, "N": True, "S": False, "L": False, "M": False, "O": False}
    assert not has_frames(known["T"], graph.body)
    assert has_frames(Dim("static", 2), graph.body)
    assert not has_frames(Dim("empty", 0), graph.body)


def test_what_numbers_are_below() -> None:
    graph, loop = search()
    body, trace = loop.regions[0], Trace(graph)
    numbers = {
        "position": result(body, "top_k", 1),
        "remainder": result(body, "mod"),
        "quotient": result(body, "floordiv"),
        "carried": body.params[3],
        "of what may be negative": result(body, "floordiv", 1),
        "input": graph.body.dim_defs[dims(graph.body)["T"]],
        "step": body.params[0],
    }
    below = {name: trace.sources(value).made for name, value in numbers.items()}
    assert below == {
        "position": 5,
        "remainder": 1,
        "quotient": 1,
        "carried": 1,
        "of what may be negative": None,
        "input": None,
        "step": None,
    }
