"""What a net is trained by: losses on its last layers, so that gradients reach what was built."""

from __future__ import annotations

from tests.random_nets.sketch import Sketch
from tests.random_nets.values import Value

__all__ = ["add_objective"]


def add_objective(net: Sketch) -> None:
    """A sum over the square of the last float output, now and then over two of them."""
    if net.shared.mode == "search" or net.chance(0.15):
        return
    layers = [v for v in net.values if v.is_float and v.batch and not v.name.startswith("data")]
    for value in layers[-1:] + [v for v in layers[:-1] if net.chance(0.15)]:
        _square(net, value)


def _square(net: Sketch, value: Value) -> None:
    """The sum of squares: of a sequence frame by frame, of anything else by sequence."""
    name = f"loss_{value.name}".replace("/", "_")
    square = {"from": value.name, "eval": "source(0) ** 2"}
    loss = {"loss": "as_is", **net.some(loss_scale=[0.5, 2.0])}
    if (
        (value.is_sequence and value.feature is None)
        or (value.is_sequence and net.chance(0.4))
        or not (value.axes or value.feature)
    ):
        net.add("eval", {**square, **loss}, None, name)
        return
    net.add("eval", square, None, f"{name}_square")
    net.add("reduce", {"from": f"{name}_square", "mode": "mean", "axis": "except_batch", **loss}, None, name)
