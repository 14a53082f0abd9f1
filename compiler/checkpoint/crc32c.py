"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) of large arrays, in NumPy.

The bytes are cut into equal lanes that are worked on side by side, one table lookup per column; then the lanes'
checksums are joined, which is a linear map: a checksum followed by n zero bytes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["crc32c", "masked_crc32c"]

_POLYNOMIAL = 0x82F63B78
_LANE_BYTES = 1024
_MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of ``data``."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    lanes = len(buffer) // _LANE_BYTES
    state = 0xFFFFFFFF
    if lanes:
        table = _table()
        columns = buffer[: lanes * _LANE_BYTES].reshape(lanes, _LANE_BYTES).T
        sums = np.zeros(lanes, dtype=np.uint32)
        for column in columns:
            sums = table[(sums ^ column) & 0xFF] ^ (sums >> np.uint32(8))
        zeros = _zero_tables()
        for lane_sum in sums.tolist():
            state = lane_sum ^ (
                zeros[0][state & 0xFF]
                ^ zeros[1][(state >> 8) & 0xFF]
                ^ zeros[2][(state >> 16) & 0xFF]
                ^ zeros[3][state >> 24]
            )
    steps = _step_list()
    for byte in buffer[lanes * _LANE_BYTES :].tolist():
        state = steps[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | memoryview) -> int:
    """LevelDB's masked form, which is what its files store."""
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + _MASK_DELTA) & 0xFFFFFFFF


@cache
def _table() -> NDArray[np.uint32]:
    """``[256]``: the state after one byte, from state zero."""
    value = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        value = np.where(value & 1, (value >> 1) ^ np.uint32(_POLYNOMIAL), value >> 1).astype(np.uint32)
    return value


@cache
def _step_list() -> list[int]:
    return [int(value) for value in _table()]


@cache
def _zero_tables() -> list[list[int]]:
    """``[4][256]``: what each byte of a state becomes after a lane of zeros."""
    table = _table()
    tables = []
    for shift in range(4):
        state = np.arange(256, dtype=np.uint32) << np.uint32(8 * shift)
        for _ in range(_LANE_BYTES):
            state = table[state & 0xFF] ^ (state >> np.uint32(8))
        tables.append([int(value) for value in state])
    return tables
