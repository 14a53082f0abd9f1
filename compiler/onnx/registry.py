"""Which ops the target has: how each is written, and when it is refused.

An op has a row, and may have another one in a profile: onnxruntime's own op for the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler.onnx.profile import Format, Profile
from returnn_ir.ir.graph import Node, Region

if TYPE_CHECKING:
    from compiler.onnx.emitter import Emitter

__all__ = ["PROFILE_ROWS", "REFUSED", "ROWS", "Check", "Emit", "Row", "chosen", "emits", "refuses", "rows"]

#: Writes a node; gives the ONNX names of its results.
Emit = Callable[["Emitter", Node], "list[str]"]
#: The reason why a node in a region cannot be written in a format, or None.
Check = Callable[[Node, Region, Format], "str | None"]


@dataclass(frozen=True)
class Row:
    """One op of the target."""

    emit: Emit
    check: Check
    kernel: str | None = None


def _always(node: Node, region: Region, format_: Format) -> str | None:
    return None


#: In every profile.
ROWS: dict[str, Row] = {}
#: In one profile only, where a row wins over that of :data:`ROWS`.
PROFILE_ROWS: dict[Profile, dict[str, Row]] = {profile: {} for profile in Profile}
#: Ops that ONNX cannot express, with the reason.
REFUSED: dict[str, str] = {}


def emits(
    *names: str, check: Check = _always, kernel: str | None = None, profile: Profile | None = None
) -> Callable[[Emit], Emit]:
    """Register a function as the row of one or more ops.

    Args:
        check: why a node is refused. A row of a profile that stands before a row without one is chosen when the file is
            written, by its check, which may then depend on the node and its operands only, not on the surroundings.
        kernel: what a composite becomes, for ``--explain``.
        profile: the only one that has the row; None: all.
    """

    def add(function: Emit) -> Emit:
        table = ROWS if profile is None else PROFILE_ROWS[profile]
        for name in names:
            table[name] = Row(function, check, kernel)
        return function

    return add


def rows(name: str, profile: Profile) -> list[Row]:
    """The rows of an op in a profile, the one to be preferred first."""
    return [table[name] for table in (PROFILE_ROWS[profile], ROWS) if name in table]


def chosen(node: Node, region: Region, format_: Format) -> Row:
    """The row that writes an accepted node."""
    found = rows(node.op.name, format_.profile)
    return next((row for row in found[:-1] if row.check(node, region, format_) is None), found[-1])


def refuses(name: str, reason: str) -> None:
    """Say why an op has no row."""
    REFUSED[name] = reason
