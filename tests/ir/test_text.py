"""The printed IR: what it looks like, that it parses back, and where parsing fails."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.target.protocol import Array
from returnn_ir import ops as _ops  # noqa: F401  registers the ops
from returnn_ir.errors import IRError, Origin
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Graph, Loss, Output, Region, Value
from returnn_ir.text.parser import ParseError, parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify


class Net:
    """A graph with an input ``data`` [B, T, F] and its lengths."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.b = Builder(self.graph.body)
        self.batch, self.time, self.feature = Dim("B", kind=Kind.BATCH), Dim("T"), Dim("F", 3, feature=True)
        dims = (self.batch, self.time, self.feature)
        self.x = self.b.op("input", name="data", dtype="float32", dims=dims)
        self.b.define(self.time, self.b.op("input", name="data/size1", dtype="int64", dims=(self.batch,)))
        self.b.define(self.batch, self.b.op("size_of", self.x, dim=self.batch))

    def output(self, name: str, value: Value) -> None:
        self.graph.outputs[name] = Output(value, value.dims)


def round_trip(graph: Graph) -> Graph:
    text = print_graph(graph)
    assert text.isascii()
    parsed = parse_graph(text)
    assert print_graph(parsed) == text
    verify(parsed)
    return parsed


def test_simple_text() -> None:
    net = Net()
    with net.b.at(Origin(layer="enc/sum")):
        net.output("sum", net.b.reduce("sum", net.x, net.time))
    assert (
        print_graph(net.graph)
        == """\
graph named forward {
  dim B batch := %2
  dim T dynamic := %1
  dim F static 3 feature
  %0 = input() {name="data", dtype="float32", dims=[B, T, F]} : float32[B, T, F]
  %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
  %2 = size_of(%0) {dim=B} : int64[]
  %3 = reduce(%0) {kind="sum", dims=[T]} : float32[B, F]  # layer 'enc/sum'
  output "sum" = %3 axes [B, F]
}
"""
    )
    parsed = round_trip(net.graph)
    assert parsed.body.nodes[-1].origin.layer == "enc/sum"


def test_derived_dims_are_derived_again() -> None:
    net = Net()
    b, t = net.b, net.time
    shorter = (t - 2).ceildiv(3)
    x = b.op("resize_axis", net.x, dim=t, out=shorter)
    merged = shorter * 2 + t + 1
    net.output("a", x)
    net.output("b", b.iota(merged))
    net.output("c", b.iota(net.batch * t))
    net.output("d", b.iota(t // 2))
    parsed = round_trip(net.graph)
    new_t = parsed.outputs["a"].value.node.operands[0].dims[1]  # type: ignore[union-attr]
    assert (new_t - 2).ceildiv(3) in parsed.outputs["a"].axes
    assert parsed.outputs["b"].axes == ((new_t - 2).ceildiv(3) * 2 + new_t + 1,)


def test_names_are_made_unique_and_quoted() -> None:
    net = Net()
    dims = [Dim("F", 2), Dim("F", 2), Dim("a b", 2), Dim("it's", 2), Dim("none", 2), Dim("float32", 2), Dim("x~2", 2)]
    dims += [Dim("Zeit-\u00e4", 2), Dim('q"', 2), Dim("_", 2), Dim("1", 2), Dim("inf", 2), Dim("info", 2)]
    for i, dim in enumerate(dims):
        net.output(f"o{i}", net.b.iota(dim))
    text = print_graph(net.graph)
    assert "dim F~3 static 2" in text
    assert "dim 'a b' static 2" in text
    parsed = round_trip(net.graph)
    names = [parsed.outputs[f"o{i}"].axes[0].name for i in range(len(dims))]
    assert names == [d.name for d in dims]


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype="float32").reshape(2, 3),
        np.array([[np.nan, np.inf, -np.inf], [0.1, -0.0, 1e-30]], "float32"),
        np.arange(6, dtype="int8").reshape(2, 3) > 2,
        np.arange(6, dtype="int8").reshape(2, 3),
        np.array([[1j, 2, 3], [4, 5, 6]], "complex64"),
    ],
)
def test_arrays(value: Array) -> None:
    net = Net()
    net.output("a", net.b.const(value, value.dtype.name, (Dim("G", 2), net.feature)))
    parsed = round_trip(net.graph)
    (node,) = parsed.nodes("const")
    np.testing.assert_array_equal(node.attrs["value"], value)
    assert node.attrs["value"].dtype == value.dtype


def test_large_array() -> None:
    net = Net()
    value = np.random.default_rng(1).normal(size=(40, 3)).astype("float32")
    net.output("a", net.b.const(value, "float32", (Dim("G", 40), net.feature)))
    (node,) = round_trip(net.graph).nodes("const")
    np.testing.assert_array_equal(node.attrs["value"], value)


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-7, float("inf"), float("-inf"), 3.0])
def test_scalars(value: float) -> None:
    net = Net()
    net.output("a", net.b.const(value))
    (node,) = round_trip(net.graph).nodes("const")
    assert repr(np.float32(node.attrs["value"])) == repr(np.float32(value))
    assert f"value={value!r}," in print_graph(net.graph)


