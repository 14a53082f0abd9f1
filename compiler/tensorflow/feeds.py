"""What a program is fed, checked and brought to its element types before TensorFlow sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compiler.target.inputs import InputSpec, check_inputs
from compiler.target.protocol import Array
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node

__all__ = ["SEED", "STEP", "feeds_of", "prepare_inputs", "prepare_params"]

#: Optional inputs, int64 scalars, 0 if absent: the config's ``random_seed`` and the global train step.
SEED, STEP = "random/seed", "random/step"


def feeds_of(graph: Graph, op: str) -> dict[str, Node]:
    """The ``input`` or ``param`` nodes of a graph by name, in execution order."""
    return {str(node.attrs["name"]): node for node in graph.nodes(op)}


def prepare_inputs(specs: Sequence[InputSpec], given: Mapping[str, Array]) -> list[Array]:
    """The inputs in the order of ``specs``. Inputs that the graph does not use may be there.

    Raises:
        DataError: see :func:`compiler.target.inputs.check_inputs`.
    """
    checked = check_inputs(specs, given)
    return [checked[spec.name].astype(spec.dtype, copy=False) for spec in specs]


def prepare_params(nodes: Mapping[str, Node], given: Mapping[str, Array]) -> list[Array]:
    """The parameters in the order of ``nodes``; further ones may be there.

    Raises:
        ConfigError: one is missing or has another shape.
    """
    return [_fitting(name, node, given) for name, node in nodes.items()]


def _fitting(name: str, node: Node, given: Mapping[str, Array]) -> Array:
    dims: Sequence[Dim] = node.results[0].dims
    if name not in given:
        raise ConfigError(f"parameter {name!r} is missing", where=node.origin, hint=did_you_mean(name, given))
    array = np.asarray(given[name])
    expected = [dim.size for dim in dims]
    fits = array.ndim == len(dims) and all(w in (None, n) for w, n in zip(expected, array.shape, strict=True))
    if not fits:
        shown = "[" + ", ".join(str(dim) for dim in dims) + "]"
        where = node.origin
        raise ConfigError(f"parameter {name!r} has a wrong shape", where=where, expected=shown, received=array.shape)
    wanted = np.dtype(node.results[0].dtype)
    if not np.can_cast(array.dtype, wanted, "same_kind"):
        where = node.origin
        raise ConfigError(f"parameter {name!r} has a wrong dtype", where=where, expected=wanted, received=array.dtype)
    return array.astype(wanted, copy=False)
