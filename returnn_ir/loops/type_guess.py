"""A first guess of what a layer gives, where ``prev:`` of it is needed to build it: only a start for the fixpoint.

Where the types of several ``prev:`` hang together in a circle, the layers of the circle are built on guessed inputs, so
that their own type rules are asked as far as possible and only the place where the circle is cut is guessed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.config.dim_tags import MarkedDim
from returnn_ir.construct.initial_output import initial_type
from returnn_ir.construct.loop_context import LoopContext
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import DTYPES, TensorType

if TYPE_CHECKING:
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import LayerDef

__all__ = ["best_guess"]


Place = tuple["NetScope", str]


def best_guess(
    loop: LoopContext, waiting: Sequence[str], untyped: Mapping[str, Place]
) -> tuple[str, OutputType] | None:
    """The likeliest type of one of the layers that wait for each other; None if they all stand in unbuilt networks.

    The type of a target is the best guess, then what the layer itself says on inputs that may be guesses.

    Args:
        loop: of a body that was built as far as its types are known.
        waiting: the layers whose previous step is asked for, by full path.
        untyped: layers between them that could not be built, by full path.
    """
    located = {path: place for path, place in loop.located(waiting).items() if place[1] in place[0].net.layers}
    ranks = {path: _certainty(*place) for path, place in located.items()}
    likely = sorted(located, key=ranks.__getitem__, reverse=True)
    if not likely or not ranks[likely[0]].like_target:
        for path in likely:
            found = _inferred(*located[path])
            if found is not None:
                return path, found
    # nobody knows by a rule of his own: a layer between them may be the surest
    ranks |= {path: _certainty(*place) for path, place in untyped.items()}
    if not ranks:
        return None
    path = max(ranks, key=ranks.__getitem__)
    return path, _guess_template(*(located | dict(untyped))[path])


def _inferred(scope: NetScope, name: str) -> OutputType | None:
    """The type by the layer's own rule, on inputs that are found in the same way."""
    circles = scope.net.circles(searching=scope.program.searching)
    with scope.supposing():
        open_names: set[str] = set()
        stack = [_infer(scope, name, open_names)]
        found: OutputType | None = None
        while stack:
            try:
                needed = stack[-1].send(found)
                found = None
                if circles.share(needed, name):  # else it has been tried before
                    stack.append(_infer(scope, needed, open_names))
            except StopIteration as done:
                stack.pop()
                found = done.value
        return found


def _infer(scope: NetScope, name: str, open_names: set[str]) -> Generator[str, OutputType | None, OutputType | None]:
    """Yields the layers that this one needs, and is sent their templates; None in a circle."""
    if name in scope.results:
        return OutputType.of(scope.results[name])
    if name in open_names:
        return None
    definition = scope.net.layers[name]
    if definition.is_like_target:
        return _guess_template(scope, name)
    open_names.add(name)
    for ref in definition.refs():
        own = ref.removeprefix("prev:")
        if _known(scope, ref) is None and own in scope.net.layers:
            output_type = (yield own) or _sized_guess(scope, own)
            if output_type is not None:
                scope.assume(ref, output_type)
    open_names.discard(name)
    output = scope.retry(name)
    return OutputType.of(output) if output is not None else None


def _sized_guess(scope: NetScope, name: str) -> OutputType | None:
    """A guess that rests on something: a declared output, or a source that is known."""
    definition = scope.net.layers[name]
    declared = isinstance(definition.options.out_type, dict) or definition.options.out_shape is not None
    return _guess_template(scope, name) if declared or any(_certainty(scope, name)) else None


class _Certainty(NamedTuple):
    """How much a guess is worth, to be compared: the type of the target, a declared size, known sources."""

    like_target: bool
    sized: bool
    known: int


def _certainty(scope: NetScope, name: str) -> _Certainty:
    """How much a guess of what a layer gives is worth."""
    definition = scope.net.layers[name]
    like_target = definition.is_like_target
    known = sum(_known(scope, source) is not None for source in definition.sources)
    like_target = like_target or initial_type(scope, name) is not None
    return _Certainty(like_target, _feature(scope, definition, None) is not None, known)


