"""Datasets made of others: what is read, what is refused, what is closed; ``test_recorded`` has RETURNN's orders."""

from __future__ import annotations

import json
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.config import load_config
from returnn_ir.errors import ConfigError, DataError, UserError
from runtime.datasets import HDFDataset, HDFWriter, IndexedDataset, init_dataset

META: dict[str, Any] = {"class": "MetaDataset", "data_map": {"data": ("a", "data"), "align": ("b", "data")}}
COMBINED: dict[str, Any] = {"class": "CombinedDataset", "data_map": {("a", "data"): "data", ("b", "data"): "other"}}


def static(*frames: int, dim: int = 2, **options: Any) -> dict[str, Any]:
    data = [{"data": np.full((count, dim), index, np.float32)} for index, count in enumerate(frames)]
    return {"class": "StaticDataset", "data": data, **options}


def labels(count: int, dim: int, **options: Any) -> dict[str, Any]:
    data = [{"data": np.full(index + 1, index, np.int32)} for index in range(count)]
    return {"class": "StaticDataset", "data": data, "output_dim": {"data": (dim, 1)}, **options}


def make(config: dict[str, Any], **options: Any) -> IndexedDataset:
    dataset = init_dataset({**config, **options}, name="train")
    assert isinstance(dataset, IndexedDataset)
    return dataset


def meta(**options: Any) -> IndexedDataset:
    return make(META, **{"datasets": {"a": static(3, 1, 2), "b": labels(4, 9)}, **options})


def combined(**options: Any) -> IndexedDataset:
    return make(COMBINED, **{"datasets": {"a": static(3, 1), "b": labels(3, 9)}, **options})


# ---------------------------------------------------------------- MetaDataset


def test_meta_reads_from_each_dataset_what_is_asked_for() -> None:
    dataset = meta()
    assert list(dataset.specs) == ["data", "align"]
    assert (dataset.specs["align"].dim, dataset.specs["align"].sparse) == (9, True)
    assert (dataset.num_seqs, dataset.lengths("data").tolist(), dataset.lengths("align").tolist()) == (
        3,
        [3, 1, 2],
        [1, 2, 3],
    )
    assert dataset.get_seq(1, ["align"]).data.keys() == {"align"}
    seq = dataset.get_seq(2)
    assert (seq.tag, seq.index, seq.data["align"].tolist()) == ("seq-2", 2, [2, 2, 2])
    assert dataset.epoch_size(1) == 3


def test_meta_sorts_by_data_of_the_default_dataset_and_names_the_orders() -> None:
    assert meta(seq_ordering="sorted").init_epoch(1).tolist() == [1, 2, 0]
    control = {"a": static(3, 1, 2, seq_ordering="sorted_reverse"), "b": labels(4, 9, seq_ordering="reverse")}
    assert meta(datasets=control, seq_order_control_dataset="a").init_epoch(1).tolist() == [0, 2, 1]
    other = {**control, "b": static(1, 1, 5, seq_ordering="sorted")}
    assert meta(data_map={"data": ("a", "data")}, datasets=other, seq_order_control_dataset="b").init_epoch(
        1
    ).tolist() == [0, 1, 2]


def test_meta_passes_the_seed_on_but_not_over_an_own_one() -> None:
    datasets = {"a": static(*range(1, 9), seq_ordering="random"), "b": labels(9, 9)}
    control = {"seq_order_control_dataset": "a", "random_seed_offset": 3}
    expected = make(datasets["a"], random_seed_offset=3).init_epoch(1).tolist()
    assert meta(datasets=datasets, **control).init_epoch(1).tolist() == expected
    own = {**datasets, "a": {**datasets["a"], "random_seed_offset": 0}}
    assert meta(datasets=own, **control).init_epoch(1).tolist() == make(datasets["a"]).init_epoch(1).tolist()


def test_meta_generated_data_is_that_of_the_epoch() -> None:
    copy = {"class": "CopyTaskDataset", "num_seqs": 3, "nsymbols": 9, "minlen": 1, "maxlen": 9}
    dataset = meta(datasets={"a": static(1, 1, 1), "b": copy}, seq_order_control_dataset="a")
    alone = make(copy)
    for epoch in (1, 4):
        for seq, expected in zip(dataset.epoch(epoch), alone.epoch(epoch), strict=True):
            np.testing.assert_array_equal(seq.data["align"], expected.data["data"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seq_order_control_dataset": "c"}, "there is no dataset 'c' in 'datasets'"),
        ({"data_map": {"data": ("aa", "data")}}, "there is no dataset 'aa' in 'datasets'"),
        ({"data_map": {"data": ("a", "dat")}}, "no data key 'dat'"),
        ({"data_map": {"data": ("a",)}}, "wrong data_map for 'data'"),
        ({"data_map": {"align": ("b", "data")}}, "MetaDataset has no dataset to order"),
        ({"data_dims": {"data": (2, 2)}}, "wrong data_dims for 'align'"),
        ({"data_dims": {"data": (3, 2), "align": (9, 1)}}, "wrong data_dims for 'data'"),
        ({"datasets": {"a": static(1), "b": {"class": "Task12AXDataset"}}}, "dataset 'train_b' has no random access"),
        ({"datasets": {"a": static(1), "b": {"class": "HDFDatset"}}}, "unknown dataset class 'HDFDatset'"),
    ],
)
def test_meta_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        meta(**options)


