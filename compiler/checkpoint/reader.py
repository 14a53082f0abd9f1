"""TensorFlow checkpoints without TensorFlow: ``PREFIX.index`` and ``PREFIX.data-00000-of-00001``.

The index maps each variable name to a ``BundleEntryProto`` (dtype, shape, shard, offset, size, checksum); the data
files hold the bytes. Format: tensorflow/core/protobuf/tensor_bundle.proto. Both the files of TF 1's ``Saver`` and ours
are such bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.checkpoint.crc32c import masked_crc32c
from compiler.checkpoint.table import TableError, read_table, read_varint
from returnn_ir.errors import DataError, ProblemList, UserError, did_you_mean

__all__ = ["CheckpointEntry", "CheckpointReader", "read_checkpoint"]

_DTYPES: Mapping[int, str] = {
    1: "<f4", 2: "<f8", 3: "<i4", 4: "|u1", 5: "<i2", 6: "|i1", 8: "<c8", 9: "<i8", 10: "|b1",
    17: "<u2", 18: "<c16", 19: "<f2", 22: "<u4", 23: "<u8",
}  # fmt: skip
"""``DataType`` of tensorflow/core/framework/types.proto to NumPy; strings and exotic types are left out."""

_Fields = dict[int, list[int | bytes]]


@dataclass(frozen=True)
class CheckpointEntry:
    """Where one variable lies. ``dtype`` is None where NumPy has no such type (strings, bfloat16 ...)."""

    dtype: np.dtype[Any] | None
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc32c: int
    sliced: bool


@dataclass(frozen=True)
class CheckpointReader:
    """An open checkpoint: its variables by name; bytes are read when asked for."""

    prefix: str
    shards: int
    entries: Mapping[str, CheckpointEntry] = field(repr=False)

    @staticmethod
    def open(prefix: str | Path) -> CheckpointReader:
        """Read the index of ``prefix`` (the path without ``.index``; with it is fine).

        Raises:
            DataError: there is none, or it is broken.
        """
        prefix = str(prefix).removesuffix(".index").removesuffix(".meta")
        index = Path(f"{prefix}.index")
        if not index.is_file() and Path(prefix).is_file():
            raise DataError(
                "a checkpoint in TensorFlow's first format, of one file, is not read",
                where=prefix,
                hint="let TensorFlow load it and save it again, which writes the files .index and .data",
            )
        if not index.is_file():
            raise DataError("no such checkpoint", where=prefix, expected=f"the file {index}", hint=_nearby(prefix))
        try:
            table = read_table(index.read_bytes())
            header = _fields(table.pop(b"", b""))
            if _integer(header, 2):
                raise TableError("big-endian checkpoints are not supported")
            entries = {key.decode("utf-8"): _entry(value) for key, value in table.items()}
        except (TableError, UnicodeDecodeError) as error:
            raise DataError(f"the checkpoint index is broken: {error}", where=str(index)) from None
        return CheckpointReader(prefix, max(_integer(header, 1), 1), entries)

    def names(self) -> list[str]:
        """The variables that :meth:`read` can give, sorted; strings and partitioned variables are left out."""
        return sorted(name for name, entry in self.entries.items() if entry.dtype is not None and not entry.sliced)

    def read(self, name: str) -> NDArray[Any]:
        """One variable's value; its checksum is verified."""
        entry = self.entries.get(name)
        if entry is None:
            raise DataError(
                f"the checkpoint has no variable {name!r}", where=self.prefix, hint=did_you_mean(name, self.entries)
            )
        if entry.dtype is None or entry.sliced:
            raise DataError(f"variable {name!r} has an unsupported type or is partitioned", where=self.prefix)
        data = self._bytes(entry)
        count = int(np.prod(entry.shape, dtype=np.int64))
        if len(data) != entry.size or len(data) != count * entry.dtype.itemsize:
            raise DataError(
                f"the checkpoint is cut off at variable {name!r}", where=self.prefix,
                expected=f"{count * entry.dtype.itemsize} bytes", received=f"{len(data)} bytes",
            )  # fmt: skip
        if masked_crc32c(data) != entry.crc32c:
            raise DataError(f"the checksum of variable {name!r} is wrong", where=self.prefix)
        return np.frombuffer(data, dtype=entry.dtype).reshape(entry.shape).copy()

    def read_matching(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
        """The variables that ``shapes`` names, checked against it; all problems are reported at once.

        Other variables of the checkpoint are left alone, as TensorFlow does (``set(reader.names()) - set(shapes)``).
        """
        if shapes and not any(name in self.entries for name in shapes):
            raise DataError(
                "the checkpoint has none of the network's variables",
                where=self.prefix,
                expected=_some(shapes),
                received=_some(self.entries),
            )
        problems: list[UserError] = []
        for name, shape in shapes.items():
            entry = self.entries.get(name)
            if entry is None:
                hint = did_you_mean(name, set(self.entries) - set(shapes))
                problems.append(DataError(f"the checkpoint has no variable {name!r}", where=self.prefix, hint=hint))
            elif entry.shape != tuple(shape):
                problems.append(
                    DataError(
                        f"variable {name!r} has another shape in the checkpoint",
                        where=self.prefix,
                        expected=list(shape),
                        received=list(entry.shape),
                    )
                )
        if problems:
            raise ProblemList(problems)
        return {name: self.read(name) for name in shapes}

    def _bytes(self, entry: CheckpointEntry) -> bytes:
        path = Path(f"{self.prefix}.data-{entry.shard:05d}-of-{self.shards:05d}")
        if not path.is_file():
            raise DataError("a data file of the checkpoint is missing", where=str(path))
        with path.open("rb") as stream:
            stream.seek(entry.offset)
            return stream.read(entry.size)


def read_checkpoint(prefix: str | Path) -> dict[str, NDArray[Any]]:
    """Every variable of the checkpoint by name, see :meth:`CheckpointReader.names`."""
    reader = CheckpointReader.open(prefix)
    return {name: reader.read(name) for name in reader.names()}


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:5]) + (f" ... ({len(ordered)} variables)" if len(ordered) > 5 else "")