def _guess_template(scope: NetScope, name: str) -> OutputType:
    """What the options declare, else the largest of the sources that are known; without any it has no axes."""
    definition = scope.net.layers[name]
    if definition.is_like_target:
        whole = scope.whole(f"data:{definition.targets()[0]}")
        rest = tuple(d for d in whole.axes if d is not whole.time_dim)
        return OutputType(replace(whole.value.type, dims=rest), rest, None, whole.feature_dim)
    initial = initial_type(scope, name)
    if initial is not None:
        return initial
    if definition.spec.like_target:
        return _guess_labels(scope, definition)
    known = [x for x in (_known(scope, source) for source in definition.sources) if x is not None]
    largest = max(known, key=lambda x: len(x.axes)) if known else None
    given = definition.options.out_type
    out_type = given if isinstance(given, dict) else {}
    dtype = str(out_type.get("dtype"))  # an unknown one is the layer's error, not ours
    if dtype not in DTYPES:
        dtype = _of_number(definition) or (largest.dtype if largest is not None else "float32")
    declared = _declared_axes(definition)
    if declared is not None:
        found = LayerOutput.of(Value(TensorType(dtype, declared)), declared)
        return OutputType.of(found)
    axes = [d for d in largest.axes if d is not largest.feature_dim] if largest is not None else []
    if not known and out_type.get("shape") is not None and out_type.get("batch_dim_axis", 0) is not None:
        axes.append(BATCH)
    labels = out_type.get("sparse", largest is not None and largest.sparse_dim is not None)  # dim counts labels then
    feature = _feature(scope, definition, largest) if not labels else None
    if feature is not None:
        axes.append(feature)
    time = largest.time_dim if largest is not None and largest.time_dim in axes else None
    return OutputType(TensorType(dtype, tuple(axes)), tuple(axes), time, feature)


def _guess_labels(scope: NetScope, definition: LayerDef) -> OutputType:
    """Labels of as many classes as the sources seem to have features."""
    size = sum(_features_of(scope, source, set()) or 0 for source in definition.sources) or None
    memo = (definition.path, "guessed labels")
    labels = scope.program.dims.get(memo)
    if labels is None or labels.size != size:
        labels = scope.program.dims[memo] = Dim(f"{definition.path}.labels", size, feature=True)
    return OutputType(TensorType("int32", (BATCH,), labels), (BATCH,), None, None)


def _features_of(scope: NetScope, name: str, seen: set[str]) -> int | None:
    """How many features a layer seems to have that may not be built yet."""
    if name in scope.results:
        made = scope.results[name].feature_or_sparse_dim
        return made.size if made is not None else None
    if name in seen or name not in scope.net.layers:
        return None
    seen.add(name)
    definition = scope.net.layers[name]
    declared = _feature(scope, definition, None)
    if declared is not None:
        return declared.size
    parts = [size for source in definition.sources if (size := _features_of(scope, source, seen)) is not None]
    return (sum(parts) if definition.spec.joins_sources else max(parts)) if parts else None


def _declared_axes(definition: LayerDef) -> tuple[Dim, ...] | None:
    """The axes that ``out_shape`` or ``out_type`` names; None if they do not, or count some of them only."""
    options = definition.options
    out_type = options.out_type if isinstance(options.out_type, dict) else {}
    listed = out_type.get("dims", out_type.get("dim_tags", options.out_shape))
    if listed is None and out_type.get("shape") is not None and not out_type["shape"]:
        return () if out_type.get("batch_dim_axis", 0) is None else (BATCH,)
    if not isinstance(listed, (tuple, list, set, frozenset)):
        return None
    own = [d for d in listed if not isinstance(d, MarkedDim)]
    if not all(isinstance(d, Dim) for d in own):
        return None
    rest = [d for d in own if not d.is_batch]
    if isinstance(listed, (set, frozenset)):
        rest.sort(key=lambda d: (d.is_static, d.feature, d.name))
    return (*(BATCH for d in own if d.is_batch), *rest)


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
    return scope.program.dims.setdefault(memo, Dim(f"{definition.path}.out", size, feature=True))
