"""One HDF file in RETURNN's layout: opened, checked once, then read by slices.

Layout: ``inputs`` (all sequences concatenated over time) and ``targets/data/KEY`` likewise; ``seqLengths``
``[num_seqs, columns]`` with one column for the inputs (if there are any) and one per target, sorted by key;
``seqTags``; ``targets/size`` with attributes ``KEY = (dim, ndim)``; ``labels`` and ``targets/labels/KEY``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from returnn_ir.errors import DataError
from runtime.datasets.base import Array, DataSpec
from runtime.datasets.ordering import IntArray

__all__ = ["HDFFile", "reading"]

# Where a file has no targets, writers leave one unused column for this key.
_DUMMY_TARGET = "classes"


class HDFFile:
    """An open file.

    Attributes:
        path: of the file.
        num_seqs: number of sequences.
        specs: data keys in the order of the columns of ``seqLengths``: "data" for ``inputs``, then sorted targets.
    """

    def __init__(self, path: str) -> None:
        """Open and check ``path``.

        Raises:
            DataError: the file is missing, truncated, not HDF5, or not in RETURNN's layout.
        """
        self.path = path
        self._file = _open(path)
        try:
            with reading(path, "the file's structure"):
                self._arrays = self._find_arrays()
                self.specs = {key: self._make_spec(key) for key in self._arrays}
                self._starts = self._read_starts()
                self._tags = self._member("seqTags")
            self.num_seqs = len(self._starts) - 1
            self._check_consistent()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def lengths(self, key: str) -> IntArray:
        """Number of frames per sequence, ``[num_seqs]``."""
        return np.diff(self._starts[:, self._columns[key]])

    def read(self, key: str, index: int, cache: Array | None = None) -> Array:
        """Data of one sequence, ``[T, ...]``, out of ``cache`` (see ``read_all``) where given."""
        start, end = self._starts[index : index + 2, self._columns[key]].tolist()
        if cache is not None:
            return cache[start:end]
        with reading(self.path, f"{key!r} of sequence {index}"):
            frames: Array = self._arrays[key][start:end]
        return frames

    def read_all(self, key: str) -> Array:
        """Data of all sequences, concatenated over time."""
        with reading(self.path, repr(key)):
            frames: Array = self._arrays[key][...]
        return frames

    def num_bytes(self, key: str) -> int:
        """Size of ``read_all(key)``."""
        return int(self._arrays[key].nbytes)

    def tag(self, index: int) -> str:
        """Tag of one sequence."""
        with reading(self.path, f"the tag of sequence {index}"):
            return _decode(self._tags[index])

    def all_tags(self) -> list[str]:
        """Tags of all sequences."""
        with reading(self.path, "the sequence tags"):
            return [_decode(tag) for tag in self._tags[...].tolist()]

    def _member(self, name: str) -> Any:
        if name not in self._file:
            raise self._layout_error(f"{name!r} is missing")
        return self._file[name]

    def _layout_error(self, what: str, expected: object = None, received: object = None) -> DataError:
        return DataError(
            f"HDF file is not in RETURNN's layout: {what}", where=self.path, expected=expected, received=received
        )

    def _find_arrays(self) -> dict[str, Any]:
        """Data key to HDF array."""
        arrays: dict[str, Any] = {}
        if "inputs" in self._file:
            arrays["data"] = self._file["inputs"]
        if "targets" in self._file:
            data = self._member("targets/data")
            sizes = self._file["targets/size"].attrs if "targets/size" in self._file else {}
            for key in sorted({*data, *sizes}):
                if key == "data" and "data" in arrays:
                    raise self._layout_error("key 'data' is the name of both the inputs and a target")
                if key not in data:
                    raise self._layout_error(f"'targets/data/{key}' is missing")
                arrays[key] = data[key]
        if not arrays:
            raise self._layout_error("it has neither 'inputs' nor 'targets'")
        self._columns = {key: column for column, key in enumerate(arrays)}
        return arrays

    def _make_spec(self, key: str) -> DataSpec:
        array = self._arrays[key]
        if array.ndim < 1:
            raise self._layout_error(f"the data of {key!r} has no time axis")
        dtype = "object" if array.dtype.hasobject else array.dtype.name
        sparse = array.ndim == 1 and np.issubdtype(array.dtype, np.integer)
        dim = self._declared_dim(key)
        if array.ndim >= 2:
            if dim not in (None, array.shape[-1]):
                raise self._layout_error(
                    f"dim of {key!r} is wrong", f"dim {dim}, as declared", f"dim {array.shape[-1]}"
                )
            dim = array.shape[-1]
        elif dim is not None and dim <= 1:
            dim = None  # writers that do not know the dim of a one-dimensional target write 1
        return DataSpec((None, *array.shape[1:]), dtype, dim, sparse=sparse, labels=self._read_labels(key, dim))

    def _declared_dim(self, key: str) -> int | None:
        array = self._arrays[key]
        if key == "data" and "inputs" in self._file:
            if array.ndim > 1:
                return None  # readers of this layout go by the array's shape
            if "inputPattSize" not in self._file.attrs:
                raise self._layout_error("attribute 'inputPattSize' is missing")
            return int(self._file.attrs["inputPattSize"])
        if "targets/size" not in self._file:
            return None
        attributes = self._file["targets/size"].attrs
        if key not in attributes:
            raise self._layout_error(f"attribute {key!r} of 'targets/size' is missing")
        size = np.asarray(attributes[key])
        if size.shape not in ((), (1,), (2,)):
            raise self._layout_error(f"attribute {key!r} of 'targets/size' is wrong", "(dim, ndim)", size.tolist())
        if size.shape == (2,) and size[1] != array.ndim:
            raise self._layout_error(f"number of axes of {key!r} is wrong", f"{size[1]}, as declared", array.ndim)
        return int(size.reshape(-1)[0])

    def _read_labels(self, key: str, dim: int | None) -> tuple[str, ...] | None:
        """Names of the classes; None where there are none, or only a writer's placeholder of the wrong number."""
        name = "labels" if key == "data" and "inputs" in self._file else f"targets/labels/{key}"
        if name not in self._file:
            return None
        labels = tuple(_decode(label) for label in self._file[name][...].tolist())
        return labels if labels and len(labels) == dim else None

    def _read_starts(self) -> IntArray:
        """First frame of each sequence and key, ``[num_seqs + 1, keys]``."""
        lengths = self._member("seqLengths")[...]
        num_keys = len(self._arrays)
        if lengths.ndim == 1:  # an old form: one length for all keys
            lengths = np.repeat(lengths[:, None], num_keys, axis=1)
        widths = {num_keys} if "targets" in self._file else {num_keys, num_keys + 1}
        if lengths.ndim != 2 or lengths.shape[1] not in widths or not np.issubdtype(lengths.dtype, np.integer):
            keys = ", ".join(self._arrays)
            if widths != {num_keys}:
                keys += f" (and one unused for {_DUMMY_TARGET})"
            raise self._layout_error(
                "'seqLengths' has the wrong shape",
                f"one row per sequence and one column for each of {keys}",
                f"shape {lengths.shape}, dtype {lengths.dtype}",
            )
        if lengths.size and lengths.min() < 0:
            raise self._layout_error("'seqLengths' has a negative length", received=int(lengths.min()))
        starts = np.zeros((len(lengths) + 1, num_keys), np.int64)
        np.cumsum(lengths[:, :num_keys], axis=0, out=starts[1:])
        return starts

    def _check_consistent(self) -> None:
        if len(self._tags) != self.num_seqs:
            raise self._layout_error(
                "'seqTags' and 'seqLengths' differ in size", f"{self.num_seqs} tags", f"{len(self._tags)} tags"
            )
        for key, array in self._arrays.items():
            total = int(self._starts[-1, self._columns[key]])
            if total != array.shape[0]:
                raise self._layout_error(
                    f"'seqLengths' does not fit the data of {key!r}",
                    f"{total} frames, the sum of the lengths",
                    f"{array.shape[0]} frames",
                )


@contextmanager
def reading(path: str, what: str) -> Iterator[None]:
    """Turn the errors of the HDF library into a DataError that names the file."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise DataError(
            f"cannot read {what} from the HDF file",
            where=path,
            received=f"{type(error).__name__}: {error}",
            hint="the file is damaged or not in RETURNN's layout; create it again",
        ) from error


def _open(path: str) -> Any:
    if not Path(path).exists():
        raise DataError("HDF file does not exist", where=path)
    if not os.access(path, os.R_OK):
        raise DataError("HDF file is not readable for this user", where=path)
    if not h5py.is_hdf5(path):
        raise DataError(
            "not an HDF file",
            where=path,
            expected="a file in HDF5 format",
            received="a directory" if Path(path).is_dir() else f"{Path(path).stat().st_size} bytes in another format",
        )
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(
            "HDF file cannot be opened",
            where=path,
            received=str(error),
            hint="the file is truncated, damaged or still being written; create it again",
        ) from error


def _decode(text: bytes | str) -> str:
    """A string of the file; fixed-size strings may be padded with NULs."""
    decoded = text.decode("utf-8") if isinstance(text, bytes) else str(text)
    return decoded.split("\0", 1)[0]
