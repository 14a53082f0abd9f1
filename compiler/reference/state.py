"""Where values come from: what the run was given, constants, random draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from compiler.reference.named import Named
from compiler.reference.random import draw
from compiler.reference.registry import Context, rule
from compiler.target.protocol import Array
from returnn_ir.errors import DataError, did_you_mean
from returnn_ir.ir.graph import Node
from returnn_ir.ir.types import numpy_dtype

__all__: list[str] = []


def _given(node: Node, kind: str, source: Mapping[str, Array]) -> Named:
    name, dims, dtype = node.attrs["name"], tuple(node.attrs["dims"]), node.attrs["dtype"]
    if name not in source:
        raise DataError(f"{kind} {name!r} is not there", where=node.origin, hint=did_you_mean(name, source))
    array = np.asarray(source[name])
    wrong = array.ndim != len(dims) or any(
        d.size is not None and d.size != n for d, n in zip(dims, array.shape, strict=False)
    )
    if wrong:
        raise DataError(
            f"{kind} {name!r} has another shape", where=node.origin, expected=_axes(dims), received=array.shape
        )
    return Named(array.astype(dtype, copy=False), dims)


def _axes(dims: Iterable[object]) -> str:
    return f"[{', '.join(str(d) for d in dims)}]"


@rule("train_step")
def _train_step(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    return Named(np.asarray(context.session.step, np.int64), ())


@rule("input")
def _input(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    return _given(node, "input", context.session.inputs)


@rule("param")
def _param(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    return _given(node, "parameter", context.session.params)


@rule("const")
def _const(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    dims = tuple(node.attrs["dims"])
    value = np.asarray(node.attrs["value"], numpy_dtype(node.attrs["dtype"]))
    if value.ndim != len(dims):  # one number for all entries
        value = np.broadcast_to(value, [context.extent(d) for d in dims])
    return Named(value, dims)


@rule("random")
def _random(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    dims = tuple(node.attrs["dims"])
    shape = tuple(context.extent(d) for d in dims)
    session, attrs = context.session, node.attrs
    where = session.seed, session.step, context.loop_index
    numbers = draw(attrs["kind"], shape, attrs["path"], *where, state=attrs["state"])
    return Named(numbers.astype(attrs["dtype"], copy=False), dims)


@rule("print")
def _print(context: Context, node: Node, operands: Sequence[Named]) -> Named:
    x, edge = operands[0], node.attrs["summarize"]
    options = {"threshold": 0, "edgeitems": edge} if edge is not None else {"threshold": max(x.array.size, 1)}
    with np.printoptions(**options):
        print(f"{node.attrs['title']} {x.array}")
    return x
