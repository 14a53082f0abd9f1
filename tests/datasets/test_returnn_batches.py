"""The batches of random settings, compared with those that RETURNN makes (``record_batches`` has recorded them)."""

from __future__ import annotations

import ast
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import DataError, UserError
from runtime.datasets import BatchOptions, DataSpec, EpochPlanner, IndexedDataset, Sequence
from runtime.datasets.options import DatasetOptions, options_from_dict
from runtime.datasets.ordering import IntArray

DATA = Path(__file__).parent / "data" / "batches.json.gz"
PARTS = 20


class Lengths(IndexedDataset):
    """Sequences that are nothing but their lengths: reading them for a plan is an error."""

    def __init__(self, options: DatasetOptions, lengths: dict[str, list[int]]) -> None:
        super().__init__(options)
        self._lengths = {key: np.array(sizes, np.int64) for key, sizes in lengths.items()}

    @property
    def num_seqs(self) -> int:
        return len(self._lengths["data"])

    @property
    def specs(self) -> dict[str, DataSpec]:
        return {key: DataSpec((None,), "int32", 3, sparse=True) for key in self._lengths}

    def lengths(self, key: str) -> IntArray:
        return self._lengths[key]

    def tag(self, index: int) -> str:
        return f"seq-{index}"

    def get_seq(self, index: int, keys: Any = None) -> Sequence:
        raise AssertionError("a plan reads no data")


class Cached(Lengths):
    """As RETURNN's HDFDataset."""

    keeps_batches = True


@cache
def settings() -> list[dict[str, Any]]:
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_batches_of_random_settings(part: int) -> None:
    for setting in settings()[part::PARTS]:
        assert our_batches(setting) == setting["epochs"], setting


def our_batches(setting: dict[str, Any]) -> list[Any]:
    """The batches of each epoch as in the file; None at the end where an epoch is refused."""
    epochs: list[Any] = []
    try:
        options, limits = ast.literal_eval(setting["options"]), ast.literal_eval(setting["batches"])
        make = Cached if setting["dataset"] == "hdf" else Lengths
        dataset = make(options_from_dict(DatasetOptions, "dataset", options, lambda key: None), setting["lengths"])
        batch_options = BatchOptions(recurrent=setting["recurrent"], **limits)
        planner = EpochPlanner()
        for epoch in range(1, 5):
            epochs.append(_epoch(planner, dataset, epoch, batch_options, setting["used"]))
    except UserError:
        epochs.append(None)
    return epochs


def _epoch(planner: EpochPlanner, dataset: Lengths, epoch: int, options: BatchOptions, keys: list[str]) -> list[Any]:
    """The batches of an epoch; none where RETURNN has none and we say so."""
    try:
        return [_plain(plan.pieces, plan.offsets) for plan in planner.plan(dataset, epoch, options, keys=keys)]
    except DataError as error:
        if error.what in ("no sequence has an allowed length", "every sequence is left out"):
            return []
        raise


def _plain(pieces: Any, offsets: Any) -> list[Any]:
    rows = range(len(pieces)) if offsets is None else [0] * len(pieces)
    return [
        [piece.seq.index, row, offset, {key: list(part) for key, part in piece.parts.items()}]
        for piece, row, offset in zip(pieces, rows, offsets or [0] * len(pieces), strict=True)
    ]
