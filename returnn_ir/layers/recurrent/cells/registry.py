"""Unit names: what RETURNN 1 with TensorFlow 2 runs on the CPU under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.layers.recurrent.cells.base import Cell, CellScope
from returnn_ir.layers.recurrent.cells.layer_norm_lstm import layer_norm_lstm
from returnn_ir.layers.recurrent.cells.native_lstm import (
    first_native_lstm,
    native_lstm,
    native_lstm_low_mem,
    vanilla_lstm,
)
from returnn_ir.layers.recurrent.cells.simple import basic_rnn, gru, highway
from returnn_ir.layers.recurrent.cells.standard_lstm import basic_lstm, standard_lstm, zoneout

__all__ = ["make_cell", "unit_name"]

#: Cells that run frame by frame, in ``rec`` and in ``rnn_cell``.
_CELLS: dict[str, Callable[[CellScope, str, Mapping[str, Any]], Cell]] = {
    "basiclstm": basic_lstm,
    "basicrnn": basic_rnn,
    "gru": gru,
    "layernormvariantslstm": layer_norm_lstm,
    "rhn": highway,
    "standardlstm": standard_lstm,
    "vanillalstm": vanilla_lstm,
    "zoneoutlstm": zoneout,
}

#: Kernels for whole sequences, in ``rec`` only.
_SEQUENCES = ("nativelstm", "nativelstm2", "nativelstmlowmem")

#: Other names of the above.
_ALIASES = {"lstm": "nativelstm2", "lstmp": "nativelstm2"}
_LSTM_BLOCKS = ("lstmblock", "lstmblockfused", "cudnnlstm")

#: Names that RETURNN knows and cannot run from a config on the CPU, with the reason.
_REFUSED = {
    **dict.fromkeys(("rnn", "layerrnn", "recseqcellop"), "is an abstract class in RETURNN"),
    **dict.fromkeys(
        ("dropoutwrapper", "residualwrapper", "devicewrapper", "multirnn"),
        "wraps other cells, which a config cannot give",
    ),
    **dict.fromkeys(
        ("blocksparselstm", "blocksparsemultiplicativemultisteplstm", "cudnngru", "grublock", "twodnativelstm"),
        "has no CPU kernel in RETURNN",
    ),
}


def unit_name(unit: str, *, single_step: bool) -> str:
    """The plain name: case and "Cell" do not matter, and some names stand for others."""
    name = unit.lower().removesuffix("cell")
    if name in _LSTM_BLOCKS:
        return "standardlstm" if single_step else "nativelstm2"
    return _ALIASES.get(name, name)


def make_cell(
    scope: CellScope, unit: str, unit_opts: Mapping[str, Any], *, single_step: bool, input_projection: bool = True
) -> Cell:
    """The cell of a unit name.

    Args:
        single_step: for ``rnn_cell``, where some names mean another cell than in ``rec``.
        input_projection: option of ``rec``; only the native LSTMs can do without.

    Raises:
        ConfigError: no such unit or option.
    """
    name = unit_name(unit, single_step=single_step)
    if name == "nativelstm2" and not single_step:
        return native_lstm(scope, unit, unit_opts, input_projection=input_projection)
    if name == "nativelstm" and not single_step:
        return first_native_lstm(scope, unit, unit_opts, input_projection=input_projection)
    if name in _CELLS or (name == "nativelstmlowmem" and not single_step):
        if not input_projection:
            raise ConfigError(
                f"unit {unit!r} cannot do without input projection", where=scope.b.place("input_projection")
            )
        return _CELLS.get(name, native_lstm_low_mem)(scope, unit, unit_opts)
    known = [*_CELLS, *_ALIASES, *_LSTM_BLOCKS, *(() if single_step else _SEQUENCES)]
    where = scope.b.place("unit")
    if name in _SEQUENCES:
        raise ConfigError(f"unit {unit!r} is for a whole sequence", where=where, hint="LSTMBlock, or a rec layer")
    if name in _REFUSED:
        raise ConfigError(f"unit {unit!r} {_REFUSED[name]}", where=where, expected=", ".join(known))
    raise ConfigError(f"unknown unit {unit!r}", where=where, expected=", ".join(known), hint=did_you_mean(name, known))
