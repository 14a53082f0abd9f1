"""Which sequences make a batch, and their arrays."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import (
    Batch,
    BatchOptions,
    BatchPlan,
    Piece,
    PieceReader,
    SeqInfo,
    StaticDataset,
    StaticOptions,
    check_finite,
    plan_epoch,
)
from runtime.datasets.finite import find_non_finite


def make_dataset(*lengths: tuple[int, int]) -> StaticDataset:
    """Sequences with the lengths of data and classes; frame t of sequence i is 10 i + t."""
    data = [
        {
            "data": (10.0 * i + np.arange(frames, dtype=np.float32))[:, None].repeat(2, axis=1),
            "classes": np.arange(1, labels + 1, dtype=np.int32),
        }
        for i, (frames, labels) in enumerate(lengths)
    ]
    return StaticDataset(StaticOptions(data=data, name="train"))


def batches(dataset: StaticDataset, **limits: Any) -> list[list[int]]:
    plans = plan_epoch(dataset, 1, BatchOptions(**limits))
    return [[piece.seq.index for piece in plan.pieces] for plan in plans]


def load_batch(
    dataset: StaticDataset, indices: Iterable[int], keys: list[str] | None = None, dtypes: dict[str, Any] | None = None
) -> Batch:
    """Whole sequences as a batch."""
    pieces = tuple(Piece(SeqInfo(index, {}), {}) for index in indices)
    return PieceReader(dataset, keys).load(BatchPlan(pieces), dtypes)


LENGTHS = ((3, 1), (2, 2), (4, 1), (1, 1), (6, 3))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (0, [[0], [1], [2], [3], [4], [5], [6], [7]]),
        (2, [[0, 1], [2], [3], [4, 5], [6], [7]]),
        ({"data": 3}, [[0, 1, 2], [3], [4, 5, 6], [7]]),
        ({"classes": 1}, [[0, 1], [2, 3], [4], [5], [6], [7]]),
        ({"data": 6, "classes": 2}, [[0, 1, 2], [3, 4], [5], [6], [7]]),
        (None, [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ],
)
def test_max_pad_size(limit: Any, expected: list[list[int]]) -> None:
    """The batches that RETURNN makes of these lengths."""
    dataset = make_dataset(*LENGTHS, (6, 1), (5, 5), (2, 1))
    assert batches(dataset, batch_size=24, max_seqs=4, max_pad_size=limit) == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"batch_size": 6}, [[0, 1], [2], [3], [4]]),
        ({"batch_size": 8}, [[0, 1], [2, 3], [4]]),
        ({"batch_size": 12}, [[0, 1, 2], [3, 4]]),
        ({"batch_size": 100, "max_seqs": 2}, [[0, 1], [2, 3], [4]]),
        ({"batch_size": 100, "max_seqs": -1}, [[0, 1, 2, 3, 4]]),
        ({"batch_size": 1}, [[0], [1], [2], [3], [4]]),
        ({"batch_size": {"classes": 4}}, [[0, 1], [2, 3], [4]]),
        ({"batch_size": {"data": 12, "classes": 100}}, [[0, 1, 2], [3, 4]]),
        ({"batch_size": 100, "max_seq_length": 3}, [[0, 1, 3]]),
        ({"batch_size": 100, "max_seq_length": 0}, [[0, 1, 2, 3, 4]]),
        ({"batch_size": 100, "max_seq_length": {"classes": 1}}, [[0, 2, 3]]),
        ({"batch_size": 100, "max_seq_length": -2}, [[0, 1, 2, 3]]),
        ({"batch_size": 100, "min_seq_length": {"data": 3}}, [[0, 2, 4]]),
    ],
)
def test_batches(limits: dict[str, Any], expected: list[list[int]]) -> None:
    assert batches(make_dataset(*LENGTHS), **limits) == expected


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=200),
    batch_size=st.integers(1, 300),
    max_seqs=st.sampled_from([None, 1, 70, 100]),
)
def test_batches_are_as_large_as_the_limits_allow(lengths: list[int], batch_size: int, max_seqs: int | None) -> None:
    dataset = make_dataset(*((length, 0) for length in lengths))
    result = batches(dataset, batch_size=batch_size, max_seqs=max_seqs)
    assert [index for batch in result for index in batch] == list(range(len(lengths)))

    def fits(batch: list[int]) -> bool:
        frames = len(batch) * max(lengths[i] for i in batch)
        return frames <= batch_size and len(batch) <= (max_seqs or len(lengths))

    for batch, following in zip(result, [*result[1:], []], strict=True):
        assert fits(batch) or len(batch) == 1
        assert not following or not fits([*batch, following[0]])


def test_no_sequence_left() -> None:
    with pytest.raises(DataError) as caught:
        batches(make_dataset(*LENGTHS), batch_size=10, min_seq_length=7)
    assert str(caught.value) == (
        "dataset 'train': no sequence has an allowed length\n"
        "  expected: min_seq_length 7, max_seq_length None\n"
        "  received: 5 sequences"
    )


def test_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        batches(make_dataset(*LENGTHS), batch_size=5, max_seq_length={"clases": 3})
    assert caplog.messages == [
        "dataset 'train': no data key 'clases', so max_seq_length does not apply; did you mean 'classes'?",
        "dataset 'train': 1 sequences have more frames of 'data' than batch_size 5",
    ]


@pytest.mark.parametrize(
    "limits",
    [
        {"batch_size": 0},
        {"batch_size": None},
        {"batch_size": {"data": "10"}},
        {"batch_size": True},
        {"batch_size": 1, "max_seqs": 0},
        {"batch_size": 1, "max_seqs": "3"},
        {"batch_size": 1, "max_seq_length": "3"},
        {"batch_size": 1, "min_seq_length": -1},
    ],
)
def test_wrong_limits(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"option {list(limits)[-1]!r} "):
        BatchOptions(**limits)


def test_padding_and_sizes() -> None:
    batch = load_batch(make_dataset(*LENGTHS), [1, 0], dtypes={"classes": np.int64})
    np.testing.assert_array_equal(batch.data["data"][..., 0], [[10, 11, 0], [0, 1, 2]])
    np.testing.assert_array_equal(batch.data["classes"], [[1, 2], [1, 0]])
    assert (batch.data["data"].dtype.name, batch.data["classes"].dtype.name) == ("float32", "int64")
    assert batch.lengths("data").tolist() == [2, 3]
    assert batch.lengths("classes").tolist() == [2, 1]
    assert (batch.tags, batch.indices.tolist(), batch.num_seqs) == (("seq-1", "seq-0"), [1, 0], 2)
    assert batch.num_frames == {"data": 5, "classes": 3}
    assert sorted(batch.feed()) == ["classes", "classes/size1", "data", "data/size1"]


def test_only_some_keys() -> None:
    assert list(load_batch(make_dataset(*LENGTHS), [0], keys=["classes"]).data) == ["classes"]


def test_two_dynamic_axes_and_scalars() -> None:
    data = [{"data": np.ones((2, 3, 5)), "n": 1}, {"data": np.ones((4, 1, 5)), "n": 2}]
    batch = load_batch(StaticDataset(StaticOptions(data=data)), [0, 1])
    assert batch.data["data"].shape == (2, 4, 3, 5)
    assert {axis: sizes.tolist() for axis, sizes in batch.sizes["data"].items()} == {1: [2, 4], 2: [3, 1]}
    assert batch.data["data"].sum() == (2 * 3 + 4) * 5
    assert batch.data["n"].tolist() == [1, 2]
    assert batch.sizes["n"] == {}


def test_non_finite_data_is_named() -> None:
    dataset = make_dataset((3, 1), (2, 2))
    dataset.get_seq(1).data["data"][1, :] = [np.inf, np.nan]
    batch = load_batch(dataset, [0, 1])
    assert [str(found) for found in find_non_finite(batch)] == [
        "sequence 'seq-1', key 'data', frame 1, feature 0: inf (2 such values in the sequence)"
    ]
    with pytest.raises(DataError) as caught:
        check_finite(batch, "train epoch 1, step 3")
    assert str(caught.value) == (
        "train epoch 1, step 3: the data is not finite: sequence 'seq-1', key 'data', frame 1, feature 0: inf"
        " (2 such values in the sequence)\n"
        "  expected: finite numbers\n"
        "  try: correct or drop the sequence"
    )


def test_finite_data_passes() -> None:
    check_finite(load_batch(make_dataset(*LENGTHS), range(5)))
