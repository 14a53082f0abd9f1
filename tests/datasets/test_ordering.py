"""Sequence orders; the expected ones are what RETURNN gives for the same lengths and options."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import HDFDataset, HDFOptions, HDFWriter, IndexedDataset, init_dataset

LENGTHS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
RETURNN_ORDERS: list[tuple[str, dict[str, Any], int, list[int]]] = [
    ("default", {}, 1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("reverse", {"partition_epoch": 3}, 4, [9, 8, 7, 6]),
    ("random", {}, 1, [2, 9, 6, 4, 0, 3, 1, 7, 8, 5]),
    ("random", {}, 2, [4, 1, 5, 0, 7, 2, 3, 6, 9, 8]),
    ("random:2", {}, 2, [2, 9, 6, 4, 0, 3, 1, 7, 8, 5]),
    ("random", {"fixed_random_seed": 7}, 3, [8, 5, 0, 2, 1, 9, 7, 3, 6, 4]),
    ("random", {"random_seed_offset": 4}, 1, [9, 5, 2, 4, 7, 1, 0, 8, 6, 3]),
    ("random", {"partition_epoch": 3}, 2, [0, 3, 1]),
    ("sorted", {}, 1, [1, 3, 6, 0, 9, 2, 4, 8, 7, 5]),
    ("sorted_reverse", {}, 1, [5, 7, 4, 8, 2, 0, 9, 6, 1, 3]),
    ("sorted", {"repeat_epoch": 2}, 1, [1, 3, 6, 0, 9, 2, 4, 8, 7, 5] * 2),
    ("laplace:2", {}, 1, [6, 9, 0, 2, 4, 5, 7, 8, 3, 1]),
    ("laplace:.3", {}, 3, [1, 4, 5, 2, 9, 6, 3, 0, 8, 7]),
    ("laplace:3:2", {"partition_epoch": 2}, 3, [6, 9, 2, 4, 0]),
    ("sort_bin_shuffle:3", {}, 1, [4, 8, 7, 5, 3, 1, 6, 9, 0, 2]),
    ("sort_bin_shuffle_x2:.4", {}, 2, [9, 1, 6, 3, 0, 7, 8, 4, 2, 5]),
    ("random_sample", {}, 1, [5, 8, 9, 5, 0, 0, 1, 7, 6, 9]),
    ("default_every_n:3", {}, 1, [0, 3, 6, 1, 4, 7, 2, 5, 8]),
]


def make_dataset(**options: Any) -> IndexedDataset:
    data = [{"data": np.zeros((length, 2), np.float32)} for length in LENGTHS]
    dataset = init_dataset({"class": "StaticDataset", "data": data, **options})
    assert isinstance(dataset, IndexedDataset)
    return dataset


@pytest.mark.parametrize(("ordering", "options", "epoch", "expected"), RETURNN_ORDERS)
def test_same_order_as_returnn(ordering: str, options: dict[str, Any], epoch: int, expected: list[int]) -> None:
    dataset = make_dataset(seq_ordering=ordering, **options)
    assert dataset.init_epoch(epoch).tolist() == expected


def test_partitions_cover_the_data_once() -> None:
    dataset = make_dataset(seq_ordering="random", partition_epoch=4)
    parts = [dataset.init_epoch(epoch).tolist() for epoch in (5, 6, 7, 8)]
    assert [len(part) for part in parts] == [3, 3, 2, 2]
    assert sorted(index for part in parts for index in part) == list(range(10))


def test_ordering_may_be_a_function_of_the_epoch() -> None:
    dataset = make_dataset(seq_ordering=lambda epoch: "reverse" if epoch == 1 else "default")
    assert dataset.init_epoch(1).tolist() == list(range(10))[::-1]
    assert dataset.init_epoch(2).tolist() == list(range(10))


def test_ordering_function_that_gives_no_text() -> None:
    with pytest.raises(ConfigError, match="the function seq_ordering gave no str"):
        make_dataset(seq_ordering=lambda epoch: epoch).init_epoch(1)


@pytest.mark.parametrize(
    ("ordering", "message"),
    [
        ("sortd", "unknown seq_ordering 'sortd'"),
        ("laplace:x", "wrong parameter in seq_ordering 'laplace:x'"),
        ("laplace:0", "wrong parameter in seq_ordering 'laplace:0'"),
        ("default:3", "wrong number of parameters in seq_ordering 'default:3'"),
        ("default_every_n", "wrong number of parameters in seq_ordering 'default_every_n'"),
    ],
)
def test_wrong_ordering(ordering: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_dataset(seq_ordering=ordering)


def test_wrong_ordering_suggests_the_right_one() -> None:
    with pytest.raises(ConfigError) as caught:
        make_dataset(seq_ordering="lapalce:20", name="train")
    assert caught.value.hint == "did you mean 'laplace'?"


def test_filter_file(tmp_path: Path) -> None:
    path = tmp_path / "tags.gz"
    path.write_bytes(gzip.compress(b"seq-7\nseq-2\nother\n"))
    dataset = make_dataset(seq_list_filter_file=str(path))
    assert dataset.init_epoch(1).tolist() == [2, 7]


def test_filter_file_that_drops_everything(tmp_path: Path) -> None:
    path = tmp_path / "tags"
    path.write_text("corpus/1\n")
    with pytest.raises(DataError) as caught:
        make_dataset(seq_list_filter_file=str(path), name="dev").init_epoch(1)
    assert str(caught.value) == (
        f"dataset 'dev': no sequence left after seq_list_filter_file '{path}'\n"
        "  received: sequence tags 'seq-0', 'seq-1', 'seq-2', ...\n"
        "  try: the file has one sequence tag per line, spelled as in the dataset"
    )


@pytest.mark.parametrize("name", ["tags.pkl", "tags.pkl.gz"])
def test_pickled_filter_file(tmp_path: Path, name: str) -> None:
    raw = pickle.dumps(["seq-7", "seq-2"])
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    assert make_dataset(seq_list_filter_file=str(tmp_path / name)).init_epoch(1).tolist() == [2, 7]


@pytest.mark.parametrize("value", [{"a": ["seq-1"]}, [1, 2], 3])
def test_pickle_of_something_else(tmp_path: Path, value: object) -> None:
    path = tmp_path / "tags.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(DataError, match="not a list of sequence tags") as caught:
        make_dataset(seq_list_filter_file=str(path)).init_epoch(1)
    assert (caught.value.where, caught.value.expected) == (str(path), "a list of str")


def test_pickled_filter_file_that_runs_code(tmp_path: Path) -> None:
    path = tmp_path / "tags.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch evil'\ntR.")
    with pytest.raises(DataError, match=r"the pickle file is refused: it names os\.system"):
        make_dataset(seq_list_filter_file=str(path)).init_epoch(1)


def test_lengths_file(tmp_path: Path) -> None:
    table = {f"seq-{i}": (10 - i) / 2 for i in range(10)}
    (tmp_path / "lengths").write_text(repr(table))
    (tmp_path / "lengths.pkl").write_bytes(pickle.dumps(table))
    for name in ("lengths", "lengths.pkl"):
        dataset = make_dataset(seq_order_seq_lens_file=str(tmp_path / name), seq_ordering="sorted")
        assert dataset.init_epoch(1).tolist() == list(range(10))[::-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'seq-0': ", "the file cannot be understood"),
        ("[3]", "the file cannot be understood"),
        (repr({f"seq-{i}": "x" for i in range(10)}), "a length is no number"),
    ],
)
def test_lengths_file_with_something_else(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lengths"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        make_dataset(seq_order_seq_lens_file=str(path), seq_ordering="sorted").init_epoch(1)


def test_lengths_file_that_lacks_a_sequence(tmp_path: Path) -> None:
    path = tmp_path / "lengths"
    path.write_text("{'seq-0': 3}")
    with pytest.raises(DataError, match="seq_order_seq_lens_file lacks sequence 'seq-1'"):
        make_dataset(seq_order_seq_lens_file=str(path), seq_ordering="sorted").init_epoch(1)


def test_unique_tags_keep_the_first_in_the_order_of_the_epoch(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    with HDFWriter(path, dim=1) as writer:
        for tag in "abacb":
            writer.insert_seq(tag, np.zeros((2, 1), np.float32))
    options = HDFOptions(files=[str(path)], unique_seq_tags=True, seq_ordering="reverse")
    with HDFDataset(options) as dataset:
        assert dataset.init_epoch(1).tolist() == [4, 3, 2]
