"""Weights in ONNX's layout: repacked by NumPy while exporting where they are parameters, else by nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["blocks", "is_zero", "known"]


def is_zero(value: Value) -> bool:
    """Whether a value is a constant of zeros, repeated or not."""
    node = value.node
    if node is None:
        return False
    if node.op.name in ("expand", "cast", "transpose", "rename"):
        return is_zero(node.operands[0])
    return node.op.name == "const" and not np.any(node.attrs["value"])


def known(e: Emitter, value: Value) -> Array | None:
    """What a value is if it is computed from parameters and constants by moving and joining axes, else None."""
    node = value.node
    if node is None:
        return None
    if node.op.name == "param" and node.attrs["name"] in e.graph.state_updates:
        return None  # an input with a default
    if node.op.name in ("param", "const"):
        return e.initializers[e[value]]
    parts = [known(e, v) for v in node.operands]
    held = [p for p in parts if p is not None]
    if not parts or len(held) != len(parts):
        return None
    if node.op.name == "rename":
        return held[0]
    if node.op.name == "transpose" and len(set(value.dims)) == len(value.dims) == held[0].ndim:
        return held[0].transpose([node.operands[0].dims.index(d) for d in value.dims])
    if node.op.name == "slice":
        picked = slice(node.attrs["start"], node.attrs["end"], node.attrs["step"])
        return held[0][(slice(None),) * value.type.axis(node.attrs["out"]) + (picked,)]
    if node.op.name == "concat" and not node.attrs["ragged"]:
        return np.concatenate(held, axis=value.type.axis(node.attrs["out"]))
    if node.op.name == "add":
        added = held[0] + held[1]
        return added if added.ndim == len(value.dims) else None
    return None


def blocks(e: Emitter, parts: Sequence[Value], size: int, order: Sequence[int], *, matrix: bool) -> str:
    """Gate blocks of ``size`` columns in the order ``order``, as ONNX has them.

    ``parts`` are matrices [in, gates] or biases [gates] whose columns are one behind the other. Matrices give
    [1, gates, in]; a bias becomes [1, 2 * gates], as ONNX has a second one for the recurrent part.
    """
    arrays = [known(e, v) for v in parts]
    held = [a for a in arrays if a is not None]
    if len(held) == len(parts):
        joined = np.concatenate(held, axis=-1)
        columns = [joined[..., k * size : (k + 1) * size] for k in order]
        packed = np.concatenate(columns, axis=-1)
        array = packed.T if matrix else np.concatenate([packed, np.zeros_like(packed)])
        return e.constant(array[None], parts[0].dtype)
    name = e.concat([e[v] for v in parts], len(parts[0].dims) - 1)
    picked = np.concatenate([np.arange(k * size, (k + 1) * size) for k in order])
    name = e.op("Gather", name, e.ints(*picked), axis=len(parts[0].dims) - 1)
    if matrix:
        name = e.transpose(name, [1, 0])
    else:
        name = e.op("Concat", name, e.constant(np.zeros(len(picked)), parts[0].dtype), axis=0)
    return e.unsqueeze(name, [0])
