"""``out_shape``: the dims that a layer's output must have, those that it only depends on included; and ``out_dim``.

RETURNN counts the dims of the lengths (``ImplicitDynSizeDim``) and of the labels (``ImplicitSparseDim``) of an output
as implicit: they must be listed, too. An ``OptionalDim`` may be missing, and the steps of the loop around the layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from returnn_ir.config.dim_tags import ImplicitDim, ImplicitDynSizeDim, ImplicitSparseDim, MarkedDim, OptionalDim
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.dim_values import settled
from returnn_ir.ir.dims import Dim, leaves

if TYPE_CHECKING:
    from returnn_ir.axes.output import LayerOutput
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["check_dims"]


def check_dims(b: LayerBuilder, output: LayerOutput) -> None:
    """Let the output have exactly the dims that ``out_shape`` says, and the ``out_dim``.

    Raises:
        DimError: a dim is missing, or not listed.
        ConfigError: something else than dims is listed.
    """
    options = b.definition.options
    if options.out_shape is not None:
        _check_out_shape(b, output, options.out_shape)
    if options.out_dim is not None:
        wanted = settled(options.out_dim, b.program.settled)
        there = (*output.axes, *(marked.tag for marked in _implicit(b, output)))
        if b.tag_of(wanted) not in map(b.tag_of, there):
            raise DimError(
                f"a {b.definition.spec.name!r} layer does not make this dim",
                where=b.place("out_dim"),
                expected=f"one of {', '.join(map(str, output.axes)) or 'none'}, or no out_dim",
                received=wanted,
                hint="'reinterpret_data' with 'set_dim_tags' gives an axis another dim",
            )


def _check_out_shape(b: LayerBuilder, output: LayerOutput, expected: Any) -> None:
    where = b.place("out_shape")
    if not (isinstance(expected, (set, frozenset)) or expected in ({}, (), [])):
        raise ConfigError("out_shape is a set", where=where, expected="{batch_dim, time_dim, ...}", received=expected)
    implicit = _implicit(b, output)
    there = {b.tag_of(d) for d in (*output.axes, *(marked.tag for marked in implicit))}
    only_implicit = {b.tag_of(marked.tag) for marked in implicit} - {b.tag_of(d) for d in output.axes}
    steps = b.tag_of(b.scope.loop.builder.dim) if b.scope.loop is not None else None
    listed: set[Dim] = set()
    for entry in expected:
        if not isinstance(entry, (Dim, MarkedDim)):
            raise ConfigError("out_shape lists dims", where=where, expected="Dim objects", received=repr(entry))
        dim = b.tag_of(entry if isinstance(entry, Dim) else entry.tag)
        if dim not in there and (isinstance(entry, OptionalDim) or dim is steps):
            continue
        if dim not in there or (isinstance(entry, ImplicitDim) and dim not in only_implicit):
            raise DimError(
                "the output does not have this dim",
                where=where,
                expected=_text(entry),
                received=_shown(output, implicit),
            )
        listed.add(dim)
    if there - listed:
        raise DimError(
            "the output has dims that out_shape does not list",
            where=where,
            expected="{" + ", ".join(sorted(map(_text, expected))) + "}",
            received=_shown(output, implicit),
        )


def _implicit(b: LayerBuilder, output: LayerOutput) -> list[ImplicitDim]:
    """The dims that the output only depends on."""
    found: dict[ImplicitDim, None] = {}
    for axis in output.axes:
        for leaf in leaves(axis):
            lengths = b.lookup(leaf) if leaf.is_dynamic else None
            found.update(dict.fromkeys(ImplicitDynSizeDim(d) for d in (lengths.dims if lengths is not None else ())))
    if output.sparse_dim is not None:
        found[ImplicitSparseDim(output.sparse_dim)] = None
    return list(found)


def _shown(output: LayerOutput, implicit: Iterable[ImplicitDim]) -> str:
    extra = [m for m in implicit if m.tag not in output.axes]
    return "{" + ", ".join([*map(str, output.axes), *map(_text, extra)]) + "}"


def _text(entry: Any) -> str:
    return str(entry) if isinstance(entry, Dim) else f"{type(entry).__name__}({entry.tag})"
