"""RETURNN's native LSTM units: parameters W, b, W_re in the layout of :class:`LstmCell`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.layers.recurrent.cells.base import CellScope
from returnn_ir.layers.recurrent.cells.lstm import CellStateOnly, LstmCell
from returnn_ir.options import Finite, Share

__all__ = [
    "FirstNativeOptions",
    "NativeOptions",
    "NoOptions",
    "first_native_lstm",
    "native_lstm",
    "native_lstm_low_mem",
    "vanilla_lstm",
]


@dataclass(frozen=True)
class NativeOptions:
    """``unit_opts`` of RETURNN's native LSTM.

    Attributes:
        forget_bias: must be 0: the unit adds none.
        rec_weight_dropout: of the recurrent weights.
        rec_weight_dropout_shape: an entry 1 for rows or columns that share their draw.
    """

    forget_bias: Finite = 0.0
    rec_weight_dropout: Share = 0.0
    rec_weight_dropout_shape: Any = None


def native_lstm(scope: CellScope, unit: str, opts: NativeOptions) -> LstmCell:
    """``nativelstm``, ``nativelstm2``: parameters W, b and W_re."""
    return _native(scope, unit, opts, {scope.gates(): [scope.units] * 4})


def _native(scope: CellScope, unit: str, opts: NativeOptions, splits: Mapping[Dim, Sequence[int]]) -> LstmCell:
    b, gate, previous = scope.b, scope.gates(), scope.previous()
    if opts.forget_bias:
        raise ConfigError(
            f"unit {unit!r} adds no forget bias", where=b.place("unit_opts"), hint="set it by bias_init instead"
        )
    w, bias = None, b.expand(b.const(0.0), gate)
    if scope.input_projection:
        w = scope.param("W", (scope.feature, gate), scope.inits.input_weights, splits)
        bias = scope.param("b", (gate,), 0.0 if scope.inits.bias is None else scope.inits.bias, splits)
    elif scope.sparse or scope.feature.size != gate.size:
        raise ConfigError(
            "input_projection False needs an input of four times the output's size",
            where=b.place("input_projection"),
            expected=gate.size,
            received="labels" if scope.sparse else scope.feature.size,
        )
    w_re = scope.param("W_re", (previous, gate), scope.inits.default, splits)
    if opts.rec_weight_dropout and b.training:
        w_re = b.dropout(w_re, opts.rec_weight_dropout, _noise(b, opts, (previous, gate)), "rec_weight_dropout")
    return LstmCell(scope.feature, scope.out, gate, previous, w, w_re, bias, scope.sparse)


def _noise(b: Any, opts: NativeOptions, dims: tuple[Dim, Dim]) -> list[Dim]:
    shape = opts.rec_weight_dropout_shape
    if shape is None:
        return list(dims)
    if not isinstance(shape, (list, tuple)) or len(shape) != len(dims):
        raise ConfigError(
            "rec_weight_dropout_shape has one entry for the rows and one for the columns",
            where=b.place("unit_opts"),
            expected="e.g. (None, 1)",
            received=shape,
        )
    return [d for d, size in zip(dims, shape, strict=True) if size != 1]


@dataclass(frozen=True)
class FirstNativeOptions:
    """``unit_opts`` of RETURNN's first native LSTM.

    Attributes:
        forget_bias: must be 0: the unit adds none.
    """

    forget_bias: float = 0.0


def first_native_lstm(scope: CellScope, unit: str, opts: FirstNativeOptions) -> CellStateOnly:
    """``nativelstm``: as ``nativelstm2``, but only the cell is its state."""
    return CellStateOnly(native_lstm(scope, unit, NativeOptions(forget_bias=opts.forget_bias)))


@dataclass(frozen=True)
class NoOptions:
    """A unit without options."""


def native_lstm_low_mem(scope: CellScope, unit: str, opts: NoOptions) -> CellStateOnly:
    """``nativelstmlowmem``: one matrix W for the input and, below it, the previous output."""
    scope.require_dense(unit)
    b, gate, previous = scope.b, scope.gates(), scope.previous()
    rows = b.dim("rows", b.size(scope.feature) + scope.units, feature=True)
    splits = {rows: (b.size(scope.feature), scope.units), gate: [scope.units] * 4}
    weights = scope.param("W", (rows, gate), scope.inits.default, splits)
    bias = scope.param("b", (gate,), 0.0, splits)
    w, w_re = scope.split_rows(weights, rows, previous)
    return CellStateOnly(LstmCell(scope.feature, scope.out, gate, previous, w, w_re, bias))


def vanilla_lstm(scope: CellScope, unit: str, opts: NoOptions) -> LstmCell:
    """``vanillalstm``: the native layout, as a cell."""
    scope.require_dense(unit)
    return _native(replace(scope, inits=replace(scope.inits, bias=None)), unit, NativeOptions(), {})
