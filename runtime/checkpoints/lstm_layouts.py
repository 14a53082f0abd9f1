"""One LSTM unit's parameters as another one's: RETURNN's native units and TensorFlow's cells.

A native unit has W [in, 4n], W_re [n, 4n] and b [4n] with the gates cell input j, input i, forget f, output o. A cell
of TensorFlow has a kernel [in + n, 4n], the rows of the input in front, and a bias [4n], with the gates i, j, f, o. So
a unit becomes another one by moving blocks. As in RETURNN the forget bias that a cell adds while it computes (option
``forget_bias``, by default 1) is not part of it: a native unit that takes over such a cell computes without.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TypeAlias

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import DataError

__all__ = ["Made", "lstm_layouts"]

#: The variables of which one is made, and how.
Made: TypeAlias = tuple[tuple[str, ...], Callable[..., Array]]

#: Where the variables of a cell are, from where a native unit has its own; the first one that fits counts.
_CELLS = ("rnn/lstm_cell", "lstm_cell", "rnn/basic_lstm_cell", "basic_lstm_cell")


def lstm_layouts(missing: Collection[str], unused: Collection[str]) -> dict[str, Made]:
    """How parameters of LSTM units are made of those of other units.

    Beyond what RETURNN does, a ``basiclstm`` becomes any other unit, too.

    Args:
        missing: variables that a checkpoint lacks.
        unused: variables of the checkpoint that the network lacks.
    """
    found: dict[str, Made] = {}
    for name in sorted(missing):
        for cell in _CELLS:
            for variable in ("kernel", "bias"):
                scope = name.removesuffix(f"/{cell}/{variable}")
                made = _of_a_cell(scope, variable, unused) if scope != name and name not in found else None
                if made is not None:
                    found[name] = made
        scope = name.removesuffix("/W_re")
        if scope != name and {f"{scope}/W", f"{scope}/b"} <= set(missing):
            found.update(_of_a_native_unit(scope, unused))
    return found


def _of_a_cell(scope: str, variable: str, unused: Collection[str]) -> Made | None:
    """The kernel or the bias of a cell."""
    native = (f"{scope}/W", f"{scope}/W_re") if variable == "kernel" else (f"{scope}/b",)
    if set(native) <= set(unused):
        return native, _kernel if variable == "kernel" else _bias
    others = (f"{scope}/{cell}/{variable}" for cell in _CELLS)
    return next((((name,), _same) for name in others if name in unused), None)


def _of_a_native_unit(scope: str, unused: Collection[str]) -> dict[str, Made]:
    """All that a native unit has, of one cell."""
    for cell in _CELLS:
        kernel, bias = f"{scope}/{cell}/kernel", f"{scope}/{cell}/bias"
        if kernel in unused and bias in unused:
            return {
                f"{scope}/W": ((kernel,), partial(_rows, recurrent=False)),
                f"{scope}/W_re": ((kernel,), partial(_rows, recurrent=True)),
                f"{scope}/b": ((bias,), _bias),
            }
    return {}


def _same(x: Array) -> Array:
    return x


def _kernel(w: Array, w_re: Array) -> Array:
    if w.ndim != 2 or w_re.ndim != 2 or w.shape[1] != w_re.shape[1]:
        raise DataError(
            "W and W_re of an LSTM do not fit together",
            expected="[in, 4n] and [n, 4n]",
            received=f"{list(w.shape)} and {list(w_re.shape)}",
        )
    return _swapped(np.concatenate([w, w_re]))


def _rows(kernel: Array, *, recurrent: bool) -> Array:
    """The part of a kernel for the previous output, or that for the input."""
    if kernel.ndim != 2 or kernel.shape[0] < kernel.shape[1] // 4:
        raise DataError("this is no kernel of an LSTM", expected="[in + n, 4n]", received=list(kernel.shape))
    inputs = kernel.shape[0] - kernel.shape[1] // 4
    return _swapped(kernel[inputs:] if recurrent else kernel[:inputs])


def _bias(bias: Array) -> Array:
    if bias.ndim != 1:
        raise DataError("this is no bias of an LSTM", expected="[4n]", received=list(bias.shape))
    return _swapped(bias)


def _swapped(x: Array) -> Array:
    """The gates i and j in each other's place."""
    n = x.shape[-1] // 4
    return np.concatenate([x[..., n : 2 * n], x[..., :n], x[..., 2 * n :]], axis=-1)
