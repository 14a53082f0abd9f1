"""Regions: the loop over a dim, and the choice between two branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.loop import LoopLayout
from returnn_ir.ir.op import OpSpec, Scope, Trait, register
from returnn_ir.ir.signature import DIM, AtLeast0, Attr
from returnn_ir.ir.types import TensorType

__all__: list[str] = []


def _loop(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """Steps ``i`` over the extent of ``dim``.

    Where its parts stand: :mod:`returnn_ir.ir.loop`. What is scanned has ``dim``; ``i`` is an int64 scalar. A final
    carry is each sequence's value after its own last step (the initial one for an empty sequence). A stacked value's
    tail is what the body computes there.

    ``ends``: how many steps there are is found out by running. The limit is an int64 scalar; a bool scalar of the body
    says that this step was the last one; the number of steps (int64 scalar) is the length of ``dim`` (defined by it,
    so the same for all sequences). A carry of such a loop may grow: an axis whose dim the body defines, by how long it
    is when a step begins, has no frames before the first step, and the final value of such a carry is nobody's to read.

    ``hoist``: whether work may be moved out of the body.
    """
    layout = LoopLayout.of(attrs)
    initial, whole, limit = layout.split_operands(types)
    if layout.ends and (whole or limit is None or limit.dtype != "int64" or limit.dims):
        expected = f"{layout.carries} carries and a limit int64[]"
        raise IRError(f"a loop that ends by itself has {expected}, received {list(types)}")
    return layout.result_types(initial)


def _scanned_first(types: Sequence[TensorType], attrs: dict[str, Any]) -> list[tuple[Dim, ...] | None]:
    """Scanned operands with the loop's dim in front."""
    layout = LoopLayout.of(attrs)
    initial, whole, limit = layout.split_operands(types)
    scanned = [(layout.dim, *t.without([layout.dim]).dims) for t in whole]
    return [*(None for _ in initial), *scanned, *([] if limit is None else [None])]


_LOOP = {
    "dim": DIM,
    "carries": Attr(AtLeast0, doc="how many there are"),
    "stacked": Attr(tuple[TensorType, ...], (), "the types of one step's stacked values"),
    "ends": Attr(bool, False, "finds out how many steps there are"),
    "hoist": Attr(bool, True, "nothing is moved out of the loop without it"),
    "length_carry": Attr(AtLeast0 | None, None, "the carry that counts the labels of each sequence"),
    "searches": Attr(bool, False, "the steps of a beam search"),
}
register(OpSpec("loop", ("parts*",), _LOOP, _loop, order=_scanned_first))


def _cond(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """The results of the first region where the predicate (bool, no axes) holds, else those of the second.

    Only the chosen branch is computed. The regions have no params: they read the values around them. ``branches`` are
    the types of the results, which both regions give.
    """
    predicate = types[0]
    if predicate.dtype != "bool" or predicate.dims:
        raise IRError(f"the predicate of cond is {predicate}, expected bool[]")
    return list(attrs["branches"])


register(OpSpec("cond", ("predicate",), {"branches": Attr(tuple[TensorType, ...])}, _cond))


def _history(scope: Scope, types: Sequence[TensorType], attrs: dict[str, Any]) -> list[TensorType]:
    """In the body of a loop: what the operand was in every step so far, this one included, along ``dim``.

    The body says that the length of ``dim`` is the number of these steps (int64 scalar). It has no meaning of its own
    outside of loops, and only the reference knows it: for the others it either leaves the loop or becomes a carry.
    """
    x = types[0]
    if attrs["dim"] in x.dims:
        raise IRError(f"{x} has the axis {attrs['dim']} already")
    return [x.with_dims((attrs["dim"], *x.dims))]


register(OpSpec("history", ("x",), {"dim": DIM}, _history, frozenset({Trait.HISTORY, Trait.MOVES})))
