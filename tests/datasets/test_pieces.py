"""Pieces of sequences: the forms of the options, what is refused, and the arrays that come out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pytest

from returnn_ir.config.numbers_dict import NumbersDict
from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import (
    Array,
    Batch,
    BatchOptions,
    Dataset,
    DataSpec,
    IndexedDataset,
    PieceReader,
    Sequence,
    init_dataset,
    plan_epoch,
)
from runtime.datasets.chunking import Chunks, Context, read_chunking, read_context, read_min_chunk_size
from runtime.datasets.finite import find_non_finite

EVERYTHING = BatchOptions(batch_size=1000)


def make(*lengths: tuple[int, int], **options: Any) -> IndexedDataset:
    """Sequences with these lengths of data and classes; frame t of sequence i is 10 i + t + 1."""
    data = [
        {
            "data": (10.0 * i + np.arange(1, frames + 1, dtype=np.float32))[:, None],
            "classes": np.arange(1, labels + 1, dtype=np.int32),
        }
        for i, (frames, labels) in enumerate(lengths)
    ]
    dataset = init_dataset({"class": "StaticDataset", "data": data, **options}, name="train")
    assert isinstance(dataset, IndexedDataset)
    return dataset


def batches(dataset: Dataset, options: BatchOptions = EVERYTHING, *, keys: list[str] | None = None) -> list[Batch]:
    reader = PieceReader(dataset, keys, enforce_min_len1=options.enforce_min_len1)
    return [reader.load(plan) for plan in plan_epoch(dataset, 1, options, keys=keys)]


def rows(dataset: Dataset, options: BatchOptions = EVERYTHING) -> list[list[float]]:
    """The first feature of "data" in every row, without padding."""
    return [
        frames[:length, 0].tolist()
        for batch in batches(dataset, options)
        for frames, length in zip(batch.data["data"], batch.lengths("data"), strict=True)
    ]


# ---------------------------------------------------------------- forms of options


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (0, None),
        ("", None),
        ("0", None),
        ("0:0", None),
        ((0, None), None),
        ({"data": 0}, None),
        (5, Chunks(5, 5)),
        ("5", Chunks(5, 5)),
        ("5:0", Chunks(5, 5)),
        ("5:2", Chunks(5, 2)),
        ((5, 2), Chunks(5, 2)),
        ([5, None], Chunks(5, 5)),
        ({"data": 4, "classes": 2}, Chunks({"data": 4, "classes": 2}, {"data": 4, "classes": 2})),
        (({"a": 4, "b": 2}, {"a": 2, "b": 0}), Chunks({"a": 4, "b": 2}, {"a": 2, "b": 0})),
        ((NumbersDict({"a": 4}), NumbersDict({"a": 2})), Chunks({"a": 4}, {"a": 2})),
        ((NumbersDict(4), 2), Chunks(4, 2)),
    ],
)
def test_forms_of_chunking(value: object, expected: object) -> None:
    assert read_chunking(value) == expected


FORMS = (
    "'SIZE:STEP', SIZE, (SIZE, STEP), where SIZE and STEP are numbers or dicts from data keys to numbers, or a function"
)
NUMBERS = "sizes of at least 1, steps of at least 0, one of them at least 1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("data:50,classes:25", FORMS),
        ("50:25:10", FORMS),
        ("5.0", FORMS),
        (5.0, FORMS),
        (True, FORMS),
        ((5, 2, 1), FORMS),
        ((5, "2"), FORMS),
        ({"data": None}, FORMS),
        (NumbersDict(numbers_dict={"data": 3}, broadcast_value=2), FORMS),
        (-5, NUMBERS),
        ("5:-1", NUMBERS),
        (({"data": 5}, {"data": 0}), NUMBERS),
        ({"data": 5, "classes": 0}, NUMBERS),
        (({"data": 5}, {"classes": 5}), "the same data keys in sizes and steps"),
        (({"data": 5}, 2), "the same data keys in sizes and steps"),
    ],
)
def test_what_is_no_chunking(value: object, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_chunking(value)
    assert (caught.value.what, caught.value.expected) == ("option 'chunking' cannot be understood", expected)


@pytest.mark.parametrize(
    ("value", "frames"),
    [
        (None, {}),
        ("1", {}),
        (0, {"data": (0, 0)}),
        (1, {"data": (0, 0)}),
        (2, {"data": (0, 1)}),
        (5, {"data": (2, 2)}),
        ({"data": 4, "classes": 1}, {"data": (1, 2), "classes": (0, 0)}),
        (({"data": 4}, {"classes": 1}), {"data": (4, 0), "classes": (0, 1)}),
        (NumbersDict({"data": 3}), {"data": (1, 1)}),
    ],
)
def test_forms_of_context(value: object, frames: dict[str, tuple[int, int]]) -> None:
    assert read_context(value) == Context(frames)


@pytest.mark.parametrize("value", ["3", -1, 2.0, True, [1, 2, 3], ({"data": 1},), ({"data": -1}, {}), {"data": None}])
def test_what_is_no_context(value: object) -> None:
    with pytest.raises(ConfigError, match="option 'context_window' cannot be understood"):
        read_context(value)


def test_min_chunk_size() -> None:
    assert [read_min_chunk_size(value) for value in (None, 3, {"data": 2}, NumbersDict(4))] == [0, 3, {"data": 2}, 4]
    for wrong in (-1, "x", 1.5, {"data": -1}):
        with pytest.raises(ConfigError, match="option 'min_chunk_size' cannot be understood"):
            read_min_chunk_size(wrong)


# ---------------------------------------------------------------- what comes out


def test_chunks_with_context_have_zeros_beyond_the_borders() -> None:
    dataset = make((5, 5), (2, 2), chunking="3:2", context_window=4)
    assert rows(dataset) == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 0, 0], [4, 5, 0, 0], [0, 11, 12, 0, 0]]
    assert [batch.new_seqs for batch in batches(dataset)] == [2]


def test_context_without_chunks_is_for_all_tasks() -> None:
    """More of it than a sequence has."""
    assert rows(make((2, 2), context_window=({"data": 3}, {"data": 1}))) == [[0, 0, 0, 1, 2, 0]]


def test_a_key_without_frames_of_its_own_is_in_every_chunk() -> None:
    [batch] = batches(make((5, 1), chunking=({"data": 3, "classes": 1}, {"data": 2, "classes": 0})))
    assert batch.data["classes"].tolist() == [[1], [1], [1]]
    assert batch.lengths("data").tolist() == [3, 3, 1]


def test_frames_of_several_sequences_in_one_row() -> None:
    """Where no layer looks at other frames; the row has the last sequence's tag, as in RETURNN."""
    found = batches(make((3, 3), (4, 2), (2, 2)), BatchOptions(batch_size=5, recurrent=False))
    assert [batch.data["data"][..., 0].tolist() for batch in found] == [[[1, 2, 3, 11, 12]], [[13, 14, 21, 22]]]
    assert [batch.data["classes"].tolist() for batch in found] == [[[1, 2, 3, 1, 2]], [[0, 0, 1, 2]]]
    assert [batch.lengths("classes").tolist() for batch in found] == [[5], [4]]
    assert [(batch.tags, batch.new_seqs) for batch in found] == [(("seq-1",), 2), (("seq-2",), 1)]
    assert [batch.seq_tags for batch in found] == [("seq-0", "seq-1"), ("seq-1", "seq-2")]


