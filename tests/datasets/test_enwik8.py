"""The bytes of enwik8; ``test_recorded`` has RETURNN's order of them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import IndexedDataset, init_dataset
from tests.datasets.recorded import write_files

TEXT = b"<page>\n" + "Aä".encode() * 2_500_100 + b"valid" * 1_000_000 + b"testz" * 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("enwik8")
    with zipfile.ZipFile(path / "enwik8.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("enwik8", TEXT)
    return path


def make(path: Path, **options: Any) -> IndexedDataset:
    options = {"subset": "training", "seq_len": 5, **options}
    dataset = init_dataset({"class": "Enwik8Corpus", "path": str(path), **options}, name="train")
    assert isinstance(dataset, IndexedDataset)
    return dataset


@pytest.mark.parametrize(
    ("subset", "expected"), [("training", b"<page>\nA\xc3"), ("validation", b"validv"), ("test", b"testzt")]
)
def test_subsets_of_the_download(folder: Path, subset: str, expected: bytes) -> None:
    dataset = make(folder, subset=subset, seq_len=len(expected) - 1)
    labels = dataset.specs["data"].labels
    assert labels == tuple(sorted(set(TEXT.decode("latin1"))))
    assert (dataset.specs["classes"].dim, dataset.specs["classes"].dtype) == (len(labels), "uint8")
    seq = dataset.get_seq(0)
    assert "".join(labels[byte] for byte in seq.data["data"]).encode("latin1") == expected[:-1]
    assert "".join(labels[byte] for byte in seq.data["classes"]).encode("latin1") == expected[1:]
    size = {"training": len(TEXT) - 10_000_000}.get(subset, 5_000_000)
    assert dataset.num_seqs == -(-(size - 1) // (len(expected) - 1))
    assert dataset.lengths("data").sum() == size - 1


def test_the_last_sequence_is_shorter(folder: Path) -> None:
    dataset = make(folder, subsubset=13)
    assert (dataset.num_seqs, dataset.lengths("classes").tolist()) == (3, [5, 5, 2])
    assert dataset.all_tags() == ["offset_0_5", "offset_5_5", "offset_10_2"]
    assert [len(seq.data["data"]) for seq in dataset.epoch(1)] == [5, 5, 2]
    assert dataset.get_seq(2, ["classes"]).data.keys() == {"classes"}
    with pytest.raises(IndexError):
        dataset.get_seq(3)
    whole = make(folder, subsubset=[0, 11])
    assert whole.lengths("data").tolist() == [5, 5]
    np.testing.assert_array_equal(whole.get_seq(1).data["classes"][:-1], whole.get_seq(1).data["data"][1:])


def test_streams(folder: Path) -> None:
    dataset = make(folder, subsubset=36, batch_num_seqs=2, seq_ordering="random")
    assert dataset.init_epoch(1).tolist() == [0, 3, 1, 4, 2, 5]  # the seventh one has no place


def test_what_is_wrong(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        make(tmp_path)
    assert str(caught.value) == (
        "dataset 'train': the corpus is not there\n"
        f"  expected: {tmp_path}/enwik8.zip, with the file enwik8 in it\n"
        f"  received: [Errno 2] No such file or directory: '{tmp_path}/enwik8.zip'\n"
        "  try: download https://mattmahoney.net/dc/enwik8.zip"
    )
    with pytest.raises(DataError, match="the text is too short"):
        make(folder, subsubset=1)
    with pytest.raises(DataError, match="there are fewer sequences than batch_num_seqs"):
        make(folder, subsubset=20, batch_num_seqs=9).init_epoch(1)
    with pytest.raises(ConfigError, match="option 'repeat_epoch' has no effect here: batch_num_seqs says the order"):
        make(folder, repeat_epoch=2, batch_num_seqs=2)
    write_files(tmp_path)
    (tmp_path / "enwik8.hdf5").write_bytes((tmp_path / "a.hdf").read_bytes())
    with pytest.raises(DataError, match="cannot read subset 'training' from the HDF file"):
        make(tmp_path)
