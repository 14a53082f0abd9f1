"""What ops say that they take, and that builder, parser and verifier hold nodes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.op import OpSpec, all_ops, get_op, register
from returnn_ir.ir.signature import REQUIRED, AtLeast1, Attr
from returnn_ir.ir.types import TensorType
from returnn_ir.text.parser import ParseError, parse_graph
from returnn_ir.text.verify import verify

F, G = Dim("F", 3), Dim("G", 3)
KINDS = "'sum' | 'mean' | 'max' | 'min' | 'prod' | 'any' | 'all' | 'logsumexp'"
WRONG_KIND = f"expects {KINDS} as attribute 'kind', received str 'some'"
TEXT = """\
graph named forward {
  dim F static 3
  dim G static 6
  %0 = param() {name="w", dtype="float32", dims=[F]} : float32[F]
  %1 = add(%0, %0) : float32[F]
  %2 = concat(%1, %0) {dims=[F, F], out=G} : float32[G]
  %3 = reduce(%1) {kind="sum", dims=[F]} : float32[]
  output "a" = %3 axes []
}
"""


@pytest.mark.parametrize("op", all_ops(), ids=lambda op: op.name)
def test_declarations_are_sound(op: OpSpec) -> None:
    names = op.signature.names
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    for name, attr in op.attrs.items():
        assert attr.required or attr.fits(attr.default), f"{op.name}: the default of {name}"
        assert not attr.fits(REQUIRED), f"{op.name}: {name} would never be missing"


@pytest.mark.parametrize(
    ("operands", "attrs", "message"),
    [
        (("x", "x"), {}, "op 'made_up': operands are named x, x"),
        (("x y",), {}, "op 'made_up': operands are named x y"),
        (("x*", "y"), {}, "op 'made_up': operands x*, y: first plain names, then 'x?', at last one 'x*' or 'x+'"),
        (("x?", "y"), {}, "op 'made_up': operands x?, y: first plain names, then 'x?', at last one 'x*' or 'x+'"),
        ((), {"n": Attr(int, 1.5)}, "op 'made_up': the default of attribute 'n' is float 1.5, expected int"),
        ((), {"n": Attr(AtLeast1, 0)}, "op 'made_up': the default of attribute 'n' is int 0, expected int >= 1"),
    ],
)
def test_wrong_declarations_are_refused(operands: tuple[str, ...], attrs: dict[str, Attr], message: str) -> None:
    with pytest.raises(IRError) as caught:
        register(OpSpec("made_up", operands, attrs, lambda scope, types, attrs: []))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (bool, [True, False], [0, 1, None, np.True_]),
        (int, [0, -3, np.int64(2)], [True, 1.0, "1", None]),
        (float, [0.5, 2, float("nan"), np.float32(1)], [False, "1.0", None, 1j]),
        (str, ["", "x"], [b"x", None]),
        (Dim, [F], ["F", 3, (F,)]),
        (Dim | None, [F, None], [0, ()]),
        (AtLeast1, [1, 7], [0, -1, True, 1.0]),
        (Literal["left", "right"], ["left"], ["Left", "", None, ["left"]]),
        (tuple[Dim, ...], [(), (F,), (F, F)], [F, [F], (F, "G"), None]),
        (tuple[tuple[Dim, Dim], ...], [(), ((F, G),)], [(F, G), ((F,),)]),
        (tuple[TensorType, ...], [(TensorType("int64"),)], [("int64",)]),
        (bool | float | complex | np.ndarray, [True, 1, 1j, np.ones(2)], ["1", None]),
        (Callable[..., Any], [len], ["len", None]),
        (Any, [None, 1, "x"], [REQUIRED]),
    ],
)
def test_types(hint: Any, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not Attr(hint).fits(value)] == []
    assert [value for value in bad if Attr(hint).fits(value)] == []


def test_a_type_that_nobody_can_check() -> None:
    with pytest.raises(IRError, match=r"no attribute can have the type dict\[str, int\]"):
        Attr(dict[str, int]).fits({})


@pytest.mark.parametrize(
    ("name", "operands", "attrs", "message"),
    [
        ("add", 1, {}, "takes 2 operands (x, y), received 1"),
        ("exp", 2, {}, "takes 1 operand (x), received 2"),
        ("iota", 1, {"dim": F}, "takes 0 operands, received 1"),
        ("concat", 0, {"dims": (), "out": F}, "takes at least 1 operand (values+), received 0"),
        ("follow", 3, {}, "takes 1 to 2 operands (x, score?), received 3"),
        ("lstm", 5, {}, "takes 6 operands (x, w, w_re, bias, h0, c0), received 5"),
        ("squeeze", 1, {}, "needs the attribute 'dim' (Dim)"),
        ("squeeze", 1, {"dims": (F,)}, "has no attribute 'dims', it has dim"),
        ("exp", 1, {"dim": F}, "has no attribute 'dim', it has none"),
        ("squeeze", 1, {"dim": "F"}, "expects Dim as attribute 'dim', received str 'F'"),
        ("expand", 1, {"dims": [F]}, "expects tuple of Dim as attribute 'dims', received list [F(3)]"),
        ("reduce", 1, {"kind": "some", "dims": (F,)}, WRONG_KIND),
        ("softmax", 1, {"dims": (F,), "mask": 1}, "expects bool as attribute 'mask', received int 1"),
        ("label_index", 1, {"labels": 0}, "expects int >= 1 as attribute 'labels', received int 0"),
    ],
)
def test_the_builder_refuses(name: str, operands: int, attrs: dict[str, Any], message: str) -> None:
    graph = Graph()
    b = Builder(graph.body)
    values = [b.const(0.0)] * operands
    before = list(graph.body.nodes)
    with pytest.raises(IRError) as caught:
        b.emit(get_op(name), values, attrs)
    assert str(caught.value) == f"op {name!r} {message}"
    assert graph.body.nodes == before


@pytest.mark.parametrize(
    ("old", "new", "place", "caret", "what"),
    [
        ("add(%0, %0)", "add(%0)", (5, 8), "add", "op 'add' takes 2 operands (x, y), received 1"),
        ("add(%0, %0)", "add(%0, %7)", (5, 16), "%7", "operand 'y' of op 'add' is not defined (before here)"),
        ("add(%0, %0)", "add(%0, %0, %7)", (5, 20), "%7", "operand '[2]' of op 'add' is not defined (before here)"),
        ("(%1, %0)", "(%1, %7)", (6, 19), "%7", "operand 'values[1]' of op 'concat' is not defined (before here)"),
        (
            "dims=[F, F]",
            "dims=F",
            (6, 24),
            "dims",
            "op 'concat' expects tuple of Dim as attribute 'dims', received Dim F(3)",
        ),
        ("out=G", "outs=G", (6, 37), "outs", "op 'concat' has no attribute 'outs', it has dims, out, ragged"),
        ("out=G", "ragged=true", (6, 8), "concat", "op 'concat' needs the attribute 'out' (Dim)"),
        ('"sum"', '"some"', (7, 20), "kind", f"op 'reduce' {WRONG_KIND}"),
        (
            'kind="sum"',
            'kind="sum", mask=none',
            (7, 32),
            "mask",
            "op 'reduce' expects bool as attribute 'mask', received NoneType None",
        ),
    ],
)
def test_the_parser_refuses(old: str, new: str, place: tuple[int, int], caret: str, what: str) -> None:
    source = TEXT.replace(old, new)
    assert source != TEXT
    with pytest.raises(ParseError) as caught:
        parse_graph(source)
    first, line, mark = str(caught.value).splitlines()
    assert first == f"line {place[0]}, column {place[1]}: {what}"
    assert line[mark.index("^") :].startswith(caret)
    assert mark.count("^") == len(caret)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda node: node.operands.clear(), "op 'reduce' takes 1 operand (x), received 0"),
        (lambda node: node.attrs.update(mask=0), "op 'reduce' expects bool as attribute 'mask', received int 0"),
        (lambda node: node.attrs.update(axis=F), "op 'reduce' has no attribute 'axis', it has kind, dims, mask"),
        (lambda node: node.attrs.pop("dims"), "op 'reduce' needs the attribute 'dims' (tuple of Dim)"),
        (lambda node: node.attrs.pop("mask"), "op 'reduce' needs the attribute 'mask' (bool)"),
    ],
)
def test_the_verifier_refuses(change: Callable[..., object], what: str) -> None:
    graph = parse_graph(TEXT)
    verify(graph)
    change(graph.body.nodes[-1])
    with pytest.raises(IRError) as caught:
        verify(graph)
    assert str(caught.value).splitlines()[0] == what


def test_operands_by_name() -> None:
    b = Builder(Graph().body)
    x, y = b.const(1.0), b.const(2.0)
    node = b.where(b.const(True), x, y).node
    assert node is not None
    assert (node.operand("x"), node.operand("y")) == (x, y)
    with pytest.raises(IRError, match=r"op 'where' \(condition, x, y\) with 3 operands has none named 'z'"):
        node.operand("z")
    follow = b.op("follow", x).node
    assert follow is not None
    with pytest.raises(IRError, match=r"op 'follow' \(x, score\?\) with 1 operands has none named 'score'"):
        follow.operand("score")
    concat = b.op("concat", b.expand(x, F), dims=(F,), out=G).node
    assert concat is not None
    with pytest.raises(IRError, match="none named 'values'"):
        concat.operand("values")
