"""Loops by their parts: what a view shows of a node, and what is built from parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Output
from returnn_ir.ir.loop import LoopLayout, LoopOptions, LoopView, OpenLoop, add_carry, loop_params, loop_results
from returnn_ir.ir.types import TensorType
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify
from tests.reference.nets import Net

HEAD = """\
graph named forward {
  dim B batch := %2
  dim T dynamic := %1
  dim F static 3
"""
DATA = """\
  %0 = input() {name="data", dtype="float32", dims=[B, T, F]} : float32[B, T, F]
  %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %2 = size_of(%0) {dim=B} : int64[]
  %3 = param() {name="h", dtype="float32", dims=[F]} : float32[F]
  %4 = const() {value=9, dtype="int64", dims=[]} : int64[]
"""
ATTRS = "carries=2, stacked=[float32[B, F]], hoist=false"
SEARCH = "carries=1, stacked=[int64[]], ends=true, length_carry=0, searches=true"
OVER_TIME = f"""\
{HEAD}{DATA}\
  %5 = param() {{name="w", dtype="float32", dims=[F]}} : float32[F]
  %6, %7, %8 = loop(%3, %4, %0) {{dim=T, {ATTRS}}} : float32[F], int64[], float32[T, B, F] {{
    params(%9: int64[], %10: float32[F], %11: int64[], %12: float32[B, F])
    %13 = mul(%10, %5) : float32[F]
    %14 = add(%12, %13) : float32[B, F]
    yield(%13, %9, %14)
  }}
  output "h" = %6 axes [F]
  output "n" = %7 axes []
  output "y" = %8 axes [T, B, F]
}}
"""
UNTIL = f"""\
{HEAD}  dim U dynamic := %7
{DATA}\
  %5, %6, %7 = loop(%3, %4) {{dim=U, {SEARCH}}} : float32[F], int64[U], int64[] {{
    params(%8: int64[], %9: float32[F])
    %10 = exp(%9) : float32[F]
    %11 = greater(%8, %4) : bool[]
    yield(%10, %8, %11)
  }}
  output "h" = %5 axes [F]
  output "y" = %6 axes [U]
}}
"""


def the_loop(graph: Graph) -> Node:
    """The only one of a graph."""
    (loop,) = graph.nodes("loop")
    return loop


def test_view() -> None:
    """Each part by what stands around it and in the body."""
    graph = parse_graph(OVER_TIME)
    loop, nodes = the_loop(graph), graph.body.nodes
    view, (mul, add) = LoopView.of(loop), loop.regions[0].nodes
    data, _, extent, h, limit, w = (node.result for node in nodes[:6])
    state, count = view.carries
    (part,), (stack,) = view.slices, view.stacked
    assert (view.dim.name, view.region, view.end) == ("T", loop.regions[0], None)
    assert (state.initial, state.next, state.result) == (h, mul.result, graph.outputs["h"].value)
    assert mul.operands == [state.param, w]
    assert (count.initial, count.next, count.result) == (limit, view.index, graph.outputs["n"].value)
    assert (part.whole, part.param) == (data, add.operands[0])
    assert (stack.inner, stack.outer) == (add.result, graph.outputs["y"].value)
    assert view.options == LoopOptions(hoist=False)
    assert set(view.captured()) == {w, extent}  # the sum has the axis B
    with pytest.raises(IRError, match="no end of its own"):
        view.ending()


def test_view_of_a_loop_that_ends_by_itself() -> None:
    graph = parse_graph(UNTIL)
    loop, limit = the_loop(graph), graph.body.nodes[4].result
    view, (exp, greater) = LoopView.of(loop), loop.regions[0].nodes
    (state,), (stack,), end = view.carries, view.stacked, view.ending()
    assert view.slices == ()
    assert (exp.operands, state.next) == ([state.param], exp.result)
    assert (stack.inner, stack.outer) == (view.index, graph.outputs["y"].value)
    assert (end.limit, end.done, end.steps) == (limit, greater.result, graph.body.dim_defs[view.dim])
    assert view.options == LoopOptions(length_carry=0, searches=True)


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(("carries", "stacked"), [(0, 0), (0, 2), (2, 0), (3, 1)])
def test_what_is_joined_comes_apart_again(carries: int, stacked: int, ends: bool) -> None:
    layout = LoopLayout(Dim("T"), carries, (TensorType("float32"),) * stacked, ends)
    names, slices = [f"c{k}" for k in range(carries)], ["s0", "s1"]
    assert layout.split_params(loop_params("i", names, slices)) == ("i", names, slices)
    made, end = [f"y{k}" for k in range(stacked)], "end" if ends else None
    assert layout.split_results(loop_results(names, made, end)) == (names, made, end)
    operands = [*names, *([] if ends else slices), *([end] if end else [])]
    assert layout.split_operands(operands) == (names, [] if ends else slices, end)


@pytest.mark.parametrize("text", [OVER_TIME, UNTIL])
def test_a_loop_built_from_its_parts_is_the_same(text: str) -> None:
    graph = parse_graph(text)
    old, b = LoopView.of(the_loop(graph)), Builder(graph.body)
    graph.body.nodes.remove(old.node)
    new = old.stacking(b, [])
    graph.substitute(dict(zip(old.node.results, new.node.results, strict=True)))
    verify(graph)
    assert print_graph(graph) == print_graph(parse_graph(text))


@pytest.mark.parametrize("text", [OVER_TIME, UNTIL])
def test_more_is_stacked(text: str) -> None:
    graph = parse_graph(text)
    old, b = LoopView.of(the_loop(graph)), Builder(graph.body)
    graph.body.nodes.remove(old.node)
    new = old.stacking(b, [old.index])
    graph.substitute({c.result: d.result for c, d in zip(old.carries, new.carries, strict=True)})
    graph.substitute({s.outer: t.outer for s, t in zip(old.stacked, new.stacked, strict=False)})
    if old.end is not None:
        graph.substitute({old.end.steps: new.ending().steps})
    more = new.stacked[-1]
    assert (more.inner, more.outer.type) == (old.index, TensorType("int64", (old.dim,)))
    graph.outputs["more"] = Output(more.outer, (old.dim,))
    verify(graph)


def test_a_carry_is_added_in_place() -> None:
    """It counts the steps of each sequence; who reads the loop notices nothing."""
    net = Net()
    lengths = [3, 1, 0]
    time, b = net.time("T", lengths), net.b
    x = net.data("x", np.arange(9, dtype=np.float32).reshape(3, 3), net.batch, time)
    zero, none = b.expand(b.const(0.0), net.batch), b.expand(b.const(0), net.batch)
    (total,), (sums,) = b.loop(time, [zero], [x], lambda i, c, s: ([b.add(c[0], s[0])], [c[0]]))
    loop = the_loop(net.graph)
    before = net.run(sums, net.batch, time)
    carry = add_carry(loop, none, lambda count: Builder(loop.regions[0]).add(count, 1))
    assert [v.index for v in loop.results] == [0, 1, 2]
    assert loop.results == [total, carry.result, sums]
    assert LoopView.of(loop).carries[1] == carry
    np.testing.assert_array_equal(net.run(carry.result, net.batch), lengths)
    np.testing.assert_array_equal(net.run(sums, net.batch, time), before)
    np.testing.assert_array_equal(net.run(total, net.batch), [0 + 1 + 2, 3, 0])


def test_options_are_kept() -> None:
    """A loop that is closed has those that it was begun with, by name and not by place."""
    graph = parse_graph(OVER_TIME)
    old, b = LoopView.of(the_loop(graph)), Builder(graph.body)
    options = replace(old.options, searches=True, length_carry=1)
    loop = OpenLoop.begin(old.dim, [c.initial for c in old.carries], options=options)
    view = loop.close(b, type(old.region)(parent=graph.body), loop.carries)
    assert (view.options, view.slices, view.stacked) == (options, (), ())
    assert [c.next for c in view.carries] == [c.param for c in view.carries]
