"""RETURNN's guess of old blocks and its copy, for random blocks and shapes: ``python -m tests.recording.copy_rules``.

Writes ``tests/runtime/data/copy/rules.json``, a list of cases ``[blocks, old shape, old blocks, result]``. Where
RETURNN stops, or guesses a negative size, the last two are null. It needs an environment that has RETURNN.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tests.recording.network import require_returnn
from tests.recording.splits import FILE
from tests.runtime.copy_cases import initial_value, old_value

__all__ = ["main"]

COUNT = 200
SEED = 9


def _random_blocks(random: np.random.Generator) -> list[list[int]]:
    """Blocks of one or two axes whose sizes often are the same."""
    sizes = random.integers(1, 6, size=3)
    axes = []
    for _ in range(random.integers(1, 3)):
        count = int(random.choice([1, 1, 2, 3, 4]))
        equal = random.random() < 0.4
        axes.append(
            [int(random.choice(sizes))] * count if equal else [int(n) for n in random.choice(sizes, size=count)]
        )
    return axes


def _old_shape(random: np.random.Generator, blocks: list[list[int]]) -> list[int]:
    """A shape; half of the time that of the same blocks with other sizes."""
    became = dict(zip(range(1, 6), map(int, random.integers(1, 7, size=5)), strict=True))
    if random.random() < 0.5:
        return [sum(became[n] for n in sizes) for sizes in blocks]
    return [int(random.integers(1, 1 + 2 * sum(sizes))) for sizes in blocks]


def _ask(blocks: list[list[int]], shape: list[int]) -> list[Any]:
    from returnn.tf.util import basic

    try:
        old = basic.transform_param_axes_split_info_to_new_shape(blocks, shape)
        target = initial_value(tuple(map(sum, blocks)))
        values = basic.copy_with_new_split_axes(old, blocks, old_value(tuple(shape)), target)
    except (AssertionError, ValueError):
        return [None, None]
    if any(n < 0 for sizes in old for n in sizes):
        return [None, None]
    return [old, values.astype(int).tolist()]


def main() -> None:
    """Record the cases."""
    require_returnn()
    random = np.random.default_rng(SEED)
    lines = []
    for _ in range(COUNT):
        blocks = _random_blocks(random)
        shape = _old_shape(random, blocks)
        lines.append(json.dumps([blocks, shape, *_ask(blocks, shape)]))
    FILE.with_name("rules.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
