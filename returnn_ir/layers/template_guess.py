"""A first guess of what a layer gives, where ``prev:`` of it is needed to build it: only a start for the fixpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from returnn_ir.dims import BATCH, Dim
from returnn_ir.errors import UserError
from returnn_ir.layers.output import LayerOutput
from returnn_ir.network.initial_output import initial_output_refs
from returnn_ir.network.loop_context import Template
from returnn_ir.types import TensorType

if TYPE_CHECKING:
    from returnn_ir.network.net import LayerDef
    from returnn_ir.network.scope import NetScope

__all__ = ["certainty", "guess_template"]


def certainty(scope: NetScope, name: str) -> tuple[bool, bool, int]:
    """How much a guess is worth, to be compared: the type of the target, a declared size, known sources."""
    definition = scope.net.layers[name]
    like_target = definition.spec.like_target and bool(definition.targets())
    known = sum(_known(scope, source) is not None for source in definition.sources)
    return like_target or _initial(scope, definition) is not None, _feature(scope, definition, None) is not None, known


def guess_template(scope: NetScope, name: str) -> Template:
    """The largest of the sources that are known, with the size and type that the options name."""
    definition = scope.net.layers[name]
    if definition.spec.like_target and definition.targets():
        whole = scope.whole(f"data:{definition.targets()[0]}")
        rest = tuple(d for d in whole.axes if d is not whole.time_dim)
        return Template(replace(whole.value.type, dims=rest), rest, None, whole.feature_dim)
    initial = _initial(scope, definition)
    if initial is not None:
        return initial
    known = [x for x in (_known(scope, source) for source in definition.sources) if x is not None]
    if known:
        largest = max(known, key=lambda x: len(x.axes))
        axes = [d for d in largest.axes if d is not largest.feature_dim]
    else:
        largest, axes = None, [BATCH]
    feature = _feature(scope, definition, largest)
    if feature is not None:
        axes.append(feature)
    given = definition.options.out_type
    out_type = given if isinstance(given, dict) else {}
    dtype = out_type.get("dtype") or _of_number(definition) or (largest.dtype if largest is not None else "float32")
    time = largest.time_dim if largest is not None and largest.time_dim in axes else None
    return Template(TensorType(str(dtype), tuple(axes)), tuple(axes), time, feature)


def _initial(scope: NetScope, definition: LayerDef) -> Template | None:
    """What the layer that stands for the step before the first one gives."""
    for name in initial_output_refs(definition.options.initial_output):
        try:
            return Template.of(scope.outside(name))
        except UserError:
            return None
    return None


def _known(scope: NetScope, source: str) -> LayerOutput | None:
    try:
        return scope.get(source)
    except UserError:
        return None


def _of_number(definition: LayerDef) -> str | None:
    given = definition.options.initial_output
    return "bool" if isinstance(given, bool) else None


def _feature(scope: NetScope, definition: LayerDef, largest: LayerOutput | None) -> Dim | None:
    options = definition.inner.get("unit", definition).options
    out_type = options.out_type if isinstance(options.out_type, dict) else {}
    size = options.out_dim.size if options.out_dim is not None else options.n_out
    if size is None and isinstance(out_type.get("dim"), int):
        size = out_type["dim"]
    if size is None or out_type.get("shape") == ():
        return largest.feature_dim if largest is not None and size is None else None
    memo = (definition.path, "out")
    return scope.session.dims.setdefault(memo, Dim(f"{definition.path}.out", size, feature=True))
