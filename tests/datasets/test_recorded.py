"""Every dataset class gives what RETURNN gives: tags, order and data over several epochs, in random settings."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.datasets import IndexedDataset, init_dataset
from tests.datasets.recorded import MAX_SEQS, read_cases, summary, write_files

GROUPS = ("plain", "generated", "meta", "combined", "joined")
CASES = [pytest.param(case, id=f"{group}-{i}") for group in GROUPS for i, case in enumerate(read_cases(group))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files")
    write_files(path)
    return path


@pytest.mark.parametrize("case", CASES)
def test_as_in_returnn(case: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    config = eval(case["config"], {"inf": math.inf, "array": np.array, "float32": np.float32, "int32": np.int32})
    with init_dataset(config) as dataset:
        for epoch, expected in case["epochs"].items():
            seqs = list(itertools.islice(dataset.epoch(int(epoch)), MAX_SEQS))
            assert summary((seq.tag, seq.data) for seq in seqs) == expected
            if isinstance(dataset, IndexedDataset):
                for key in dataset.specs:
                    lengths = dataset.lengths(key)
                    assert [int(lengths[seq.index]) for seq in seqs] == [seq.lengths[key] for seq in seqs]
            for seq in seqs:
                for key, spec in dataset.specs.items():
                    assert (spec.ndim, spec.sparse and spec.dim) == (seq.data[key].ndim, spec.sparse and spec.dim)
