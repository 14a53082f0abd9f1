"""All ops, one module per family; importing this package registers them."""

from __future__ import annotations

from returnn_ir.ops import control, elementwise, indexing, linalg, reduce, shape, state
from returnn_ir.ops.composite import activations, losses, norms, recurrent, softmax

__all__ = [
    "activations",
    "control",
    "elementwise",
    "indexing",
    "linalg",
    "losses",
    "norms",
    "recurrent",
    "reduce",
    "shape",
    "softmax",
    "state",
]
