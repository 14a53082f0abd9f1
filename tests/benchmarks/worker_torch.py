"""Benchmark worker: PyTorch's `nn.LSTM` on packed sequences, and encoders on padded ones. Runs in its environment.

Its modules are imported by name, because the environment that mypy sees does not have them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

from tests.benchmarks.encoders import ENCODERS, FORWARD_BATCHES, TRAINING_BATCH, TRAINING_FRAMES
from tests.benchmarks.protocol import Step, serve
from tests.benchmarks.real_nets import RealNet
from tests.benchmarks.workload import NUM_THREADS, Workload

WORK = Workload()


def _train() -> Step:
    """Loss and the gradient of every parameter."""
    torch: Any = import_module("torch")

    lstm, output = _modules()
    inputs, lengths = _inputs(WORK.batch)
    targets = torch.nn.utils.rnn.pack_padded_sequence(
        torch.from_numpy(WORK.data()[1]).long(), lengths, batch_first=True
    ).data

    def step() -> None:
        lstm.zero_grad()
        output.zero_grad()
        packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True)
        hidden, _ = lstm(packed)
        torch.nn.functional.cross_entropy(output(hidden.data), targets).backward()

    return step


def _forward(batch: int) -> Step:
    torch: Any = import_module("torch")

    lstm, output = _modules()
    inputs, lengths = _inputs(batch)

    def step() -> None:
        with torch.inference_mode():
            packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True)
            hidden, _ = lstm(packed)
            output(hidden.data).softmax(-1)

    return step


def _encoder(name: str, net: RealNet) -> tuple[Any, Any, Any, Any]:
    """The module, frames, which of them are valid, and labels."""
    torch: Any = import_module("torch")

    torch.set_num_threads(NUM_THREADS)
    made = import_module("tests.benchmarks.torch_models").make_encoder(name, net.inputs, net.classes)
    arrays = net.arrays(ragged=True)
    (frames, lengths), (labels, _) = ([torch.from_numpy(a) for a in arrays[key]] for key in ("data", "classes"))
    return made, frames, torch.arange(net.frames) < lengths[:, None], labels.long()


def _encode(name: str, batch: int) -> Step:
    torch: Any = import_module("torch")

    model, frames, valid, _ = _encoder(name, replace(ENCODERS[name], batch=batch))
    model.eval()

    def step() -> None:
        with torch.inference_mode():
            model(frames, valid).softmax(-1)

    return step


def _train_encoder(name: str) -> Step:
    torch: Any = import_module("torch")

    net = replace(ENCODERS[name], batch=TRAINING_BATCH, frames=TRAINING_FRAMES)
    model, frames, valid, labels = _encoder(name, net)

    def step() -> None:
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(frames, valid)[valid], labels[valid]).backward()

    return step


def _build() -> Step:
    import_module("torch")
    return lambda: _train()()


def _modules() -> tuple[Any, Any]:
    torch: Any = import_module("torch")

    torch.set_num_threads(NUM_THREADS)
    lstm = torch.nn.LSTM(WORK.inputs, WORK.units, WORK.layers, bidirectional=True, batch_first=True)
    return lstm, torch.nn.Linear(2 * WORK.units, WORK.classes)


def _inputs(batch: int) -> tuple[Any, Any]:
    torch: Any = import_module("torch")

    inputs, _ = WORK.data(batch)
    return torch.from_numpy(inputs), torch.full((batch,), WORK.frames)


if __name__ == "__main__":
    serve(
        {
            "train": _train,
            "forward1": lambda: _forward(1),
            f"forward{WORK.batch}": lambda: _forward(WORK.batch),
            "build": _build,
            **{f"train_{name}": partial(_train_encoder, name) for name in ENCODERS},
            **{f"{name}{batch}": partial(_encode, name, batch) for name in ENCODERS for batch in FORWARD_BATCHES},
        }
    )
