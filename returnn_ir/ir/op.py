"""How an op is declared: operands, attributes, result inference, traits, tail, precision; the registry of all ops.

An op's only shape rule is its ``infer`` function. The builder calls it to make a node, the verifier calls it again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from returnn_ir.errors import DimError, IRError
from returnn_ir.ir.dims import UNIT, Dim, leaves
from returnn_ir.ir.signature import Attr, Signature
from returnn_ir.ir.types import TensorType
from returnn_ir.registry import import_modules

if TYPE_CHECKING:
    from returnn_ir.ir.builder import Builder
    from returnn_ir.ir.graph import Value

__all__ = [
    "Body",
    "Infer",
    "OpSpec",
    "Order",
    "Precision",
    "Scope",
    "Tail",
    "Trait",
    "all_ops",
    "broadcast",
    "get_op",
    "length_dims",
    "register",
]


class Trait(Enum):
    """What passes ask of an op instead of its name."""

    ELEMENTWISE = "elementwise"  #: result dims are the union of the operands' dims, entry by entry
    COMMUTATIVE = "commutative"
    MASKED = "masked"  #: means valid frames only, unless ``mask=False``; needs ``neutral``
    READS_TAIL = "reads_tail"  #: can observe what stands behind a sequence's end
    RANDOM = "random"  #: two equal nodes are two draws
    EFFECT = "effect"  #: somebody outside sees it happen: must not be removed or moved
    DERIVATIVE = "derivative"  #: differentiates: what lies between its operands must stay as it is
    COMPOSITE = "composite"  #: has a body in primitives
    INPUT = "input"  #: a root: stays even if two look alike
    TARGET_ONLY = "target_only"  #: appears when axes are assigned
    SEARCH = "search"  #: only in NAMED, before the search is expanded: speaks of hypotheses
    HISTORY = "history"  #: only in NAMED, before histories are carries: all steps of a loop so far
    MOVES = "moves"  #: every entry of a result is one of the first operand, or 0
    JOINS = "joins"  #: every entry of a result is one of some operand, or 0


class Tail(Enum):
    """What an op leaves in the frames behind a sequence's end."""

    COMPUTED = "computed"
    ZERO = "zero"
    NEUTRAL = "neutral"
    UNDEFINED = "undefined"


class Precision(Enum):
    """In which element type an op computes where a training mixes float32 with a low one (16 bits)."""

    ISLAND = "island"  #: float32: it adds many terms, or small differences or large numbers matter
    FOLLOW = "follow"  #: that of its operands, the wider of several; without any, the one that its users want
    ANY = "any"  #: the low one, which is what makes it fast: products, summed up in float32 by every kernel


class Scope(Protocol):
    """What inference may ask of the place where a node stands."""

    positional: bool

    def lookup(self, dim: Dim) -> Value | None:
        """The lengths of a dynamic dim, the extent of a batch dim."""


Infer = Callable[[Scope, Sequence[TensorType], dict[str, Any]], list[TensorType]]
Order = Callable[[Sequence[TensorType], dict[str, Any]], "Sequence[tuple[Dim, ...] | None]"]
Body = Callable[["Builder", Sequence["Value"], dict[str, Any]], "list[Value]"]


