"""What a program is fed, checked and brought to its element types before TensorFlow sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compiler.targets import Array
from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, DataError, UserError, did_you_mean
from returnn_ir.graph import Graph, Node

__all__ = ["SEED", "STEP", "feeds_of", "prepare_inputs", "prepare_params"]

#: Optional inputs, int64 scalars, 0 if absent: the config's ``random_seed`` and the global train step.
SEED, STEP = "random/seed", "random/step"


def feeds_of(graph: Graph, op: str) -> dict[str, Node]:
    """The ``input`` or ``param`` nodes of a graph by name, in execution order."""
    return {str(node.attrs["name"]): node for node in graph.nodes(op)}


def prepare_inputs(graph: Graph, nodes: Mapping[str, Node], given: Mapping[str, Array]) -> list[Array]:
    """The inputs in the order of ``nodes``. Inputs that the graph does not use may be there.

    Raises:
        DataError: one is missing, or has a wrong rank, size or kind, or two disagree about an axis.
    """
    arrays = [_fitting(name, node, given, "input", DataError) for name, node in nodes.items()]
    _check_axes(graph, nodes, arrays)
    return arrays


def prepare_params(nodes: Mapping[str, Node], given: Mapping[str, Array]) -> list[Array]:
    """The parameters in the order of ``nodes``; further ones may be there.

    Raises:
        ConfigError: one is missing or has another shape.
    """
    return [_fitting(name, node, given, "parameter", ConfigError) for name, node in nodes.items()]


def _fitting(name: str, node: Node, given: Mapping[str, Array], kind: str, error: type[UserError]) -> Array:
    dims: Sequence[Dim] = node.results[0].dims
    if name not in given:
        raise error(f"{kind} {name!r} is missing", where=node.origin, hint=did_you_mean(name, given))
    array = np.asarray(given[name])
    expected = [dim.size for dim in dims]
    fits = array.ndim == len(dims) and all(w in (None, n) for w, n in zip(expected, array.shape, strict=True))
    if not fits:
        shown = "[" + ", ".join(str(dim) for dim in dims) + "]"
        raise error(f"{kind} {name!r} has a wrong shape", where=node.origin, expected=shown, received=array.shape)
    wanted = np.dtype(node.results[0].dtype)
    if not np.can_cast(array.dtype, wanted, "same_kind"):
        raise error(f"{kind} {name!r} has a wrong dtype", where=node.origin, expected=wanted, received=array.dtype)
    return array.astype(wanted, copy=False)


def _check_axes(graph: Graph, nodes: Mapping[str, Node], arrays: Sequence[Array]) -> None:
    """Inputs agree about the axes that they share, and no sequence is longer than its axis."""
    seen: dict[Dim, tuple[str, int]] = {}
    for (name, node), array in zip(nodes.items(), arrays, strict=True):
        for dim, size in zip(node.results[0].dims, array.shape, strict=True):
            other, known = seen.setdefault(dim, (name, size))
            if known != size:
                raise DataError(
                    f"inputs {other!r} and {name!r} disagree about axis {dim.name}",
                    where=node.origin,
                    expected=known,
                    received=size,
                )
    by_value = {node.results[0]: array for node, array in zip(nodes.values(), arrays, strict=True)}
    for dim, lengths in graph.body.dim_defs.items():
        if dim in seen and lengths in by_value and by_value[lengths].size:
            longest, (name, size) = int(by_value[lengths].max()), seen[dim]
            if longest > size:
                raise DataError(
                    f"a sequence of input {name!r} is longer than its axis {dim.name}", expected=size, received=longest
                )
