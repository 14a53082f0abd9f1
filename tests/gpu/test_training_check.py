"""The check that trains on a GPU, on the CPU: what it says without one, and how its workers answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.gpu import training_check
from tests.gpu.steps import BATCHES, Batch
from tests.gpu.training_check import main

ROOT = Path(__file__).parents[2]


def test_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == "gpu-check: TensorFlow lists no GPU here, no training was checked\n"


def test_no_tensorflow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(training_check, "find_spec", lambda name: None)
    assert main([]) == 0
    assert capsys.readouterr().out == "gpu-check: TensorFlow is not here, no training was checked\n"


def test_a_check_that_finds_differences(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(training_check, "_model", lambda device: {"objective": 1e-6, "W": 2e-4, "b": float("nan")})
    monkeypatch.setattr(training_check, "_contestants", lambda without_gpu: {})
    monkeypatch.setattr(
        training_check, "_times", lambda rounds, workers: {"a batch": {"ours": [2.0], "PyTorch": [3.0]}}
    )
    assert main(["--without-gpu"]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "training step, 40 x a batch: ours 2000.0 ms (1.00), PyTorch 3000.0 ms (1.50)",
        "W: 2.0e-04 from the CPU",
        "b: nan from the CPU",
    ]


def test_a_worker_answers_with_seconds() -> None:
    code = (
        "import time; from tests.gpu.steps import serve; print('noise')\n"
        "serve(lambda batch: print(batch.frames) or (lambda: time.sleep(0.01)))"
    )
    asked = [BATCHES[0].name, BATCHES[2].name, BATCHES[0].name]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        input="\n".join(asked) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert [float(line) >= 0.01 for line in done.stdout.splitlines()[-3:]] == [True] * 3
    assert done.stderr.split() == ["100", "500"]


def test_batches_are_ragged() -> None:
    lengths = Batch(100, tf32=False).lengths()
    assert lengths[0] == 100 and lengths.min() >= 50 and len(set(lengths)) > 10
    assert (np.diff(lengths) <= 0).all()
