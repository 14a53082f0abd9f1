"""What a pass is: a frozen dataclass that says which stages it takes and which stage it makes.

A pass changes the graph in place. What it decided, and why, goes into the :class:`Journal` for ``--explain``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from compiler.target.protocol import Target
from returnn_ir.errors import IRError, Origin
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.mode import Stage

__all__ = ["Context", "Decision", "Journal", "Pass", "check_order", "run_pass"]


@dataclass(frozen=True)
class Decision:
    """One entry of the journal: what was done to the op of a layer, and why.

    Attributes:
        action: ``fused``, ``expanded``, or another verb of the pass that wrote it.
    """

    action: str
    op: str
    origin: Origin
    reason: str

    def __str__(self) -> str:
        place = f"layer {self.origin.layer!r}: " if self.origin.layer else ""
        return f"{place}{self.op} {self.action}: {self.reason}"


@dataclass
class Journal:
    """The decisions of a pipeline in the order they were made, each once."""

    decisions: dict[Decision, int] = field(default_factory=dict)

    def add(self, action: str, op: str, origin: Origin, reason: str) -> None:
        """Record a decision; equal ones are counted."""
        decision = Decision(action, op, origin, reason)
        self.decisions[decision] = self.decisions.get(decision, 0) + 1

    def __iter__(self) -> Iterator[Decision]:
        return iter(self.decisions)

    def __str__(self) -> str:
        return "\n".join(f"{d} (x{n})" if n > 1 else str(d) for d, n in self.decisions.items())


@dataclass(frozen=True)
class Context:
    """What passes may ask besides the graph.

    Attributes:
        target: the backend that the graph is made for.
        fusion: by composite name ``require`` (a refusal is an error), ``prefer`` or ``never`` (always expanded).
        precision: the element type of 16 bits that products compute in, None where all stays float32.
    """

    target: Target
    fusion: Mapping[str, str] = field(default_factory=dict)
    precision: str | None = None
    journal: Journal = field(default_factory=Journal)


@dataclass(frozen=True)
class Pass(ABC):
    """One transformation; its fields are its options.

    Attributes:
        requires: the stages it can run in.
        ensures: the stage it leaves, or None where it stays in the one it found.
    """

    name: ClassVar[str]
    requires: ClassVar[tuple[Stage, ...]] = tuple(Stage)
    ensures: ClassVar[Stage | None] = None

    @abstractmethod
    def run(self, graph: Graph, context: Context) -> bool:
        """Change ``graph`` in place; returns whether anything changed. The runner sets ``graph.stage``."""


def check_order(passes: Sequence[Pass], start: Stage) -> Stage:
    """The stage that a pipeline ends in; an :class:`IRError` if a pass would find a stage that it does not take."""
    stage = start
    for pass_ in passes:
        if stage not in pass_.requires:
            raise IRError(f"pass {pass_.name!r} takes a graph in stage {' or '.join(pass_.requires)}, not {stage}")
        stage = pass_.ensures or stage
    return stage


def run_pass(pass_: Pass, graph: Graph, context: Context) -> bool:
    """Run one pass with its contract checked."""
    check_order((pass_,), graph.stage)
    changed = pass_.run(graph, context)
    graph.stage = pass_.ensures or graph.stage
    return changed
