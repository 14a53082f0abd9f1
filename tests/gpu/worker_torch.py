"""PyTorch's training steps: `nn.LSTM` on packed sequences. Modules are imported by name, as mypy does not see them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.gpu.steps import Batch, Step, serve


def _prepare(batch: Batch) -> Step:
    torch: Any = import_module("torch")

    work = batch.work
    device = "cuda" if torch.cuda.is_available() else "cpu"
    lstm = torch.nn.LSTM(work.inputs, work.units, work.layers, bidirectional=True, batch_first=True).to(device)
    output = torch.nn.Linear(2 * work.units, work.classes).to(device)
    inputs, classes = (torch.from_numpy(array) for array in work.data())
    lengths = torch.from_numpy(batch.lengths().copy())

    def packed(x: Any) -> Any:
        return torch.nn.utils.rnn.pack_padded_sequence(x.to(device), lengths, batch_first=True)

    def step() -> None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = batch.tf32
        lstm.zero_grad()
        output.zero_grad()
        hidden, _ = lstm(packed(inputs))
        loss = torch.nn.functional.cross_entropy(output(hidden.data), packed(classes).data.long())
        loss.backward()
        loss.item()
        if device == "cuda":
            torch.cuda.synchronize()

    return step


if __name__ == "__main__":
    serve(_prepare)
