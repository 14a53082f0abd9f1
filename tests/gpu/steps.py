"""Training steps that are measured on a GPU: what they compute, and how a worker is asked for one.

Imports NumPy only, because a worker runs in the Python of a peer.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.benchmarks.workload import Workload

__all__ = ["BATCHES", "Batch", "Step", "serve"]

#: Computes loss and gradients, and waits until they are there.
Step = Callable[[], None]


@dataclass(frozen=True)
class Batch:
    """A ragged batch for the benchmark's acoustic model.

    Attributes:
        frames: of the longest sequence; the others have half as many or more.
        tf32: matrix products round their factors to 10 bits.
    """

    frames: int
    tf32: bool

    @property
    def name(self) -> str:
        """For a request, and a report."""
        return f"{self.frames} frames, TF32 {'on' if self.tf32 else 'off'}"

    @property
    def work(self) -> Workload:
        """The model."""
        return Workload(frames=self.frames)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Of the sequences, the longest first."""
        rng = np.random.default_rng(3)
        drawn = rng.integers(self.frames // 2, self.frames + 1, self.work.batch)
        drawn[0] = self.frames
        return np.sort(drawn)[::-1].astype(np.int64)


BATCHES = tuple(Batch(frames, tf32) for frames in (100, 500) for tf32 in (False, True))


def serve(prepare: Callable[[Batch], Step]) -> None:
    """Answer each line on standard input, the name of a batch, with the seconds of a step; twice to get warm first."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    steps: dict[str, Step] = {}
    batches = {batch.name: batch for batch in BATCHES}
    for line in sys.stdin:
        name = line.strip()
        if name not in steps:
            steps[name] = prepare(batches[name])
            for _ in range(2):
                steps[name]()
        start = time.perf_counter()
        steps[name]()
        print(f"{time.perf_counter() - start:.9f}", file=replies)
