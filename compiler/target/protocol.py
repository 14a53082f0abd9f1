"""What a target is: it says which ops it takes, and makes a program of a graph that has only those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from returnn_ir.ir.graph import Graph, Node, Region

__all__ = ["Accept", "Array", "Executable", "Reject", "Target"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Accept:
    """The target has a kernel for the node; ``kernel`` names a fused one, for ``--explain``."""

    kernel: str | None = None


@dataclass(frozen=True)
class Reject:
    """The target cannot express the node, and why. A composite is expanded then, anything else is the user's error."""

    reason: str


class Executable(Protocol):
    """A lowered graph."""

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, np.ndarray[Any, Any]]:
        """Run once.

        Args:
            inputs: by input name: ``data`` in the axes' order of its ``input`` node, ``data/size1`` (lengths).
            params: every parameter under RETURNN's variable name.

        Returns:
            the graph's fetches (``Graph.fetches``) by name, outputs with the axes of ``Output.axes``.

        Raises:
            DataError: an input does not fit (:func:`compiler.target.inputs.check_inputs`), or a run-time check fails.
        """


class Target(Protocol):
    """One backend."""

    @property
    def name(self) -> str:
        """What ``--target`` calls it."""

    def accepts(self, node: Node, region: Region) -> Accept | Reject:
        """Whether the backend has a kernel for this node.

        Args:
            node: in NAMED, where a refused composite is expanded, and again in the finished graph, where a refusal is
                an error.
            region: that holds it, as it is; ``region.uses()`` says who needs the node's results. A reason to refuse
                that the surroundings give holds in NAMED only (``region.program().stage``): later passes change them.
        """

    def lower(self, graph: Graph) -> Executable:
        """Make a program of a graph in the TARGET stage whose every node is accepted."""
