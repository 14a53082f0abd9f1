"""Attention: sums of values, weighted by a softmax of the products of queries and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import Precision, Scope, Trait, length_dims
from returnn_ir.ir.signature import DIM, DIMS, Attr
from returnn_ir.ir.types import TensorType, is_float, summed_dtype
from returnn_ir.ops.composite.spec import composite
from returnn_ir.options import Share

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _attention(b: Builder, operands: Sequence[Value], attrs: Attrs) -> list[Value]:
    """Vaswani et al. (arXiv:1706.03762), axes by name: heads, beams and batches are what operands have in common.

    Operands: query [..., *features], key [..., keys, *features], value [..., keys, ...], then, in this order, what
    becomes of the energies [..., keys]: numbers are added, and where a mask is False, they are the next of ``fills``.
    A key behind the end of its sequence has no weight. Without any key before the end the result is 0; where masks
    leave no key, it is what a softmax of the fills gives, or 0 with ``zeroed``. Dropout draws one number per entry of
    ``drawn``, as the op ``random`` does for ``path``; without a path the numbers are the last operand.

    Of queries, keys and values of 16 bits, energies and weights are float32 between the two products; what is added
    to the energies may be either.
    """
    query, key, value, *further = operands
    draw = further.pop() if _is_given_draw(attrs) else None
    keys, fills = attrs["keys"], iter(attrs["fills"])
    if attrs["scale"] != 1:
        query = b.mul(query, attrs["scale"])
    summed = summed_dtype(query.dtype)
    energy = b.cast(b.dot(query, key, *attrs["features"], mask=False), summed)
    for term in further:
        masked = term.dtype == "bool"
        energy = b.where(term, energy, next(fills)) if masked else b.add(energy, b.cast(term, summed))
    weights = b.op("softmax", energy, dims=(keys,), mask=attrs["mask"])
    if attrs["zeroed"]:
        for term in further:
            weights = b.where(term, weights, 0.0) if term.dtype == "bool" else weights
    if attrs["dropout"]:
        kept = 1.0 - attrs["dropout"]
        if draw is None:
            draw = b.op("random", kind="uniform", path=attrs["path"], dims=attrs["drawn"], dtype=weights.dtype)
        whole = b.unary("floor", b.add(b.cast(draw, summed), kept))
        weights = b.mul(b.mul(weights, whole), 1.0 / kept)
    # a key without weight counts exactly zero, unless its value is no number: this is masked where it costs no axis
    cheap = attrs["mask"] and all(d in value.dims for d in length_dims(b, [keys]))
    return [b.dot(b.cast(weights, value.dtype), value, keys, mask=cheap)]


def _is_given_draw(attrs: Attrs) -> bool:
    return bool(attrs["dropout"]) and attrs["path"] is None


def _infer(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Axes: those of varying size that weights and values share, those of weights alone, shared ones, those of values.

    That is [batch, time, heads, features].
    """
    query, key, value, *further = types
    features, keys = attrs["features"], attrs["keys"]
    _check(types, attrs)
    brought = length_dims(scope, [keys]) if attrs["mask"] else []
    drawn = further.pop().dims if _is_given_draw(attrs) else attrs["drawn"]
    every = [d for t in (query, key, *further) for d in t.dims]
    weights = [d for d in dict.fromkeys((*every, *brought)) if d is not keys and d not in features]
    outside = [d for d in drawn if d is not keys and d not in weights]
    if outside:
        raise IRError(f"attention draws over {outside}, which the weights do not have")
    shared = [d for d in weights if d in value.dims]
    dims = [d for d in shared if not d.is_static]
    dims += [d for d in weights if d not in value.dims]
    dims += [d for d in shared if d.is_static]
    dims += [d for d in value.dims if d is not keys and d not in weights]
    return [TensorType(query.dtype, tuple(dims))]


def _check(types: Types, attrs: Attrs) -> None:
    query, key, value, *further = types
    keys, masks = attrs["keys"], [t for t in further if t.dtype == "bool"]
    added = [t for t in further if t.dtype not in ("bool", query.dtype, summed_dtype(query.dtype))]
    if not is_float(query.dtype) or any(t.dtype != query.dtype for t in (key, value)) or added:
        raise IRError(f"attention of {', '.join(str(t) for t in types)}")
    if keys not in key.dims or keys not in value.dims or keys in query.dims:
        raise IRError(f"attention over {keys} of {query} to {key} and {value}")
    missing = [d for d in attrs["features"] if d not in query.dims or d not in key.dims]
    if missing or not attrs["features"]:
        raise IRError(f"attention by products over {missing or 'nothing'} of {query} and {key}")
    if len(masks) != len(attrs["fills"]):
        raise IRError(f"attention has {len(masks)} masks and {len(attrs['fills'])} fills")
    if attrs["path"] is not None and not attrs["dropout"]:
        raise IRError(f"attention draws for {attrs['path']}, and has no dropout")


_ATTRS = {
    "features": DIMS,
    "keys": DIM,
    "scale": Attr(float, 1.0, "of the query"),
    "mask": Attr(bool, True, "valid keys only"),
    "fills": Attr(tuple[float, ...], (), "by mask, the energy where it is False"),
    "zeroed": Attr(bool, False, "weights are 0 where a mask is False, even where it leaves none"),
    "dropout": Attr(Share, 0.0, "of weights, the others are scaled up"),
    "path": Attr(str | None, None, "of the draw"),
    "drawn": Attr(tuple[Dim, ...], (), "of the draw"),
}

composite(
    "attention",
    ("query", "key", "value", "further*"),
    _ATTRS,
    _attention,
    infer=_infer,
    traits=frozenset({Trait.RANDOM}),
    precision=Precision.ANY,
    apart=("further",),
)
