"""Random small graphs: no pass changes what the reference computes on valid frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.passes.base import Context
from compiler.program.pipelines import LOWER
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Graph, Output, Value
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify
from tests.filecheck import RefusingTarget, run_truthfully

LENGTHS = np.array([4, 0, 2])


@dataclass
class RandomNet:
    """A graph that grows by random nodes; ``choose(n)`` gives a number below n."""

    choose: Callable[[int], int]
    graph: Graph = field(default_factory=Graph)
    #: With what depends on which of two numbers is larger.
    decides: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.b = b = Builder(self.graph.body)
        self.batch, self.time = Dim("B", kind=Kind.BATCH), Dim("T")
        self.feature, self.other = Dim("F", 3), Dim("G", 2)
        x = b.op("input", name="data", dtype="float32", dims=(self.batch, self.time, self.feature))
        b.define(self.time, b.op("input", name="data/size1", dtype="int64", dims=(self.batch,)))
        b.define(self.batch, b.op("size_of", x, dim=self.batch))
        w = b.op("param", name="w", dtype="float32", dims=(self.feature, self.other))
        bias = b.op("param", name="b", dtype="float32", dims=(self.feature,))
        swapped = b.op("input", name="major", dtype="float32", dims=(self.time, self.batch, self.other))
        self.values = [x, w, bias, swapped]

    def rules(self) -> list[Callable[[], Value | None]]:
        """What may come next."""
        rules: list[Callable[[], Value | None]] = [self.unary, self.binary, self.constant, self.reduce, self.softmax]
        rules += [self.dot, self.concat, self.cut, self.pad, self.along_time, self.loop, self.norm]
        return [*rules, self.pick] if self.decides else rules

    def grow(self, steps: int) -> Graph:
        rules = self.rules()
        for _ in range(steps):
            value = rules[self.choose(len(rules))]()
            if value is not None and len(value.dims) <= 4:
                self.values.append(value)
        for i, value in enumerate(self.values[-3:]):
            axes = list(value.dims)
            if self.choose(2):
                axes.reverse()
            self.graph.outputs[f"out{i}"] = Output(value, tuple(axes))
        return self.graph

    def value(self, *dims: Dim) -> Value | None:
        """One of the values that have these dims; recent ones are more likely."""
        found = [v for v in self.values if all(d in v.dims for d in dims)]
        return found[max(self.choose(len(found)), self.choose(len(found)))] if found else None

    def any(self) -> Value:
        return self.values[max(self.choose(len(self.values)), self.choose(len(self.values)))]

    def dim(self, x: Value) -> Dim | None:
        return x.dims[self.choose(len(x.dims))] if x.dims else None

    def unary(self) -> Value:
        return self.b.unary(("tanh", "neg", "sigmoid", "relu", "gelu", "abs")[self.choose(6)], self.any())

    def binary(self) -> Value:
        a, b = self.any(), self.any()
        if self.decides and self.choose(4) == 0:
            return self.b.where(self.b.binary("less", a, 0.1), a, b)
        return self.b.binary(("add", "sub", "mul", "maximum")[self.choose(4)], a, b)

    def constant(self) -> Value:
        return self.b.binary(("add", "mul")[self.choose(2)], self.any(), (0.0, 1.0, 0.5)[self.choose(3)])

    def reduce(self) -> Value | None:
        x = self.any()
        dims = [d for d in x.dims if self.choose(2)]
        kind = ("sum", "mean", "max", "min", "logsumexp")[self.choose(5)]
        return self.b.reduce(kind, x, *dims) if dims else None

    def softmax(self) -> Value | None:
        x = self.any()
        dim = self.dim(x)
        return self.b.op(("softmax", "log_softmax")[self.choose(2)], x, dims=(dim,)) if dim is not None else None

    def dot(self) -> Value | None:
        a, b = self.any(), self.any()
        shared = [d for d in a.dims if d in b.dims]
        return self.b.dot(a, b, *shared[: 1 + self.choose(2)]) if shared else None

    def concat(self) -> Value | None:
        a, b = self.value(self.feature), self.value(self.other)
        if a is None or b is None or self.other in a.dims or self.feature in b.dims:
            return None
        both = self.feature + self.other
        if both in a.dims or both in b.dims:
            return None
        joined = self.b.op("concat", a, b, dims=(self.feature, self.other), out=both)
        if self.choose(2):
            return self.b.op("slice", joined, dim=both, out=self.feature, start=0, end=3)
        return joined

    def cut(self) -> Value | None:
        x = self.value(self.feature)
        if x is None or self.other in x.dims:
            return None
        start = self.choose(2)
        return self.b.op("slice", x, dim=self.feature, out=self.other, start=start, end=start + 2)

    def pad(self) -> Value | None:
        x = self.value(self.other)
        if x is None or self.feature in x.dims:
            return None
        return self.b.op("pad", x, dim=self.other, out=self.feature, left=1)

    def along_time(self) -> Value | None:
        x = self.value(self.time)
        if x is None:
            return None
        if self.choose(2):
            return self.b.op("reverse", x, dim=self.time, ragged=True)
        return self.b.op("cumsum", x, dim=self.time)

    def pick(self) -> Value | None:
        x = self.value(self.feature)
        if x is None:
            return None
        best = self.b.op("argmax", x, dim=self.feature)
        return self.b.op("gather", self.any_with_feature(), best, dim=self.feature)

    def any_with_feature(self) -> Value:
        found = self.value(self.feature)
        return found if found is not None else self.values[0]

    def norm(self) -> Value | None:
        x = self.any()
        dims = x.dims[-1:]
        return self.b.sub(x, self.b.reduce("mean", x, *dims)) if dims else None

    def loop(self) -> Value | None:
        x, captured = self.value(self.time), self.any()
        if x is None or self.time in captured.dims:
            return None
        dims = dict.fromkeys(d for d in (*captured.dims, *x.dims) if d is not self.time)
        start = self.b.expand(self.b.unary("tanh", captured), *dims)

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            following = self.b.unary("tanh", self.b.add(carries[0], slices[0]))
            return [following], [self.b.mul(slices[0], captured)]

        (last,), (stacked,) = self.b.loop(self.time, [start], [x], step)
        return last if self.choose(2) else stacked


def graph_inputs() -> tuple[dict[str, Array], dict[str, Array]]:
    rng = np.random.default_rng(7)
    batch, time = len(LENGTHS), 5  # longer than the longest sequence
    inputs = {
        "data": rng.normal(size=(batch, time, 3)).astype("float32"),
        "major": rng.normal(size=(time, batch, 2)).astype("float32"),
        "data/size1": LENGTHS,
    }
    params = {"w": rng.normal(size=(3, 2)).astype("float32"), "b": rng.normal(size=3).astype("float32")}
    return inputs, params


def valid_frames(graph: Graph, results: dict[str, Array]) -> dict[str, Array]:
    """The results with what stands behind the ends of sequences set to zero."""
    found = {}
    for name, output in graph.outputs.items():
        array, axes = results[f"output/{name}"], [d.name for d in output.axes]
        if "T" in axes:
            mask: Array = np.arange(array.shape[axes.index("T")])[None, :] < LENGTHS[:, None]
            if "B" not in axes:
                mask = np.asarray(mask.all(axis=0))
            elif axes.index("T") < axes.index("B"):
                mask = mask.T
            shape = [n if a in ("B", "T") else 1 for a, n in zip(axes, array.shape, strict=True)]
            array = np.where(mask.reshape(shape), array, 0)
        found[name] = array
    return found


def _check(graph: Graph) -> None:
    inputs, params = graph_inputs()
    verify(graph)
    expected = valid_frames(graph, ReferenceTarget().lower(graph).run(inputs, params))
    context = Context(RefusingTarget(("log_softmax", "gelu")))
    for pass_ in LOWER:
        run_truthfully(pass_, graph, context)
        text = print_graph(graph)
        assert print_graph(parse_graph(text)) == text
        received = valid_frames(graph, ReferenceTarget().lower(graph).run(inputs, params))
        for name, array in expected.items():
            message = f"after pass {pass_.name!r}, output {name!r}:\n{text}"
            np.testing.assert_allclose(received[name], array, rtol=2e-3, atol=1e-4, err_msg=message)


def _run(seed_choices: st.DataObject, steps: int) -> None:
    net = RandomNet(lambda n: seed_choices.draw(st.integers(0, max(0, n - 1))))
    _check(net.grow(steps))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_passes_keep_the_meaning(data: st.DataObject) -> None:
    _run(data, 8)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_passes_keep_the_meaning_of_many(data: st.DataObject) -> None:
    _run(data, 12)
