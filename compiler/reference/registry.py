"""Which function computes which op, and what such a function may ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from compiler.reference.named import Named
from compiler.target.protocol import Array
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region

__all__ = ["RULES", "Context", "Rule", "Session", "rule"]


@dataclass(frozen=True)
class Session:
    """What one run was given.

    Attributes:
        inputs: by input name.
        params: by RETURNN's variable name.
        seed: the config's ``random_seed``.
        step: the global training step, which every random draw depends on.
    """

    inputs: dict[str, Array] = field(default_factory=dict)
    params: dict[str, Array] = field(default_factory=dict)
    seed: int = 0
    step: int = 0


class Context(Protocol):
    """The place where a node is computed."""

    session: Session
    #: The running indices of the loops around this place, the outermost first.
    loop_index: tuple[int, ...]

    def extent(self, dim: Dim) -> int:
        """The size in memory of an axis."""

    def length(self, dim: Dim) -> Named:
        """The lengths of a dim, int64; a scalar where they do not vary."""

    def mask(self, dim: Dim) -> Named:
        """True on the valid frames: the dims of the lengths, then ``dim``."""

    def ragged(self, dim: Dim) -> bool:
        """Whether the lengths of a dynamic dim have dims of their own."""

    def run(self, region: Region, arguments: Sequence[Named], loop_index: int | None = None) -> list[Named]:
        """The results of a nested region, for one step of a loop where ``loop_index`` tells which."""

    def remembered(self, node: Node, value: Named) -> list[Named]:
        """In a step of a loop: what this node was given in every step so far, ``value`` in this one."""


Rule = Callable[[Context, Node, Sequence[Named]], "Named | list[Named]"]

#: By op name.
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Declare a function to be the meaning of the ops ``names``."""

    def declare(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return declare
