"""Whether there is a GPU. Standard library only."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["cuda_devices"]


def cuda_devices() -> int:
    """How many GPUs the CUDA driver offers; 0 without a driver."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
