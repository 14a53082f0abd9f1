"""A config's own dataset classes; RETURNN read those of ``own_classes.config``, too: ``own_classes.json``."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.config import dataset_base, load_config
from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import BatchOptions, IndexedDataset, PieceReader, init_dataset, plan_epoch
from runtime.datasets.base import Dataset
from tests.datasets.recorded import DATA, MAX_SEQS, summary

OWN = DATA / "own_classes.config"
CASES = json.loads((DATA / "own_classes.json").read_text(encoding="utf-8"))


def open_own(name: str) -> Dataset:
    return init_dataset(load_config(str(OWN))[name], name=name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CASES)
def test_as_in_returnn(name: str) -> None:
    with open_own(name) as dataset:
        assert not isinstance(dataset, IndexedDataset)
        for epoch, expected in CASES[name].items():
            seqs = itertools.islice(dataset.epoch(int(epoch)), MAX_SEQS)
            assert summary((seq.tag, seq.data) for seq in seqs) == expected


def test_specs_and_batches() -> None:
    dataset = open_own("collected")
    assert dataset.options.name == "collected"
    assert list(dataset.specs) == ["data", "classes", "n"]
    specs = dataset.specs
    assert (specs["data"].shape, specs["data"].dim, specs["data"].sparse) == ((None, 3), 3, False)
    assert (specs["classes"].dim, specs["classes"].sparse, specs["classes"].labels) == (4, True, tuple("abcd"))
    assert specs["n"].shape == ()
    batches = list(plan_epoch(dataset, 1, BatchOptions(batch_size=100, max_seqs=2)))
    batch = PieceReader(dataset).load(batches[0])
    assert (batch.data["data"].shape[0], batch.num_seqs) == (2, 2)


def test_keys_that_are_asked_for() -> None:
    dataset = open_own("collected")
    assert next(dataset.epoch(1, ["classes"])).data.keys() == {"classes"}
    with pytest.raises(DataError, match="no data key 'classs'"):
        dataset.epoch(1, ["classs"])


class Minimal:
    """The protocol without a base class, and no name, order or dims."""

    def __init__(self, size: int) -> None:
        self.size = size

    def init_seq_order(self, epoch: int) -> None:
        self.start = epoch

    def is_less_than_num_seqs(self, n: int) -> bool:
        return n < self.size

    def load_seqs(self, start: int, end: int) -> None:
        self.loaded = start

    def get_data_keys(self) -> list[str]:
        return ["data"]

    def get_data(self, seq_idx: int, key: str) -> Any:
        assert seq_idx == self.loaded
        return np.full((self.start, 2), seq_idx, np.float32)

    def get_tag(self, seq_idx: int) -> str:
        return f"tag {seq_idx}"


@pytest.mark.parametrize(
    "config", [{"class": Minimal, "size": 3}, Minimal(3), lambda: Minimal(3), lambda: {"class": Minimal, "size": 3}]
)
def test_forms(config: Any) -> None:
    """The class in a dict, an object, or a function that returns one; defaults that it does not take are not given."""
    dataset = init_dataset(config, name="dev", defaults={"seq_ordering": "sorted"})
    seqs = list(dataset.epoch(2))
    assert [seq.tag for seq in seqs] == ["tag 0", "tag 1", "tag 2"]
    assert seqs[1].data["data"].shape == (2, 2)
    assert (dataset.options.name, dataset.epoch_size(1)) == ("dev", None)


def test_it_may_be_inside_of_others() -> None:
    inner = {"class": Minimal, "size": 2}
    concat = init_dataset({"class": "ConcatDataset", "datasets": [inner, inner]})
    assert [seq.index for seq in concat.epoch(1)] == [0, 1, 2, 3]
    multi = init_dataset({"class": "MultiEpochDataset", "dataset": inner, "multi_epoch": 3})
    assert [len(seq.data["data"]) for seq in multi.epoch(2)] == [4, 4, 5, 5, 6, 6]
    assert (concat.epoch_size(1), multi.epoch_size(1)) == (None, None)
    with pytest.raises(ConfigError) as caught:
        config = {"class": "MetaDataset", "datasets": {"a": inner}, "data_map": {"data": ("a", "data")}}
        init_dataset(config, name="train")
    assert str(caught.value) == (
        "dataset 'train': dataset 'train_a' has no random access\n"
        "  expected: for a MetaDataset, a dataset whose sequences have numbers and an end"
    )


def test_a_class_that_fails() -> None:
    class Fails(Minimal):
        def get_data(self, seq_idx: int, key: str) -> Any:
            return dict[str, int]()["x"]

    with pytest.raises(DataError) as caught:
        list(init_dataset({"class": Fails, "size": 1}, name="train").epoch(1, ["data"]))
    line = Fails.get_data.__code__.co_firstlineno + 1
    assert str(caught.value) == (
        "dataset 'train': Fails.get_data of the config's dataset class failed\n"
        f"  received: KeyError: 'x', at {__file__}:{line}"
    )


class NoLoading(dataset_base.Dataset):
    num_seqs = 1


class NoReading(NoLoading):
    def _load_seqs(self, start: int, end: int) -> None:
        pass


class NoMaking(dataset_base.GeneratingDataset):
    def __init__(self, **options: Any) -> None:
        super().__init__(input_dim=2, output_dim=3, num_seqs=2, **options)


@pytest.mark.parametrize(
    ("cls", "missing"),
    [
        (dataset_base.Dataset, "the number of sequences"),
        (NoLoading, "_load_seqs"),
        (NoReading, "get_data"),
        (dataset_base.CachedDataset2, "_collect_single_seq"),
        (NoMaking, "generate_seq"),
    ],
)
def test_a_class_that_lacks_a_method(cls: type, missing: str) -> None:
    with pytest.raises(DataError) as caught:
        _ = init_dataset({"class": cls}).specs
    assert str(caught.value.received).startswith(f"NotImplementedError: {missing}, at ")


def test_options_that_a_class_does_not_take() -> None:
    with pytest.raises(ConfigError) as caught:
        init_dataset({"class": Minimal, "size": 1, "seq_ordering": "random"}, name="train")
    assert caught.value.what == "Minimal(...) of the config's dataset class failed"
    assert "unexpected keyword argument 'seq_ordering'" in str(caught.value.received)


def test_no_sequences() -> None:
    dataset = init_dataset({"class": Minimal, "size": 0}, name="dev")
    with pytest.raises(DataError, match="dataset 'dev': the dataset has no sequences"):
        _ = dataset.specs


def test_orders_need_lengths_and_tags(tmp_path: Path) -> None:
    config = {**load_config(str(OWN))["collected"], "seq_ordering": "sorted", "with_lengths": False}  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="seq_ordering 'sorted' needs lengths, which train does not give"):
        next(init_dataset({**config, "name": "train"}).epoch(1, ["data"]))


def test_classes_of_returnn_itself(tmp_path: Path) -> None:
    """A config may name RETURNN's classes as objects; those that are built are ours."""
    path = tmp_path / "net.py"
    path.write_text(
        "from returnn.datasets.generating import Task12AXDataset\nfrom returnn.datasets.lm import LmDataset\n"
        "train = {'class': Task12AXDataset, 'num_seqs': 3}\ndev = {'class': LmDataset}\n"
    )
    config = load_config(str(path))
    assert isinstance(init_dataset(config["train"]), IndexedDataset)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="RETURNN's LmDataset is not built yet"):
        init_dataset(config["dev"])  # type: ignore[arg-type]


def test_endless() -> None:
    config = load_config(str(OWN))["generated"]
    dataset = init_dataset({**config, "num_seqs": math.inf, "seq_ordering": "default"})  # type: ignore[dict-item]
    tags: Iterator[str] = (seq.tag for seq in dataset.epoch(1))
    assert list(itertools.islice(tags, 12)) == [f"seq-{index}" for index in range(12)]
