"""Reading HDF files, whole and broken ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets import HDFDataset, HDFOptions, HDFWriter, init_dataset


def write_raw(path: Path, edit: Callable[[Any], None] | None = None) -> str:
    """Two sequences of 3 and 2 frames with 1 and 2 labels, in the layout's bare minimum, then ``edit`` it."""
    with h5py.File(path, "w") as file:
        file.attrs["inputPattSize"] = 2
        file["inputs"] = np.arange(10, dtype=np.float32).reshape(5, 2)
        file["seqLengths"] = np.array([[3, 1], [2, 2]], np.int32)
        file["seqTags"] = np.array([b"a\0\0", b"b/1"])
        file["targets/data/classes"] = np.array([4, 0, 1], np.int32)
        file["targets/labels/classes"] = np.array([b"v", b"w", b"x", b"y", b"z"])
        file.create_group("targets/size").attrs["classes"] = [5, 1]
        if edit:
            edit(file)
    return str(path)


def replace(name: str, value: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file[name]
        file[name] = value

    return edit


def delete(name: str) -> Callable[[Any], None]:
    return lambda file: file.__delitem__(name)


def open_dataset(*paths: str, **options: Any) -> HDFDataset:
    return HDFDataset(HDFOptions(files=paths, name="train", **options))


@pytest.mark.parametrize("cache_byte_size", [0, 15, -1])
def test_read(tmp_path: Path, cache_byte_size: int) -> None:
    with open_dataset(write_raw(tmp_path / "a.hdf"), cache_byte_size=cache_byte_size) as dataset:
        assert list(dataset.specs) == ["data", "classes"]
        assert dataset.specs["data"].shape == (None, 2)
        classes = dataset.specs["classes"]
        assert (classes.dim, classes.sparse, classes.dtype, classes.labels) == (5, True, "int32", tuple("vwxyz"))
        assert dataset.lengths("data").tolist() == [3, 2]
        assert dataset.lengths("classes").tolist() == [1, 2]
        assert dataset.all_tags() == ["a", "b/1"]
        seq = dataset.get_seq(1)
        assert (seq.tag, seq.index) == ("b/1", 1)
        np.testing.assert_array_equal(seq.data["data"], [[6, 7], [8, 9]])
        np.testing.assert_array_equal(seq.data["classes"], [0, 1])
        assert list(dataset.get_seq(0, ["classes"]).data) == ["classes"]


def test_several_files_are_one_corpus(tmp_path: Path) -> None:
    narrow = replace("targets/data/classes", np.array([4, 0, 1], np.uint8))
    paths = [write_raw(tmp_path / "a.hdf", narrow), write_raw(tmp_path / "b.hdf")]
    with open_dataset(*paths, seq_ordering="sorted") as dataset:
        assert dataset.epoch_size(1) == 4
        assert dataset.init_epoch(1).tolist() == [1, 3, 0, 2]
        assert dataset.specs["classes"].dtype == "int32"
        assert dataset.get_seq(0).data["classes"].dtype == np.int32
        np.testing.assert_array_equal(dataset.get_seq(3).data["classes"], [0, 1])


def test_further_keys_of_later_files_are_not_used(tmp_path: Path) -> None:
    paths = [tmp_path / "a.hdf", tmp_path / "b.hdf"]
    for number, path in enumerate(paths):
        with HDFWriter(path, dim=1) as writer:
            extra = {"b": np.full(2, number)} | ({"a": np.zeros(3, np.int32)} if number else {})
            writer.insert_seq("s", np.zeros((4, 1), np.float32), extra)
    with open_dataset(*map(str, paths)) as dataset:
        assert list(dataset.specs) == ["data", "b"]
        np.testing.assert_array_equal(dataset.get_seq(1).data["b"], [1, 1])


def test_targets_only(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.hdf", delete("inputs"))
    with h5py.File(path, "r+") as file:
        replace("seqLengths", np.array([[1], [2]], np.int32))(file)
    with open_dataset(path) as dataset:
        assert list(dataset.specs) == ["classes"]
        np.testing.assert_array_equal(dataset.get_seq(1).data["classes"], [0, 1])


def test_sparse_inputs(tmp_path: Path) -> None:
    with open_dataset(write_raw(tmp_path / "a.hdf", replace("inputs", np.array([1, 0, 0, 1, 0])))) as dataset:
        spec = dataset.specs["data"]
        assert (spec.sparse, spec.dim, spec.shape) == (True, 2, (None,))


def test_dim_that_the_writer_did_not_know_is_unknown(tmp_path: Path) -> None:
    def edit(file: Any) -> None:
        file["targets/size"].attrs["classes"] = [1, 1]

    with open_dataset(write_raw(tmp_path / "a.hdf", edit)) as dataset:
        assert dataset.specs["classes"].dim is None


def make_group(file: Any) -> None:
    delete("inputs")(file)
    file.create_group("inputs")


BROKEN: list[tuple[str, Callable[[Any], None], str]] = [
    ("no-lengths", delete("seqLengths"), "'seqLengths' is missing"),
    ("no-tags", delete("seqTags"), "'seqTags' is missing"),
    ("no-target-data", delete("targets/data/classes"), "'targets/data/classes' is missing"),
    ("no-data-group", delete("targets/data"), "'targets/data' is missing"),
    ("no-size-entry", lambda file: file["targets/size"].attrs.__delitem__("classes"), "attribute 'classes' of"),
    ("column", replace("seqLengths", np.zeros((2, 3), np.int32)), "'seqLengths' has the wrong shape"),
    ("negative", replace("seqLengths", np.array([[6, 1], [-1, 2]])), "'seqLengths' has a negative length"),
    ("sum", replace("seqLengths", np.array([[3, 1], [3, 2]])), "'seqLengths' does not fit the data of 'data'"),
    ("tags", replace("seqTags", np.array([b"a"])), "'seqTags' and 'seqLengths' differ in size"),
    (
        "reserved",
        lambda file: file.__setitem__("targets/data/data", np.zeros(3, np.int32)),
        "key 'data' is the name of both",
    ),
    ("axes", replace("targets/data/classes", np.zeros((3, 5), np.int32)), "number of axes of 'classes' is wrong"),
    ("group", make_group, "cannot read the file's structure"),
]


@pytest.mark.parametrize(("edit", "message"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_broken_layout_is_one_message_with_the_file(tmp_path: Path, edit: Callable[[Any], None], message: str) -> None:
    path = write_raw(tmp_path / "broken.hdf", edit)
    with pytest.raises(DataError, match=message) as caught:
        open_dataset(path)
    assert str(caught.value).startswith(path)


def test_neither_inputs_nor_targets(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.hdf", "w") as file:
        file["other"] = 1
    with pytest.raises(DataError) as caught:
        open_dataset(str(tmp_path / "a.hdf"))
    assert str(caught.value) == (
        f"{tmp_path / 'a.hdf'}: HDF file is not in RETURNN's layout: it has neither 'inputs' nor 'targets'"
    )


def test_inconsistent_lengths_message(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.hdf", replace("seqLengths", np.array([[3, 1], [3, 2]])))
    with pytest.raises(DataError) as caught:
        open_dataset(path)
    assert str(caught.value) == (
        f"{path}: HDF file is not in RETURNN's layout: 'seqLengths' does not fit the data of 'data'\n"
        "  expected: 6 frames, the sum of the lengths\n"
        "  received: 5 frames"
    )


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_dataset(str(tmp_path / "no.hdf"))
    assert str(caught.value) == f"{tmp_path / 'no.hdf'}: HDF file does not exist"


@pytest.mark.parametrize(("content", "size"), [(b"", 0), (b"not hdf at all", 14)])
def test_not_an_hdf_file(tmp_path: Path, content: bytes, size: int) -> None:
    path = tmp_path / "a.hdf"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_dataset(str(path))
    assert str(caught.value) == (
        f"{path}: not an HDF file\n  expected: a file in HDF5 format\n  received: {size} bytes in another format"
    )


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_file(tmp_path: Path, share: float) -> None:
    path = Path(write_raw(tmp_path / "a.hdf"))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError) as caught:
        open_dataset(str(path))
    assert str(caught.value).startswith(f"{path}: HDF file cannot be opened\n  received: ")
    assert caught.value.hint == "the file is truncated, damaged or still being written; create it again"


def test_data_damaged_behind_the_header_is_named_when_read(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf"
    frames = np.random.default_rng(1).normal(size=(4000, 2)).astype(np.float32)
    with h5py.File(path, "w") as file:
        file.create_dataset("inputs", data=frames, chunks=(4000, 2), compression="gzip", fletcher32=True)
        file["seqLengths"] = np.array([[4000, 0]], np.int32)
        file["seqTags"] = np.array([b"a"])
        info = file["inputs"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[info.byte_offset + 100 : info.byte_offset + 200] = bytes(100)
    path.write_bytes(content)
    with open_dataset(str(path)) as dataset, pytest.raises(DataError) as caught:
        dataset.get_seq(0)
    assert str(caught.value).startswith(f"{path}: cannot read 'data' of sequence 0 from the HDF file")


def test_second_file_with_another_dim(tmp_path: Path) -> None:
    first = write_raw(tmp_path / "a.hdf")
    second = write_raw(tmp_path / "b.hdf", replace("inputs", np.zeros((5, 3), np.float32)))
    with pytest.raises(DataError) as caught:
        open_dataset(first, second)
    assert str(caught.value) == (
        f"{second}: data of key 'data' does not fit the first file\n"
        f"  expected: as in {first}: dense, dim 2, shape (None, 2), float32\n"
        "  received: dense, dim 3, shape (None, 3), float32"
    )


def test_second_file_without_a_key(tmp_path: Path) -> None:
    first = write_raw(tmp_path / "a.hdf")
    second = write_raw(tmp_path / "b.hdf", delete("targets"))
    with pytest.raises(DataError, match="data key 'classes' is missing"):
        open_dataset(first, second)


def test_second_file_of_another_type(tmp_path: Path) -> None:
    first = write_raw(tmp_path / "a.hdf")
    second = write_raw(tmp_path / "b.hdf", replace("inputs", np.zeros((5, 2), np.int32)))
    with pytest.raises(DataError, match="data of key 'data' has another type than in the first file"):
        open_dataset(first, second)


def test_unknown_key(tmp_path: Path) -> None:
    with open_dataset(write_raw(tmp_path / "a.hdf")) as dataset, pytest.raises(DataError) as caught:
        dataset.get_seq(0, ["clases"])
    assert str(caught.value) == (
        "dataset 'train': no data key 'clases'\n  expected: one of data, classes\n  try: did you mean 'classes'?"
    )


def test_no_sequences(tmp_path: Path) -> None:
    def edit(file: Any) -> None:
        replace("inputs", np.zeros((0, 2), np.float32))(file)
        replace("seqLengths", np.zeros((0, 2), np.int32))(file)
        replace("seqTags", np.zeros((0,), "S1"))(file)
        replace("targets/data/classes", np.zeros((0,), np.int32))(file)

    message = "dataset 'train': the dataset has no sequences"
    with open_dataset(write_raw(tmp_path / "a.hdf", edit)) as dataset, pytest.raises(DataError, match=message):
        dataset.init_epoch(1)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "HDFDataset has no files"),
        ({"files": 3}, "HDFDataset: option 'files' has the wrong type"),
        ({"files": ""}, "HDFDataset has no files"),
        ({"files": ["a.hdf"], "use_cache_manager": 2}, "HDFDataset: option 'use_cache_manager' has the wrong type"),
        ({"files": ["a.hdf"], "cache_byte_size": 1.5}, "HDFDataset: option 'cache_byte_size' has the wrong type"),
    ],
)
def test_wrong_options(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        init_dataset({"class": "HDFDataset", **config})


def test_old_text_form_is_a_list_of_files(tmp_path: Path) -> None:
    paths = [write_raw(tmp_path / "a.hdf"), write_raw(tmp_path / "b.hdf")]
    with init_dataset(",".join(paths)) as dataset:
        assert dataset.epoch_size(1) == 4


def test_a_with_block_closes_the_files(tmp_path: Path) -> None:
    """Also when it is left by an error. A file that is open for reading cannot be opened for writing."""
    path = write_raw(tmp_path / "a.hdf")
    with open_dataset(path) as dataset:
        assert dataset.get_seq(0).tag == "a"
        with pytest.raises(OSError, match="open"):
            h5py.File(path, "r+")
    h5py.File(path, "r+").close()
    with pytest.raises(KeyError, match="mine"), open_dataset(path) as left:
        raise KeyError("mine")
    h5py.File(path, "r+").close()
    assert left is not dataset


def write_files(folder: Path, *names: str) -> None:
    for name in names:
        with HDFWriter(folder / name, dim=2) as writer:
            writer.insert_seq(name, np.full((len(name), 2), 3, np.float32))


def test_one_path_and_patterns(tmp_path: Path) -> None:
    write_files(tmp_path, "part-2.hdf", "part-10.hdf", "part-1.hdf", "other.hdf", "a[1].hdf")
    for files, expected in {
        str(tmp_path / "other.hdf"): ["other.hdf"],
        str(tmp_path / "part-*.hdf"): ["part-1.hdf", "part-10.hdf", "part-2.hdf"],
        str(tmp_path / "a[1].hdf"): ["a[1].hdf"],  # a file of this name is no pattern
    }.items():
        for given in (files, Path(files), [files]):
            with HDFDataset(HDFOptions(files=given)) as dataset:
                assert dataset.all_tags() == expected


def test_pattern_without_files(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        HDFDataset(HDFOptions(files=str(tmp_path / "part-*.hdf"), name="train"))
    assert str(caught.value) == f"dataset 'train': no HDF file fits the pattern '{tmp_path}/part-*.hdf'"


def test_a_copy_through_pickle_opens_its_files_itself(tmp_path: Path) -> None:
    write_files(tmp_path, "a.hdf", "bb.hdf")
    config = {"class": "HDFDataset", "files": [str(tmp_path / "*.hdf")], "seq_ordering": "reverse"}
    dataset = init_dataset(config, name="train", where=lambda *keys: "net.py")
    raw = pickle.dumps(dataset)
    dataset.close()
    with pickle.loads(raw) as copy:
        assert [seq.tag for seq in copy.epoch(1)] == ["bb.hdf", "a.hdf"]
        assert copy.options.name == "train"


def test_several_dynamic_axes_are_flat_with_their_sizes(tmp_path: Path) -> None:
    """As in RETURNN, whose writer keeps the sizes under a key of their own."""
    with HDFWriter(tmp_path / "a.hdf", dim=3, ndim=3) as writer:
        for height, width in ((2, 4), (3, 1)):
            writer.insert_seq(f"{height}x{width}", np.arange(height * width * 3.0).reshape(height, width, 3))
    with HDFDataset(HDFOptions(files=[tmp_path / "a.hdf"])) as dataset:
        assert dataset.lengths("data").tolist() == [8, 3]
        seq = dataset.get_seq(0)
        sizes = seq.data["sizes"]
        np.testing.assert_array_equal(seq.data["data"].reshape(*sizes, 3), np.arange(24.0).reshape(2, 4, 3))
