"""From a batch to what a program is fed: looked at by the host, which can name the sequence."""

from __future__ import annotations

from compiler.program.program import Program
from compiler.target.inputs import check_labels
from compiler.target.protocol import Array
from runtime.datasets import Batch, check_finite

__all__ = ["checked_feed"]


def checked_feed(batch: Batch, program: Program, where: str) -> dict[str, Array]:
    """The batch by input names.

    Args:
        where: what is running, for messages.

    Raises:
        DataError: a number is not finite, or a label is none of those that the program knows; with the sequence's tag.
    """
    check_finite(batch, where)
    return check_labels(program.inputs, batch.feed(), tags=batch.tags, where=where)
