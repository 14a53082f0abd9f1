"""Unit names: what RETURNN 1 with TensorFlow 2 runs on the CPU under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.layers.recurrent.cells.base import Cell, CellScope
from returnn_ir.layers.recurrent.cells.layer_norm_lstm import LayerNormOptions, layer_norm_lstm
from returnn_ir.layers.recurrent.cells.native_lstm import (
    FirstNativeOptions,
    NativeOptions,
    NoOptions,
    first_native_lstm,
    native_lstm,
    native_lstm_low_mem,
    vanilla_lstm,
)
from returnn_ir.layers.recurrent.cells.simple import GruOptions, HighwayOptions, PlainOptions, basic_rnn, gru, highway
from returnn_ir.layers.recurrent.cells.standard_lstm import (
    BasicOptions,
    StandardOptions,
    ZoneoutOptions,
    basic_lstm,
    standard_lstm,
    zoneout,
)
from returnn_ir.options import checked, read_options

__all__ = ["LSTM_BLOCKS", "OTHER_NAMES", "REFUSED", "UNITS", "Unit", "make_cell", "runs_alone", "unit_name"]


@dataclass(frozen=True)
class Unit:
    """A unit.

    Attributes:
        make: the cell of (where, the unit as written, its options).
        options: the dataclass of its ``unit_opts``.
        whole: it is a kernel for whole sequences, in ``rec`` only; others run frame by frame, in ``rnn_cell``, too.
        bare: it can do without input projection.
    """

    make: Callable[[CellScope, str, Any], Cell]
    options: type[Any]
    whole: bool = False
    bare: bool = False


UNITS: Mapping[str, Unit] = {
    "basiclstm": Unit(basic_lstm, BasicOptions),
    "basicrnn": Unit(basic_rnn, PlainOptions),
    "gru": Unit(gru, GruOptions),
    "layernormvariantslstm": Unit(layer_norm_lstm, LayerNormOptions),
    "rhn": Unit(highway, HighwayOptions),
    "standardlstm": Unit(standard_lstm, StandardOptions),
    "vanillalstm": Unit(vanilla_lstm, NoOptions),
    "zoneoutlstm": Unit(zoneout, ZoneoutOptions),
    "nativelstm": Unit(first_native_lstm, FirstNativeOptions, whole=True, bare=True),
    "nativelstm2": Unit(native_lstm, NativeOptions, whole=True, bare=True),
    "nativelstmlowmem": Unit(native_lstm_low_mem, NoOptions, whole=True),
}

#: Other names of the above.
OTHER_NAMES = {"lstm": "nativelstm2", "lstmp": "nativelstm2"}
#: TensorFlow's and cuDNN's LSTMs: ``standardlstm`` in ``rnn_cell``, ``nativelstm2`` in ``rec``.
LSTM_BLOCKS = ("lstmblock", "lstmblockfused", "cudnnlstm")

#: Names that RETURNN knows and cannot run from a config on the CPU, with the reason.
REFUSED = {
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
    if name in LSTM_BLOCKS:
        return "standardlstm" if single_step else "nativelstm2"
    return OTHER_NAMES.get(name, name)


def runs_alone(unit: str) -> bool:
    """Whether a unit takes a single frame outside of a loop, too: the kernels for whole sequences do."""
    found = UNITS.get(unit_name(unit, single_step=False))
    return found is not None and found.whole


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
    found = UNITS.get(name)
    if found is None or (found.whole and single_step):
        raise _refusal(scope, unit, name, single_step=single_step)
    if not input_projection and not found.bare:
        raise ConfigError(f"unit {unit!r} cannot do without input projection", where=scope.b.place("input_projection"))
    where, owner = scope.b.place("unit_opts"), f"unit {unit!r}"
    opts = checked(read_options(found.options, unit_opts, lambda key: where, owner=owner))
    return found.make(replace(scope, input_projection=input_projection), unit, opts)


def _refusal(scope: CellScope, unit: str, name: str, *, single_step: bool) -> ConfigError:
    fitting = [name for name, unit in UNITS.items() if not unit.whole or not single_step]
    known = [*fitting, *OTHER_NAMES, *LSTM_BLOCKS]
    where = scope.b.place("unit")
    if name in UNITS:
        return ConfigError(f"unit {unit!r} is for a whole sequence", where=where, hint="LSTMBlock, or a rec layer")
    if name in REFUSED:
        return ConfigError(f"unit {unit!r} {REFUSED[name]}", where=where, expected=", ".join(known))
    return ConfigError(f"unknown unit {unit!r}", where=where, expected=", ".join(known), hint=did_you_mean(name, known))
