"""Which function lowers which op."""

from __future__ import annotations

from compiler.tensorflow import control, elementwise, indexing, linalg, recurrent, reduce, shape, state
from compiler.tensorflow.call import Row
from compiler.tensorflow.composite import COMPOSITES
from compiler.tensorflow.random import RANDOM_ROWS

__all__ = ["PRIMITIVES", "ROWS"]

#: By op name.
PRIMITIVES: dict[str, Row] = {
    **elementwise.ROWS,
    **shape.ROWS,
    **reduce.ROWS,
    **linalg.ROWS,
    **indexing.ROWS,
    **state.ROWS,
    **control.ROWS,
    **RANDOM_ROWS,
}
ROWS: dict[str, Row] = {
    **PRIMITIVES,
    **{name: fused.row for name, fused in COMPOSITES.items()},
    "blstm": recurrent.blstm,  # where there is cuDNN
}
