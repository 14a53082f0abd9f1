"""What there is to say of where a model's nodes run: nodes on the host, copies, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Copy", "HostNode", "Placement", "Why"]


class Why(StrEnum):
    """Why a node runs on the host, or why a value is copied."""

    #: All that a node reads is in the host's memory, so onnxruntime keeps it there; of a copy: that makes the value.
    SHAPE = "shape arithmetic"
    #: Truth values that were made so, from lengths, and that the device applies.
    MASK = "mask"
    #: A kernel on the device has this input in the host's memory.
    ARGUMENT = "argument in host memory"
    #: Both sides read the same input, or inside a body the same value from outside.
    SHARED = "read on both sides"
    #: A node has no kernel on the device, and would be there with one.
    UNSUPPORTED = "no kernel"
    #: A node computes with data, but onnxruntime takes it for shape arithmetic.
    DRAGGED = "data on the CPU"


_FAULTS = frozenset({Why.UNSUPPORTED, Why.DRAGGED})


@dataclass(frozen=True)
class HostNode:
    """A node that runs on the CPU.

    Attributes:
        layer: path of the layer that it comes from.
        body: name of the innermost node whose body it is in, a loop or a branch; empty in the model's graph.
        repeated: whether that is inside of a loop.
        reason: what has no kernel, or which data are read; of shape arithmetic nothing.
        hint: what to try.
    """

    layer: str
    op: str
    name: str
    body: str
    repeated: bool
    why: Why
    reason: str = ""
    hint: str = ""

    @property
    def intended(self) -> bool:
        """Whether it belongs on the CPU."""
        return self.why not in _FAULTS


@dataclass(frozen=True)
class Copy:
    """A Memcpy node.

    Attributes:
        layer: path of the layer that makes the value; of an input the one that reads it.
        value: as the model calls it.
        to_host: from the device to the host, or the other way.
        body, repeated: as of :class:`HostNode`; in a loop it is a copy for each step.
        reason: which node makes it and which ones read it.
    """

    layer: str
    value: str
    to_host: bool
    body: str
    repeated: bool
    why: Why
    reason: str

    @property
    def intended(self) -> bool:
        """Whether no node that does not belong on the CPU is its cause."""
        return self.why not in _FAULTS


@dataclass(frozen=True)
class Placement:
    """Where the nodes of a model run with onnxruntime's CUDA provider; those in loops count once.

    Attributes:
        onnxruntime: the version whose kernels were asked.
        optimizer: the version that is installed, whose basic optimizations the model has gone through.
        on_device: number of nodes that run there, before onnxruntime fuses some; Memcpy nodes left out.
        on_host: the others.
        copies: the Memcpy nodes.
    """

    onnxruntime: str
    optimizer: str
    on_device: int
    on_host: tuple[HostNode, ...]
    copies: tuple[Copy, ...]

    @property
    def faults(self) -> tuple[HostNode | Copy, ...]:
        """Nodes that do not belong on the CPU, and the copies that they need."""
        nodes = [node for node in self.on_host if not node.intended]
        return (*nodes, *(copy for copy in self.copies if not copy.intended))

    def copies_in_loops(self) -> int:
        """How many copies there are in each step of a loop."""
        return sum(copy.repeated for copy in self.copies)

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {
            "onnxruntime": self.onnxruntime,
            "optimizer": self.optimizer,
            "on_device": self.on_device,
            "on_host": _listed(self.on_host),
            "copies": _listed(self.copies),
        }


def _listed(held: Iterable[HostNode | Copy]) -> list[dict[str, Any]]:
    return [{key: value for key, value in asdict(one).items() if value not in ("", None)} for one in held]
