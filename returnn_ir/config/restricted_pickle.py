"""Pickle files as data: containers, texts, numbers and NumPy arrays, and nothing that runs.

A pickle names functions and has them called. Here each name that data need stands for a function of ours, which takes
only what pickled data hold, and every other name is an error; what comes out is looked through once more.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from returnn_ir.errors import DataError

__all__ = ["load_pickle"]

#: Letters of NumPy types that hold plain data: numbers, texts of fixed size, and O, whose entries are looked through.
_DTYPE = re.compile(r"[?bBhHiIlLqQefdg]|[biufc](?:1|2|4|8|16)|[SUa][0-9]{0,9}|O8?|bool")
_PLAIN = (bool, int, float, complex, str, bytes, bytearray, type(None), np.generic)


def load_pickle(raw: bytes, where: str, *, encoding: str = "latin1") -> Any:
    """The value that a pickle holds: lists, tuples, sets and dicts of texts, numbers, None and NumPy arrays.

    Args:
        raw: of the file.
        where: the file, for messages.
        encoding: of texts that Python 2 wrote; ``latin1``, which takes any bytes, is that of its arrays, too.

    Raises:
        DataError: anything else in it, or no pickle.
    """
    try:
        value = _Unpickler(io.BytesIO(raw), encoding=encoding).load()
    except _RefusedError as error:
        raise DataError(
            f"the pickle file is refused: it names {error}",
            where=where,
            expected="only lists, tuples, sets, dicts, texts, numbers and NumPy arrays: a pickle can run any code",
            hint="write what it holds to a text file",
        ) from error
    except Exception as error:  # broken bytes raise nearly anything
        received = f"{type(error).__name__}: {error}"
        raise DataError("cannot read the pickle file", where=where, received=received) from error
    for part in _parts(value):
        if not isinstance(part, _PLAIN) and type(part) not in (list, tuple, set, frozenset, dict, _Array):
            raise DataError("the pickle file is refused", where=where, received=f"an object of {type(part).__name__}")
    return value


class _RefusedError(Exception):
    """A name that data do not need."""


class _Unpickler(pickle.Unpickler):
    """Knows the names in ``_NAMES``."""

    def find_class(self, module: str, name: str) -> Any:
        """Our function for a name of the pickle."""
        if (module.replace("numpy._core", "numpy.core"), name) not in _NAMES:
            raise _RefusedError(f"{module}.{name}")
        return _NAMES[module.replace("numpy._core", "numpy.core"), name]

    def persistent_load(self, pid: Any) -> Any:
        """Objects from elsewhere: none."""
        raise _RefusedError("an object outside of it")


def _parts(value: object) -> Iterator[object]:
    """The value and everything in it, each object once."""
    seen, waiting = {id(value)}, [value]
    while waiting:
        part = waiting.pop()
        yield part
        inner: list[object] = []
        if isinstance(part, dict):
            inner = [*part.keys(), *part.values()]
        elif isinstance(part, (list, tuple, set, frozenset)):
            inner = list(part)
        elif isinstance(part, np.ndarray) and part.dtype.hasobject:
            inner = part.reshape(-1).tolist()
        for one in inner:
            if id(one) not in seen:
                seen.add(id(one))
                waiting.append(one)


# ---------------------------------------------------------------- what the names of a pickle stand for


class _Function:
    """A function of ours that a pickle may call, and do nothing else with: nothing can be set in it."""

    __slots__ = ("_call",)
    _call: Callable[..., object]

    def __init__(self, call: Callable[..., object]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *args: object) -> object:
        return self._call(*args)

    def __setattr__(self, name: str, value: object) -> None:
        raise _RefusedError(f"a change of {name}")

    def __setstate__(self, state: object) -> None:
        raise _RefusedError("a change of a function")


class _DType:
    """A NumPy type while a pickle is read; only its letters and the byte order count."""

    __slots__ = ("dtype",)

    def __init__(self, letters: object, *flags: object) -> None:
        if not isinstance(letters, str) or not _DTYPE.fullmatch(letters):
            raise _RefusedError(f"the NumPy type {letters!r}")
        self.dtype = np.dtype(letters)

    def __setstate__(self, state: Any) -> None:
        if state[1] in (">", "<", "=", "|"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray[Any, Any]):
    """An array that is filled from a pickle, with its size checked."""

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        filled = _filled(shape, kind, data, bool(fortran))
        entries: Any = filled.reshape(-1).tolist() if filled.dtype.hasobject else filled.tobytes()
        state = 1, filled.shape, filled.dtype, False, entries
        super().__setstate__(state)


def _filled(shape: Any, kind: Any, data: Any, fortran: bool) -> np.ndarray[Any, Any]:
    """The array of a shape, a type and the bytes (or the objects) in it."""
    if type(kind) is not _DType or type(shape) is not tuple or not all(type(size) is int for size in shape):
        raise ValueError("no array")
    if kind.dtype.hasobject:
        array: np.ndarray[Any, Any] = np.empty(len(data), dtype=object)
        array[:] = list(data)
    else:
        raw = data.encode("latin1") if isinstance(data, str) else bytes(data)  # a text of Python 2
        array = np.frombuffer(raw, kind.dtype) if kind.dtype.itemsize else np.zeros(shape, kind.dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _new_array(kind: object, shape: object, letters: object) -> _Array:
    return _Array((0,))


def _from_buffer(data: Any, kind: Any, shape: Any, order: Any) -> _Array:
    array = _Array((0,))
    array.__setstate__((1, shape, kind, order == "F", data))
    return array


def _scalar(kind: Any, data: Any = b"") -> object:
    return _filled((1,), kind, data, False)[0]


def _encode(text: object, encoding: object) -> bytes:
    """Bytes as Python 3 writes them in old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise _RefusedError("an encoding")
    return text.encode("latin1")


def _bytes(*parts: object) -> bytes:
    """Bytes from nothing, from bytes or from a text with its encoding."""
    if not parts or type(parts[0]) is bytes:
        return b"".join(part for part in parts[:1] if isinstance(part, bytes))
    return _encode(parts[0], parts[-1])


def _complex(real: object, imaginary: object) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise _RefusedError("a number")
    return complex(real, imaginary)


def _make(kind: Callable[..., object]) -> _Function:
    """A container from the list of its items; of nothing an empty one."""
    return _Function(lambda *items: kind(*(list(part) for part in items[:1])))


_NAMES: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _Function(_new_array),
    ("numpy.core.multiarray", "scalar"): _Function(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Function(_from_buffer),
    ("numpy", "ndarray"): _Function(_new_array),
    ("numpy", "dtype"): _Function(_DType),
    ("collections", "OrderedDict"): _make(dict),
    ("_codecs", "encode"): _Function(_encode),
}
for _module in ("builtins", "__builtin__"):
    _NAMES.update({(_module, kind.__name__): _make(kind) for kind in (set, frozenset, list, dict, tuple)})
    _NAMES[_module, "bytes"] = _Function(_bytes)
    _NAMES[_module, "bytearray"] = _Function(lambda *parts: bytearray(_bytes(*parts)))
    _NAMES[_module, "complex"] = _Function(_complex)
