"""A first guess of what a layer gives, where ``prev:`` of it is needed to build it: only a start for the fixpoint.

Where the types of several ``prev:`` hang together in a circle, the layers of the circle are built on guessed inputs, so
that their own type rules are asked as far as possible and only the place where the circle is cut is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initial_output import initial_output_refs
from returnn_ir.construct.loop_context import Template
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.types import DTYPES, TensorType

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import LayerDef

__all__ = ["Guess", "certainty", "first_guess", "guess_template"]


@dataclass(frozen=True)
class Guess:
    """What a layer may give.

    Attributes:
        exact: the layer itself said so, on inputs that may be guesses.
        certainty: how much a guess is worth, to be compared.
    """

    template: Template
    exact: bool
    certainty: tuple[bool, bool, int]

    @property
    def worth(self) -> tuple[bool, bool, bool, int]:
        """The larger, the better: the type of the target, the layer's own word, a declared size, known sources."""
        like_target, sized, known = self.certainty
        return like_target, self.exact, sized, known


def first_guess(scope: NetScope, name: str) -> Guess:
    """A guess for a layer of a body that was built as far as its types are known; it is changed by this."""
    rank = certainty(scope, name)
    found = None if rank[0] else _inferred(scope, name, set())
    return Guess(found if found is not None else guess_template(scope, name), found is not None, rank)


def _inferred(scope: NetScope, name: str, open_names: set[str]) -> Template | None:
    """The template by the layer's own type rule, on inputs that are found in the same way; None in a circle."""
    if name in scope.results:
        return Template.of(scope.results[name])
    if name in open_names:
        return None
    definition = scope.net.layers[name]
    if definition.spec.like_target and definition.targets():
        return guess_template(scope, name)
    open_names.add(name)
    for ref in definition.refs():
        if _known(scope, ref) is not None:
            continue
        own = ref.removeprefix("prev:")
        if own in scope.net.layers:
            template = _inferred(scope, own, open_names) or _sized_guess(scope, own)
            if template is not None:
                scope.assume(ref, template)
    open_names.discard(name)
    output = scope.retry(name)
    return Template.of(output) if output is not None else None


def _sized_guess(scope: NetScope, name: str) -> Template | None:
    """A guess that rests on something: a declared output, or a source that is known."""
    definition = scope.net.layers[name]
    like_target, sized, known = certainty(scope, name)
    declared = isinstance(definition.options.out_type, dict)
    return guess_template(scope, name) if like_target or sized or declared or known else None


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
    declared = str(out_type.get("dtype"))  # an unknown one is the layer's error, not ours
    dtype = (
        (declared if declared in DTYPES else None)
        or _of_number(definition)
        or (largest.dtype if largest is not None else "float32")
    )
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