def test_data_dims_say_the_number_of_classes() -> None:
    dataset = meta(data_dims={"data": (2, 2), "align": [12, 1]})
    assert (dataset.specs["data"].dim, dataset.specs["align"].dim) == (2, 12)


def test_meta_sequences_that_a_dataset_lacks() -> None:
    dataset = meta(datasets={"a": static(3, 1, 2), "b": labels(2, 9)})
    with pytest.raises(DataError) as caught:
        dataset.init_epoch(1)
    assert str(caught.value) == (
        "dataset 'train': dataset 'train_b' has no sequence 'seq-2'\n"
        "  expected: the tags of dataset 'train_a'\n"
        "  received: 1 of 3 sequences are missing"
    )
    # Sequences that the epoch does not have may be missing.
    parts = {"a": static(3, 1, 2, partition_epoch=2), "b": labels(2, 9)}
    assert meta(datasets=parts, seq_order_control_dataset="a").init_epoch(1).tolist() == [0, 1]


def write_lists(folder: Path, **lists: list[str]) -> str:
    path = folder / "lists.pkl"
    path.write_bytes(pickle.dumps(lists))
    return str(path)


def test_meta_list_by_dataset(tmp_path: Path) -> None:
    path = write_lists(tmp_path, a=["seq-2", "seq-0"], b=["seq-3", "seq-1"])
    dataset = meta(seq_list_file=path)
    assert (dataset.num_seqs, dataset.all_tags()) == (2, ["seq-2", "seq-0"])
    assert [(seq.tag, seq.data["align"][0]) for seq in dataset.epoch(1)] == [("seq-2", 3), ("seq-0", 1)]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"a": ["seq-2"]}, "seq_list_file has no list for 'b'"),
        ({"a": ["seq-2"], "b": []}, "the lists of seq_list_file have different sizes"),
        ({"a": ["seq-7"], "b": ["seq-1"]}, "seq_list_file has the tag 'seq-7', and dataset 'train_a' has not"),
        ({"a": ["seq-1"], "b": ["seq-9"]}, "dataset 'train_b' has no sequence 'seq-9'"),
        ({"a": [], "b": []}, "the dataset has no sequences"),
    ],
)
def test_meta_wrong_lists(tmp_path: Path, lists: dict[str, list[str]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        meta(seq_list_file=write_lists(tmp_path, **lists)).init_epoch(1)


def test_meta_list_that_is_not_in_the_order_of_the_controlling_dataset(tmp_path: Path) -> None:
    path = write_lists(tmp_path, a=["seq-2", "seq-1", "seq-0"], b=["seq-1"] * 3)
    with pytest.raises(DataError) as caught:
        meta(seq_list_file=path, seq_order_control_dataset="a").init_epoch(1)
    assert caught.value.what == "seq_list_file is not in the order of dataset 'train_a'"
    assert caught.value.hint == "leave seq_order_control_dataset out: then the list is ordered"
    short = write_lists(tmp_path, a=["seq-0"], b=["seq-1"])
    with pytest.raises(DataError, match="seq_list_file is not in the order of"):
        meta(seq_list_file=short, seq_order_control_dataset="a").init_epoch(1)


def test_meta_lengths_file(tmp_path: Path) -> None:
    path = tmp_path / "lengths.json"
    path.write_text(json.dumps({f"seq-{index}": {"data": size} for index, size in enumerate((7, 8, 6))}))
    dataset = meta(seq_lens_file=str(path), seq_ordering="sorted")
    assert dataset.init_epoch(1).tolist() == [2, 0, 1]
    assert dataset.lengths("data").tolist() == [3, 1, 2]
    assert meta(seq_lens_file="", seq_ordering="sorted").init_epoch(1).tolist() == [1, 2, 0]
    for text, message in {
        '{"seq-0": {"data": 3}}': "seq_lens_file lacks a length",
        "[": "not a JSON file",
        "[]": "not a dict",
    }.items():
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            meta(seq_lens_file=str(path), seq_ordering="sorted").init_epoch(1)


def test_places_of_inner_options(tmp_path: Path) -> None:
    """A message about a dataset inside has the line that it stands in."""
    path = tmp_path / "net.py"
    path.write_text(
        "train = {\n 'class': 'MetaDataset',\n 'data_map': {'data': ('a', 'data')},\n 'datasets': {\n"
        "  'a': {\n   'class': 'Task12AXDataset',\n   'num_seqs': 3,\n   'seq_ordring': 'random'}}}\n"
    )
    config = load_config(str(path))
    with pytest.raises(ConfigError) as caught:
        init_dataset(config["train"], name="train", where=partial(config.place, "train"))  # type: ignore[arg-type]
    assert str(caught.value).splitlines()[0] == (
        f"{path}:8, key 'train.datasets.a.seq_ordring': Task12AXDataset has no option 'seq_ordring'"
    )


def test_what_was_opened_is_closed_when_the_next_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.hdf"
    with HDFWriter(path, dim=1) as writer:
        writer.insert_seq("a", np.zeros((2, 1), np.float32))
    closed = []
    monkeypatch.setattr(HDFDataset, "close", lambda self: closed.append(self.options.name))
    good = {"class": "HDFDataset", "files": str(path)}
    bad = {"class": "HDFDataset", "files": "missing.hdf"}
    for config in (
        {**META, "datasets": {"a": good, "b": bad}},
        {**COMBINED, "datasets": {"a": good, "b": bad}},
        {"class": "ConcatDataset", "datasets": [good, bad]},
        {"class": "ConcatDataset", "datasets": [good, static(3)]},
    ):
        with pytest.raises(DataError):
            init_dataset(config)
    assert closed == ["a", "a", "0", "0"]
    closed.clear()
    twice = {"class": "MultiEpochDataset", "dataset": good, "multi_epoch": 2}
    init_dataset({"class": "ConcatDataset", "datasets": [good, twice]}, name="train").close()
    assert closed == ["train_0", "train_1_dataset"]


# ---------------------------------------------------------------- CombinedDataset


def test_combined_gives_empty_data_for_what_a_dataset_lacks() -> None:
    dataset = combined()
    assert list(dataset.specs) == ["data", "other"]
    assert (dataset.lengths("data").tolist(), dataset.lengths("other").tolist()) == ([3, 1, 0, 0, 0], [0, 0, 1, 2, 3])
    first, last = dataset.get_seq(1), dataset.get_seq(4)
    assert (first.tag, first.index, first.data["other"].shape, first.data["other"].dtype.name) == (
        "seq-1",
        1,
        (0,),
        "int32",
    )
    assert (last.tag, last.index, last.data["data"].shape, last.data["data"].dtype.name) == (
        "seq-2",
        4,
        (0, 2),
        "float32",
    )
    typed = combined(data_dtypes={"data": "float64"}).get_seq(4, ["data"])
    assert (typed.data["data"].dtype.name, list(typed.data)) == ("float64", ["data"])
    with pytest.raises(IndexError):
        dataset.get_seq(5)


def test_combined_sizes_of_epochs() -> None:
    assert combined().epoch_size(1) == 5
    assert combined(repeat_epoch=3).epoch_size(1) == len(combined(repeat_epoch=3).init_epoch(1)) == 15
    assert combined(sampling_sizes=4).epoch_size(1) == len(combined(sampling_sizes=4).init_epoch(1)) == 8
    assert combined(estimated_num_seqs=70).epoch_size(1) == 70


def test_combined_choice_by_tag(tmp_path: Path) -> None:
    """RETURNN's CombinedDataset has no tags to choose by; here they are those of the datasets."""
    (tmp_path / "tags").write_text("seq-2\n")
    assert combined(seq_list_filter_file=str(tmp_path / "tags")).init_epoch(1).tolist() == [4]
    assert combined(unique_seq_tags=True).init_epoch(1).tolist() == [0, 1, 4]


def test_combined_number_of_classes_is_that_of_the_last_dataset() -> None:
    options = {"data_map": {("a", "data"): "data", ("b", "data"): "data"}}
    assert combined(**options, datasets={"a": labels(2, 7), "b": labels(2, 5)}).specs["data"].dim == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_map": {("a", "data"): "data", ("c", "data"): "x"}}, "there is no dataset 'c' in 'datasets'"),
        ({"data_map": {}}, "CombinedDataset has an empty data_map"),
        ({"data_map": {"data": ("a", "data")}}, "option 'data_map' has the wrong type"),
        ({"data_map": {("a", "data"): "data", ("b", "data"): "data"}}, "data of key 'data' does not fit"),
        ({"data_dims": {"data": (3, 2), "other": 9}}, "wrong data_dims for 'data'"),
        ({"sampling_sizes": {"a": 3}}, "sampling_sizes does not fit the datasets"),
        ({"sampling_sizes": 3, "partition_epoch": 2}, "option 'partition_epoch' has no effect here"),
        ({"seq_ordering": "interleave", "repeat_epoch": 2}, "option 'repeat_epoch' has no effect here"),
        ({"interleave_gumbel_scale": 0.5}, "option 'interleave_gumbel_scale' has no effect here"),
        ({"seq_ordering": "random_datset"}, "unknown seq_ordering 'random_datset'"),
    ],
)
def test_combined_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        combined(**options)


