"""Datasets in RETURNN's HDF files."""

from __future__ import annotations

import glob
import os
from bisect import bisect_right
from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np

from returnn_ir.errors import ConfigError, DataError
from returnn_ir.options import Described, Range
from runtime.datasets.base import Array, DataSpec, Sequence
from runtime.datasets.hdf_file import HDFFile
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.nested import describe
from runtime.datasets.options import DatasetOptions
from runtime.datasets.ordering import IntArray
from runtime.datasets.registry import dataset

__all__ = ["HDFDataset", "HDFOptions"]


@dataclass(frozen=True, kw_only=True)
class HDFOptions(DatasetOptions):
    """Options of :class:`HDFDataset`.

    Attributes:
        files: paths; the corpus is their concatenation. A pattern (``part-*.hdf``) stands for its files, sorted.
        cache_byte_size: up to this much data is kept in memory once read (-1: everything, 0: nothing).
        use_cache_manager: accepted and without effect: files are read where they are, the data is the same.
    """

    files: Annotated[str | os.PathLike[str] | Seq[str | os.PathLike[str]], Described("a path, or a list of paths")] = ()
    cache_byte_size: Annotated[int, Range(-1)] = 0
    use_cache_manager: bool = False


@dataset("HDFDataset", options=HDFOptions)
class HDFDataset(IndexedDataset):
    """One or several HDF files in RETURNN's layout, as one corpus.

    The first file decides about the keys; later ones may have more, which are not used.
    """

    keeps_batches = True
    has_windows = True

    def __init__(self, options: HDFOptions) -> None:
        """Open and check all files.

        Raises:
            DataError: a file that is broken or does not fit the first one.
            ConfigError: no files.
        """
        super().__init__(options)
        self.options: HDFOptions = options
        with ExitStack() as stack:
            self._files: list[HDFFile] = []
            for path in _expand(options):
                file = HDFFile(path)
                stack.callback(file.close)
                self._files.append(file)
            self._specs = {key: self._merged_spec(key) for key in self._files[0].specs}
            self._opened = stack.pop_all()
        self._file_starts = np.cumsum([0, *(file.num_seqs for file in self._files)]).tolist()
        self._lengths: dict[str, IntArray] = {}
        self._cache: dict[tuple[int, str], Array] = {}
        self._cache_free = float("inf") if options.cache_byte_size < 0 else options.cache_byte_size

    @property
    def num_seqs(self) -> int:
        """Number of sequences in all files."""
        return int(self._file_starts[-1])

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """Keys of the first file: "data" for its inputs, if it has any, then the targets, sorted."""
        return self._specs

    def lengths(self, key: str) -> IntArray:
        """Lengths from the files' tables, ``[num_seqs]``."""
        self.check_keys([key])
        if key not in self._lengths:
            self._lengths[key] = np.concatenate([file.lengths(key) for file in self._files])
        return self._lengths[key]

    def tag(self, index: int) -> str:
        """Tag as in the file."""
        file_index, local = self._locate(index)
        return self._files[file_index].tag(local)

    def all_tags(self) -> list[str]:
        """Tags of all files."""
        return [tag for file in self._files for tag in file.all_tags()]

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """Read one sequence, one slice per key."""
        file_index, local = self._locate(index)
        file = self._files[file_index]
        data = {}
        for key in self.check_keys(keys):
            frames = file.read(key, local, self._cached(file_index, key))
            dtype = self._specs[key].dtype
            data[key] = frames if dtype == "object" else frames.astype(dtype, copy=False)
        return Sequence(file.tag(local), index, data)

    def close(self) -> None:
        """Close all files and free the cache."""
        self._cache.clear()
        self._opened.close()

    def __reduce__(self) -> tuple[type[HDFDataset], tuple[HDFOptions]]:
        """A copy in another process opens the files itself."""
        return type(self), (replace(self.options, _place=None),)

    def _locate(self, index: int) -> tuple[int, int]:
        """File and index in it of a corpus index."""
        if not 0 <= index < self.num_seqs:
            raise IndexError(f"sequence {index} of {self.num_seqs}")
        file_index = bisect_right(self._file_starts, index) - 1
        return file_index, index - self._file_starts[file_index]

    def _cached(self, file_index: int, key: str) -> Array | None:
        """All data of one file and key in memory, if the cache has the space."""
        entry = file_index, key
        if entry not in self._cache:
            size = self._files[file_index].num_bytes(key)
            if size > self._cache_free:
                return None
            self._cache[entry] = self._files[file_index].read_all(key)
            self._cache_free -= size
        return self._cache[entry]

    def _merged_spec(self, key: str) -> DataSpec:
        """The spec of ``key``, which all files must agree on; integer widths may differ."""
        first, *others = self._files
        spec = first.specs[key]
        for file in others:
            other = file.specs.get(key)
            expected = f"as in {first.path}: {describe(spec)}"
            if other is None:
                raise DataError(f"data key {key!r} is missing", where=file.path, expected=expected)
            if (spec.shape, spec.dim, spec.sparse) != (other.shape, other.dim, other.sparse):
                raise DataError(
                    f"data of key {key!r} does not fit the first file",
                    where=file.path,
                    expected=expected,
                    received=describe(other),
                )
            if spec.dtype != other.dtype:
                kinds = np.dtype(spec.dtype).kind + np.dtype(other.dtype).kind
                if kinds.replace("u", "i") not in ("ii", "ff"):
                    raise DataError(
                        f"data of key {key!r} has another type than in the first file",
                        where=file.path,
                        expected=expected,
                        received=describe(other),
                    )
                spec = replace(spec, dtype=np.promote_types(spec.dtype, other.dtype).name)
        return spec


def _expand(options: HDFOptions) -> list[str]:
    """The paths of the files, patterns replaced by what they stand for."""
    given = [options.files] if isinstance(options.files, (str, os.PathLike)) else options.files
    if not any(os.fspath(path) for path in given):
        raise ConfigError("HDFDataset has no files", where=options.where, hint='"files": ["train.hdf"]')
    paths: list[str] = []
    for one in given:
        path = os.fspath(one)
        pattern = glob.has_magic(path) and not Path(path).exists()
        found = sorted(glob.glob(path)) if pattern else [path]  # noqa: PTH207 - of any folder
        if not found:
            raise DataError(f"no HDF file fits the pattern {path!r}", where=options.where)
        paths += found
    return paths
