"""What there is to say of where a model's nodes run: nodes on the host, copies, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Copy", "HostNode", "Placement", "Why"]


class Why(StrEnum):
    """Why a node runs on the host, or why a value is copied."""

    #: All that it reads is in the host's memory: onnxruntime keeps it there on purpose.
    SHAPE = "shape arithmetic"
    #: A comparison of lengths that was made on the host; the device applies it.
    MASK = "mask"
    #: A kernel on the device has this input or output in the host's memory.
    ARGUMENT = "host argument"
    #: Both sides read the same input, or inside a body the same outer value.
    SHARED = "read on both sides"
    #: There is no kernel on the device, and what it reads is there.
    UNSUPPORTED = "no kernel"


@dataclass(frozen=True)
class HostNode:
    """A node that runs on the CPU.

    Attributes:
        layer: path of the layer that it comes from.
        loop: name of the innermost node whose body it is in; empty outside of loops.
        reason: what has no kernel; of shape arithmetic nothing.
        hint: what to try.
    """

    layer: str
    op: str
    name: str
    loop: str
    why: Why
    reason: str = ""
    hint: str = ""

    @property
    def intended(self) -> bool:
        """Whether onnxruntime has it on the CPU on purpose."""
        return self.why is not Why.UNSUPPORTED


@dataclass(frozen=True)
class Copy:
    """A Memcpy node.

    Attributes:
        layer: path of the layer that makes the value; of an input the one that reads it.
        value: as the model calls it.
        to_host: from the device to the host, or the other way.
        loop: as of :class:`HostNode`: a copy for each step.
        reason: which node makes it and which ones read it.
    """

    layer: str
    value: str
    to_host: bool
    loop: str
    why: Why
    reason: str

    @property
    def intended(self) -> bool:
        """Whether no missing kernel is its cause."""
        return self.why is not Why.UNSUPPORTED


@dataclass(frozen=True)
class Placement:
    """Where the nodes of a model run with onnxruntime's CUDA provider; those in loops count once.

    Attributes:
        onnxruntime: the version whose kernels and rules were asked.
        on_device: number of nodes that run there, Memcpy nodes left out.
        on_host: the others.
        copies: the Memcpy nodes.
    """

    onnxruntime: str
    on_device: int
    on_host: tuple[HostNode, ...]
    copies: tuple[Copy, ...]

    @property
    def faults(self) -> tuple[HostNode | Copy, ...]:
        """What is not on purpose: nodes without a kernel, and the copies that they need."""
        return tuple(held for held in (*self.on_host, *self.copies) if not held.intended)

    def copies_in_loops(self) -> int:
        """How many copies there are in each step of a loop."""
        return sum(bool(copy.loop) for copy in self.copies)

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {
            "onnxruntime": self.onnxruntime,
            "on_device": self.on_device,
            "on_host": _listed(self.on_host),
            "copies": _listed(self.copies),
        }


def _listed(held: Iterable[HostNode | Copy]) -> list[dict[str, Any]]:
    return [{key: value for key, value in asdict(one).items() if value not in ("", None)} for one in held]
