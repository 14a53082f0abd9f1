"""``out_shape``: the axes that a layer's output must have."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.config.dim_tags import ImplicitDim, MarkedDim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dims import Dim

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["verify_out_shape"]


def verify_out_shape(b: LayerBuilder, output: LayerOutput) -> None:
    """Compare the output's axes with ``out_shape``, where the option is given and the types in a loop are known.

    A dim that a layer made itself may stand for one of the user's: axes match by size where they are not the same.

    Raises:
        ConfigError: ``out_shape`` is no set of dims.
        DimError: an axis is missing, or is not in ``out_shape``.
    """
    given = b.definition.options.out_shape
    if given is None or (b.scope.loop is not None and b.scope.loop.trial):
        return
    entries = _entries(b, given)
    required = [dim for dim in entries if isinstance(dim, Dim)]
    optional = [dim.tag for dim in entries if isinstance(dim, MarkedDim) and not isinstance(dim, ImplicitDim)]
    if b.scope.loop is not None:
        steps = b.scope.loop.builder.dim
        optional += [dim for dim in required if dim is steps]
        required = [dim for dim in required if dim is not steps]
    free = list(output.axes)
    missing = _without_partners(b, required, free)
    _without_partners(b, optional, free)
    if missing or free:
        raise DimError(
            "the output has other axes than out_shape",
            where=b.place("out_shape"),
            expected=", ".join(sorted(map(str, required))) or "no axes",
            received=output.value.type,
        )


def _entries(b: LayerBuilder, given: object) -> list[Dim | MarkedDim]:
    if isinstance(given, Collection) and (not given or isinstance(given, (set, frozenset))):
        found = [dim for dim in given if isinstance(dim, (Dim, MarkedDim))]
        if len(found) == len(given):
            return found
    raise ConfigError(
        "out_shape is no set of dims",
        where=b.place("out_shape"),
        expected="such as {batch_dim, time_dim}",
        received=given,
    )


def _without_partners(b: LayerBuilder, dims: Iterable[Dim], free: list[Dim]) -> list[Dim]:
    """The dims that no axis is; those axes that are one are taken out of ``free``."""
    program, rest = b.program, []
    for dim in dims:
        own = program.declared.get(dim, dim)
        same = next((d for d in free if d in (dim, own) or program.same_tag.get(d) in (dim, own)), None)
        if same is None:
            rest.append(dim)
        else:
            free.remove(same)
    missing = []
    for dim in rest:
        alike = next((d for d in free if (d.is_batch, d.size) == (dim.is_batch, dim.size)), None)
        if alike is None:
            missing.append(dim)
        else:
            free.remove(alike)
    return missing