def _nearby(prefix: str) -> str | None:
    folder = Path(prefix).parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    found = sorted(path.name.removesuffix(".index") for path in folder.glob("*.index"))
    return f"in {folder} there is: {', '.join(found[:10])}" if found else None


def _entry(data: bytes) -> CheckpointEntry:
    """A ``BundleEntryProto``: dtype 1, shape 2, shard 3, offset 4, size 5, crc32c 6, slices 7."""
    values = _fields(data)
    dims = [_fields(dim) for shape in values.get(2, []) for dim in _fields(shape).get(2, [])]
    code = _DTYPES.get(_integer(values, 1))
    return CheckpointEntry(
        dtype=np.dtype(code) if code else None,
        shape=tuple(_integer(dim, 1) for dim in dims),
        shard=_integer(values, 3),
        offset=_integer(values, 4),
        size=_integer(values, 5),
        crc32c=_integer(values, 6),
        sliced=bool(values.get(7)),
    )


def _integer(values: _Fields, number: int) -> int:
    value = values.get(number, [0])[-1]
    if not isinstance(value, int):
        raise TableError("a field has the wrong type")
    return value


def _fields(data: int | bytes) -> _Fields:
    """The fields of a protocol-buffer message by number: integers, or bytes for nested messages."""
    if not isinstance(data, bytes):
        raise TableError("a field has the wrong type")
    result: _Fields = {}
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        wire = tag & 7
        value: int | bytes
        if wire == 0:
            value, position = read_varint(data, position)
        elif wire in (1, 2, 5):
            size = {1: 8, 5: 4}.get(wire, 0)
            if wire == 2:
                size, position = read_varint(data, position)
            chunk = data[position : position + size]
            if len(chunk) != size:
                raise TableError("a message is cut off")
            value, position = (chunk if wire == 2 else int.from_bytes(chunk, "little")), position + size
        else:
            raise TableError(f"unknown wire type {wire}")
        result.setdefault(tag >> 3, []).append(value)
    return result
