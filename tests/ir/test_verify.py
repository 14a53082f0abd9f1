"""The verifier finds broken graphs and shows where."""

from __future__ import annotations

import pytest

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.verify import verify

TEXT = """\
graph named forward {
  dim B batch := %2
  dim T dynamic := %1
  dim F static 3
  %0 = input() {name="data", dtype="float32", dims=[B, T, F]} : float32[B, T, F]
  %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %2 = size_of(%0) {dim=B} : int64[]
  %3 = exp(%0) : float32[B, T, F]
  %4 = reduce(%3) {kind="sum", dims=[T]} : float32[B, F]  # layer 'sum'
  %5 = param() {name="w", dtype="float32", dims=[F]} : float32[F]
  %6, %7 = loop(%5, %0) {dim=T, carries=1, stacked=[float32[F]]} : float32[F], float32[T, F] {
    params(%8: int64[], %9: float32[F], %10: float32[B, F])
    %11 = exp(%9) : float32[F]
    yield(%11, %11)
  }
  output "a" = %4 axes [B, F]
  output "b" = %7 axes [T, F]
}
"""


def test_good() -> None:
    verify(parse_graph(TEXT))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("exp(%0) : float32[B, T, F]", "exp(%0) : float32[B, T]", "stored as float32[B, T], inference gives"),
        ("exp(%0) : float32[B, T, F]", "exp(%0) : float16[B, T, F]", "stored as float16"),
        ("dims=[T]} : float32[B, F]", "dims=[T]} : float32[F]", "inference gives float32[B, F]"),
        ("dim T dynamic := %1", "dim T dynamic", "has no lengths here"),
        ('"a" = %4 axes [B, F]', '"a" = %4 axes [F]', "output 'a' is float32[B, F], its axes say float32[F]"),
        ("%10: float32[B, F]", "%10: float32[F]", "params: number 2 is float32[F], expected float32[B, F]"),
        ("yield(%11, %11)", "yield(%11)", "has 1 results, expected 2"),
        ("yield(%11, %11)", "yield(%10, %11)", "results: number 0 is float32[B, F], expected float32[F]"),
        ("graph named", "graph masked", "means valid frames of T(dynamic) only"),
        ("T dynamic := %1", "T dynamic := %0", "the lengths of T(dynamic) are float32"),
    ],
)
def test_broken(old: str, new: str, what: str) -> None:
    source = TEXT.replace(old, new)
    assert source != TEXT
    graph = parse_graph(source)
    with pytest.raises(IRError) as caught:
        verify(graph, after="a pass")
    message = str(caught.value)
    assert message.startswith("after pass 'a pass': ")
    assert what in message.splitlines()[0]


def test_excerpt() -> None:
    graph = parse_graph(TEXT.replace("dims=[T]} : float32[B, F]", "dims=[T]} : float32[F]"))
    with pytest.raises(IRError) as caught:
        verify(graph)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("(layer 'sum')")
    assert [line for line in lines if line.startswith("> ")] == [
        ">   %4 = reduce(%3) {kind=\"sum\", dims=[T]} : float32[F]  # layer 'sum'"
    ]
    assert len(lines) == 12


def test_use_before_definition() -> None:
    graph = parse_graph(TEXT)
    nodes = graph.body.nodes
    nodes[3], nodes[4] = nodes[4], nodes[3]
    with pytest.raises(IRError, match="has an operand 'x' that is not defined before it"):
        verify(graph)


def test_lengths_are_implicit_operands() -> None:
    graph = parse_graph(TEXT)
    lengths = graph.body.nodes.pop(1)
    graph.body.nodes.insert(4, lengths)
    with pytest.raises(IRError, match=r"lengths of dim T\(dynamic\) are not defined before it"):
        verify(graph)


