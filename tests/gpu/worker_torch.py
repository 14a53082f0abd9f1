"""PyTorch's training steps: `nn.LSTM` on packed sequences, encoders on padded ones.

Modules are imported by name, as mypy does not see them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.benchmarks.real_nets import RealNet
from tests.benchmarks.workload import Workload
from tests.gpu.steps import Job, Step, serve


def _prepare(job: Job) -> Step:
    torch: Any = import_module("torch")

    device = "cuda" if torch.cuda.is_available() else "cpu"
    work = job.work
    assert isinstance(work, Workload | RealNet), job.name
    loss_of = _encoder(job, work, device) if isinstance(work, RealNet) else _blstm(job, work, device)

    def step() -> None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = job.tf32
        loss = loss_of()
        loss.backward()
        loss.item()
        if device == "cuda":
            torch.cuda.synchronize()

    return step


def _blstm(job: Job, work: Workload, device: str) -> Any:
    """A function that sets gradients to zero and gives the loss."""
    torch: Any = import_module("torch")

    lstm = torch.nn.LSTM(work.inputs, work.units, work.layers, bidirectional=True, batch_first=True).to(device)
    output = torch.nn.Linear(2 * work.units, work.classes).to(device)
    inputs, classes = (torch.from_numpy(array) for array in work.data())
    lengths = torch.from_numpy(job.lengths().copy())

    def packed(x: Any) -> Any:
        return torch.nn.utils.rnn.pack_padded_sequence(x.to(device), lengths, batch_first=True)

    def loss() -> Any:
        lstm.zero_grad()
        output.zero_grad()
        hidden, _ = lstm(packed(inputs))
        return torch.nn.functional.cross_entropy(output(hidden.data), packed(classes).data.long())

    return loss


def _encoder(job: Job, work: RealNet, device: str) -> Any:
    """The same of an encoder, with dropout."""
    torch: Any = import_module("torch")

    make: Any = import_module("tests.benchmarks.torch_models").make_encoder
    model = make(job.model, work.inputs, work.classes).to(device)
    arrays = work.arrays(ragged=True)
    (frames, lengths), (labels, _) = ([torch.from_numpy(a) for a in arrays[key]] for key in ("data", "classes"))
    valid = torch.arange(job.frames) < lengths[:, None]
    targets = torch.where(valid, labels.long(), -100)  # which cross_entropy leaves out

    def loss() -> Any:
        model.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=job.precision is not None):
            logits = model(frames.to(device), valid.to(device))
        return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.to(device).flatten())

    return loss


if __name__ == "__main__":
    serve(_prepare)
