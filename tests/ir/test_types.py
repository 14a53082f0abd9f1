"""Element types that NumPy does not have: what is kept of a number, and what two types have in common."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from compiler.analysis.precision import holds
from returnn_ir.errors import IRError
from returnn_ir.ir.types import BFLOAT16, TensorType, in_dtype, is_float, numpy_dtype, promote


def test_rounding_to_bfloat16() -> None:
    """All kinds of bits, halves between two numbers among them; another implementation says what they become."""
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**32, 100_000, dtype=np.uint32)
    halves = (bits[:1000] & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    numbers = np.concatenate([bits, halves]).view(np.float32)
    numbers = np.append(numbers, np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-40], np.float32))
    found = in_dtype(numbers, BFLOAT16)
    assert found.dtype == numpy_dtype(BFLOAT16) == np.float32
    with np.errstate(invalid="ignore"):  # some bits are NaNs that signal
        np.testing.assert_array_equal(found, numbers.astype(ml_dtypes.bfloat16).astype(np.float32))
    assert np.signbit(in_dtype(np.float32(-0.0) * np.ones(()), BFLOAT16))


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3)])
def test_shapes_stay(shape: tuple[int, ...]) -> None:
    assert in_dtype(np.ones(shape), BFLOAT16).shape == shape
    assert in_dtype(np.ones(shape).T, BFLOAT16).shape == shape[::-1]


def test_what_two_types_have_in_common() -> None:
    assert promote(BFLOAT16, BFLOAT16) == BFLOAT16
    assert promote(BFLOAT16, "float16") == promote("float32", BFLOAT16) == "float32"
    assert promote("float64", BFLOAT16) == "float64"
    assert promote("int64", BFLOAT16) == BFLOAT16
    assert is_float(BFLOAT16)
    assert str(TensorType(BFLOAT16)) == "bfloat16[]"
    with pytest.raises(IRError, match=r"unknown dtype 'float8', expected one of bool, .*, bfloat16\n"):
        TensorType("float8")


@pytest.mark.parametrize(
    ("value", "in_float16", "in_bfloat16"),
    [
        (0.1, True, True),
        (0.0, True, True),
        (65504.0, True, True),
        (1e5, False, True),
        (-1e30, False, True),
        (1e-8, False, True),
        (float(np.finfo(np.float32).min), False, False),
        (1e-45, False, False),
        (-np.inf, True, True),
        (np.array([1.0, 1e6]), False, True),
        (np.zeros((0, 2)), True, True),
        (True, True, True),
        ("text", True, True),
        (None, True, True),
    ],
)
def test_which_numbers_16_bits_hold(value: object, in_float16: bool, in_bfloat16: bool) -> None:
    assert (holds("float16", value), holds("bfloat16", value)) == (in_float16, in_bfloat16)