def test_orders_that_only_a_combined_dataset_has() -> None:
    with pytest.raises(ConfigError) as caught:
        combined(seq_ordering="random_datset")
    assert caught.value.hint == "did you mean 'random_dataset'?"
    assert "default_every_n, random_dataset, interleave, some with" in str(caught.value.expected)
    with pytest.raises(ConfigError, match="unknown seq_ordering 'interleave'"):
        make(static(1), seq_ordering="interleave")


# ---------------------------------------------------------------- ConcatDataset, MultiEpochDataset


def test_concat_goes_through_all_in_their_orders() -> None:
    first, second = static(3, 1, seq_ordering="sorted"), static(2, 4, 6, partition_epoch=3)
    dataset = make({"class": "ConcatDataset", "datasets": [first, second]})
    assert [dataset.init_epoch(epoch).tolist() for epoch in (1, 2, 3)] == [[1, 0, 2], [1, 0, 3], [1, 0, 4]]
    assert (dataset.num_seqs, dataset.epoch_size(1), dataset.lengths("data").tolist()) == (5, 3, [3, 1, 2, 4, 6])
    assert (dataset.get_seq(3).tag, dataset.get_seq(3).index) == ("seq-1", 3)


def test_multi_epoch_reads_in_the_inner_epoch() -> None:
    copy = {"class": "CopyTaskDataset", "num_seqs": 2, "nsymbols": 5, "minlen": 1, "maxlen_epoch_factor": 9}
    dataset, alone = make({"class": "MultiEpochDataset", "dataset": copy, "multi_epoch": 3}), make(copy)
    expected = [seq.data["data"].tolist() for epoch in (4, 5, 6) for seq in alone.epoch(epoch)]
    order = dataset.init_epoch(2)
    assert dataset.lengths("data")[order].tolist() == [len(data) for data in expected]
    for number in (0, 5, 2, 4, 1, 3):
        assert dataset.get_seq(int(order[number])).data["data"].tolist() == expected[number]
    assert (dataset.num_seqs, dataset.epoch_size(1), dataset.by_tag("seq-1")) == (6, 6, 1)


