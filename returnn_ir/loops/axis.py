"""What a recurrent subnetwork runs over: an axis that is there already, or one that its own end makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.settled_dims import is_known
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.mode import Mode
from returnn_ir.loops.options import RecOptions
from returnn_ir.loops.step_axes import declared_time

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.network.net import Net

__all__ = ["LoopAxis", "find_axis"]


@dataclass(frozen=True)
class LoopAxis:
    """What the loop runs over.

    Attributes:
        dim: the axis of the output.
        ends: the loop finds its own end; ``steps`` is then the axis of executed steps.
    """

    dim: Dim
    ends: bool = False
    steps: Dim | None = None


def find_axis(b: LayerBuilder, opt: RecOptions, source: LayerOutput | None, net: Net) -> LoopAxis:
    """RETURNN's order: the named axis, the source's time unless there is an end, the target's time, a new axis."""
    has_end = "end" in net.layers
    declared = declared_time(b, net)
    if opt.axis is not None:
        if source is not None:
            return LoopAxis(b.axis(source, opt.axis))
        if isinstance(opt.axis, Dim):
            return _over_dim(b, opt.axis, declared, has_end=has_end)
    if source is not None and source.time_dim is not None and not has_end:
        return LoopAxis(source.time_dim)
    # in an extra network that searches within training the target gives the length, and 'end' has no effect
    searches = b.program.mode == Mode.SEARCH
    always = b.definition.options.size_target or _cheating_target(net)
    key = always or (None if searches and has_end else _target_key(b, net))
    if key is not None and (not searches or always):
        time = b.target(key).time_dim
        if time is not None:
            return LoopAxis(time)
    if declared is not None and not has_end:
        return LoopAxis(declared)
    if not has_end:
        raise ConfigError(
            "nothing says how long the loop runs",
            where=b.place(),
            expected="a source with a time axis, a target, or a layer 'end' in the unit",
        )
    return LoopAxis(b.dim("time", None), ends=True, steps=b.dim("steps", None))


def _over_dim(b: LayerBuilder, axis: Dim, declared: Dim | None, *, has_end: bool) -> LoopAxis:
    """A dim of the user: one without lengths gets them here, from a rec_unstack or from the end that the loop finds."""
    if declared is not None and axis.is_dynamic and b.lookup(axis) is None:
        b.program.declared[axis] = declared
    dim = b.program.declared.get(axis, axis)
    if is_known(b, dim):
        return LoopAxis(dim)
    if not has_end:
        raise ConfigError(
            f"nothing says how long {axis} is",
            where=b.place("axis"),
            expected="a dim of an input or of a layer outside of the loop, or a layer 'end' in the unit",
        )
    return LoopAxis(dim, ends=True, steps=b.dim("steps", None))


def _cheating_target(net: Net) -> str | None:
    """A choice that keeps the truth among its hypotheses needs it to the end, and so it gives the length."""
    for definition in net.layers.values():
        if definition.spec.name == "choice" and definition.raw.get("cheating") and definition.targets():
            return definition.targets()[0]
    return None


def _target_key(b: LayerBuilder, net: Net) -> str | None:
    targets = b.definition.targets() or net.layers["output"].targets()
    return targets[0] if targets else None
