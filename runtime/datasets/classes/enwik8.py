"""The first 100 million bytes of a Wikipedia dump, to be predicted byte by byte: RETURNN's Enwik8Corpus.

Mahoney, "Large Text Compression Benchmark" (2011), https://mattmahoney.net/dc/textdata.html.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import h5py
import numpy as np
import numpy.typing as npt

from returnn_ir.errors import DataError
from returnn_ir.options import Count, Described, Size
from runtime.datasets.base import DataSpec, Sequence
from runtime.datasets.hdf_file import reading
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.options import DatasetOptions, refuse_without_effect
from runtime.datasets.ordering import IntArray, partition
from runtime.datasets.registry import dataset

__all__ = ["Enwik8Corpus", "Enwik8Options"]

_TEST_BYTES = 5_000_000  # of the end; as many before them are for validation
_SUBSETS = {
    "training": slice(-2 * _TEST_BYTES),
    "validation": slice(-2 * _TEST_BYTES, -_TEST_BYTES),
    "test": slice(-_TEST_BYTES, None),
}


@dataclass(frozen=True, kw_only=True)
class Enwik8Options(DatasetOptions):
    """Options of :class:`Enwik8Corpus`.

    Attributes:
        path: folder with ``enwik8.zip``, or with ``enwik8.hdf5`` that RETURNN has made of it.
        subset: the last 5 million bytes are for tests, as many before them for validation.
        seq_len: bytes of a sequence; each begins where the one before ends.
        batch_num_seqs: sequences follow each other in so many streams, each in the order of the text, which recurrent
            states that are kept between batches need; ``seq_ordering`` has no effect then.
        subsubset: of the subset the bytes up to this one, or (from, to).
    """

    path: str
    subset: Literal["training", "validation", "test"]
    seq_len: Size
    batch_num_seqs: Size | None = None
    subsubset: Annotated[Count | Seq[Count], Described("a number of bytes, or (from, to)")] | None = None


@dataset("Enwik8Corpus", options=Enwik8Options)
class Enwik8Corpus(IndexedDataset):
    """Bytes by their number among those that occur; "classes" are "data" one byte later, ``[T]``."""

    def __init__(self, options: Enwik8Options) -> None:
        """Read the subset.

        Raises:
            DataError: it is not there, or damaged.
            ConfigError: options that do not go together.
        """
        super().__init__(options)
        self._options = options
        if options.batch_num_seqs is not None:
            names = ("repeat_epoch", "seq_list_filter_file", "seq_order_seq_lens_file")
            refuse_without_effect(options, names, "batch_num_seqs says the order", "leave one of them out")
        occurring, text = _read(options)
        given = options.subsubset
        bounds = (given,) if isinstance(given, int) else tuple(given or (None,))
        self._text = text[slice(*bounds)]
        if len(self._text) < 2:
            raise DataError("the text is too short", where=options.where, received=f"{len(self._text)} bytes")
        labels = tuple(bytes([byte]).decode("latin1") for byte in occurring.tolist())
        spec = DataSpec((None,), "uint8", len(labels), sparse=True, labels=labels)
        self._specs = {"data": spec, "classes": spec}

    @property
    def num_seqs(self) -> int:
        """The last sequence may be shorter."""
        return -(-(len(self._text) - 1) // self._options.seq_len)

    @property
    def specs(self) -> Mapping[str, DataSpec]:
        """Keys "data" and "classes"."""
        return self._specs

    def lengths(self, key: str) -> IntArray:
        """All the same, but for the last."""
        self.check_keys([key])
        lengths = np.full(self.num_seqs, self._options.seq_len, np.int64)
        lengths[-1] = len(self._text) - 1 - (self.num_seqs - 1) * self._options.seq_len
        return lengths

    def order_lengths(self) -> IntArray:
        """Nothing to sort by, as in RETURNN."""
        return np.full(self.num_seqs, self._options.seq_len, np.int64)

    def tag(self, index: int) -> str:
        """``offset_FIRST_LENGTH``."""
        start, end = self._span(index)
        return f"offset_{start}_{end - start}"

    def get_seq(self, index: int, keys: Collection[str] | None = None) -> Sequence:
        """One sequence and the same one byte later."""
        start, end = self._span(index)
        data = {"data": self._text[start:end], "classes": self._text[start + 1 : end + 1]}
        return Sequence(self.tag(index), index, {key: data[key] for key in self.check_keys(keys)})

    def init_epoch(self, epoch: int) -> IntArray:
        """Start an epoch.

        Without ``batch_num_seqs``, a part of a partitioned epoch comes as many times as there are parts before the next
        one, as in RETURNN.
        """
        parts = self.options.partition_epoch or 1
        streams = self._options.batch_num_seqs
        if streams is None:
            return super().init_epoch((epoch - 1) // parts + 1)
        self.start_epoch(epoch)
        frames = self.num_seqs // streams
        if frames == 0:
            raise DataError(
                "there are fewer sequences than batch_num_seqs",
                where=self.options.where,
                expected=f"at least {streams}",
                received=self.num_seqs,
            )
        order = np.arange(frames * streams).reshape(streams, frames).T.reshape(-1)
        return partition(order, parts, (epoch - 1) % parts)

    def _span(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self.num_seqs:
            raise IndexError(f"sequence {index} of {self.num_seqs}")
        start = index * self._options.seq_len
        return start, min(start + self._options.seq_len, len(self._text) - 1)


def _read(options: Enwik8Options) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The bytes that occur, and the subset as numbers among them."""
    prepared, packed = Path(options.path) / "enwik8.hdf5", Path(options.path) / "enwik8.zip"
    if prepared.exists():
        with reading(str(prepared), f"subset {options.subset!r}"), h5py.File(prepared, "r") as file:
            found: Any = file[f"split/{options.subset}/default"][...]
            return np.asarray(file.attrs["unique"], np.uint8), found.astype(np.uint8)
    try:
        with zipfile.ZipFile(packed) as archive:
            text = np.frombuffer(archive.read("enwik8"), np.uint8)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            "the corpus is not there",
            where=options.where,
            expected=f"{packed}, with the file enwik8 in it",
            received=str(error),
            hint="download https://mattmahoney.net/dc/enwik8.zip",
        ) from error
    occurring = np.flatnonzero(np.bincount(text, minlength=256)).astype(np.uint8)
    numbers = np.zeros(256, np.uint8)
    numbers[occurring] = np.arange(len(occurring))
    return occurring, numbers[text[_SUBSETS[options.subset]]]
