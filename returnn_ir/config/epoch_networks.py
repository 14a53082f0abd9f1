"""Whether ``get_network`` gives the same network in several epochs."""

from __future__ import annotations

import types
from collections.abc import Mapping

import numpy as np

from returnn_ir.ir.dims import Dim

__all__ = ["network_difference", "same_network"]

_SHOWN = 5


def same_network(first: object, second: object) -> bool:
    """Whether two network dicts, or parts of them, mean the same; dims and functions are made anew for each."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(same_network(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same_network, first, second))
    if isinstance(first, Dim) and isinstance(second, Dim):
        return (first.name, first.size) == (second.name, second.size)
    if isinstance(first, types.FunctionType) and isinstance(second, types.FunctionType):
        return first is second or _same_function(first, second)
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    return first is second or bool(type(first) is type(second) and first == second)


def _same_function(first: types.FunctionType, second: types.FunctionType) -> bool:
    """Whether their code is the same, and what it sees of the functions around it; functions there by their code."""
    seen = [[cell.cell_contents for cell in f.__closure__ or ()] + list(f.__defaults__ or ()) for f in (first, second)]
    codes = [[getattr(value, "__code__", value) for value in values] for values in seen]
    return first.__code__ == second.__code__ and same_network(*codes)


def network_difference(first: Mapping[str, object], second: Mapping[str, object]) -> str:
    """``in LAYER, ...``: the layers that are not the same."""
    names = [n for n in {**first, **second} if not same_network(first.get(n), second.get(n))]
    return f"in {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''}"
