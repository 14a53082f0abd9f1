"""Steps that are measured on a GPU, of training and of the forward pass: what they compute, and how they are asked for.

Imports NumPy only, because a worker runs in the Python of a peer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.encoders import ENCODERS, transformer
from tests.benchmarks.real_nets import RealNet, conformer
from tests.benchmarks.workload import Workload
from tests.gpu.workers import serve

__all__ = ["LOOPS", "MODELS", "TRAINING", "Feed", "Job", "Step", "forward_jobs", "serve_steps", "training_jobs"]

#: Computes, and waits until it is there.
Step = Callable[[], None]
#: By the names of a program's inputs.
Feed = Mapping[str, npt.NDArray[np.generic]]

#: Sequences in a training step of an encoder; the other models have their own.
ENCODER_BATCH = 20
#: In the order of what their goals are worth.
MODELS = ("blstm", "attention", "transformer", "conformer", "gru")
SMALL_FRAMES, SMALL_BATCH, SMALL_UNITS = 8, 3, 32


@dataclass(frozen=True)
class Job:
    """A step of one model on one ragged batch.

    Attributes:
        model: one of :data:`MODELS`.
        frames: of the longest sequence; the others have half as many or more.
        tf32: matrix products round their factors to 10 bits.
        precision: the type that matrix products have (in a forward pass: everything), None for float32.
        sequences: None for the number that the model trains with.
        forward: the posteriors; else loss and all gradients.
        small: a tiny model of the kind.
    """

    model: str
    frames: int
    tf32: bool = False
    precision: str | None = None
    sequences: int | None = None
    forward: bool = False
    small: bool = False

    @property
    def name(self) -> str:
        """For a report."""
        return f"{self.model}, {self.batch} x {self.frames} frames, {self.how}"

    @property
    def how(self) -> str:
        """It computes in what precision."""
        return self.precision or f"TF32 {'on' if self.tf32 else 'off'}"

    @property
    def batch(self) -> int:
        """How many sequences."""
        return self.work.batch

    @cached_property
    def work(self) -> Workload | AttentionWorkload | RealNet:
        """Network and data."""
        work = self._whole() if not self.small else self._tiny()
        return replace(work, batch=self.sequences) if self.sequences is not None else work

    def _whole(self) -> Workload | AttentionWorkload | RealNet:
        if self.model in ("blstm", "gru"):
            return Workload(frames=self.frames, unit=_UNITS[self.model])
        if self.model == "attention":
            return AttentionWorkload(frames=self.frames)
        return replace(ENCODERS[self.model], batch=ENCODER_BATCH, frames=self.frames)

    def _tiny(self) -> Workload | AttentionWorkload | RealNet:
        sizes: dict[str, Any] = {"batch": SMALL_BATCH, "frames": self.frames}
        if self.model in ("blstm", "gru"):
            return Workload(layers=1, units=8, inputs=8, classes=10, unit=_UNITS[self.model], **sizes)
        if self.model == "attention":
            return AttentionWorkload(units=8, inputs=8, labels=10, sentences=SMALL_BATCH, **sizes)
        net = {"transformer": transformer, "conformer": conformer}[self.model](1, SMALL_UNITS)
        return replace(ENCODERS[self.model], network=net, inputs=8, classes=10, **sizes)

    def config(self) -> str:
        """As a config file."""
        mixed = self.precision if not self.forward else None
        return self.work.config() + (f"mixed_precision = {mixed!r}\n" if mixed else "")

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

    def to_json(self) -> dict[str, Any]:
        """For a request, and a report."""
        return asdict(self)


_UNITS = {"blstm": "nativelstm2", "gru": "gru"}

#: What has a goal comes first.
TRAINING = (
    Job("blstm", 100, tf32=True),
    Job("transformer", 500, tf32=True),
    Job("attention", 30),
    Job("transformer", 500, tf32=True, precision="bfloat16"),
    Job("blstm", 500, tf32=True),
    Job("conformer", 500, tf32=True),
    Job("gru", 100),
    Job("conformer", 500, tf32=True, precision="bfloat16"),
    Job("attention", 30, tf32=True),
    Job("blstm", 100),
    Job("blstm", 500),
    Job("transformer", 500),
    Job("conformer", 500),
    Job("gru", 100, tf32=True),
    Job("blstm", 100, tf32=True, precision="bfloat16"),
    Job("attention", 30, tf32=True, precision="bfloat16"),
)
#: Whose loops stay loops.
LOOPS = (Job("attention", 30, tf32=True), Job("gru", 100, tf32=True))


def training_jobs(small: bool) -> list[Job]:
    """Of all models and precisions, or a tiny one of each kind."""
    if not small:
        return list(TRAINING)
    chosen = [next(job for job in TRAINING if job.model == model) for model in MODELS]
    return [_shrunk(job) for job in (*chosen, TRAINING[3])]


def forward_jobs(small: bool) -> list[Job]:
    """In float32, with TF32 and in half precision, what has the most to say first."""
    sizes = [("transformer", 40, 500), ("transformer", 1, 500), ("conformer", 40, 500), ("conformer", 1, 500)]
    sizes += [("blstm", 1, 100), ("blstm", 40, 1000)]
    hows: list[tuple[bool, str | None]] = [(False, None), (False, "float16"), (True, None)]
    jobs = [Job(m, t, tf32, how, n, forward=True) for m, n, t in sizes for tf32, how in hows]
    if not small:
        return jobs
    chosen = [job for job in jobs if job.sequences == 1 and not job.tf32]
    return [replace(_shrunk(job), sequences=2) for job in chosen if job.model == "transformer" or not job.precision]


def _shrunk(job: Job) -> Job:
    return replace(job, frames=SMALL_FRAMES, small=True)


def serve_steps(prepare: Callable[[Job], Step]) -> None:
    """Answer `{"prepare": job}` with the seconds of that and of the first step, `"step"` with those of a step."""
    held: list[Step] = []

    def answer(request: Any) -> Any:
        if request == "step":
            return {"seconds": _seconds(held[0])}
        held.clear()  # what another job holds on the device is not its business
        prepared = _seconds(lambda: held.append(prepare(Job(**request["prepare"]))))
        first = _seconds(held[0])
        held[0]()
        return {"prepare": prepared, "first": first}

    serve(answer)


def _seconds(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
