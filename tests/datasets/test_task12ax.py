"""The 12AX task; the expected sequences are RETURNN's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runtime.datasets import Task12AXDataset, Task12AXOptions
from runtime.datasets.task12ax import classify

RETURNN_SEQUENCES: list[tuple[dict[str, Any], int, int, str, str]] = [
    ({}, 1, 1, "AXX3Y1BYXBYYX1B", "LLLLLLLLLLLLLLL"),
    ({}, 2, 1, "2AXAXB2BY12BYAAX31AX2BY1BY1AXAXAX2A", "LLLLLLLLRLLLRLLLLLLRLLRLLLLLRLRLRLL"),
    ({}, 2, 2, "22BY21BYAXAXBY2BY3AXB", "LLLRLLLLLRLRLLLLRLLLL"),
    ({"fixed_random_seed": 3}, 5, 2, "22AXAXC2BYBBY31AX112BYBZBY2B", "LLLLLLLLLRLLRLLLRLLLLRLLLRLL"),
]


@pytest.mark.parametrize(("options", "epoch", "index", "inputs", "outputs"), RETURNN_SEQUENCES)
def test_same_sequences_as_returnn(options: dict[str, Any], epoch: int, index: int, inputs: str, outputs: str) -> None:
    dataset = Task12AXDataset(Task12AXOptions(num_seqs=3, **options))
    dataset.init_epoch(epoch)
    seq = dataset.get_seq(index)
    assert seq.tag == f"seq-{index}"
    assert "".join("123ABCXYZ"[symbol] for symbol in seq.data["data"].argmax(axis=1)) == inputs
    assert "".join("LR"[label] for label in seq.data["classes"]) == outputs
    assert (seq.data["data"].dtype.name, seq.data["classes"].dtype.name) == ("float32", "int32")
    np.testing.assert_array_equal(seq.data["data"].sum(axis=1), 1)


def test_lengths_are_those_of_the_sequences_of_the_epoch() -> None:
    dataset = Task12AXDataset(Task12AXOptions(num_seqs=8, seq_ordering="random"))
    for epoch in (1, 2):
        order = dataset.init_epoch(epoch)
        lengths = dataset.lengths("classes")[order].tolist()
        assert lengths == [len(dataset.get_seq(int(index)).data["data"]) for index in order]


def test_specs() -> None:
    specs = Task12AXDataset(Task12AXOptions(num_seqs=1)).specs
    assert (specs["data"].dim, specs["data"].sparse, specs["data"].shape) == (9, False, (None, 9))
    assert (specs["classes"].dim, specs["classes"].sparse, specs["classes"].shape) == (2, True, (None,))


@pytest.mark.parametrize(("inputs", "outputs"), [("1AX", "LLR"), ("1BX2BYY", "LLLLLRL"), ("1A2CAZX", "LLLLLLL")])
def test_definition(inputs: str, outputs: str) -> None:
    labels = classify(["123ABCXYZ".index(char) for char in inputs])
    assert "".join("LR"[label] for label in labels) == outputs


def test_sorting_is_ignored_as_in_returnn() -> None:
    dataset = Task12AXDataset(Task12AXOptions(num_seqs=5, seq_ordering="sorted_reverse"))
    assert dataset.init_epoch(1).tolist() == [0, 1, 2, 3, 4]
