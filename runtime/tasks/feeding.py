"""From a batch to what a program is fed: looked at by the host, which can name the sequence."""

from __future__ import annotations

import numpy as np

from compiler.program.program import Program
from compiler.target.inputs import InputSpec, check_labels
from compiler.target.protocol import Array
from returnn_ir.construct.state import EPOCH_STEP
from returnn_ir.errors import DataError
from runtime.datasets import Batch, check_finite

__all__ = ["checked_feed"]


def checked_feed(batch: Batch, program: Program, epoch_step: int, where: str) -> dict[str, Array]:
    """The batch by input names, in the types that the program reads.

    Args:
        epoch_step: the number of the batch within its epoch, from 0.
        where: what is running, for messages.

    Raises:
        DataError: a number is not finite, a label is none of those that the program knows, or whole numbers are read
            and others given; with the sequence's tag.
    """
    check_finite(batch, where)
    feed = {**batch.feed(), EPOCH_STEP: np.asarray(epoch_step)}
    labelled = check_labels(program.inputs, feed, tags=batch.tags, where=where, whose=batch.whose)
    return {spec.name: _typed(spec, labelled[spec.name], batch, where) for spec in program.inputs}


def _typed(spec: InputSpec, given: Array, batch: Batch, where: str) -> Array:
    """In the input's type, as far as no number becomes another one."""
    array = np.asarray(given)
    typed = array.astype(spec.dtype, copy=False)
    if np.can_cast(array.dtype, spec.dtype, "same_kind"):
        return typed
    changed = np.argwhere(np.atleast_1d(array != typed))
    if len(changed):
        place = tuple(int(i) for i in changed[0])
        tag, _ = batch.whose(spec.name, place[0], place[1] if len(place) > 1 else 0)
        raise DataError(
            f"the data {spec.name!r} does not fit into the type that the network reads",
            where=where,
            expected=spec.dtype,
            received=f"{np.atleast_1d(array)[place]} ({array.dtype}) in sequence {tag!r}",
        )
    return typed
