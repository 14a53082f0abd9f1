"""Pickles as data: what lists of sequences hold comes out as it was, and nothing else does."""

from __future__ import annotations

import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from returnn_ir.config.restricted_pickle import load_pickle
from returnn_ir.errors import DataError

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
_KEYS = st.text() | st.integers()
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(_KEYS, inner), st.sets(_KEYS), st.frozensets(_KEYS)
    ),
    max_leaves=20,
)
_DTYPES = st.sampled_from(["f4", "f8", ">f4", "i4", "u1", "?", "<U3", "S4", "c8", "i8"])
_ARRAYS = hnp.arrays(_DTYPES, hnp.array_shapes(min_dims=0, min_side=0))
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@settings(max_examples=150, deadline=None)
@given(_DATA, st.sampled_from(PROTOCOLS))
@example({"a": OrderedDict(x=1)}, 2)
@example([b"\xff\x00", bytearray(b"\xfe")], 2)
def test_data_comes_out_as_it_was(value: Any, protocol: int) -> None:
    assert load_pickle(pickle.dumps(value, protocol), "f") == value


@settings(max_examples=100, deadline=None)
@given(_ARRAYS, st.sampled_from(PROTOCOLS), st.booleans())
def test_arrays_come_out_as_they_were(array: np.ndarray[Any, Any], protocol: int, fortran: bool) -> None:
    given_array = np.asfortranarray(array) if fortran else array
    value = load_pickle(pickle.dumps({"x": [given_array]}, protocol), "f")["x"][0]
    assert (value.dtype, value.shape) == (given_array.dtype.newbyteorder("="), given_array.shape)
    np.testing.assert_array_equal(value, given_array)


def test_numbers_of_numpy_and_arrays_of_objects() -> None:
    value = [np.float32(3.5), np.int64(-4), np.array(["a", None, 3], dtype=object)]
    for protocol in PROTOCOLS:
        number, whole, objects = load_pickle(pickle.dumps(value, protocol), "f")
        assert (number, number.dtype, whole, objects.tolist()) == (np.float32(3.5), np.float32, -4, ["a", None, 3])


def test_a_list_that_holds_itself() -> None:
    value: list[Any] = ["a"]
    value.append(value)
    loaded = load_pickle(pickle.dumps(value), "f")
    assert loaded[1] is loaded


def test_pickles_of_python_2() -> None:
    """Texts and arrays as Python 2 wrote them, whose texts are bytes."""
    assert load_pickle(b"\x80\x02}q\x00U\x01aq\x01]q\x02U\x05seq-1q\x03as.", "f") == {"a": ["seq-1"]}
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
    array += b"(S'i2'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x01\\x00\\x02\\x00'\ntb."
    assert load_pickle(array, "f").tolist() == [1, 2]


def test_texts_of_python_2_that_are_not_ascii() -> None:
    """Their encoding is not in the file: where it matters, they are refused, as Python does it."""
    raw = b"\x80\x02U\x02\xc3\xbcq\x00."
    assert load_pickle(raw, "f") == "\xc3\xbc"
    with pytest.raises(DataError, match="UnicodeDecodeError"):
        load_pickle(raw, "f", encoding="ascii")


class _Runs:
    """An object whose pickle calls something when it is read."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (_Runs(os.system, ("touch evil",)), f"{os.system.__module__}.system"),
        (_Runs(eval, ("1",)), "builtins.eval"),
        (_Runs(getattr, (1, "real")), "builtins.getattr"),
        (_Runs(np.fromfile, ("evil",)), "numpy.fromfile"),
        (_Runs(pickle.loads, (b"N.",)), "_pickle.loads"),
        (Path("x"), f"{Path('x').__class__.__module__}.PosixPath"),
        (np.dtype([("a", "f4")]), "the NumPy type 'V4'"),
        (range(3), "builtins.range"),
        (os.system, f"{os.system.__module__}.system"),
    ],
)
def test_names_that_data_do_not_need(value: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for protocol in PROTOCOLS:
        raw = pickle.dumps([value], protocol)
        with pytest.raises(DataError) as caught:
            load_pickle(raw, "lists/tags.pkl")
        if protocol >= 3:
            assert caught.value.what == f"the pickle file is refused: it names {name}"
            assert str(caught.value).startswith("lists/tags.pkl: the pickle file is refused")
            assert caught.value.hint == "write what it holds to a text file"
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"cnumpy\nndarray\n.",  # one of our functions as a value
        b"c_codecs\nencode\n(S'__defaults__'\n(tI1\nd(NS'_call'\nI1\ntb.",
        b"c_codecs\nencode\n}S'_call'\nI1\nsb.",  # BUILD on one of our functions
        b"cnumpy\ndtype\n(S'V8'\ntR.",
        b"cnumpy\ndtype\n(S'f8'\ntR.",  # a type is no data
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I9\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'ab'\ntb.",
        b"Ppersistent\n.",
        b"\x82\x01.",  # EXT1
        b"(i__main__\nX\n.",
        b"(S'a'\nios\nsystem\n.",
        b"(cos\nsystem\nS'a'\no.",
        b"\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)\x81.",  # NEWOBJ
        b"",
        b"\x80\x05",
        b"plain text\n",
    ],
)
def test_pickles_made_by_hand(raw: bytes) -> None:
    with pytest.raises(DataError, match="pickle file"):
        load_pickle(raw, "f")


_OPCODES = [opcode.code.encode("latin1") for opcode in pickletools.opcodes]
_NAMES = [b"cos\nsystem\n", b"cbuiltins\neval\n", b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"c_codecs\nencode\n"]
_PIECES = [*_OPCODES, *_NAMES, b"I1\n", b"S'f8'\n", b"(", b"t", b"R", b"b", b"}", b"\x80\x04", b"K\x01", b"\x81", b")"]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=3), max_size=14))
def test_random_pickles_are_data_or_refused(pieces: list[bytes]) -> None:
    """Whatever the bytes, the result is plain data or one message."""
    _load_or_refuse(b"".join(pieces) + b".")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PROTOCOLS), st.data())
def test_damaged_pickles_are_data_or_refused(protocol: int, data: st.DataObject) -> None:
    value = {"a": ["seq-1", np.arange(3.0)], "b": (frozenset({1}), np.float32(2), b"x", OrderedDict(c={2}))}
    raw = bytearray(pickle.dumps(value, protocol))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    _load_or_refuse(bytes(raw))


def _load_or_refuse(raw: bytes) -> None:
    try:
        value = load_pickle(raw, "f")
    except DataError:
        return
    _assert_plain(value, set())


def _assert_plain(value: Any, seen: set[int]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            _assert_plain(part, seen)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            _assert_plain(part, seen)
    elif isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            for part in value.reshape(-1).tolist():
                _assert_plain(part, seen)
    else:
        assert value is None or isinstance(value, (bool, int, float, complex, str, bytes, bytearray, np.generic))
