"""Losses on ONNX: the bodies of their composites, because it has no operators for them."""

from __future__ import annotations

import numpy as np
import pytest

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from tests.onnx.graphs import Net, agree


def labels_of(net: Net, lengths: list[int], high: int, name: str) -> tuple[Value, Dim]:
    """Labels [B, L] with lengths of their own."""
    dim = Dim(f"{name}.L")
    net.inputs[f"{name}/size1"] = np.asarray(lengths, np.int64)
    net.b.define(dim, net.b.op("input", name=f"{name}/size1", dtype="int64", dims=(net.batch,)))
    net.inputs[name] = net.rng.integers(0, high, (len(lengths), max(lengths))).astype(np.int32)
    return net.b.op("input", name=name, dtype="int32", dims=(net.batch, dim)), dim


@pytest.mark.parametrize("op", ["softmax_cross_entropy", "soft_cross_entropy"])
def test_cross_entropy(op: str) -> None:
    def build(net: Net) -> None:
        if op == "softmax_cross_entropy":
            target = net.input("target", net.batch, net.time, dtype="int64", high=4, sparse=net.feature)
        else:
            target = net.input("target", net.batch, net.time, net.feature)
        net.give("loss", net.b.op(op, net.x, target, dim=net.feature))

    agree(build)


@pytest.mark.parametrize("label_loop", [True, False])
@pytest.mark.parametrize(("frames", "labels"), [([7, 5, 3], [3, 1, 2]), ([2, 1, 6], [3, 1, 0])])
def test_ctc(frames: list[int], labels: list[int], *, label_loop: bool) -> None:
    def build(net: Net) -> None:
        target, dim = labels_of(net, labels, 3, "target")
        attrs = {"dim": net.time, "labels": dim, "classes": net.feature, "blank": 3, "label_loop": label_loop}
        net.give("loss", net.b.op("ctc_loss", net.x, target, **attrs))

    agree(build, frames, rtol=1e-4)


def test_edit_distance() -> None:
    def build(net: Net) -> None:
        (a, a_dim), (b, b_dim) = labels_of(net, [3, 0, 5], 3, "a"), labels_of(net, [2, 4, 0], 3, "b")
        net.give("distance", net.b.op("edit_distance", a, b, a=a_dim, b=b_dim))

    agree(build)


@pytest.mark.parametrize("width", [1, 4])
def test_beam_decode(width: int) -> None:
    def build(net: Net) -> None:
        out = Dim("decoded")
        attrs = {"dim": net.time, "classes": net.feature, "blank": 0, "out": out, "beam_width": width}
        labels, lengths = net.b.emit(get_op("ctc_beam_decode"), [net.x], attrs)
        net.b.define(out, lengths)
        net.give("lengths", lengths, net.batch)
        net.give("labels", labels, net.batch, out)

    agree(build, (6, 1, 9))