def test_labels_of_an_unknown_number_are_labels() -> None:
    source = TEXT.replace("  dim F static 3\n", "  dim F static 3\n  dim L dynamic\n").replace(
        "  %5 = param", "  %12 = const() {value=-1, dtype=\"int32\", dims=[]} : int32[]\n"
        "  %13 = set_sparse(%12) {sparse_dim=L} : int32[] sparse L\n  %5 = param"
    )  # fmt: skip
    graph = parse_graph(source)
    assert graph.nodes("set_sparse")
    verify(graph)
    counted = parse_graph(
        source.replace("int32[] sparse L\n", "int32[] sparse L\n  %14 = expand(%13) {dims=[L]} : int32[L] sparse L\n")
    )
    with pytest.raises(IRError, match=r"op 'expand' dim L\(dynamic\) has no lengths here"):
        verify(counted)


def test_transpose_belongs_to_target() -> None:
    text = (
        'graph {} forward {{\n  dim F static 3\n  %0 = param() {{name="w", dtype="float32", dims=[F]}} : float32[F]\n'
    )
    text += '  %1 = transpose(%0) {{dims={}}} : float32{}\n  output "a" = %0 axes [F]\n}}\n'
    verify(parse_graph(text.format("target", "[_, F]", "[_, F]")))
    for dims in ("[_, F]", "[F]"):
        for stage in ("named", "masked"):
            with pytest.raises(IRError, match=f"transpose.* is not allowed in stage {stage}"):
                verify(parse_graph(text.format(stage, dims, dims)))


def test_a_loop_that_ends_by_itself_defines_its_dim() -> None:
    graph = Graph()
    b, dim = Builder(graph.body), Dim("S")
    limit = b.const(4)
    b.loop_until(dim, [], limit, lambda i, _: ([], [i], b.binary("equal", i, 2)))
    verify(graph)
    b.define(dim, limit)
    with pytest.raises(IRError, match=r"how many steps there are, but S\(dynamic\) has other lengths"):
        verify(graph)


def test_the_limit_of_a_loop_is_a_scalar() -> None:
    b = Builder(Graph().body)
    with pytest.raises(IRError, match="a limit int64"):
        b.loop_until(Dim("S"), [], b.const(4.0), lambda i, _: ([], [], b.const(True)))


def test_branches_give_what_the_node_says() -> None:
    graph = Graph()
    b = Builder(graph.body)
    flag = b.op("input", name="flag", dtype="bool", dims=())
    b.cond(flag, lambda: [b.const(1.0)], lambda: [b.const(2.0)])
    verify(graph)
    with pytest.raises(IRError, match="one branch gives float32"):
        b.cond(flag, lambda: [b.const(1.0)], lambda: [b.const(2)])
    with pytest.raises(IRError, match=r"the predicate of cond is int64\[\]"):
        b.cond(b.const(1), list, list)
    next(graph.nodes("cond")).regions[1].results.clear()
    with pytest.raises(IRError, match="has 0 results, expected 1"):
        verify(graph)


SEARCHED = """\
graph named search {
  dim B static 2
  dim K static 3
  %0 = param() {name="labels", dtype="float32", dims=[B, K]} : float32[B, K]
  %1 = param() {name="scores", dtype="float32", dims=[B, K]} : float32[B, K]
  %2 = param() {name="other", dtype="float32", dims=[B]} : float32[B]
  output "a" = %0 axes [B, K] beam K scores %1
  output "b" = %2 axes [B]
}
"""


def test_a_beam_is_an_axis_that_has_scores() -> None:
    graph = parse_graph(SEARCHED)
    verify(graph)
    assert graph.outputs["a"].beam is graph.outputs["a"].axes[1]
    with pytest.raises(IRError, match=r"the beam K\(3\) of output 'b' is none of its axes"):
        verify(parse_graph(SEARCHED.replace("%2 axes [B]", "%2 axes [B] beam K scores %1")))
    with pytest.raises(IRError, match=r"the scores of output 'a' have no axis K\(3\)"):
        verify(parse_graph(SEARCHED.replace("scores %1", "scores %2")))
    graph.outputs["a"].beam_scores = None
    with pytest.raises(IRError, match="output 'a' has a beam without scores, or scores without a beam"):
        verify(graph)
