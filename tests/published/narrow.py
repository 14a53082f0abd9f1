"""The same network with narrower layers: what a network computes is the same question, and is answered sooner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod
from typing import Any

__all__ = ["narrowed"]

#: Smaller numbers count heads, pieces, frames.
_LEAST = 64
#: What a width is divided into further: heads, gates, the pieces of a maxout.
_PARTS = 2
#: Options whose numbers are no widths.
_KEPT = frozenset({"beam_size", "filter_size", "length", "max_seq_len", "num_sampled", "seed", "size", "window_size"})


def narrowed(network: Mapping[str, Any], by: int, data_sizes: Collection[int]) -> dict[str, Any]:
    """A network dict whose widths are divided: integers from 64 on, in the options of layers.

    Args:
        by: 1 changes nothing.
        data_sizes: of data keys; they stay, as the data do.
    """
    return {name: _value(name, value, by, data_sizes) for name, value in network.items()} if by > 1 else dict(network)


def _value(key: str, value: Any, by: int, data_sizes: Collection[int]) -> Any:
    if isinstance(value, dict):
        return {k: _value(k, v, by, data_sizes) for k, v in value.items()}
    if isinstance(value, list | tuple) and _splits(value, data_sizes):
        return value
    if isinstance(value, list | tuple):
        return type(value)(_value(key, v, by, data_sizes) for v in value)
    if type(value) is not int or key in _KEPT or value < _LEAST or value in data_sizes:
        return value
    return value // by if value % (by * _PARTS) == 0 else value


def _splits(value: Sequence[Any], data_sizes: Collection[int]) -> bool:
    """Whether these may be what the features of data are split into."""
    return all(type(n) is int for n in value) and prod(value) in data_sizes
