"""Who reads behind the ends, and what stands there."""

from __future__ import annotations

import pytest

from compiler.analysis.tails import filling, tail_readers, zero_behind_the_end
from returnn_ir.ir.graph import Graph
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.verify import verify

TEXT = """\
graph named forward {
  dim B batch := %2
  dim T dynamic := %1
  dim F static 3
  dim G static 3
  dim U dynamic := %1
  dim V dynamic
  %0 = input() {name="data", dtype="float32", dims=[B, T, F]} : float32[B, T, F]
  %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %2 = size_of(%0) {dim=B} : int64[]
  %3 = mask() {dim=T} : bool[B, T]
  %4 = const() {value=0.0, dtype="float32", dims=[]} : float32[]
  %5 = const() {value=1.0, dtype="float32", dims=[]} : float32[]
  %6 = GIVEN
  %7 = READER  # layer 'reader'
  output "y" = %7 axes [B, U, F]
}
"""
SLICE = "slice(%6) {dim=T, out=U, start=1} : float32[B, U, F]"
COMPUTED = "exp(%0) : float32[B, T, F]"


def graph_of(given: str, reader: str = SLICE, axes: str = "[B, U, F]") -> Graph:
    """A value that is made in some way, and a layer that reads it."""
    text = TEXT.replace("GIVEN", given).replace("READER", reader).replace("[B, U, F]\n}", f"{axes}\n}}")
    graph = parse_graph(text)
    verify(graph)
    return graph


@pytest.mark.parametrize(
    ("given", "readers"),
    [
        (COMPUTED, ["reader"]),
        ("where(%3, %0, %4) : float32[B, T, F]", []),
        ("where(%3, %0, %5) : float32[B, T, F]", []),  # whatever stands there, it is the same in all batches
    ],
)
def test_readers(given: str, readers: list[str]) -> None:
    assert tail_readers(graph_of(given)) == readers


@pytest.mark.parametrize(
    ("given", "dims", "readers"),
    [
        ("exp(%0) : float32[B, T, F]", "dims=[T, V]", ["reader"]),
        ("where(%3, %0, %4) : float32[B, T, F]", "dims=[T, V]", ["reader"]),  # wherever the second one begins
        ("exp(%0) : float32[B, T, F]", "ragged=true, dims=[T, V]", []),
        ("exp(%0) : float32[B, T, F]", "first", []),
    ],
)
def test_what_is_joined_behind_a_tail(given: str, dims: str, readers: list[str]) -> None:
    """The second value stands behind the padding of the first one, unless that has none."""
    pair, order = ("%6, %8", dims) if dims != "first" else ("%8, %6", "dims=[V, T]")
    out = "'T+V'" if dims != "first" else "'V+T'"
    reader = f"concat({pair}) {{{order}, out={out}}} : float32[B, {out}, F]"
    text = TEXT.replace("dim V dynamic", "dim V static 2\n  dim 'T+V' = T + V\n  dim 'V+T' = V + T")
    text = text.replace("GIVEN", f"{given}\n  %8 = expand(%5) {{dims=[B, V, F]}} : float32[B, V, F]")
    graph = parse_graph(text.replace("READER", reader).replace("[B, U, F]\n}", f"[B, {out}, F]\n}}"))
    verify(graph)
    assert tail_readers(graph) == readers


def test_through_other_names() -> None:
    """A renamed axis, a renamed mask: the frames behind the ends are the same ones."""
    masked = "where(%3, %0, %4) : float32[B, T, F]\n  %8 = rename(%6) {dims=[[F, G]]} : float32[B, T, G]"
    graph = graph_of(masked, "slice(%8) {dim=T, out=U, start=1} : float32[B, U, G]", "[B, U, G]")
    renamed, time = graph.body.nodes[7].result, graph.body.nodes[0].result.dims[1]
    assert tail_readers(graph) == []
    assert zero_behind_the_end(renamed, time)


def test_nothing_stands_behind_ends_that_are_alike() -> None:
    text = TEXT.replace("dims=[B]} : int64[B]", "dims=[]} : int64[]").replace("bool[B, T]", "bool[T]")
    assert tail_readers(parse_graph(text.replace("GIVEN", COMPUTED).replace("READER", SLICE))) == []


@pytest.mark.parametrize(
    ("reader", "axes"),
    [
        ("exp(%6) : float32[B, T, F]", "[B, T, F]"),
        ('reduce(%6) {kind="sum", dims=[F], mask=false} : float32[B, T]', "[B, T]"),
        ("slice(%6) {dim=F, out=G, start=0} : float32[B, T, G]", "[B, T, G]"),
    ],
)
def test_who_works_along_another_axis_does_not_read(reader: str, axes: str) -> None:
    assert tail_readers(graph_of(COMPUTED, reader, axes)) == []


BODY = """\
loop(%4) {dim=F, carries=1} : float32[] {
    params(%8: int64[], %9: float32[])
    define V := %10
    %10 = add(%1, %1) : int64[B]
    %11 = resize_axis(%0) {dim=T, out=V} : float32[B, V, F]
    %12 = slice(%11) {dim=V, out=U, start=1} : float32[B, U, F]  # layer 'inside'
    %13 = reduce(%12) {kind="sum", dims=[B, U, F], mask=false} : float32[]
    yield(%13)
  }"""


def test_an_axis_that_only_a_loop_knows() -> None:
    """Whether its lengths vary is asked where it is."""
    assert tail_readers(graph_of(BODY, "exp(%6) : float32[]", "[]")) == ["inside"]


@pytest.mark.parametrize(
    ("given", "filled", "zero"),
    [
        (COMPUTED, None, False),
        ("where(%3, %0, %4) : float32[B, T, F]", "%4", True),
        ("where(%3, %0, %5) : float32[B, T, F]", "%5", False),
        ("where(%3, %4, %0) : float32[B, T, F]", "%0", False),
        ("softmax(%0) {dims=[T]} : float32[B, T, F]", None, True),
        ("softmax(%0) {dims=[T], mask=false} : float32[B, T, F]", None, False),
        ("softmax(%0) {dims=[F]} : float32[B, T, F]", None, False),
    ],
)
def test_what_stands_there(given: str, filled: str | None, zero: bool) -> None:
    """Behind the ends along T: what a ``where`` put there, or what the op leaves by its declaration."""
    graph = graph_of(given)
    values, x = {f"%{n}": node.result for n, node in enumerate(graph.body.nodes)}, graph.body.nodes[6].result
    time = values["%0"].dims[1]
    assert filling(x, time) is (values[filled] if filled else None)
    assert zero_behind_the_end(x, time) is zero
