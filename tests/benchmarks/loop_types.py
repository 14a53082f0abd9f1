"""``python -m tests.benchmarks.loop_types [N ...]``: processor time per layer of finding types in loops of N layers."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from returnn_ir import load
from returnn_ir.construct.construct import construct
from tests.layers.growing_loops import EXTERN_DATA, LOOPS, grown

_SIZES = (20, 40, 80, 160)
_RUNS = 5


def main(arguments: Sequence[str]) -> None:
    """Print milliseconds per layer, the best of some runs, and how often the first size's the last one's are."""
    sizes = [int(x) for x in arguments] or list(_SIZES)
    print(f"{'ms per layer':20}", *(f"{n:>6}" for n in sizes), " ratio")
    for kind in LOOPS:
        for mode in ("search", "train"):
            taken = [1000 * _seconds(kind, n, mode) / n for n in sizes]
            print(f"{kind + ' ' + mode:20}", *(f"{x:6.2f}" for x in taken), f"{taken[-1] / taken[0]:6.2f}", flush=True)


def _seconds(kind: str, n: int, mode: str) -> float:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.py"
        file.write_text(f"network = {grown(LOOPS[kind](n))!r}\nextern_data = {EXTERN_DATA!r}\nbehavior_version = 0\n")
        net = load(file)
    times: list[float] = []
    for _ in range(_RUNS):
        gc.collect()
        start = process_time()
        construct(net, mode)
        times.append(process_time() - start)
    return min(times)


if __name__ == "__main__":
    main(sys.argv[1:])
