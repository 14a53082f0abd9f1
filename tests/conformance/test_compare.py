"""What counts as equal to a recorded value: the checks of everything else rest on this."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.check.case import CaseReport, _compare_scores
from compiler.check.compare import ATOL, RTOL, UNUSED_SCORE, compare_arrays, compare_gradient, compare_output
from compiler.check.recorded import RecordedOutput
from compiler.target.protocol import Array
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Output, Value
from returnn_ir.ir.types import TensorType

NAN, INF = np.nan, np.inf


def _one(value: complex, dtype: str = "float64") -> Array:
    return np.array([value], dtype)


@pytest.mark.parametrize("wanted", [0.0, 1.0, -100.0, 1e6])
def test_floats_within_tolerance_of_what_is_expected(wanted: float) -> None:
    allowed = ATOL + RTOL * abs(wanted)
    for sign in (1, -1):
        assert compare_arrays(_one(wanted), _one(wanted + sign * 0.999 * allowed)).ok
        found = compare_arrays(_one(wanted), _one(wanted + sign * 1.001 * allowed))
        assert found.reason == f"1 of 1 entries differ, by up to {allowed * 1.001:.3g}"


@pytest.mark.parametrize("numbers", [(NAN, NAN), (INF, INF), (-INF, -INF)])
def test_equal_numbers_that_are_not_finite(numbers: tuple[float, float]) -> None:
    assert compare_arrays(*map(_one, numbers)).ok


@pytest.mark.parametrize("wanted", [NAN, INF, -INF, 2.0])
@pytest.mark.parametrize("received", [NAN, INF, -INF, 2.0])
def test_other_numbers_that_are_not_finite(wanted: float, received: float) -> None:
    same = wanted == received or bool(np.isnan(wanted) and np.isnan(received))
    assert compare_arrays(_one(wanted), _one(received)).ok is same


def test_integers_bools_and_complex_numbers() -> None:
    assert compare_arrays(np.array([1, 2, 3]), np.array([1, 2, 3], np.int32)).ok
    found = compare_arrays(np.array([1, 2, 9], np.uint8), np.array([1, 5, 2], np.uint8))
    assert (found.max_abs, found.reason) == (7.0, "2 of 3 entries differ")
    assert not compare_arrays(np.array([True]), np.array([False])).ok
    assert compare_arrays(_one(1 + 2j, "complex64"), _one(1 + 2j, "complex64")).ok
    assert not compare_arrays(_one(1 + 2j, "complex64"), _one(1 - 2j, "complex64")).ok
    assert not compare_arrays(_one(1 + 2j, "complex64"), _one(1)).ok


def test_shapes() -> None:
    assert compare_arrays(np.zeros((0, 2)), np.zeros((0, 2))).ok
    for compare in (compare_arrays, compare_gradient):
        assert compare(np.zeros((2, 1)), np.zeros(2)).reason == "shape (2,), expected (2, 1)"


def test_gradients_relative_to_the_largest_entry() -> None:
    wanted = np.array([10.0, 0.0])
    assert compare_gradient(wanted, wanted + np.array([0.0, 0.01])).ok
    assert compare_gradient(wanted, wanted - np.array([0.0, 0.0101])).reason is not None
    # the other way round more would be allowed
    assert compare_gradient(np.array([0.0]), np.array([1.0])).reason is not None
    assert not compare_gradient(np.array([1.0]), np.array([NAN])).ok


def _scores(wanted: list[list[float]], received: list[list[float]]) -> CaseReport:
    report = CaseReport("case", "reference")
    _compare_scores(report, "scores", np.array(wanted), {"scores": np.array(received)})
    return report


def test_scores_of_hypotheses_that_are_there() -> None:
    """What stands in slots without a hypothesis is nobody's business."""
    assert _scores([[-1.0, UNUSED_SCORE]], [[-1.0, 3.0]]).ok
    assert _scores([[-1.0, -2.0]], [[-1.0, -3.0]]).reason == "scores: 1 of 2 entries differ, by up to 1"
    assert _scores([[-1.0, -2.0]], [[-1.0]]).reason == "scores: shape (1, 1), expected (1, 2)"
    allowed = ATOL + RTOL * 100  # of what is expected, not of what is there
    assert not _scores([[-100.0]], [[-100 - allowed * 1.00005]]).ok
    report = CaseReport("case", "reference")
    _compare_scores(report, "scores", np.zeros((1, 1)), {})
    assert report.reason == "scores: missing"


def _ragged(**lengths: list[list[int]]) -> tuple[RecordedOutput, Output, dict[int, Array]]:
    """What RETURNN gives of three steps of two sequences, the second of one step: [batch, step, entry]."""
    batch, step, entry = Dim("B", kind=Kind.BATCH), Dim("T"), Dim("E")
    kinds = ["batch", "dynamic:T", "dynamic:E"]
    sizes = {1: np.array([3, 1]), 2: np.array(lengths["wanted"])}
    value = np.arange(18.0).reshape(2, 3, 3)
    found = {0: np.array([3, 1]), 2: np.array(lengths["found"]).T}
    kept = {axis: Value(TensorType("int64", dims)) for axis, dims in ((0, (batch,)), (2, (step, batch)))}
    output = Output(Value(TensorType("float32", (step, batch, entry))), (step, batch, entry), lengths=kept)
    return RecordedOutput(value, kinds, sizes, None), output, found


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([[2, 3, 1], [3, 1, 1]], None),
        ([[2, 3, 1], [3, 0, 2]], None),  # behind the end of the second sequence
        ([[2, 3, 1], [2, 1, 1]], "lengths [[2, 3, 1], [2, 1, 1]], expected [[2, 3, 1], [3, 1, 1]]"),
    ],
)
def test_lengths_along_two_axes(found: list[list[int]], reason: str | None) -> None:
    expected, output, lengths = _ragged(wanted=[[2, 3, 1], [3, 1, 1]], found=found)
    received = np.moveaxis(expected.value, 0, 1).copy()
    received[0, 0, 2] = received[2, 0, 1] = received[1, 1] = -1  # behind ends
    assert compare_output(expected, output, received, lengths).reason == reason


def test_values_within_lengths_along_two_axes() -> None:
    expected, output, lengths = _ragged(wanted=[[2, 3, 1], [3, 1, 1]], found=[[2, 3, 1], [3, 1, 1]])
    received = np.moveaxis(expected.value, 0, 1).copy()
    received[1, 0, 2] = -1  # the last entry of the second step
    found = compare_output(expected, output, received, lengths)
    assert found.reason == "1 of 9 entries differ, by up to 6"
