"""Write sequences to an HDF file in the layout of RETURNN's SimpleHDFWriter (see ``hdf_file``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Sequence as Seq
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt

from returnn_ir.errors import DataError
from runtime.datasets.base import Array

__all__ = ["HDFWriter"]

_BUFFER_BYTES = 4 << 20  # data is written in pieces of about this size


class HDFWriter:
    """Appends sequences; the file appears under its name, complete, only when the writer is closed without an error.

    Use as a context manager: an exception inside of it throws the unfinished file away.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        dim: int | None,
        *,
        ndim: int | None = None,
        labels: Seq[str] | None = None,
        extra_type: Mapping[str, tuple[int, int, str]] | None = None,
        extra_labels: Mapping[str, Seq[str]] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Create the file under a temporary name beside its place.

        Args:
            path: of the file.
            dim: feature dim or number of classes of the inputs; None where there is none.
            ndim: axes of the inputs without batch, by default 2 with a dim and 1 without; sparse inputs have ``dim``
                and ``ndim=1``.
            labels: names of the inputs' classes.
            extra_type: more keys: ``(dim, ndim, dtype)``, ndim 0 or 1 (labels, scalars) or 2; keys not listed are
                taken from the first sequence.
            extra_labels: names of the classes of the keys of ``extra_type``.
            overwrite: replace an existing file.

        Raises:
            DataError: the file exists, or labels that do not fit.
        """
        self._path = Path(path)
        self._dim = dim
        self._ndim = ndim if ndim is not None else 1 if dim is None else 2
        if self._path.exists() and not overwrite:
            raise DataError("file exists already", where=str(path), hint="remove it or choose another name")
        self._extra_labels = dict(extra_labels or {})
        self._check_labels("the inputs", labels, dim)
        self._extra: dict[str, tuple[int, int, str]] = {}
        for key, (extra_dim, extra_ndim, dtype) in (extra_type or {}).items():
            self._declare(key, (extra_dim, max(extra_ndim, 1), np.dtype(dtype).name))
        unknown = self._extra_labels.keys() - self._extra.keys()
        if unknown:
            raise DataError(f"labels for {sorted(unknown)}, which extra_type lacks", where=str(path))
        self._buffers: dict[str, list[Array]] = {}
        self._lengths: list[list[int]] = []
        self._tags: list[str] = []
        self._buffer_bytes = 0
        self._temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.writing")
        self._file: Any = self._create(labels)

    def insert_seq(self, tag: str, data: npt.ArrayLike, extra: Mapping[str, npt.ArrayLike] | None = None) -> None:
        """Append one sequence.

        Args:
            tag: its name.
            data: inputs, ``[T, ...]``; with a dim and two axes or more, the last one is the feature axis. Several
                axes of varying size are flattened into one, their sizes are stored under the key "sizes".
            extra: further data, ``[T_key]``, ``[T_key, dim]`` or a scalar; lengths are independent of the inputs'.

        Raises:
            DataError: data of the wrong shape, or other keys than in the first sequence.
        """
        where = f"{self._path}, sequence {tag!r}"
        inputs = np.asarray(data)
        arrays = {key: np.atleast_1d(np.asarray(value)) for key, value in (extra or {}).items()}
        if inputs.ndim != self._ndim:
            raise DataError(
                "inputs of the wrong shape",
                where=where,
                expected=f"{self._ndim} axes",
                received=f"shape {inputs.shape}",
            )
        has_features = bool(self._dim) and self._ndim >= 2 and inputs.shape[-1] == self._dim
        if self._dim and self._ndim >= 2 and not has_features:
            raise DataError(
                "inputs of the wrong dim", where=where, expected=f"dim {self._dim}", received=f"shape {inputs.shape}"
            )
        sizes = inputs.shape[:-1] if has_features else inputs.shape
        self._insert(tag, inputs, sizes, arrays, where)

    def insert_batch(
        self,
        inputs: Array,
        seq_len: npt.ArrayLike | Mapping[int, npt.ArrayLike],
        seq_tag: Seq[str],
        extra: Mapping[str, Array] | None = None,
    ) -> None:
        """Append a padded batch, with the arguments of RETURNN's writer.

        Args:
            inputs: ``[B, T, ...]``, batch-major.
            seq_len: sizes ``[B]`` of the time axis, or per axis (0 is the first one behind the batch axis). Axes that
                are listed here have no feature dim: all axes listed means sparse.
            seq_tag: ``[B]`` tags.
            extra: per key ``[B, ...]``, written as it is, without padding removed.

        Raises:
            DataError: shapes that do not fit.
        """
        per_axis = seq_len if isinstance(seq_len, Mapping) else {0: seq_len}
        sizes = {axis: np.asarray(values) for axis, values in per_axis.items()}
        where = f"{self._path}, sequences {seq_tag[0]!r} ..." if len(seq_tag) else str(self._path)
        fits = (
            inputs.ndim == self._ndim + 1
            and sorted(sizes) == list(range(len(sizes)))
            and len(sizes) <= self._ndim
            and all(value.shape == (len(seq_tag),) for value in sizes.values())
            and all(len(value) == len(seq_tag) for value in (inputs, *(extra or {}).values()))
        )
        if not fits:
            raise DataError(
                "batch of the wrong shape",
                where=where,
                expected=f"{len(seq_tag)} sequences of {self._ndim} axes, sizes for the first axes",
                received=f"inputs {inputs.shape}, sizes for axes {sorted(sizes)}",
            )
        for row, tag in enumerate(seq_tag):
            shape = tuple(int(sizes[axis][row]) for axis in range(len(sizes)))
            frames = inputs[row][tuple(slice(size) for size in shape)]
            arrays = {key: np.atleast_1d(value[row]) for key, value in (extra or {}).items()}
            self._insert(tag, frames, shape, arrays, f"{self._path}, sequence {tag!r}")

    def close(self) -> None:
        """Write what is left and give the file its name. Nothing happens where it is closed already."""
        if self._file is None:
            return
        try:
            self._flush()
            self._file.close()
            with self._temporary.open("rb") as written:
                os.fsync(written.fileno())
            self._temporary.replace(self._path)
            self._file = None
        finally:
            self.abort()

    def abort(self) -> None:
        """Throw the unfinished file away. Nothing happens where the writer is closed already."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _create(self, labels: Seq[str] | None) -> Any:
        file = h5py.File(self._temporary, "w")
        for name in ("inputPattSize", "numLabels"):
            file.attrs[name] = self._dim or 1
        file.attrs["numDims"] = 1
        file.attrs["numTimesteps"] = 0
        file.attrs["numSeqs"] = 0
        if labels:
            _write_strings(file, "labels", labels)
        else:
            file.create_dataset("labels", (0,), dtype="S5")
        file.create_dataset("seqLengths", (0, 2), dtype="int32", maxshape=(None, None))
        file.create_dataset("seqTags", (0,), dtype=h5py.string_dtype(), maxshape=(None,))
        return file

    def _check_labels(self, what: str, labels: Seq[str] | None, dim: int | None) -> None:
        if labels and len(labels) != dim:
            raise DataError(
                f"wrong number of labels for {what}", where=str(self._path), expected=dim, received=len(labels)
            )

    def _declare(self, key: str, extra_type: tuple[int, int, str]) -> None:
        dim, ndim, _ = extra_type
        if key in ("inputs", "data"):
            raise DataError(f"{key!r} is reserved for the inputs", where=str(self._path), hint="choose another key")
        if ndim > 2:
            raise DataError(
                f"extra data {key!r} has too many axes",
                where=str(self._path),
                expected="[T] or [T, dim]",
                received=ndim,
            )
        self._check_labels(repr(key), self._extra_labels.get(key), dim)
        self._extra[key] = extra_type

    def _insert(self, tag: str, inputs: Array, sizes: tuple[int, ...], extra: dict[str, Array], where: str) -> None:
        if len(sizes) > 1:
            extra = {**extra, "sizes": np.array(sizes, dtype=np.int32)}
        features = (self._dim,) if self._dim and len(sizes) < self._ndim else ()
        num_frames = int(np.prod(sizes))
        if inputs.size != num_frames * int(np.prod(features)):
            raise DataError(
                "inputs do not fit their sizes", where=where, expected=f"{sizes}", received=f"shape {inputs.shape}"
            )
        if not self._tags and not self._file.attrs["numSeqs"]:
            for key in sorted(extra.keys() - self._extra.keys()):
                value = extra[key]
                self._declare(key, (value.shape[-1] if value.ndim > 1 else 1, value.ndim, value.dtype.name))
        if extra.keys() != self._extra.keys():
            keys = ", ".join(sorted(self._extra)) or "none"
            raise DataError(
                "keys of the extra data differ from those of the first sequence or of extra_type",
                where=where,
                expected=keys,
                received=", ".join(sorted(extra)) or "none",
            )
        for key, value in extra.items():
            self._append(key, self._checked_extra(key, value, where))
        self._append("inputs", inputs.reshape(num_frames, *features))
        self._tags.append(tag)
        self._lengths.append([num_frames, *(len(extra[key]) for key in sorted(extra))])
        if self._buffer_bytes >= _BUFFER_BYTES:
            self._flush()

    def _checked_extra(self, key: str, value: Array, where: str) -> Array:
        dim, ndim, dtype = self._extra[key]
        if value.ndim != ndim or (ndim == 2 and value.shape[1] != dim):
            expected = f"[T, {dim}]" if ndim == 2 else "[T]"
            raise DataError(
                f"extra data {key!r} of the wrong shape",
                where=where,
                expected=expected,
                received=f"shape {value.shape}",
            )
        return value.astype(dtype, copy=False)

    def _append(self, name: str, frames: Array) -> None:
        self._buffers.setdefault(name, []).append(np.array(frames))  # a copy: the caller may reuse the array
        self._buffer_bytes += frames.nbytes

    def _flush(self) -> None:
        """Write the buffered sequences."""
        if not self._file.attrs["numSeqs"]:
            self._create_extra()
        if not self._tags:
            return
        for name, parts in self._buffers.items():
            frames = np.concatenate(parts)
            if name == "inputs" and name not in self._file:
                shape = (0, *frames.shape[1:])
                maxshape = (None,) * frames.ndim
                self._file.create_dataset(name, shape, frames.dtype, maxshape=maxshape, chunks=_chunks(frames))
            _extend(self._file[name if name == "inputs" else f"targets/data/{name}"], frames)
        _extend(self._file["seqLengths"], np.array(self._lengths, np.int32))
        _extend(self._file["seqTags"], np.array(self._tags, dtype=object))
        self._file.attrs["numTimesteps"] = self._file["inputs"].shape[0]
        self._file.attrs["numSeqs"] += len(self._tags)
        self._buffers, self._lengths, self._tags, self._buffer_bytes = {}, [], [], 0

    def _create_extra(self) -> None:
        """Make room for the further keys; they are known once the first sequence is."""
        if not self._extra or "targets" in self._file:
            return
        groups = {name: self._file.create_group(f"targets/{name}") for name in ("data", "size", "labels")}
        for key, (dim, ndim, dtype) in self._extra.items():
            tail = (dim,) if ndim == 2 else ()
            groups["data"].create_dataset(key, (0, *tail), dtype, maxshape=(None, *tail))
            groups["size"].attrs[key] = [dim or 1, ndim]
            _write_strings(groups["labels"], key, self._extra_labels.get(key) or ["dummy-label"])
        self._file["seqLengths"].resize(1 + len(self._extra), axis=1)


def _extend(dataset: Any, rows: Array) -> None:
    """Append ``rows`` along the first axis."""
    if dataset.ndim == 2 and dataset.shape[1] > rows.shape[1]:  # the unused second column of seqLengths
        rows = np.pad(rows, ((0, 0), (0, dataset.shape[1] - rows.shape[1])))
    start = dataset.shape[0]
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows


def _chunks(frames: Array) -> tuple[int, ...]:
    """About 64 KiB per chunk, whole frames."""
    frame_bytes = max(frames[:1].nbytes, frames.itemsize)
    return (max(1, (1 << 16) // frame_bytes), *(max(size, 1) for size in frames.shape[1:]))


def _write_strings(group: Any, name: str, strings: Seq[str]) -> None:
    """Fixed-size strings where all are ASCII, else of variable size, as RETURNN's writer does."""
    if all(text.isascii() for text in strings):
        group.create_dataset(name, data=np.array([text.encode("ascii") for text in strings]))
    else:
        group.create_dataset(name, data=np.array(list(strings), dtype=object), dtype=h5py.string_dtype())
