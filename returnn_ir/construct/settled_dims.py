"""Dims of the user of which it turns out later what they are: the same as another one, or of a fixed size.

``Dim(None)`` as the ``out_dim`` of a layer that merges static axes has their size from then on, and after
``t.declare_same_as(s)`` there is one axis. Dims do not change here, so layers get the one that they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from returnn_ir.construct.state import ProgramState
from returnn_ir.ir.dim_values import settled
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.network.layer_options import LayerDict, LayerOptions, NetDict
from returnn_ir.network.net import LayerDef, Net

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.construct.scope import NetScope

__all__ = ["fixed", "is_known", "known_dim", "makers", "with_settled_dims"]

#: Options by which a layer says what its new axes are.
_MAKES = (
    *("out_dim", "out_dims", "out_spatial_dim", "out_spatial_dims", "set_dim_tags", "dims", "dim", "k_dim"),
    *("window_dim", "output_dim", "target_dim"),
)


def fixed(program: ProgramState, wanted: Dim, made: Dim) -> Dim:
    """``wanted`` for an axis that a layer made: where only the axis has a size, the two are one dim from now on."""
    if made.size is None or not wanted.is_dynamic or wanted.expr is not None or wanted.options.lengths is not None:
        return wanted
    if wanted not in program.settled:
        program.extern.make_with(wanted)
        if program.root.lookup(wanted) is not None:
            return wanted
        program.settled[wanted] = made
        program.names.setdefault(made, set()).add(wanted.description)
    return program.settled[wanted]


def known_dim(b: LayerBuilder, dim: Dim) -> Dim:
    """``dim`` for a layer that needs its size or lengths: the data or layer that it comes from are built before."""
    for leaf in leaves(dim):
        scope: NetScope | None = b.scope
        while scope is not None and not (is_known(b, leaf) or leaf in b.program.settled):
            scope.build_makers(leaf)
            scope = scope.parent
    return settled(dim, b.program.settled)


def is_known(b: LayerBuilder, dim: Dim) -> bool:
    """Whether a dim of the user has a size or lengths already; those of a data key are read from here on."""
    if dim.is_dynamic and dim.expr is None and b.lookup(dim) is None:
        b.program.extern.make_with(dim)
    return not dim.is_dynamic or dim.expr is not None or b.lookup(dim) is not None


def makers(net: Net) -> dict[Dim, list[str]]:
    """For each dim of the user, the layers of a network that say what it is."""
    found: dict[Dim, list[str]] = {}
    for name, definition in net.layers.items():
        own = (d for key in _MAKES for d in _dims_in(getattr(definition.options, key, None)))
        for dim in dict.fromkeys(d.meant for d in own):
            found.setdefault(dim, []).append(name)
    return found


def _dims_in(value: Any) -> Iterator[Dim]:
    if isinstance(value, Dim):
        yield value
    elif isinstance(value, dict):
        yield from _dims_in(list(value.values()))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from _dims_in(part)


def with_settled_dims(program: ProgramState, definition: LayerDef) -> LayerDef:
    """The layer with the dims that its options mean."""
    options = definition.options
    given = {f.name: value for f in fields(options) if (value := getattr(options, f.name)) is not None}
    meant = {name: _settled(value, program.settled) for name, value in given.items()}
    changed = {name: value for name, value in meant.items() if value is not given[name]}
    if not changed:
        return definition
    new: LayerOptions = replace(options, **changed)
    return replace(definition, options=new)


def _settled(value: Any, known: Mapping[Dim, Dim]) -> Any:
    """The same object if nothing in it means something else."""
    if isinstance(value, Dim):
        return settled(value, known)
    if isinstance(value, (str, NetDict, LayerDict)):
        return value
    if isinstance(value, dict):
        pairs = {_settled(k, known): _settled(v, known) for k, v in value.items()}
        kept = all(k in pairs and v is pairs[k] for k, v in value.items()) and len(pairs) == len(value)
        return value if kept else pairs
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [_settled(part, known) for part in value]
        return value if all(a is c for a, c in zip(value, parts, strict=True)) else type(value)(parts)
    if is_dataclass(value) and not isinstance(value, type) and hasattr(value, "tag"):
        tag = _settled(value.tag, known)
        return value if tag is value.tag else replace(value, tag=tag)
    return value
