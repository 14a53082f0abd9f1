"""Generated data: what is asked for, options, and epochs without an end; ``test_recorded`` has RETURNN's numbers."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import ConfigError, UserError
from returnn_ir.ir.dims import Dim
from runtime.datasets import IndexedDataset, init_dataset
from runtime.datasets.classes.episodic_copy import EpisodicCopy, EpisodicCopyOptions
from runtime.datasets.classes.task12ax import Task12AX, Task12AXOptions
from runtime.datasets.classes.variable_assignment import VariableAssignment, VariableAssignmentOptions
from runtime.datasets.classes.xml_modeling import XmlModeling, XmlModelingOptions
from runtime.datasets.generating import Letters

RETURNN_SEQUENCES: list[tuple[dict[str, Any], int, int, str, str]] = [
    ({}, 1, 1, "AXX3Y1BYXBYYX1B", "LLLLLLLLLLLLLLL"),
    ({}, 2, 1, "2AXAXB2BY12BYAAX31AX2BY1BY1AXAXAX2A", "LLLLLLLLRLLLRLLLLLLRLLRLLLLLRLRLRLL"),
    ({"fixed_random_seed": 3}, 5, 2, "22AXAXC2BYBBY31AX112BYBZBY2B", "LLLLLLLLLRLLRLLLRLLLLRLLLRLL"),
]


def make(class_name: str, **options: Any) -> IndexedDataset:
    dataset = init_dataset({"class": class_name, **options})
    assert isinstance(dataset, IndexedDataset)
    return dataset


@pytest.mark.parametrize(("options", "epoch", "index", "inputs", "outputs"), RETURNN_SEQUENCES)
def test_same_12ax_as_returnn(options: dict[str, Any], epoch: int, index: int, inputs: str, outputs: str) -> None:
    dataset = make("Task12AXDataset", num_seqs=3, **options)
    dataset.init_epoch(epoch)
    seq = dataset.get_seq(index)
    assert "".join("123ABCXYZ"[symbol] for symbol in seq.data["data"].argmax(axis=1)) == inputs
    assert "".join("LR"[label] for label in seq.data["classes"]) == outputs
    np.testing.assert_array_equal(seq.data["data"].sum(axis=1), 1)


TASKS: list[tuple[Letters, str, str]] = [
    (Task12AX(Task12AXOptions()), "1AX", "LLR"),
    (Task12AX(Task12AXOptions()), "1BX2BYY", "LLLLLRL"),
    (Task12AX(Task12AXOptions()), "1A2CAZX", "LLLLLLL"),
    (EpisodicCopy(EpisodicCopyOptions()), "073  .....", "      073."),
    (XmlModeling(XmlModelingOptions()), " <ab><c></c></ab>", "<   <  < c>< ab><"),
    (VariableAssignment(VariableAssignmentOptions()), "S(ab,c),S(cd,e),Q(ab)c.", "                    c. "),
]


@pytest.mark.parametrize(("task", "inputs", "outputs"), TASKS)
def test_definitions(task: Letters, inputs: str, outputs: str) -> None:
    assert task.answer(inputs) == outputs


def test_specs() -> None:
    specs = make("Task12AXDataset", num_seqs=1).specs
    assert (specs["data"].dim, specs["data"].sparse, specs["data"].shape) == (9, False, (None, 9))
    assert (specs["classes"].dim, specs["classes"].sparse, specs["classes"].labels) == (2, True, ("L", "R"))


def test_sorting_is_ignored_as_in_returnn() -> None:
    assert make("Task12AXDataset", num_seqs=5, seq_ordering="sorted_reverse").init_epoch(1).tolist() == [0, 1, 2, 3, 4]


def test_tags_have_their_numbers() -> None:
    dataset = make("CopyTaskDataset", num_seqs=5, nsymbols=3, minlen=1, maxlen=2)
    assert dataset.by_tags(["seq-3", "seq-5", "seq-03x", "3", "seq-", "seq-0"]).tolist() == [3, -1, -1, -1, -1, 0]
    assert dataset.by_tag("seq-4") == 4


# ---------------------------------------------------------------- epochs without an end


@pytest.mark.parametrize("class_name", ["Task12AXDataset", "TaskXmlModelingDataset", "TaskNumberBaseConvertDataset"])
def test_an_epoch_without_an_end_begins_as_one_with_an_end(class_name: str) -> None:
    finite = make(class_name, num_seqs=5)
    for options in ({}, {"num_seqs": math.inf}, {"num_seqs": math.inf, "seq_ordering": "sorted"}):
        endless = init_dataset({"class": class_name, **options})
        assert not isinstance(endless, IndexedDataset)
        assert endless.epoch_size(1) is None
        for seq, expected in zip(itertools.islice(endless.epoch(3), 5), finite.epoch(3), strict=True):
            assert (seq.tag, seq.index) == (expected.tag, expected.index)
            np.testing.assert_array_equal(seq.data["classes"], expected.data["classes"])
        assert next(endless.epoch(2, ["data"])).data.keys() == {"data"}


def test_the_old_text_form_has_epochs_without_an_end_too() -> None:
    assert not isinstance(init_dataset('Task12AXDataset:num_seqs=float("inf")'), IndexedDataset)


def test_order_of_an_epoch_without_an_end() -> None:
    with pytest.raises(ConfigError) as caught:
        init_dataset({"class": "Task12AXDataset", "seq_ordering": "random"}, name="train")
    assert str(caught.value) == (
        "dataset 'train': option 'seq_ordering' has no effect here: the epochs of this dataset do not end, num_seqs is "
        "inf\n  received: 'random'\n  try: give num_seqs, or leave it out"
    )


# ---------------------------------------------------------------- wrong options

_DUMMY = {"class": "DummyDataset", "num_seqs": 2, "input_dim": 2, "output_dim": 3}
_KEYS = {"class": "DummyDatasetMultipleDataKeys", "num_seqs": 2, "output_dim": {"data": 3, "classes": 2}}
_GENERIC = {"class": "DummyGenericDataset", "num_seqs": 2}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"class": "Task12AXDataset", "num_seqs": 2.5}, "wrong num_seqs"),
        (
            {"class": "CopyTaskDataset", "num_seqs": 1, "nsymbols": 300, "minlen": 1},
            "option 'nsymbols' is out of range",
        ),
        ({"class": "TaskNumberBaseConvertDataset", "input_base": 37}, "option 'input_base' is out of range"),
        (
            {"class": "TaskNumberBaseConvertDataset", "min_input_seq_len": 9},
            "min_input_seq_len is above max_input_seq_len",
        ),
        ({**_DUMMY, "output_dim": {"other": 3}}, "wrong output_dim for 'classes'"),
        ({**_DUMMY, "output_dim": {"classes": (3, "x")}}, "wrong output_dim for 'classes'"),
        ({**_DUMMY, "output_dim": {"classes": (0, 1)}}, "wrong output_dim for 'classes'"),
        ({**_DUMMY, "input_max_value": 0}, "wrong input_max_value"),
        ({**_DUMMY, "class": "DummyDatasetMultipleSequenceLength", "seq_len": {"data": 3}}, "wrong seq_len"),
        ({**_KEYS, "data_keys": ["data"]}, "wrong keys of output_dim"),
        ({**_KEYS, "seq_len": {"data": 3}}, "wrong keys of seq_len"),
        ({**_GENERIC, "data_template": {"data": 3}}, "no data template"),
        ({**_GENERIC, "data_template": {"data": {"dim": 3}}, "seq_lens": (3, 2)}, "wrong seq_lens"),
        ({**_GENERIC, "data_template": {"data": {"dim": 3}}, "seq_lens": "x"}, "wrong seq_lens"),
        ({**_GENERIC, "data_template": {"data": {"dim": None, "sparse": True}}}, "cannot make data like 'data'"),
        ({**_GENERIC, "data_template": {"data": {"dim": 3, "dtype": "complex64"}}}, "cannot make data like 'data'"),
        ({**_GENERIC, "data_template": {"data": {"dim_tags": [Dim("t") // 2]}}}, "cannot make data like 'data'"),
    ],
)
def test_wrong_options(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        init_dataset(config)


def test_copy_task_with_no_lengths_in_an_epoch() -> None:
    dataset = make("CopyTaskDataset", num_seqs=1, nsymbols=3, minlen=5, maxlen=3, maxlen_epoch_factor=1, name="train")
    with pytest.raises(ConfigError) as caught:
        next(dataset.epoch(1))
    assert str(caught.value) == (
        "dataset 'train': no lengths in epoch 1\n"
        "  expected: 0 < minlen <= maxlen, each with its epoch factor\n"
        "  received: from 5 to 4"
    )
    assert len(next(dataset.epoch(2)).data["data"]) == 5


def test_copy_task_of_many_symbols() -> None:
    """RETURNN says int8 up to 256 symbols, and NumPy 2 refuses the upper half; here it is there."""
    data = next(make("CopyTaskDataset", num_seqs=1, nsymbols=256, minlen=500, maxlen=500).epoch(1)).data["data"]
    assert (data.dtype.name, data.max()) == ("uint8", 255)


def test_axes_that_keys_share_have_one_length() -> None:
    time = Dim("time")
    template: dict[str, Any] = {"data": {"dim_tags": [time, Dim("f", 2)], "batch_dim_axis": None}}
    template["classes"] = {"dim_tags": [time], "sparse": True, "dim": 5, "batch_dim_axis": None}
    dataset = make("DummyGenericDataset", num_seqs=4, data_template=template, seq_lens={time: (3, 3)})
    dataset.init_epoch(1)
    assert dataset.lengths("data").tolist() == dataset.lengths("classes").tolist() == [3] * 4
