"""Training steps that are measured on a GPU: what they compute, and how a worker is asked for one.

Imports NumPy only, because a worker runs in the Python of a peer.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.encoders import ENCODERS
from tests.benchmarks.real_nets import RealNet
from tests.benchmarks.workload import Workload

__all__ = ["JOBS", "Feed", "Job", "Step", "serve"]

#: Computes loss and gradients, and waits until they are there.
Step = Callable[[], None]
#: By the names of a program's inputs.
Feed = Mapping[str, npt.NDArray[np.generic]]

#: Of the encoders; the other models have their own.
ENCODER_BATCH = 20


@dataclass(frozen=True)
class Job:
    """A step of one model on one ragged batch.

    Attributes:
        model: `blstm`, `attention` or one of the encoders.
        frames: of the longest sequence; the others have half as many or more.
        tf32: matrix products round their factors to 10 bits.
        precision: the type that matrix products have, None for float32.
    """

    model: str
    frames: int
    tf32: bool = False
    precision: str | None = None

    @property
    def name(self) -> str:
        """For a request, and a report."""
        how = self.precision or f"TF32 {'on' if self.tf32 else 'off'}"
        return f"{self.model}, {self.batch} x {self.frames} frames, {how}"

    @property
    def batch(self) -> int:
        """How many sequences."""
        return self.work.batch

    @cached_property
    def work(self) -> Workload | AttentionWorkload | RealNet:
        """Network and data."""
        if self.model == "blstm":
            return Workload(frames=self.frames)
        if self.model == "attention":
            return AttentionWorkload(frames=self.frames)
        return replace(ENCODERS[self.model], batch=ENCODER_BATCH, frames=self.frames)

    def config(self) -> str:
        """As a config file."""
        return self.work.config() + (f"mixed_precision = {self.precision!r}\n" if self.precision else "")

    def feed(self, names: Container[str]) -> Feed:
        """The batch: the inputs among `names`."""
        work = self.work
        if isinstance(work, RealNet):
            return work.feed(names)
        if isinstance(work, Workload):
            lengths = self.lengths()
            (inputs, classes), of_classes = work.data(), lengths
        else:
            (inputs, lengths), (classes, of_classes) = work.batches()[0], work.targets()
        feed: Feed = {"data": inputs, "data/size1": lengths, "classes": classes, "classes/size1": of_classes}
        return {name: array for name, array in feed.items() if name in names}

    def lengths(self) -> npt.NDArray[np.int64]:
        """Of the acoustic model's sequences, the longest first, as PyTorch packs them."""
        rng = np.random.default_rng(3)
        drawn = rng.integers(self.frames // 2, self.frames + 1, self.batch)
        drawn[0] = self.frames
        return np.sort(drawn)[::-1].astype(np.int64)


JOBS = (
    *(Job("blstm", frames, tf32) for frames in (100, 500) for tf32 in (False, True)),
    *(Job("attention", 30, tf32) for tf32 in (False, True)),
    *(Job(name, 500, tf32) for name in ENCODERS for tf32 in (False, True)),
    *(Job(name, 500, tf32=True, precision="bfloat16") for name in ENCODERS),
)


def serve(prepare: Callable[[Job], Step]) -> None:
    """Answer each line on standard input, the name of a job, with the seconds of a step; twice to get warm first."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    steps: dict[str, Step] = {}
    jobs = {job.name: job for job in JOBS}
    for line in sys.stdin:
        name = line.strip()
        if name not in steps:
            steps.clear()  # what another job holds on the device is not its business
            steps[name] = prepare(jobs[name])
            for _ in range(2):
                steps[name]()
        start = time.perf_counter()
        steps[name]()
        print(f"{time.perf_counter() - start:.9f}", file=replies)
