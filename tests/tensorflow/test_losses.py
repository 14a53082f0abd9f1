"""The loss kernels of TensorFlow against the bodies of their composites, gradients included, and the reference."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from tests.tensorflow.graphs import Net, lower, no_fusion

Build = Callable[[Net], None]


def everywhere(build: Build, *lengths: int) -> dict[str, Array]:
    """Run the kernel, its body and the reference; compare every fetch and the gradients of kernel and body."""
    results: list[dict[str, Array]] = []
    gradients: list[dict[str, Array]] = []
    for fusion in ({}, no_fusion):
        net = Net(lengths)
        build(net)
        program = lower(net, fusion)
        results.append(program.run(net.inputs, net.params))
        if net.graph.objective is not None:
            gradients.append(program.gradients(net.inputs, net.params))
    net = Net(lengths)
    build(net)
    graph, _ = lower_to(net.graph, ReferenceTarget(), verify_each=True)
    results.append(ReferenceTarget().lower(graph).run(net.inputs, net.params))
    for other in results[1:]:
        assert set(other) == set(results[0])
        for name, array in other.items():
            np.testing.assert_allclose(results[0][name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    for name, array in gradients[0].items() if gradients else ():
        assert np.isfinite(array).all(), name
        np.testing.assert_allclose(array, gradients[1][name], rtol=1e-3, atol=1e-5, err_msg=name)
    return results[0]


def logits_of(net: Net, classes: Dim) -> Value:
    """Logits [B, T, classes] that depend on a parameter."""
    return net.b.dot(net.x, net.param("W", net.feature, classes), net.feature)


def labels_of(net: Net, lengths: list[int], high: int, name: str = "labels") -> tuple[Value, Dim]:
    """Labels [B, L] with lengths of their own."""
    dim = Dim(f"{name}.L")
    net.inputs[f"{name}/size1"] = np.asarray(lengths, np.int64)
    net.b.define(dim, net.b.op("input", name=f"{name}/size1", dtype="int64", dims=(net.batch,)))
    drawn = net.rng.integers(0, high, (len(lengths), max(lengths, default=0)))
    net.inputs[name] = drawn.astype(np.int32)
    return net.b.op("input", name=name, dtype="int32", dims=(net.batch, dim)), dim


def total(b: Builder, value: Value) -> Value:
    """The sum over every valid frame, without what is infinite."""
    finite = b.where(b.unary("is_finite", value), value, 0.0)
    return b.reduce("sum", finite, *value.dims)


@pytest.mark.parametrize("per_sequence", [False, True])
@pytest.mark.parametrize("lengths", [(5, 1, 3), (1,)])
def test_cross_entropy(lengths: tuple[int, ...], *, per_sequence: bool) -> None:
    def build(net: Net) -> None:
        classes = Dim("C", 6)
        dims = (net.batch,) if per_sequence else (net.batch, net.time)
        labels = net.input("labels", *dims, dtype="int32", high=6)
        value = net.b.op("softmax_cross_entropy", logits_of(net, classes), labels, dim=classes)
        net.give("loss", value)
        net.graph.objective = total(net.b, value)

    everywhere(build, *lengths)


def test_cross_entropy_with_distributions() -> None:
    def build(net: Net) -> None:
        classes = Dim("C", 6)
        targets = net.input("targets", net.batch, net.time, classes)  # of any sum
        value = net.b.op("soft_cross_entropy", logits_of(net, classes), targets, dim=classes)
        net.give("loss", value)
        net.graph.objective = total(net.b, value)

    everywhere(build, 5, 1, 3)


CTC_LENGTHS = [
    ([7, 5, 3], [3, 1, 2]),
    ([1, 6], [1, 4]),
    ([4, 3], [0, 3]),  # an empty target
    ([0, 3], [0, 2]),  # nothing at all
    ([2, 5, 1], [3, 5, 2]),  # impossible, hardly possible, impossible
]


@pytest.mark.parametrize("blank", [0, 2, 4])
@pytest.mark.parametrize("label_loop", [True, False])
@pytest.mark.parametrize(("frames", "labels"), CTC_LENGTHS)
def test_ctc(frames: list[int], labels: list[int], blank: int, *, label_loop: bool) -> None:
    def build(net: Net) -> None:
        classes = Dim("C", 5)
        target, dim = labels_of(net, labels, 4)
        # every number but the blank's
        target = net.b.where(net.b.binary("greater_equal", target, blank), net.b.add(target, 1), target)
        attrs = {"dim": net.time, "labels": dim, "classes": classes, "blank": blank, "label_loop": label_loop}
        value = net.b.op("ctc_loss", logits_of(net, classes), target, **attrs)
        net.give("loss", value)
        net.graph.objective = total(net.b, value)

    found = everywhere(build, *frames)["output/loss"]
    for value, n, m in zip(found, labels, frames, strict=True):
        assert np.isinf(value) or n <= m


@pytest.mark.parametrize("a", [[3, 0, 5], [1, 4, 2]])
@pytest.mark.parametrize("b", [[2, 4, 0], [6, 1, 3]])
def test_edit_distance(a: list[int], b: list[int]) -> None:
    def build(net: Net) -> None:
        (x, x_dim), (y, y_dim) = labels_of(net, a, 3, "x"), labels_of(net, b, 3, "y")
        net.give("distance", net.b.op("edit_distance", x, y, a=x_dim, b=y_dim))

    everywhere(build, 1, 1, 1)


def test_edit_distance_of_empty_sequences() -> None:
    def build(net: Net) -> None:
        (x, x_dim), (y, y_dim) = labels_of(net, [0, 0], 3, "x"), labels_of(net, [0, 0], 3, "y")
        net.give("distance", net.b.op("edit_distance", x, y, a=x_dim, b=y_dim))

    assert everywhere(build, 1, 1)["output/distance"].tolist() == [0, 0]


@pytest.mark.parametrize("blank", [0, 2, 3])
@pytest.mark.parametrize("width", [1, 3, 20])
def test_beam_decode(blank: int, width: int) -> None:
    def build(net: Net) -> None:
        classes, out = Dim("C", 4), Dim("decoded")
        attrs = {"dim": net.time, "classes": classes, "blank": blank, "out": out, "beam_width": width}
        decoded, lengths = net.b.emit(get_op("ctc_beam_decode"), [net.b.mul(logits_of(net, classes), 2.0)], attrs)
        net.b.define(out, lengths)
        net.give("lengths", lengths)
        net.give("decoded", net.b.where(net.b.mask(out), decoded, -1))

    found = everywhere(build, 9, 1, 6, 0, 12)
    sizes, labels = found["output/lengths"], found["output/decoded"]
    assert labels.shape[1] == sizes.max() > 1
    assert blank not in labels


def prefix_search(scores: Array, blank: int, width: int) -> tuple[int, ...]:
    """Prefix beam search written down once more, with a dict of prefixes; scores [frames, classes] are logs."""
    low = -np.inf
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, low)}
    for frame in scores:
        found: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(prefix: tuple[int, ...], blank_score: float, symbol_score: float, into: object = found) -> None:
            assert isinstance(into, dict)
            old = into.get(prefix, (low, low))
            into[prefix] = (float(np.logaddexp(old[0], blank_score)), float(np.logaddexp(old[1], symbol_score)))

        for prefix, (in_blank, in_symbol) in beam.items():
            both = float(np.logaddexp(in_blank, in_symbol))
            add(prefix, both + frame[blank], in_symbol + frame[prefix[-1]] if prefix else low)
            for label in range(len(frame)):
                if label != blank:
                    repeated = bool(prefix) and prefix[-1] == label
                    add((*prefix, label), low, (in_blank if repeated else both) + frame[label])
        best = sorted(found, key=lambda p: -float(np.logaddexp(*found[p])))[:width]
        beam = {p: found[p] for p in best}
    return next(iter(beam))


@pytest.mark.parametrize("width", [2, 5])
def test_beam_decode_is_prefix_search(width: int) -> None:
    net = Net((10, 4, 7))
    classes, out = Dim("C", 3), Dim("decoded")
    logits = net.input("logits", net.batch, net.time, classes)
    attrs = {"dim": net.time, "classes": classes, "blank": 2, "out": out, "beam_width": width}
    decoded, lengths = net.b.emit(get_op("ctc_beam_decode"), [logits], attrs)
    net.b.define(out, lengths)
    net.give("decoded", decoded)
    net.give("lengths", lengths)
    graph, _ = lower_to(net.graph, ReferenceTarget(), verify_each=True)
    found = ReferenceTarget().lower(graph).run(net.inputs, net.params)
    given = net.inputs["logits"].astype(np.float64)
    for i, frames in enumerate(net.lengths):
        scores = given[i, :frames] - np.log(np.exp(given[i, :frames]).sum(-1, keepdims=True))
        wanted = prefix_search(scores, 2, width)
        assert tuple(found["output/decoded"][i][: found["output/lengths"][i]]) == wanted
        assert all(a != 2 for a in wanted) and any(a != b for a, b in pairwise((*wanted, -1)))