def test_an_empty_batch_may_have_a_frame_of_padding() -> None:
    options = BatchOptions(batch_size=10, keep_empty=True)
    shapes = {
        least: batches(make((0, 0)), BatchOptions(batch_size=10, keep_empty=True, enforce_min_len1=least))[0]
        for least in (False, True)
    }
    assert [shapes[least].data["data"].shape for least in (False, True)] == [(1, 0, 1), (1, 1, 1)]
    assert shapes[True].lengths("data").tolist() == [0]
    assert batches(make((3, 3)), options)[0].data["data"].shape == (1, 3, 1)


class Stream(Dataset):
    """The same sequences, one after the other."""

    def __init__(self, dataset: IndexedDataset) -> None:
        super().__init__(dataset.options)
        self._dataset = dataset

    @property
    def specs(self) -> dict[str, DataSpec]:
        return dict(self._dataset.specs)

    def epoch(self, epoch: int, keys: Collection[str] | None = None) -> Iterator[Sequence]:
        return self._dataset.epoch(epoch, keys)


@pytest.mark.parametrize("options", [EVERYTHING, BatchOptions(batch_size=8, max_seqs=2, seq_drop=0.3)])
@pytest.mark.parametrize("chunking", [None, "4:2"])
def test_a_stream_has_the_batches_of_random_access(options: BatchOptions, chunking: str | None) -> None:
    dataset = make((5, 5), (2, 2), (9, 9), (1, 1), chunking=chunking, seq_ordering="random", context_window=3)
    planned, streamed = (
        [(batch.tags, {key: array.tolist() for key, array in batch.data.items()}) for batch in batches(source, options)]
        for source in (dataset, Stream(dataset))
    )
    assert planned == streamed
    assert Stream(dataset).epoch_size(1) is None


def test_random_access_by_tag() -> None:
    dataset = make((2, 2), (3, 3))
    assert dataset.by_tag("seq-1") == 1
    with pytest.raises(DataError) as caught:
        dataset.by_tag("seq-7")
    assert str(caught.value) == "dataset 'train': no sequence 'seq-7'"


