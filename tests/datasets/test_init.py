"""Datasets from configs, and the messages for wrong ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.config import load_config
from returnn_ir.errors import ConfigError, ProblemList
from runtime.datasets import IndexedDataset, init_dataset
from runtime.datasets.registry import NOT_BUILT, dataset_names

#: Classes that others are derived from, and hold no data themselves.
RETURNN_BASES = {"CachedDataset", "CachedDataset2", "Dataset", "GeneratingDataset"}
TASK: dict[str, Any] = {"class": "Task12AXDataset", "num_seqs": 5}


@pytest.mark.parametrize(
    "config",
    [TASK, lambda: TASK, "{'class': 'Task12AXDataset', 'num_seqs': 5}", "Task12AXDataset:num_seqs=5"],
    ids=["dict", "function", "dict-as-text", "old-text"],
)
def test_forms_of_a_config(config: Any) -> None:
    dataset = init_dataset(config, name="train")
    assert isinstance(dataset, IndexedDataset)
    assert (dataset.num_seqs, dataset.options.name) == (5, "train")
    assert init_dataset(dataset) is dataset


def test_defaults_apply_where_the_config_is_silent() -> None:
    defaults = {"seq_ordering": "random", "num_seqs": 9, "cache_byte_size": 100}
    dataset = init_dataset(TASK, defaults=defaults)
    assert dataset.epoch_size(1) == 5
    assert dataset.options.seq_ordering == "random"


def test_unknown_class() -> None:
    with pytest.raises(ConfigError) as caught:
        init_dataset({"class": "HDFDatset"}, name="train")
    assert str(caught.value) == (
        "dataset 'train': unknown dataset class 'HDFDatset'\n"
        f"  expected: one of {', '.join(dataset_names())}\n"
        "  try: did you mean 'HDFDataset'?"
    )


def test_class_that_is_not_built() -> None:
    with pytest.raises(ConfigError) as caught:
        init_dataset({"class": "OggZipDataset", "path": "a.zip", "audio": {}}, name="train")
    assert str(caught.value) == (
        "dataset 'train': RETURNN's OggZipDataset is not built yet\n"
        f"  expected: one of {', '.join(dataset_names())}\n"
        "  try: dump its data to HDF files with RETURNN, and use HDFDataset"
    )
    with pytest.raises(ConfigError, match="did you mean 'LmDataset'"):
        init_dataset({"class": "LmDatset"})
    with pytest.raises(ConfigError, match="RETURNN's ExternSprintDataset is not built yet"):
        init_dataset("sprint:--config=training.config")


def test_every_dataset_of_returnn_is_known() -> None:
    """Built or not; the list is that of the classes that RETURNN 1.20261022 finds by name."""
    names = (Path(__file__).parent / "data" / "returnn_classes.txt").read_text(encoding="utf-8").split()
    assert set(names) == {*dataset_names(), *NOT_BUILT, *RETURNN_BASES}
    assert not NOT_BUILT & set(dataset_names())


def test_name_of_another_option() -> None:
    names = {"data_a": TASK, "nested": "config:data_a"}
    for text in ("config:data_a", "config:nested"):
        dataset = init_dataset(text, name="train", names=names)
        assert isinstance(dataset, IndexedDataset)
        assert dataset.num_seqs == 5
    with pytest.raises(ConfigError) as caught:
        init_dataset("config:data_b", name="train", names=names)
    assert str(caught.value) == (
        "dataset 'train': the config has no 'data_b'\n  received: 'config:data_b'\n  try: did you mean 'data_a'?"
    )


def test_unknown_option() -> None:
    with pytest.raises(ConfigError) as caught:
        init_dataset({**TASK, "seq_order": "sorted"}, name="dev")
    assert caught.value.what == "Task12AXDataset has no option 'seq_order'"
    assert caught.value.where == "dataset 'dev'"
    assert caught.value.hint == "did you mean 'seq_ordering'?"


def test_all_wrong_options_at_once() -> None:
    with pytest.raises(ProblemList) as caught:
        init_dataset({**TASK, "seq_order": "sorted", "chunking": "50:x", "shuffle_frames_of_nseqs": 2})
    assert [problem.what for problem in caught.value.problems] == [
        "Task12AXDataset has no option 'seq_order'",
        "option 'shuffle_frames_of_nseqs' of Task12AXDataset is not supported",
        "option 'chunking' cannot be understood",
    ]


def test_options_that_are_off_are_accepted() -> None:
    init_dataset({**TASK, "window": 1, "chunking": "0", "context_window": None, "shuffle_frames_of_nseqs": 0})


@pytest.mark.parametrize("value", [np.zeros(2), [50, 25], "50:25", True])
def test_unsupported_option_of_any_type(value: Any) -> None:
    with pytest.raises(ConfigError, match="option 'shuffle_frames_of_nseqs' of Task12AXDataset is not supported"):
        init_dataset({**TASK, "shuffle_frames_of_nseqs": value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"partition_epoch": 0}, "Task12AXDataset: option 'partition_epoch' is out of range"),
        ({"partition_epoch": 2, "repeat_epoch": 2}, "partition_epoch and repeat_epoch exclude each other"),
        ({"unique_seq_tags": "yes"}, "Task12AXDataset: option 'unique_seq_tags' has the wrong type"),
        ({"seq_ordering": 3}, "Task12AXDataset: option 'seq_ordering' has the wrong type"),
        ({"num_seqs": "many"}, "Task12AXDataset: option 'num_seqs' has the wrong type"),
    ],
)
def test_wrong_values(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        init_dataset({**TASK, **options}, name="train")
    assert caught.value.where == "dataset 'train'"


@pytest.mark.parametrize("text", ["{'class': ", "Task12AXDataset:num_seqs=open('x')", "Task12AXDataset:7"])
def test_text_that_is_no_dataset(text: str) -> None:
    with pytest.raises(ConfigError, match="the dataset cannot be understood"):
        init_dataset(text)


def test_no_class() -> None:
    with pytest.raises(ConfigError, match="the dataset has no 'class'"):
        init_dataset({"files": ["a.hdf"]})


def test_not_a_dict() -> None:
    bad: Any = 3
    with pytest.raises(ConfigError, match="not a dataset"):
        init_dataset(bad)


def test_places_of_options(tmp_path: Path) -> None:
    """A function says where the dataset and where each option stands."""
    path = tmp_path / "net.py"
    path.write_text("train = {\n  'class': 'Task12AXDataset',\n  'num_seqs': True,\n  'seq_ordring': 'sorted'}\n")
    config = load_config(str(path))
    with pytest.raises(ProblemList) as caught:
        init_dataset(config["train"], name="train", where=partial(config.place, "train"))  # type: ignore[arg-type]
    unknown, wrong = map(str, caught.value.problems)
    assert unknown.startswith(f"{path}:4, key 'train.seq_ordring': Task12AXDataset has no option 'seq_ordring'\n")
    assert wrong == (
        f"{path}:3, key 'train.num_seqs': Task12AXDataset: option 'num_seqs' has the wrong type\n"
        "  expected: a number of sequences, or inf\n  received: True (bool)"
    )
    text = "Task12AXDataset:num_seqs=0"
    with pytest.raises(ConfigError) as one:
        init_dataset(text, where=partial(config.place, "train"))
    assert "option 'num_seqs' is out of range" in str(one.value)
