"""Where values come from: inputs, parameters, constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from compiler.onnx.profile import Format
from compiler.onnx.registry import emits, refuses
from compiler.reference.random import draw
from returnn_ir.errors import TargetError
from returnn_ir.ir.dim_values import evaluate
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["state_input"]


def state_input(name: str) -> str:
    """The input that a variable's value comes from; its default is the checkpoint's."""
    return f"state/{name}"


@emits("input")
def _input(e: Emitter, node: Node) -> list[str]:
    """Axes padded beyond the longest sequence are cut to it, so that no result depends on how the caller padded."""
    x, name = node.result, node.attrs["name"]
    cut: list[tuple[str, int]] = []
    for axis, dim in enumerate(x.dims):
        end = _longest(e, dim) if dim.is_dynamic and e.memory.cuts(node.attrs["name"], dim) else None
        if end is None:
            continue
        name = e.op("Slice", name, e.ints(0), end, e.ints(axis))
        length = e.region.lookup(dim) if dim.expr is None else None
        if length is not None and length.node is not None:
            cut.append((length.node.attrs["name"], axis))
    for lengths, axis in cut:
        e.is_longest(lengths, name, axis)
    return [name]


def _longest(e: Emitter, dim: Dim) -> str | None:
    """The longest length where that is an input, which is there before any node; None elsewhere."""
    if dim.expr is not None and not e.memory.trims:
        return None
    longest: dict[Dim, str] = {}
    for leaf in leaves(dim):
        length = e.region.lookup(leaf)
        source = length.node if length is not None else None
        if length is not None and source is not None and source.op.name == "input":
            longest[leaf] = e.longest(source.attrs["name"], len(length.dims))
        elif leaf.size is None:
            return None
    return evaluate(dim, e.extent_algebra(), longest.__getitem__)


@emits("param")
def _param(e: Emitter, node: Node) -> list[str]:
    name, attrs = node.attrs["name"], node.attrs
    if name not in e.params:
        raise TargetError(f"parameter {name!r} has no value", where=node.origin, hint="--params or --checkpoint")
    value = np.asarray(e.params[name], dtype=attrs["dtype"])
    sizes = tuple(d.size for d in attrs["dims"])
    if value.ndim != len(sizes) or any(s is not None and s != n for s, n in zip(sizes, value.shape, strict=True)):
        raise TargetError(
            f"parameter {name!r} has another shape", where=node.origin, expected=list(sizes), received=list(value.shape)
        )
    if name in e.graph.state_updates:
        e.initializers[state_input(name)] = value
        return [state_input(name)]
    full = e.fresh(name)
    e.initializers[full] = value
    return [full]


@emits("train_step")
def _train_step(e: Emitter, node: Node) -> list[str]:
    """An exported model does not train: the step is a constant, as in a run that is given none."""
    return [e.constant(0, "int64")]


@emits("const")
def _const(e: Emitter, node: Node) -> list[str]:
    return [e.constant(node.attrs["value"], node.attrs["dtype"])]


def _same_in_every_run(node: Node, region: Region, format_: Format) -> str | None:
    if node.attrs["state"] is not None and all(d.is_static for d in node.attrs["dims"]):
        return None
    return "an ONNX model draws no random numbers: export with --mode forward"


@emits("random", check=_same_in_every_run)
def _random(e: Emitter, node: Node) -> list[str]:
    attrs = node.attrs
    numbers = draw(
        attrs["kind"], [d.require_size(node.origin) for d in attrs["dims"]], attrs["path"], state=attrs["state"]
    )
    return [e.constant(numbers.transpose([attrs["dims"].index(d) for d in node.result.dims]), attrs["dtype"])]


@emits("print")
def _print(e: Emitter, node: Node) -> list[str]:
    """A model file prints nothing."""
    return e.operands(node)


refuses("opaque", "a Python function cannot be put into an ONNX model")
refuses("gradient", "ONNX has no gradients")
refuses("external", "another program computes it")
for _name in ("complex", "real", "imag"):
    refuses(_name, "onnxruntime has no complex numbers, and nothing here splits this one into its parts")