def test_roots() -> None:
    net = Net()
    b, graph = net.b, net.graph
    scalar = b.reduce("sum", net.x, net.batch, net.time, net.feature)
    graph.losses["out"] = Loss(scalar, scalar, None, 0.5, normalized=True)
    graph.losses["other"] = Loss(None, scalar, scalar, 1.0)
    graph.objective, graph.constraints = scalar, scalar
    graph.state_updates["bn/mean"] = scalar
    graph.trainable.append("W")
    graph.checks.append(('lengths of "a" and\nb differ', b.const(True)))
    lengths = b.length(net.time)
    graph.outputs["x"] = Output(net.x, net.x.dims, net.time, net.feature, {1: lengths})
    graph.outputs["y"] = Output(net.x, net.x.dims, beam=net.feature, beam_scores=net.x)
    parsed = round_trip(graph)
    assert parsed.checks[0][0] == graph.checks[0][0]
    assert parsed.losses["out"].normalized
    assert parsed.losses["other"].value is None
    assert parsed.outputs["x"].lengths[1].type.dims[0] is parsed.outputs["x"].axes[0]
    assert (parsed.outputs["x"].beam, parsed.outputs["x"].beam_scores) == (None, None)
    assert parsed.outputs["y"].beam is parsed.outputs["y"].axes[2]
    assert parsed.outputs["y"].beam_scores is parsed.outputs["x"].value


def test_nested_loops() -> None:
    net = Net()
    b = net.b
    inner_dim = Dim("S")

    def inner(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        return [b.add(carries[0], slices[0])], [carries[0]]

    def outer(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        b.define(inner_dim, b.add(i, 1))
        (last,), _ = b.loop(inner_dim, carries, [b.expand(slices[0], inner_dim)], inner)
        return [last], [last]

    start = b.expand(b.const(0.0), net.batch, net.feature)
    _, (stacked,) = b.loop(net.time, [start], [net.x], outer)
    net.output("a", stacked)
    text = print_graph(net.graph)
    assert "define S := %" in text
    round_trip(net.graph)


def test_loop_that_ends_by_itself() -> None:
    net = Net()
    dim = Dim("S")
    body = lambda i, carries: ([net.b.add(carries[0], i)], [i], net.b.binary("equal", i, 3))  # noqa: E731
    _, (numbers,), _ = net.b.loop_until(dim, [net.b.const(0)], net.b.const(9), body)
    net.output("a", numbers)
    text = print_graph(net.graph)
    assert "ends=true" in text
    assert "dim S dynamic := %" in text
    round_trip(net.graph)


def test_functions_are_only_named() -> None:
    net = Net()
    y = net.b.op("opaque", net.x, function=round_trip, axes=(), reason="calls 'it'", dtype="float32", dims=())
    net.output("a", y)
    assert '<function "round_trip">' in print_graph(net.graph)
    (node,) = round_trip(net.graph).nodes("opaque")
    with pytest.raises(IRError, match="does not hold its code"):
        node.attrs["function"]()


GOOD = """\
graph named forward {
  dim F static 3
  %0 = param() {name="w", dtype="float32", dims=[F]} : float32[F]
  %1 = add(%0, %0) : float32[F]
  output "a" = %1 axes [F]
}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "caret", "what"),
    [
        ("named", "nemed", 1, "nemed", "unknown stage"),
        ("static 3", "static x", 2, "x", "unexpected text"),
        ("static 3", "statik 3", 2, "statik", "unknown kind of dim"),
        ("add(", "ad(", 4, "ad", "no op is named 'ad'"),
        ("add(%0, %0)", "add(%0, %7)", 4, "%7", "not defined"),
        ("axes [F]", "axes [G]", 5, "G", "no dim of this name"),
        ('name="w", ', "", 3, "param", "op 'param' needs the attribute 'name' (str)"),
        ('name="w"', 'init=!load_config(path="x")', 3, "load_config", "no attribute is of this class"),
        ('name="w"', 'init=!StoredInit(path="x")', 3, "StoredInit", "not the parts of this class"),
        ("float32[F]\n  output", "float31[F]\n  output", 4, "float31", "unknown element type"),
        ("%1 = add", "%0 = add", 4, "%0", "defined twice"),
        ('output "a"', 'outputs "a"', 5, "outputs", "unknown root"),
        ("add(", "add$(", 4, "$", "means nothing"),
        ("axes [F]\n}", "axes [F]", 6, "", "unexpected text"),
    ],
)
def test_errors_show_the_place(old: str, new: str, line: int, caret: str, what: str) -> None:
    round_trip(parse_graph(GOOD))
    source = GOOD.replace(old, new)
    assert source != GOOD
    with pytest.raises(ParseError) as caught:
        parse_graph(source)
    message = str(caught.value).splitlines()
    assert message[0].startswith(f"line {line}, column ")
    assert what in message[0]
    column = message[2].index("^")
    if caret:
        assert message[1][column : column + len(caret)] == caret
        assert message[2].count("^") == len(caret)


def test_branches() -> None:
    net = Net()
    b, out = net.b, Dim("U")
    flag = b.op("input", name="flag", dtype="bool", dims=())
    regions = [Region(parent=b.region) for _ in range(2)]
    for region, dim in zip(regions, (net.time, net.time.ceildiv(2)), strict=True):
        with b.inside(region):
            b.define(out, b.length(dim))
            region.results = [b.region.dim_defs[out], b.op("resize_axis", net.x, dim=net.time, out=out)]
    length, y = b.choose(flag, *regions)
    b.define(out, length)
    net.output("y", y)
    parsed = round_trip(net.graph)
    assert [len(n.regions) for n in parsed.nodes("cond")] == [2]
