"""A variable that starts with what a layer gives (``init_by_layer``), as a small program of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.state import Param
from returnn_ir.errors import ConfigError, DimError, IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Region, Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["LayerInit", "layer_init"]


@dataclass(frozen=True, eq=False)
class LayerInit:
    """An initial value that is computed.

    Attributes:
        region: gives the value, over the variable's axes.
        params: the variables that it is computed from, which have their initial values there.
    """

    region: Region
    params: Mapping[str, Param]


def layer_init(b: LayerBuilder, x: LayerOutput, dims: tuple[Dim, ...], key: str) -> LayerInit:
    """The output of a layer as initial value of a variable with these axes.

    Raises:
        ConfigError: the layer depends on data, or has other axes.
    """
    inner = Builder(Region(), origin=b.origin)
    copies: dict[Value, Value] = {}
    needed = b.program.root.needed_for([x.value.node] if x.value.node is not None else [])
    wrong = next((node for node in needed if node.op.name == "input" or node.regions), None)
    if wrong is not None:
        raise ConfigError(
            "an initial value cannot depend on data",
            where=b.place(key),
            expected="a layer that is computed from constants, variables and random numbers",
            received=f"one that needs {str(wrong.attrs.get('name', wrong.op.name)).partition('/')[0]!r}",
        )
    for node in needed:
        made = inner.emit(node.op, [copies[v] for v in node.operands], node.attrs)
        copies.update(zip(node.results, made, strict=True))
    try:
        inner.region.results = [_over(b, inner, copies[x.value], x, dims, key)]
    except (KeyError, IRError) as error:
        raise ConfigError(f"the layer gives no initial value: {error}", where=b.place(key)) from error
    names = {node.attrs["name"] for node in inner.region.nodes if node.op.name == "param"}
    return LayerInit(inner.region, {name: b.program.params[name] for name in names})


def _over(b: LayerBuilder, inner: Builder, value: Value, x: LayerOutput, dims: tuple[Dim, ...], key: str) -> Value:
    """A value over these axes: each of its own is the one of them that it is, or that has its size."""
    free = [d for d in dims if d not in x.axes]
    pairs: list[tuple[Dim, Dim]] = []
    for dim in (d for d in x.axes if d not in dims):
        partner = next((d for d in free if d.size == dim.size), None)
        if partner is None:
            raise DimError("the layer has another shape", where=b.place(key), expected=dims, received=x.axes)
        free.remove(partner)
        pairs.append((dim, partner))
    return inner.expand(inner.rename(value, *pairs), *dims)
