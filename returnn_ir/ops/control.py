"""Regions: the loop over a dim, and the choice between two branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Scope, Trait, register
from returnn_ir.ir.types import TensorType

__all__: list[str] = []


def _loop(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """Steps ``i`` over the extent of ``dim``.

    Operands: ``carries`` initial values, then values that have ``dim`` and are scanned. The region's params are ``i``
    (int64 scalar), the carries, the slices; its results the next carries, then the values to stack.
    Results: the final carries, each sequence's value after its own last step (the initial one for an empty sequence),
    then the stacked values, ``dim`` in front. A stacked value's tail is what the body computes there.

    ``ends``: how many steps there are is found out by running. Nothing is scanned; the last operand is the limit (int64
    scalar), the region's last result a bool scalar that says that this step was the last one, and the loop's last
    result the number of steps (int64 scalar), which is the length of ``dim`` (defined by it, so the same for all
    sequences).

    ``hoist``: whether work may be moved out of the body.
    """
    n = attrs["carries"]
    if attrs["ends"] and (len(types) != n + 1 or types[n].dtype != "int64" or types[n].dims):
        raise IRError(f"a loop that ends by itself has {n} carries and a limit int64[], received {list(types)}")
    stacked = [TensorType(t.dtype, (attrs["dim"], *t.dims), t.sparse_dim) for t in attrs["stacked"]]
    return [*types[:n], *stacked, *([TensorType("int64")] if attrs["ends"] else [])]


def _scanned_first(types: Sequence[TensorType], attrs: dict[str, Any]) -> list[tuple[Dim, ...] | None]:
    """Scanned operands with the loop's dim in front."""
    n, dim = attrs["carries"], attrs["dim"]
    if attrs["ends"]:
        return [None] * len(types)
    scanned = [(dim, *(d for d in t.dims if d is not dim)) for t in types[n:]]
    return [*[None] * n, *scanned]


_LOOP: dict[str, object] = {
    "dim": ...,
    "carries": ...,
    "stacked": (),
    "ends": False,
    "hoist": True,  # nothing is moved out of the loop without it
    "length_carry": None,  # the carry that counts the labels of each sequence
    "searches": False,  # the steps of a beam search
}
register(OpSpec("loop", None, _LOOP, _loop, order=_scanned_first))


def _cond(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """The results of the first region where the predicate (bool, no axes) holds, else those of the second.

    Only the chosen branch is computed. The regions have no params: they read the values around them. ``branches`` are
    the types of the results, which both regions give.
    """
    predicate = types[0]
    if predicate.dtype != "bool" or predicate.dims:
        raise IRError(f"the predicate of cond is {predicate}, expected bool[]")
    return list(attrs["branches"])


register(OpSpec("cond", 1, {"branches": ...}, _cond))


def _history(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """In the body of a loop: what the operand was in every step so far, this one included, along ``dim``.

    The body says that the length of ``dim`` is the number of these steps (int64 scalar). It has no meaning of its own
    outside of loops, and only the reference knows it: for the others it either leaves the loop or becomes a carry.
    """
    x = types[0]
    if attrs["dim"] in x.dims:
        raise IRError(f"{x} has the axis {attrs['dim']} already")
    return [x.with_dims((attrs["dim"], *x.dims))]


register(OpSpec("history", 1, {"dim": ...}, _history, frozenset({Trait.SYMBOLIC, Trait.MOVES})))
