"""What config code does besides computing: it prints, checks, writes summaries and says where ops stand.

A compiled program gives values and nothing else, so all of this is left out, and a note of the layer says what.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from returnn_ir.expression.numbered import Numbered, as_numbered
from returnn_ir.expression.table import function

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["LeftOut"]

_PRINTS = "what its expression prints is not printed"
_CHECKS = "the checks that its expression makes are not made"
_SUMMARIES = "the summaries that its expression writes are not written"


class LeftOut:
    """An operation that is not run: it may be handed on, as what others depend on."""

    def __init__(self, b: Tracer, what: str) -> None:
        b.note(what)


@function("Print", "py_print")
def _print_and_pass(b: Tracer, x: object, *args: object, **options: Any) -> Numbered:
    b.note(_PRINTS)
    return as_numbered(b, x)


@function("print", trusted=True)
def _print(b: Tracer, *args: object, **options: Any) -> LeftOut:
    return LeftOut(b, _PRINTS)


@function(
    "Assert",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_rank",
    "assert_rank_at_least",
    "assert_shapes",
    trusted=True,
)
def _check(b: Tracer, *args: object, **options: Any) -> LeftOut:
    return LeftOut(b, _CHECKS)


@function("check_input_dim", "check_input_ndim", "check_shape_equal")
def _check_and_pass(b: Tracer, x: object, *args: object, **options: Any) -> Numbered:
    b.note(_CHECKS)
    return as_numbered(b, x)


@function("scalar", "histogram", "image", "tensor_summary", trusted=True)
def _summary(b: Tracer, *args: object, **options: Any) -> LeftOut:
    return LeftOut(b, _SUMMARIES)


@function("control_dependencies", "name_scope", "device", "colocate_with", trusted=True)
def _place(b: Tracer, *args: object, **options: Any) -> AbstractContextManager[None]:
    """Where and in which order ops run is up to the target; what they depend on is made by now."""
    return nullcontext()


@function("group", "no_op", trusted=True)
def _nothing(b: Tracer, *args: object, **options: Any) -> None:
    return None
