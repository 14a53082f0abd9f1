"""Which ops the target has, one row each: how it is written, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["REFUSED", "ROWS", "Check", "Emit", "Row", "emits", "refuses"]

#: Writes a node; gives the ONNX names of its results.
Emit = Callable[["Emitter", Node], "list[str]"]
#: The reason why a node in a region cannot be written at an opset, or None.
Check = Callable[[Node, Region, int], "str | None"]


@dataclass(frozen=True)
class Row:
    """One op of the target."""

    emit: Emit
    check: Check
    kernel: str | None = None


def _always(node: Node, region: Region, opset: int) -> str | None:
    return None


ROWS: dict[str, Row] = {}
#: Ops that ONNX cannot express, with the reason.
REFUSED: dict[str, str] = {}


def emits(*names: str, check: Check = _always, kernel: str | None = None) -> Callable[[Emit], Emit]:
    """Register a function as the row of one or more ops; ``kernel`` is what a composite becomes, for ``--explain``."""

    def add(function: Emit) -> Emit:
        for name in names:
            ROWS[name] = Row(function, check, kernel)
        return function

    return add


def refuses(name: str, reason: str) -> None:
    """Say why an op has no row."""
    REFUSED[name] = reason
