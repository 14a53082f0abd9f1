"""Running a search in parts, which :mod:`compiler.passes.search.split` makes: what the host of a split export does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import DataError

__all__ = ["PARTS", "drive"]

#: The parts in their order.
PARTS = ("encoder", "init", "step", "finish")


def drive(run: Callable[[str, Mapping[str, Array]], dict[str, Array]], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Search one batch with the parts: what a host does.

    Args:
        run: runs the part of that name; it takes of the feed what it needs.
        inputs: of the whole program.

    Returns:
        the outputs of ``finish``.

    Raises:
        DataError: the batch allows no step at all.
    """
    held = {**inputs, **run("encoder", inputs)}
    states = run("init", held)
    limit = int(states.pop("limit"))
    stacks: list[dict[str, Array]] = []
    for i in range(limit):
        left = run("step", {**held, **states, "i": np.asarray(i, np.int64)})
        states = {name.removesuffix("/next"): v for name, v in left.items() if name.endswith("/next")}
        stacks.append({name: v for name, v in left.items() if name.startswith("stack/")})
        if bool(left.get("done", False)):
            break
    if not stacks:
        raise DataError("the search takes no step", received=f"limit {limit}")
    stacked = {name: np.stack([s[name] for s in stacks]) for name in stacks[0]}
    return run("finish", {**held, **states, **stacked, "steps": np.asarray(len(stacks), np.int64)})