# ---------------------------------------------------------------- windows


def test_windows_join_frames() -> None:
    """An even one has one frame more; beyond the borders are zeros."""
    task = {"class": "Task12AXDataset", "num_seqs": 3}
    [plain], [joined] = batches(init_dataset(task)), batches(init_dataset({**task, "window": 2}))
    frames = np.pad(plain.data["data"], [(0, 0), (1, 1), (0, 0)])
    expected = np.concatenate([frames[:, :-2], frames[:, 1:-1], frames[:, 2:]], axis=2)
    inside = np.arange(expected.shape[1])[:, None] < plain.lengths("data")[:, None, None]
    np.testing.assert_array_equal(joined.data["data"], np.where(inside, expected, 0))
    np.testing.assert_array_equal(joined.data["classes"], plain.data["classes"])
    assert init_dataset({**task, "window": 2}).specs["data"].shape == (None, 27)


def test_a_dataset_without_windows() -> None:
    with pytest.raises(ConfigError) as caught:
        make((2, 2), window=3)
    assert str(caught.value) == (
        "dataset 'train': StaticDataset has no 'window'\n  expected: 1\n  received: 3\n"
        "  try: a layer of class 'window' in the network does the same"
    )


# ---------------------------------------------------------------- errors


def error_of(dataset: Dataset, options: BatchOptions = EVERYTHING, keys: list[str] | None = None) -> str:
    with pytest.raises((ConfigError, DataError)) as caught:
        batches(dataset, options, keys=keys)
    return str(caught.value)


def test_another_number_of_chunks_names_the_sequence() -> None:
    sizes = {"data": 4, "classes": 2}, {"data": 4, "classes": 2}
    assert error_of(make((8, 4), (9, 4), chunking=sizes)) == (
        "dataset 'train', sequence 'seq-1': chunks of 'classes' do not fit to those of 'data'\n"
        "  expected: 3 chunks of 'classes', as of 'data'\n"
        "  received: 2 chunks: 'classes' has 4 frames, chunk size 2, step 2; 'data' has 9 frames, chunk size 4, step 4"
    )


def test_another_length_names_the_sequence() -> None:
    assert error_of(make((8, 8), (9, 8), chunking="4:2")) == (
        "dataset 'train', sequence 'seq-1': chunks of 'classes' do not fit to those of 'data'\n"
        "  expected: 9 frames of 'classes', as of 'data'\n"
        "  received: 8 frames: 'classes' has 8 frames, chunk size 4, step 2; 'data' has 9 frames, chunk size 4, step 2"
    )


def test_chunking_that_says_nothing_of_a_key() -> None:
    dataset = make((8, 8), chunking={"data": 4})
    assert error_of(dataset) == (
        "dataset 'train': 'chunking' says nothing of data key 'classes', which the network uses\n"
        "  expected: a dict with 'classes', 'data'\n"
        "  received: {'data': 4}"
    )
    assert len(batches(dataset, keys=["data"])[0].tags) == 2  # the network does not use the other one


def test_chunking_without_a_step_of_a_used_key() -> None:
    chunking = {"data": 4, "classes": 4}, {"data": 2, "classes": 0}
    assert error_of(make((8, 8), chunking=chunking), keys=["classes"]) == (
        "dataset 'train': 'chunking' has no step for any data key that the network uses\n"
        "  expected: a step above 0 for one of classes"
    )


def test_context_of_a_key_that_there_is_not() -> None:
    assert error_of(make((8, 8), context_window={"clases": 3})) == (
        "dataset 'train': context_window is for data 'clases', which there is not\n"
        "  expected: some of data, classes\n  try: did you mean 'classes'?"
    )


def test_batches_of_frames_need_a_limit_of_each_key() -> None:
    assert error_of(make((8, 8)), BatchOptions(batch_size={"data": 4}, recurrent=False)) == (
        "dataset 'train': 'batch_size' says nothing of data key 'classes'\n"
        "  expected: a number of frames for each key, where no layer of the network looks at other frames\n"
        "  received: {'data': 4}"
    )


def test_every_sequence_left_out() -> None:
    assert error_of(make((8, 8), (2, 2)), BatchOptions(batch_size=9, seq_drop=1.0)) == (
        "dataset 'train': every sequence is left out\n"
        "  expected: a seq_drop that leaves some of 2 sequences\n  received: 1.0"
    )


