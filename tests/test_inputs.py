"""What a host checks of the arrays that a program is fed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.target.inputs import InputAxis, InputSpec, check_inputs, check_labels, input_specs
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, Kind
from returnn_ir.ir.graph import Graph

BATCH = InputAxis("B", batch=True)
TIME = InputAxis("T", lengths="size")
SIZE = InputSpec("size", "int64", (BATCH,))


def _told(*args: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        check_labels(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64"])
def test_every_width_of_numbers(dtype: str) -> None:
    spec = InputSpec("x", dtype, (BATCH, TIME), labels=100)
    fine = {"x": np.array([[0, 99], [5, 100]], dtype), "size": np.array([2, 1])}
    found = check_labels((spec, SIZE), fine)["x"]
    assert found.tolist() == [[0, 99], [5, 0]]
    assert found.dtype == dtype
    told = _told((spec, SIZE), {**fine, "size": np.array([2, 2])})
    assert told == (
        "a label of data 'x' is out of range\n  expected: 0 to 99\n"
        "  received: 100 at position 1 of sequence 1 of the batch"
    )


def test_more_labels_than_the_width_can_hold() -> None:
    spec = InputSpec("x", "uint8", (BATCH,), labels=1000)
    given = {"x": np.array([255, 0], np.uint8)}
    assert check_labels((spec,), given)["x"] is given["x"]


def test_axes_in_any_order_and_the_sequence_by_its_tag() -> None:
    """[T, K, B]: frames, three labels each."""
    spec = InputSpec("x", "int32", (TIME, InputAxis("K", 3), BATCH), labels=4)
    x = np.zeros((2, 3, 2), np.int32)
    x[1, :, 1] = 9  # behind the end of the second sequence
    lengths = np.array([2, 1])
    assert not check_labels((spec, SIZE), {"x": x, "size": lengths})["x"].any()
    assert x[1, 0, 1] == 9
    x[1, 2, 0] = x[0, 1, 1] = -3
    told = _told((spec, SIZE), {"x": x, "size": lengths}, tags=("a", "b"), where="train epoch 1")
    assert told == (
        "train epoch 1: a label of data 'x' is out of range\n  expected: 0 to 3\n"
        "  received: -3 at position 0, 1 of sequence 'b' (and 1 more in the batch)"
    )


def test_one_label_per_sequence_and_one_for_all() -> None:
    row, scalar = InputSpec("x", "int32", (BATCH,), labels=2), InputSpec("y", "int32", (), labels=2)
    assert _told((row,), {"x": np.array([0, 2])}) == (
        "a label of data 'x' is out of range\n  expected: 0 to 1\n  received: 2 of sequence 1 of the batch"
    )
    assert _told((scalar,), {"y": np.array(5)}) == (
        "a label of data 'y' is out of range\n  expected: 0 to 1\n  received: 5"
    )


def test_lengths_that_nobody_gives() -> None:
    """Then every frame counts."""
    spec = InputSpec("x", "int32", (BATCH, TIME), labels=2)
    assert "2 at position 1" in _told((spec,), {"x": np.array([[0, 2]])})


def test_lengths_for_all_sequences() -> None:
    spec, size = InputSpec("x", "float32", (BATCH, TIME)), InputSpec("size", "int64", ())
    given: dict[str, Array] = {"x": np.zeros((2, 3), np.float32), "size": np.array(3)}
    assert check_inputs((spec, size), given)["size"] == 3
    given["size"] = np.array(4)
    with pytest.raises(DataError) as caught:
        check_inputs((spec, size), given)
    assert str(caught.value) == (
        "a length in 'size' is out of range\n  expected: 0 to 3, the size of axis T of 'x'\n  received: 4"
    )


def test_an_empty_batch() -> None:
    spec = InputSpec("x", "float32", (BATCH, TIME))
    given: dict[str, Array] = {"x": np.zeros((0, 3), np.float32), "size": np.zeros(0, np.int64)}
    assert check_inputs((spec, SIZE), given)["x"].shape == (0, 3)
    with pytest.raises(DataError, match="the batch has no sequence"):
        check_inputs((spec, SIZE), given, empty_batch=False)


def test_specs_of_a_graph() -> None:
    """Two axes that are called alike are told apart."""
    graph = Graph()
    b = Builder(graph.body)
    batch, first, second = Dim("B", kind=Kind.BATCH), Dim("T"), Dim("T")
    size = b.op("input", name="x/size1", dtype="int64", dims=(batch,))
    b.define(first, size)
    b.op("input", name="x", dtype="int32", dims=(batch, first, second, Dim("F", 3)), labels=7)
    expected = (
        InputSpec("x/size1", "int64", (BATCH,)),
        InputSpec(
            "x",
            "int32",
            (BATCH, InputAxis("T", lengths="x/size1"), InputAxis("T_2"), InputAxis("F", 3)),
            labels=7,
        ),
    )
    assert input_specs(graph) == expected
    assert tuple(InputSpec.from_json(s.name, s.to_json()) for s in expected) == expected
