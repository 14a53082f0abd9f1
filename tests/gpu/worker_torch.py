"""PyTorch's steps, on `cuda` or `cpu`: `nn.LSTM` and `nn.GRU` on packed sequences, encoders on padded ones.

Its GRU is another unit than RETURNN's, which resets before the product: no peer for the numbers, only for the time.
Modules are imported by name, as mypy does not see them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tests.benchmarks.real_nets import RealNet
from tests.benchmarks.workload import Workload
from tests.gpu.steps import SMALL_UNITS, Job, Step, serve_steps

#: A model, and a function from it to logits and the labels beside them.
_Made = tuple[Any, Callable[[], tuple[Any, Any]]]


def _prepare(job: Job, device: str) -> Step:
    torch: Any = import_module("torch")

    work = job.work
    assert isinstance(work, Workload | RealNet), job.name
    model, outputs = _encoder(job, work, device) if isinstance(work, RealNet) else _recurrent(job, work, device)

    def forward() -> None:
        with torch.inference_mode():
            outputs()[0].softmax(-1)

    def train() -> None:
        model.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=job.precision is not None):
            logits, labels = outputs()
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        loss.backward()
        loss.item()

    def step() -> None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = job.tf32
        forward() if job.forward else train()
        if device == "cuda":
            torch.cuda.synchronize()

    model.train(not job.forward)
    return step


def _placed(job: Job, tensor: Any, device: str) -> Any:
    """On the device, and in half precision if all of a forward pass is."""
    torch: Any = import_module("torch")

    whole = job.forward and job.precision is not None
    return tensor.to(device, torch.float16) if whole and tensor.is_floating_point() else tensor.to(device)


def _recurrent(job: Job, work: Workload, device: str) -> _Made:
    torch: Any = import_module("torch")

    unit = torch.nn.GRU if job.model == "gru" else torch.nn.LSTM
    model = torch.nn.ModuleList(
        [
            unit(work.inputs, work.units, work.layers, bidirectional=True, batch_first=True),
            torch.nn.Linear(2 * work.units, work.classes),
        ]
    ).to(device)
    if job.forward and job.precision is not None:
        model = model.half()
    recurrent, output = model
    inputs, classes = (torch.from_numpy(array) for array in work.data())
    lengths = torch.from_numpy(job.lengths().copy())
    fed = (inputs, classes) if not job.forward else (_placed(job, inputs, device), classes)

    def packed(x: Any) -> Any:
        return torch.nn.utils.rnn.pack_padded_sequence(x.to(device), lengths, batch_first=True)

    def outputs() -> tuple[Any, Any]:
        hidden, _ = recurrent(packed(fed[0]))
        return output(hidden.data), None if job.forward else packed(fed[1]).data.long()

    return model, outputs


def _encoder(job: Job, work: RealNet, device: str) -> _Made:
    """The same of an encoder, in training with dropout."""
    torch: Any = import_module("torch")

    make: Any = import_module("tests.benchmarks.torch_models").make_encoder
    sizes = {"blocks": 1, "units": SMALL_UNITS} if job.small else {}
    model = make(job.model, work.inputs, work.classes, **sizes).to(device)
    if job.forward and job.precision is not None:
        model = model.half()
    arrays = work.arrays(ragged=True)
    (frames, lengths), (labels, _) = ([torch.from_numpy(a) for a in arrays[key]] for key in ("data", "classes"))
    valid = torch.arange(job.frames) < lengths[:, None]
    targets = torch.where(valid, labels.long(), -100).flatten()  # which cross_entropy leaves out
    if job.forward:
        frames, valid = _placed(job, frames, device), valid.to(device)

    def outputs() -> tuple[Any, Any]:
        return model(frames.to(device), valid.to(device)).flatten(0, 1), targets.to(device)

    return model, outputs


if __name__ == "__main__":
    serve_steps(lambda job: _prepare(job, sys.argv[1]))
