"""Verifying a search: hypotheses with the same score may change places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.onnx.verification import _compare, _valid
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Graph, Output, Value
from returnn_ir.ir.mode import Mode
from returnn_ir.ir.types import TensorType

TIME, BEAM = Dim("T"), Dim("beam", 3)


def graph() -> Graph:
    """A search over three hypotheses with lengths of their own: [T, B, beam]."""
    made = Graph(mode=Mode.SEARCH)
    made.outputs["output"] = Output(
        Value(TensorType("int32", (TIME, BATCH, BEAM))),
        (TIME, BATCH, BEAM),
        time_dim=TIME,
        lengths={0: Value(TensorType("int64", (BATCH, BEAM)))},
        beam=BEAM,
        beam_scores=Value(TensorType("float32", (BATCH, BEAM))),
    )
    return made


@pytest.mark.parametrize(
    ("scores", "apart"),
    [([-1.0, -2.0, -3.0], [1, 1, 0]), ([-1.0, -1.00001, -3.0], [0, 0, 0]), ([-1.0, -3.0, -3.00001], [1, 0, 0])],
)
def test_only_slots_that_are_told_apart_count(scores: list[float], apart: list[int]) -> None:
    results: dict[str, Any] = {
        "output/output": np.zeros((2, 1, 3), np.int32),
        "output/output/size0": np.asarray([[2, 1, 2]]),
        "output/output/beam_scores": np.asarray([scores], np.float32),
    }
    frames = np.asarray([[[1, 1, 1]], [[1, 0, 1]]])
    valid = _valid(graph(), "output/output", results)
    np.testing.assert_array_equal(valid, np.asarray(apart, bool) & frames.astype(bool))
    np.testing.assert_array_equal(_valid(graph(), "output/output/size0", results), [[bool(a) for a in apart]])
    assert _valid(graph(), "output/output/beam_scores", results).all()


def test_the_scores_are_compared_whatever_the_order() -> None:
    problems: list[str] = []
    scores = np.asarray([[-1.0, -1.0, -2.0]], np.float32)
    _compare("scores", scores, scores - 1, np.ones((), bool), (1,), problems)
    assert problems
