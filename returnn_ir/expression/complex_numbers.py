"""Functions of expressions about complex numbers, which spectra are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from returnn_ir.expression.numbered import Numbered, as_numbered, binary
from returnn_ir.expression.table import function

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__: list[str] = []


def _part(x: Numbered, op: str) -> Numbered:
    return x.with_value(x.b.unary(op, x.value))


def _is_complex(x: Numbered) -> bool:
    return x.value.dtype == "complex64"


@function("complex")
def _complex(b: Tracer, real: object, imag: object, name: object = None) -> Numbered:
    return binary("complex", as_numbered(b, real), as_numbered(b, imag))


@function("real")
def _real(b: Tracer, input: object, name: object = None) -> Numbered:
    x = as_numbered(b, input)
    return _part(x, "real") if _is_complex(x) else x


@function("imag")
def _imag(b: Tracer, input: object, name: object = None) -> Numbered:
    x = as_numbered(b, input)
    return _part(x, "imag") if _is_complex(x) else x.with_value(b.expand(b.const(0.0, x.value.dtype), *x.value.dims))


@function("conj")
def _conj(b: Tracer, x: object, name: object = None) -> Numbered:
    tensor = as_numbered(b, x)
    if not _is_complex(tensor):
        return tensor
    return binary("complex", _part(tensor, "real"), -_part(tensor, "imag"))


@function("angle")
def _angle(b: Tracer, input: object, name: object = None) -> Numbered:
    x = as_numbered(b, input)
    if _is_complex(x):
        return binary("atan2", _part(x, "imag"), _part(x, "real"))
    return (x < 0) * math.pi
