"""Running a search in parts, which :mod:`compiler.passes.search.split` makes: what the host of a split export does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import DataError

__all__ = ["PART", "PARTS", "Feed", "Held", "drive", "is_read_by_host"]

#: The parts in their order.
PARTS = ("encoder", "init", "step", "finish")

#: The entry of a part's metadata: its name, and what all parts of one export have in common.
PART = "returnn_ir.part"

#: An array, or whatever holds one on a device.
Held: TypeAlias = Any
Feed = Mapping[str, Held]


def is_read_by_host(name: str) -> bool:
    """Whether the host looks at the output of that name before the search is finished, or collects it.

    All others are given to other parts as they are.
    """
    return name in ("limit", "done") or name.startswith("stack/")


def drive(run: Callable[[str, Feed], dict[str, Held]], inputs: Feed) -> dict[str, Held]:
    """Search one batch with the parts: what a host does.

    Args:
        run: runs the part of that name; it takes of the feed what it needs. What :func:`is_read_by_host` names it gives
            as arrays that stay as they are, anything else as ``run`` itself understands it.
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
    for _ in range(limit):
        left = run("step", {**held, **states})
        states = {name.removesuffix("/next"): v for name, v in left.items() if name.endswith("/next")}
        stacks.append({name: v for name, v in left.items() if name.startswith("stack/")})
        if bool(left.get("done", False)):
            break
    if not stacks:
        raise DataError("the search takes no step", received=f"limit {limit}")
    stacked = {name: np.stack([s[name] for s in stacks]) for name in stacks[0]}
    return run("finish", {**held, **states, **stacked, "steps": np.asarray(len(stacks), np.int64)})