def test_no_chunks_without_layers_that_look_at_other_frames(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        [batch] = batches(make((8, 8), chunking="4:2"), BatchOptions(batch_size=100, recurrent=False))
    assert batch.lengths("data").tolist() == [8]
    assert caplog.messages == ["dataset 'train': no chunks, because no layer of the network looks at other frames"]


def test_what_is_not_finite_is_named_by_its_frame_in_the_sequence() -> None:
    """Also in a chunk, and where a row has frames of several sequences."""
    for options, chunking in (
        (EVERYTHING, "3:2"),
        (BatchOptions(batch_size=100, recurrent=False), None),
        (BatchOptions(batch_size=5, recurrent=False), None),
    ):
        dataset = make((2, 2), (6, 6), chunking=chunking)
        dataset.get_seq(1).data["data"][4] = np.nan
        found = [str(place) for batch in batches(dataset, options) for place in find_non_finite(batch)]
        assert set(found) == {"sequence 'seq-1', key 'data', frame 4, feature 0: nan"}


# ---------------------------------------------------------------- a function


def halves(dataset: Any, seq_idx_start: int, recurrent_net: bool, used_data_keys: set[str]) -> Iterator[Any]:
    """Two pieces of each sequence; the second one only where its data begin with an odd number."""
    assert (seq_idx_start, recurrent_net, used_data_keys) == (0, True, {"data", "classes"})
    index = 0
    while dataset.is_less_than_num_seqs(index):
        length = dataset.get_seq_length(index)
        zero = NumbersDict.constant_like(0, numbers_dict=length)
        yield index, zero, length // 2
        dataset.load_seqs(index, index + 1)
        first: Array = dataset.get_data(index, "data")[0, 0]
        if first % 2 and dataset.get_tag(index) != "seq-2" and "data" in dataset.get_data_keys():
            yield index, length // 2, length
        index += 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_function_says_what_the_pieces_are(stream: bool) -> None:
    dataset: Any = make((4, 4), (3, 3), (2, 2), chunking=halves)
    assert rows(Stream(dataset) if stream else dataset) == [[1, 2], [3, 4], [11], [12, 13], [21]]


def test_a_chunking_of_the_epoch_replaces_the_dataset_s() -> None:
    dataset = make((4, 4), chunking=halves)
    assert rows(dataset, BatchOptions(batch_size=9, chunking=Chunks(3, 3))) == [[1, 2, 3], [4]]
    assert rows(dataset, BatchOptions(batch_size=9, chunking=None)) == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda **options: [3],
            "dataset 'train', chunking = <lambda>: no piece of a sequence\n"
            "  expected: (number of the sequence in the epoch, NumbersDict of starts, NumbersDict of ends)\n"
            "  received: 3 (int) (TypeError: cannot unpack non-iterable int object)",
        ),
        (
            lambda **options: [(7, {"data": 0}, {"data": 1})],
            "dataset 'train', chunking = <lambda>: no piece of a sequence\n"
            "  expected: (number of the sequence in the epoch, NumbersDict of starts, NumbersDict of ends)\n"
            "  received: (7, {'data': 0}, {'data': 1}) (tuple) (IndexError: sequence 7)",
        ),
        (
            lambda **options: [(0, {"data": 0}, {"data": 1})],
            "dataset 'train', chunking = <lambda>: a piece without 'classes', which the network uses\n"
            "  received: (0, {'data': 0}, {'data': 1}) (tuple)",
        ),
        (
            lambda dataset, **options: dataset.seq_tags,
            "dataset 'train': the function 'chunking' asks the dataset for 'seq_tags', which there is not\n"
            "  expected: chunking_variance, get_data, get_data_keys, get_seq_length, get_tag, "
            "is_less_than_num_seqs, load_seqs, min_chunk_size, name, rnd_seq_drop",
        ),
    ],
)
def test_functions_that_give_no_pieces(function: Any, message: str) -> None:
    assert error_of(make((4, 4), chunking=function)) == message


# ---------------------------------------------------------------- options of a run


@pytest.mark.parametrize(
    ("longest", "growth", "first", "expected"),
    [
        (4, 1, 1, [5, 6, 7]),
        (4, 1, 2, [6, 7, 8]),
        (4, 0, 2, [4, 4, 4]),
        (4, 1.0, 3, [6.0, 6.0, 6.0]),
        (4.0, 1, 1, [4.0, 4.0, 4.0]),
        (-8, 0, 1, [-8, -8, -8]),
        (-8, 2, 1, [-6, -4, -2]),
        (0, 1, 3, [0, 0, 0]),
        (None, 1, 3, [None, None, None]),
        ({"data": 5}, 1, 3, [{"data": 5}] * 3),
    ],
)
def test_the_longest_sequence_of_each_epoch(longest: Any, growth: float, first: int, expected: list[Any]) -> None:
    """As in RETURNN, also what looks odd: only whole numbers grow."""
    options = BatchOptions(batch_size=1, max_seq_length=longest, inc_seq_length=growth).started(first)
    for limit in expected:
        options = options.next_epoch()
        assert (options.max_seq_length, type(options.max_seq_length)) == (limit, type(limit))
