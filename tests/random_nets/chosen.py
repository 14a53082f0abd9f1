"""The nets that are committed with RETURNN's numbers: those that together have the most layer classes."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.random_nets.generate import RandomNet, random_net

__all__ = ["RECORDED", "choose"]

RECORDED = Path(__file__).parent / "recorded"


def choose(nets: Sequence[RandomNet], count: int) -> list[RandomNet]:
    """Each net has most classes that those before it lack, and few others; then those with Dim objects."""
    chosen: list[RandomNet] = []
    left, seen = list(nets), dict[str, int]()
    while left and len(chosen) < count:
        best = max(left, key=lambda net: (_worth(net, seen), net.behavior_version > 20, -net.number))
        left.remove(best)
        chosen.append(best)
        for name in set(best.classes):
            seen[name] = seen.get(name, 0) + 1
    return sorted(chosen, key=lambda net: net.number)


def _worth(net: RandomNet, seen: dict[str, int]) -> float:
    """What a net adds: classes that no chosen one has count most, and longer nets cost time."""
    return float(sum(1 / (1 + 3 * seen.get(name, 0)) for name in set(net.classes)) / (4 + len(net.classes)) ** 0.5)


def main() -> None:
    """Copy the chosen ones of a judged folder to ``recorded/``."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_nets.chosen", description=__doc__)
    parser.add_argument("folder", type=Path, help="with nets and their .npz, as tests.random_nets leaves it")
    parser.add_argument(
        "--agree", type=int, nargs="+", required=True, metavar="N", help="nets that agree on all targets"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    shutil.rmtree(RECORDED, ignore_errors=True)
    RECORDED.mkdir()
    for net in choose([random_net(number, options.seed) for number in options.agree], options.count):
        for suffix in (".py", ".npz"):
            shutil.copy(options.folder / f"net{net.number}{suffix}", RECORDED)


if __name__ == "__main__":
    main()
