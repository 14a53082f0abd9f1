"""LevelDB's sorted-table format, read only: the ``.index`` file of a TensorFlow checkpoint.

A file is blocks, an index block and a footer. A block is entries ``shared, unshared, value length, key rest, value``
with keys cut by their common prefix, then restart offsets; behind it a type byte and a masked CRC-32C.
See https://github.com/google/leveldb/blob/main/doc/table_format.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checkpoint.crc32c import masked_crc32c

__all__ = ["TableError", "read_table", "read_varint"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5


class TableError(Exception):
    """Bytes that are not such a table."""


def read_table(data: bytes) -> dict[bytes, bytes]:
    """All entries of the table, in its order."""
    if len(data) < _FOOTER_BYTES or int.from_bytes(data[-8:], "little") != _MAGIC:
        raise TableError("the file is cut off, or it is not a checkpoint index")
    position = len(data) - _FOOTER_BYTES
    for _ in range(2):  # the handle of the meta-index block, which is not needed
        _, position = read_varint(data, position)
    result: dict[bytes, bytes] = {}
    for _, handle in _entries(_block(data, *_handle(data, position))):
        result.update(_entries(_block(data, *_handle(handle, 0))))
    return result


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A base-128 integer at ``position``, and the position behind it."""
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise TableError("a number is cut off")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def _handle(data: bytes, position: int) -> tuple[int, int]:
    """Offset and size of a block."""
    offset, position = read_varint(data, position)
    return offset, read_varint(data, position)[0]


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + _TRAILER_BYTES > len(data):
        raise TableError("a block reaches beyond the end of the file")
    if data[end] != 0:
        raise TableError("the index is compressed; only uncompressed ones are supported")
    if masked_crc32c(data[offset : end + 1]) != int.from_bytes(data[end + 1 : end + _TRAILER_BYTES], "little"):
        raise TableError("a block's checksum is wrong")
    return data[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise TableError("a block's restart table is broken")
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        unshared, position = read_varint(block, position)
        size, position = read_varint(block, position)
        if shared > len(key) or position + unshared + size > end:
            raise TableError("an entry reaches beyond its block")
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        yield key, block[position : position + size]
        position += size
