"""Dims that the user declared for what a layer makes (``out_dim``, …): they replace the layer's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.settled_dims import fixed, is_known
from returnn_ir.errors import DimError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["as_declared", "require", "settle", "use_declared"]


def settle(b: LayerBuilder, x: LayerOutput, made: Dim, wanted: Dim | None, key: str = "out_dim") -> LayerOutput:
    """Use the dim that the user declared (option ``key``) for one that the layer made, here and from here on."""
    if wanted is None or wanted is made:
        return x
    wanted = fixed(b.program, wanted, made)
    if wanted is made:
        return x
    if wanted.size != made.size:
        raise DimError("the declared dim has another size", where=b.place(key), expected=made, received=wanted)
    if made.expr is not None:
        b.program.declared[made] = wanted
    value = as_declared(b, x.value, {made: wanted}, key)
    return x if made not in x.axes else _renamed(x, value, {made: wanted})


def as_declared(b: LayerBuilder, value: Value, names: Mapping[Dim, Dim], key: str) -> Value:
    """``value`` with the dims that the user declared (option ``key``) for those that the layer made.

    A dynamic one without lengths gets them here. One that has some says how long the axis is in memory, checked at
    run time: RETURNN gives the tensor on as it is, and then it broadcasts where it has one frame, or nothing fits.
    """
    for made, wanted in names.items():
        if not is_known(b, wanted):
            b.define(wanted, b.length(made))
        elif made in value.dims and made.is_dynamic and wanted.is_dynamic and made is not wanted:
            value = _of_equal_extent(b, value, made, wanted, key)
    return b.rename(value, *((made, wanted) for made, wanted in names.items() if made in value.dims))


def _of_equal_extent(b: LayerBuilder, value: Value, made: Dim, wanted: Dim, key: str) -> Value:
    """``value`` on an axis that has lengths, checked at run time; a dim of a loop's own is renamed."""
    text = f"the axis has another extent than the declared dim: {made.name} and {wanted.name}"
    checked = require(b, (made, wanted), key, text, lambda r: r.binary("equal", r.extent(made), r.extent(wanted)))
    return b.op("resize_axis", value, dim=made, out=wanted) if checked else value


def require(b: LayerBuilder, dims: Sequence[Dim], key: str, text: str, holds: Callable[[Builder], Value]) -> bool:
    """Let the program check at run time what ``holds`` builds, a bool about the extents of ``dims``; else say ``text``.

    Returns:
        whether that can be checked: not for dims that only a loop's body knows.
    """
    root = Builder(b.program.root, origin=b.origin)
    if any(root.lookup(leaf) is None for dim in dims for leaf in leaves(dim) if leaf.size is None):
        return False
    message = f"{b.place(key)}: {text}"
    if message not in dict(b.program.graph.checks):  # a loop's layers are built more than once
        b.program.graph.checks.append((message, holds(root)))
    return True


def use_declared(b: LayerBuilder, x: LayerOutput) -> LayerOutput:
    """Replace dims for which the user declared others."""
    found = {d: b.program.declared[d] for d in x.axes if d in b.program.declared}
    if not found or set(found.values()) & set(x.axes):
        return x
    return _renamed(x, b.rename(x.value, *found.items()), found)


def _renamed(x: LayerOutput, value: Value, names: Mapping[Dim, Dim]) -> LayerOutput:
    axes = tuple(names.get(d, d) for d in x.axes)
    time = names.get(x.time_dim, x.time_dim) if x.time_dim is not None else None
    feature = names.get(x.feature_dim, x.feature_dim) if x.feature_dim is not None else None
    return LayerOutput(value, axes, time, feature)