def test_a_default_order_is_not_for_datasets_without_one() -> None:
    """RETURNN sorts dev sets by default, and then raises for a ConcatDataset."""
    for config in (
        {"class": "ConcatDataset", "datasets": [static(2, 1)]},
        {"class": "MultiEpochDataset", "dataset": static(2, 1), "multi_epoch": 1},
    ):
        dataset = init_dataset(config, name="dev", defaults={"seq_ordering": "sorted"})
        assert isinstance(dataset, IndexedDataset)
        assert dataset.init_epoch(1).tolist() == [0, 1]
        for option, value in {"seq_ordering": "random", "partition_epoch": 2, "fixed_random_seed": 1}.items():
            with pytest.raises(ConfigError, match=f"option '{option}' has no effect here"):
                init_dataset({**config, option: value})
        init_dataset({**config, "partition_epoch": 1, "repeat_epoch": 1})


def test_concat_of_data_that_differ() -> None:
    for other, message in {
        "keys": ({**static(1), "data": [{"x": np.zeros(1)}]}, "the datasets have different data keys"),
        "dims": (static(1, dim=3), "data of key 'data' does not fit"),
        "kinds": ({**static(1), "data": [{"data": np.zeros((1, 2), np.int32)}]}, "data of key 'data' does not fit"),
    }.values():
        with pytest.raises(DataError, match=message):
            make({"class": "ConcatDataset", "datasets": [static(1), other]})
    with pytest.raises(DataError) as caught:
        make({"class": "ConcatDataset", "datasets": [labels(1, 4), static(1)]})
    assert str(caught.value) == (
        "dataset 'train_1': data of key 'data' does not fit\n"
        "  expected: as in dataset 'train_0': sparse, dim 4, shape (None,), int32\n"
        "  received: dense, dim 2, shape (None, 2), float32"
    )
    wider = {**static(1), "data": [{"data": np.zeros((1, 2), np.float64)}]}
    assert make({"class": "ConcatDataset", "datasets": [static(1), wider]}).specs["data"].dtype == "float64"
    with pytest.raises(ConfigError, match="ConcatDataset has no datasets"):
        make({"class": "ConcatDataset", "datasets": []})
