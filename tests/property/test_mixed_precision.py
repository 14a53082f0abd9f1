"""Random small graphs in mixed precision: the numbers of float32 up to rounding, and islands that stay islands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.passes.base import Context
from compiler.passes.lowering.mixed_precision import LOW_DTYPES, MixedPrecision
from compiler.program.pipelines import lower_to
from compiler.program.program import make_target
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir.ir.graph import Graph, Node, Value
from returnn_ir.ir.op import Precision
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify
from tests.filecheck import RefusingTarget, run_truthfully
from tests.property.test_passes import RandomNet, graph_inputs, valid_frames

#: Half of the distance between 1 and the next number.
ROUNDING = {"bfloat16": 2.0**-9, "float16": 2.0**-11}


class SmoothNet(RandomNet):
    """Without what a rounding turns over (decisions by scores), and with more products of parameters."""

    decides = False

    def rules(self) -> list[Callable[[], Value | None]]:
        return [*super().rules(), *[self.linear] * 4, self.cell, self.cell]

    def linear(self) -> Value | None:
        """One of the values, times a parameter."""
        x = self.value(self.feature)
        weights = self.b.op("param", name="w", dtype="float32", dims=(self.feature, self.other))
        if x is None or self.other in x.dims:
            return None
        return self.b.dot(x, weights, self.feature)

    def cell(self) -> Value | None:
        """A loop whose steps multiply by a parameter; one carry follows from the product, one adds it up."""
        b, x = self.b, self.value(self.time)
        if x is None or self.feature in x.dims:
            return None
        weights = b.op("param", name="w", dtype="float32", dims=(self.feature, self.other))
        seen = self.choose(2)
        start = b.expand(b.const(0.5), *(d for d in x.dims if d is not self.time), self.feature)

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            product = b.dot(carries[0], weights, self.feature)
            if self.other in slices[0].dims:
                product = b.reduce("mean", product, self.other)
            after = b.unary("tanh", b.add(product, slices[0]) if seen else product)
            after = after if self.other not in after.dims else b.reduce("mean", after, self.other)
            after = b.unary("tanh", b.expand(after, *carries[0].dims))
            return [after, b.add(carries[1], after)], [after]

        (_, total), (stacked,) = b.loop(self.time, [start, start], [x], step)
        return total if self.choose(2) else stacked


def _graph(choices: list[int]) -> str:
    numbers = iter(choices)
    return print_graph(SmoothNet(lambda n: next(numbers, 0) % n).grow(8))


def _error(found: dict[str, Array], expected: dict[str, Array]) -> float:
    """The largest error of an output, by the largest number of it, or 1 where all are smaller; infinity is itself."""
    errors = [0.0]
    for name, x in expected.items():
        finite = np.isfinite(x)
        np.testing.assert_array_equal(found[name][~finite], x[~finite])
        difference = np.abs(found[name][finite] - x[finite])
        errors.append(np.max(difference, initial=0.0) / max(1.0, np.max(np.abs(x[finite]), initial=0.0)))
    return float(max(errors))


def _check_islands(graph: Graph, low: str) -> None:
    """No island sees a low value, and no value is cast there and back."""
    for node in graph.body.walk():
        dtypes = {v.dtype for v in (*node.operands, *node.results)}
        if node.op.precision is Precision.ISLAND:
            assert low not in dtypes, f"{node.op.name} of {dtypes}"
        if node.op.name == "cast":
            assert not _is_cast(node.operands[0].node), "a value is cast twice"


def _is_cast(node: Node | None) -> bool:
    return node is not None and node.op.name == "cast"


choices = st.lists(st.integers(0, 1000), min_size=20, max_size=80)
quickly = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("low", LOW_DTYPES)
@given(choices=choices)
@quickly
def test_the_reference_agrees_with_float32(low: str, choices: list[int]) -> None:
    text, (inputs, params) = _graph(choices), graph_inputs()
    plain, mixed = parse_graph(text), parse_graph(text)
    run_truthfully(MixedPrecision(low), mixed, Context(RefusingTarget()))
    _check_islands(mixed, low)
    graphs = {"plain": plain, "mixed": mixed, "parsed": parse_graph(print_graph(mixed))}
    runs = {k: ReferenceTarget().lower(g).run(inputs, params) for k, g in graphs.items()}
    expected, found, again = (valid_frames(graphs[k], runs[k]) for k in ("plain", "mixed", "parsed"))
    assert all(x.dtype == expected[name].dtype for name, x in found.items())
    assert all(np.array_equal(x, again[name], equal_nan=True) for name, x in found.items())
    assert _error(found, expected) < 40 * ROUNDING[low]


@pytest.mark.parametrize("low", LOW_DTYPES)
@given(choices=choices)
@settings(quickly, max_examples=8)
def test_tensorflow_agrees_with_float32(low: str, choices: list[int]) -> None:
    text, (inputs, params) = _graph(choices), graph_inputs()
    plain, mixed = parse_graph(text), parse_graph(text)
    expected = ReferenceTarget().lower(plain).run(inputs, params)
    target = make_target("tf", device="cpu")
    lower_to(mixed, target, precision=low, verify_each=True)
    found = target.lower(mixed).run(inputs, params)
    assert _error(valid_frames(mixed, found), valid_frames(plain, expected)) < 40 * ROUNDING[low]


def test_a_graph_without_the_key_is_the_same() -> None:
    text = _graph(list(range(60)))
    graph = parse_graph(text)
    assert not MixedPrecision().run(graph, Context(RefusingTarget()))
    verify(graph)
    assert print_graph(graph) == print_graph(parse_graph(text))
