"""A kernel's refusal of a label in the words of the network: only a label that the network computes comes so far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from compiler.tensorflow.lower import scope_of
from returnn_ir.errors import DataError, Origin
from returnn_ir.ir.graph import Graph

__all__ = ["label_errors"]

_OUTSIDE = re.compile(r"= (-?[0-9]+) is not in \[0, ([0-9]+)\)")


@contextmanager
def label_errors(graph: Graph) -> Iterator[None]:
    """Around a run of a program of ``graph``.

    Raises:
        DataError: instead of the kernel's error, with the layer.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = _OUTSIDE.search(error.message)
        if found is None:
            raise
        value, labels = found.groups()
        raise DataError(
            "a label is out of range",
            where=_place(graph, int(labels), error.message),
            expected=f"0 to {int(labels) - 1}",
            received=value,
        ) from error


def _place(graph: Graph, labels: int, message: str) -> Origin | None:
    """The layer whose scope the kernel's name is in, of those that look up one of so many labels."""
    origins = [node.origin for node in graph.nodes("label_index") if node.attrs["labels"] == labels]
    return next((o for o in origins if o.layer and scope_of(o.layer) in message), origins[0] if origins else None)
