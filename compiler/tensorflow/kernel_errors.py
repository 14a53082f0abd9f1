"""A kernel's refusal in the words of the network: a label that it computed, shapes that a batch has, memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from compiler.tensorflow.lower import scope_of
from returnn_ir.errors import DataError, Origin
from returnn_ir.ir.graph import Graph

__all__ = ["kernel_errors"]

_OUTSIDE = re.compile(r"= (-?[0-9]+) is not in \[0, ([0-9]+)\)")
_NODE = re.compile(r"\{\{node (\S+)\}\}")
_LONGEST = 300  # characters that are shown of what a kernel says


@contextmanager
def kernel_errors(graph: Graph) -> Iterator[None]:
    """Around a run of a program of ``graph``.

    Raises:
        DataError: instead of the kernel's error, with the layer.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = _OUTSIDE.search(error.message)
        if found is not None:
            raise _label_error(graph, found[1], int(found[2]), error.message) from error
        place = _place(graph, error.message)
        if place is None:
            raise
        raise DataError(
            "TensorFlow cannot compute this layer",
            where=place,
            received=_what(error.message),
            hint="the sizes that this batch has may not be those that the layer's code expects",
        ) from error
    except tf.errors.ResourceExhaustedError as error:
        raise DataError(
            "there is not enough memory for this batch",
            where=_place(graph, error.message),
            received=_what(error.message),
            hint="a smaller batch_size or max_seqs",
        ) from error


def _label_error(graph: Graph, value: str, labels: int, message: str) -> DataError:
    """Of the layers that look up one of so many labels, the one whose scope the kernel's name is in, or the first."""
    origins = [node.origin for node in graph.nodes("label_index") if node.attrs["labels"] == labels]
    place = next((o for o in origins if o.layer and scope_of(o.layer) in message), origins[0] if origins else None)
    return DataError("a label is out of range", where=place, expected=f"0 to {labels - 1}", received=value)


def _place(graph: Graph, message: str) -> Origin | None:
    """The innermost layer whose scope the name of the kernel that fails is in."""
    node = _NODE.search(message)
    name = f"/{node[1]}" if node is not None else ""
    origins = (node.origin for node in graph.body.walk())
    found = [origin for origin in origins if origin.layer and f"/{scope_of(origin.layer)}" in name]
    return max(found, key=lambda origin: len(origin.layer or ""), default=None)


def _what(message: str) -> str:
    """What the kernel says, without where TensorFlow has made it and what it is called."""
    said = _NODE.sub("", message.partition("\t [[")[0]).strip().rpartition("\n")[2].strip()
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
