"""Writing HDF files: the layout is that of RETURNN's SimpleHDFWriter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returnn_ir.errors import DataError
from runtime.datasets import HDFDataset, HDFOptions, HDFWriter


def read(path: Path) -> HDFDataset:
    return HDFDataset(HDFOptions(files=[str(path)]))


def layout(path: Path) -> dict[str, Any]:
    """Everything of a file but the data: attributes, and name, type and shape of each array."""
    found: dict[str, Any] = {}
    with h5py.File(path, "r") as file:
        found["attributes"] = {name: int(value) for name, value in file.attrs.items()}

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = (str(item.dtype), item.shape, item.maxshape)
            else:
                found[name] = {key: value.tolist() for key, value in item.attrs.items()}

        file.visititems(visit)
    return found


def test_layout_with_extra_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    extra_type = {"feat": (2, 2, "float32"), "classes": (3, 1, "int32")}
    labels = ["a", "b", "ü", "d"]
    with HDFWriter(path, dim=4, labels=labels, extra_type=extra_type, extra_labels={"classes": ["x", "yy", "z"]}) as w:
        w.insert_seq("s/1", np.ones((3, 4), np.float32), {"classes": [1, 2], "feat": np.ones((1, 2))})
        w.insert_seq("s/ü", np.ones((1, 4), np.float32), {"classes": [0], "feat": np.ones((5, 2))})
    assert layout(path) == {
        "attributes": {"inputPattSize": 4, "numDims": 1, "numLabels": 4, "numSeqs": 2, "numTimesteps": 4},
        "inputs": ("float32", (4, 4), (None, None)),
        "labels": ("object", (4,), (4,)),
        "seqLengths": ("int32", (2, 3), (None, None)),
        "seqTags": ("object", (2,), (None,)),
        "targets": {},
        "targets/data": {},
        "targets/data/classes": ("int32", (3,), (None,)),
        "targets/data/feat": ("float32", (6, 2), (None, 2)),
        "targets/labels": {},
        "targets/labels/classes": ("|S2", (3,), (3,)),
        "targets/labels/feat": ("|S11", (1,), (1,)),
        "targets/size": {"classes": [3, 1], "feat": [2, 2]},
    }
    with h5py.File(path, "r") as file:
        assert file["seqLengths"][...].tolist() == [[3, 2, 1], [1, 1, 5]]  # inputs, then sorted keys
        assert file["targets/labels/feat"][...].tolist() == [b"dummy-label"]
    with read(path) as dataset:
        assert dataset.specs["data"].labels == tuple(labels)
        assert dataset.specs["feat"].labels is None
        assert dataset.all_tags() == ["s/1", "s/ü"]


def test_layout_of_sparse_inputs_without_extra_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    with HDFWriter(path, dim=7, ndim=1) as writer:
        writer.insert_seq("a", np.array([6, 0], np.int32))
    assert layout(path) == {
        "attributes": {"inputPattSize": 7, "numDims": 1, "numLabels": 7, "numSeqs": 1, "numTimesteps": 2},
        "inputs": ("int32", (2,), (None,)),
        "labels": ("|S5", (0,), (0,)),
        "seqLengths": ("int32", (1, 2), (None, None)),  # the second column is not used
        "seqTags": ("object", (1,), (None,)),
    }
    with read(path) as dataset:
        assert (dataset.specs["data"].dim, dataset.specs["data"].sparse) == (7, True)


def test_keys_taken_from_the_first_sequence(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    with HDFWriter(path, dim=1) as writer:
        for i in range(3):
            writer.insert_seq(f"s{i}", np.zeros((2, 1), np.float32), {"scores": np.float32(i), "vec": np.ones((1, 4))})
    with read(path) as dataset:
        assert dataset.specs["vec"].dim == 4
        assert dataset.lengths("scores").tolist() == [1, 1, 1]
        np.testing.assert_array_equal(dataset.get_seq(2).data["scores"], np.array([2], np.float32))


def test_batch_with_two_dynamic_axes(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    inputs = np.arange(2 * 3 * 2 * 4, dtype=np.float32).reshape(2, 3, 2, 4)
    with HDFWriter(path, dim=4, ndim=3) as writer:
        writer.insert_batch(inputs, {0: [3, 2], 1: [1, 2]}, ["p", "q"])
    with read(path) as dataset:
        assert dataset.lengths("data").tolist() == [3, 4]
        np.testing.assert_array_equal(dataset.get_seq(0).data["data"], inputs[0, :, 0])
        np.testing.assert_array_equal(dataset.get_seq(1).data["data"], inputs[1, :2, :2].reshape(4, 4))
        np.testing.assert_array_equal(dataset.get_seq(1).data["sizes"], [2, 2])


def test_padded_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    inputs = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    with HDFWriter(path, dim=2) as writer:
        writer.insert_batch(inputs, [1, 3], ["p", "q"], {"classes": np.array([[1, 2], [3, 4]])})
    with read(path) as dataset:
        np.testing.assert_array_equal(dataset.get_seq(0).data["data"], inputs[0, :1])
        np.testing.assert_array_equal(dataset.get_seq(1).data["classes"], [3, 4])


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), HDFWriter(tmp_path / "a.hdf", dim=1) as writer:
        writer.insert_seq("a", np.zeros((2, 1), np.float32))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    path.write_text("old")
    with HDFWriter(path, dim=1, overwrite=True) as writer:
        writer.insert_seq("a", np.zeros((2, 1), np.float32))
        assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with read(path) as dataset:
        assert dataset.num_seqs == 1


def test_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    path.write_text("old")
    with pytest.raises(DataError, match="file exists already"):
        HDFWriter(path, dim=1)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("inputs", "extra", "message"),
    [
        (np.zeros(3), {"classes": [0]}, "inputs of the wrong shape"),
        (np.zeros((3, 1)), {"classes": [0]}, "inputs of the wrong dim"),
        (np.zeros((3, 2)), {}, "keys of the extra data differ"),
        (np.zeros((3, 2)), {"classes": [0], "more": [0]}, "keys of the extra data differ"),
        (np.zeros((3, 2)), {"classes": [[0]]}, "extra data 'classes' of the wrong shape"),
    ],
)
def test_sequences_that_do_not_fit(tmp_path: Path, inputs: Any, extra: dict[str, Any], message: str) -> None:
    with HDFWriter(tmp_path / "a.hdf", dim=2, extra_type={"classes": (3, 1, "int32")}) as writer:
        writer.insert_seq("first", np.zeros((1, 2)), {"classes": [1]})
        with pytest.raises(DataError, match=message) as caught:
            writer.insert_seq("second", inputs, extra)
        assert str(caught.value).startswith(f"{tmp_path / 'a.hdf'}, sequence 'second': ")
    with read(tmp_path / "a.hdf") as dataset:
        assert dataset.all_tags() == ["first"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["a"]}, "wrong number of labels for the inputs"),
        ({"extra_type": {"data": (2, 1, "int32")}}, "'data' is reserved for the inputs"),
        ({"extra_type": {"x": (2, 3, "float32")}}, "extra data 'x' has too many axes"),
        ({"extra_type": {"x": (2, 1, "int32")}, "extra_labels": {"x": ["a"]}}, "wrong number of labels for 'x'"),
        ({"extra_labels": {"x": ["a"]}}, "which extra_type lacks"),
    ],
)
def test_wrong_arguments(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        HDFWriter(tmp_path / "a.hdf", dim=2, **options)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=6), seed=st.integers(0, 9)
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, lengths: list[tuple[int, int]], seed: int) -> None:
    path = tmp_path_factory.mktemp("round_trip") / "a.hdf"
    rng = np.random.default_rng(seed)
    seqs = [(rng.normal(size=(frames, 3)).astype(np.float32), rng.integers(0, 9, labels)) for frames, labels in lengths]
    with HDFWriter(path, dim=3, extra_type={"classes": (9, 1, "int64")}) as writer:
        for i, (inputs, labels) in enumerate(seqs):
            writer.insert_seq(f"s{i}", inputs, {"classes": labels})
    with read(path) as dataset:
        for i, (inputs, labels) in enumerate(seqs):
            np.testing.assert_array_equal(dataset.get_seq(i).data["data"], inputs)
            np.testing.assert_array_equal(dataset.get_seq(i).data["classes"], labels)