@dataclass(frozen=True, eq=False)
class OpSpec:
    """The declaration of one op.

    Attributes:
        operands: names; ``"x?"`` may be left out, the last one may be ``"x*"`` (any number) or ``"x+"`` (at least one).
        attrs: by name.
        infer: result types from operand types and attributes.
        neutral: for masked ops, what to put behind a sequence's end, by element type.
        body: for composites, the meaning in primitives.
        order: the order of axes that the op needs of each operand in TARGET (None for an operand: any); elementwise
            ops need none, theirs are aligned. Without it any order will do.
        precision: what mixed precision does to it; whoever has not thought about an op leaves it in float32.
        apart: names of operands that have a type of their own there, and keep it: few numbers, or what is added up.
    """

    name: str
    operands: tuple[str, ...]
    attrs: Mapping[str, Attr]
    infer: Infer
    traits: frozenset[Trait] = frozenset()
    tail: Tail = Tail.COMPUTED
    neutral: Callable[[str, dict[str, Any]], float | bool] | None = None
    body: Body | None = None
    order: Order | None = None
    precision: Precision = Precision.ISLAND
    apart: tuple[str, ...] = ()

    @property
    def is_symbolic(self) -> bool:
        """Whether nothing computes the op: a pass gives it another form."""
        return self.has(Trait.SEARCH) or self.has(Trait.HISTORY)

    def has(self, trait: Trait) -> bool:
        """Whether the op has a trait."""
        return trait in self.traits

    @cached_property
    def signature(self) -> Signature:
        """What it takes."""
        return Signature(self.operands, self.attrs)

    def is_apart(self, number: int) -> bool:
        """Whether mixed precision leaves the operand of that number as it is."""
        names = self.signature.names
        return names[min(number, len(names) - 1)] in self.apart

    def complete(self, operands: Sequence[Value], attrs: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes of a node, defaults filled in; what the op does not take is an :class:`IRError`."""
        full = self.signature.complete(attrs)
        problem = self.signature.wrong_operands(len(operands)) or self.signature.wrong_attributes(full)
        if problem is not None:
            raise IRError(f"op {self.name!r} {problem}")
        return full


_REGISTRY: dict[str, OpSpec] = {}


@functools.cache
def _all() -> Mapping[str, OpSpec]:
    """Every op; the modules that define them need this one, so they are imported on first use."""
    import_modules("returnn_ir.ops")
    return _REGISTRY


def register(spec: OpSpec) -> OpSpec:
    """Add an op to the registry."""
    if spec.name in _REGISTRY:
        raise IRError(f"op {spec.name!r} is registered twice")
    if (problem := spec.signature.wrong_declaration()) is not None:
        raise IRError(f"op {spec.name!r}: {problem}")
    if spec.has(Trait.MASKED) and spec.neutral is None:
        raise IRError(f"masked op {spec.name!r} declares no neutral element")
    _REGISTRY[spec.name] = spec
    return spec


def get_op(name: str) -> OpSpec:
    """The op of that name."""
    found = _all().get(name)
    if found is None:
        raise IRError(f"no op is named {name!r}")
    return found


def all_ops() -> list[OpSpec]:
    """Every op, by name."""
    return [op for _, op in sorted(_all().items())]


def length_dims(scope: Scope, dims: Iterable[Dim]) -> list[Dim]:
    """The dims of the lengths of ``dims``: what a masked reduction over them brings into its result."""
    found: list[Dim] = []
    for dim in dims:
        if not dim.is_dynamic:
            continue
        for leaf in leaves(dim):
            length = scope.lookup(leaf)
            if leaf.is_dynamic and length is None:
                raise IRError(f"dim {leaf} has no lengths here")
            if leaf.is_dynamic and length is not None:
                found.extend(length.type.dims)
    return list(dict.fromkeys(found))


def broadcast(scope: Scope, types: Sequence[TensorType]) -> tuple[Dim, ...]:
    """The dims of an elementwise result.

    Before TARGET the union, in the order of the operand with the most axes; in TARGET NumPy's rule, where an axis is
    either the same dim in both or UNIT or missing in front.
    """
    if not scope.positional:
        longest = max(types, key=lambda t: len(t.dims), default=None)
        ordered = list(longest.dims) if longest else []
        for type_ in types:
            ordered.extend(d for d in type_.dims if d not in ordered)
        return tuple(ordered)
    rank = max((len(t.dims) for t in types), default=0)
    result: list[Dim] = []
    for axis in range(-rank, 0):
        dims = {t.dims[axis] for t in types if len(t.dims) >= -axis} - {UNIT}
        if len(dims) > 1:
            raise DimError(f"axis {axis} differs: {', '.join(sorted(str(d) for d in dims))}")
        result.append(dims.pop() if dims else UNIT)
    return tuple(result)
