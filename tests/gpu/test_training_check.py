"""The check that trains on a GPU, on the CPU: what it says without one, and how its workers answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gpu import training_check
from tests.gpu.steps import JOBS, Job
from tests.gpu.tensorflow_placement import TensorFlowPlacement
from tests.gpu.training_check import main
from tests.gpu.worker_tensorflow import compiled, feed_of

ROOT = Path(__file__).parents[2]


def test_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == "gpu-check: TensorFlow lists no GPU here, no training was checked\n"


def test_no_tensorflow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(training_check, "find_spec", lambda name: None)
    assert main([]) == 0
    assert capsys.readouterr().out == "gpu-check: TensorFlow is not here, no training was checked\n"


def test_a_check_that_finds_differences(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    differences = {"objective": 1e-6, "W": 2e-4, "b": float("nan")}
    monkeypatch.setattr(training_check, "_model", lambda model, device: differences)
    log = "f/x: (MatMul): /job:localhost/replica:0/task:0/device:CPU:0\n"
    monkeypatch.setattr(training_check, "_placement", lambda job, device: TensorFlowPlacement.of_log(log))
    monkeypatch.setattr(training_check, "_contestants", lambda without_gpu: {})
    monkeypatch.setattr(
        training_check, "_times", lambda rounds, jobs, workers: {"a job": {"ours": [2.0], "PyTorch": [3.0]}, "b": {}}
    )
    assert main(["--without-gpu", "--models", "blstm"]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "blstm: nodes 1 on CPU",
        "training step, a job: ours 2000.0 ms (1.00), PyTorch 3000.0 ms (1.50)",
        "blstm, W: 2.0e-04 from the CPU",
        "blstm, b: nan from the CPU",
    ]


def test_what_a_log_says_of_nodes() -> None:
    where = "/job:localhost/replica:0/task:0/device"
    log = (
        "2026-01-01 00:00:00: I placer.cc:1] noise\n"
        f"a/MatMul: (MatMul): {where}:GPU:0\n"
        f"while/body/add: (AddV2): {where}:GPU:0\n"
        f"while/enter: (Enter): {where}:GPU:0\n"
        f"input: (_Arg): {where}:CPU:0\n"
        f"a/assert: (Assert): {where}:CPU:0\n"
        f"b/assert: (Assert): {where}:CPU:0\n"
    )
    assert str(TensorFlowPlacement.of_log(log)) == "nodes 2 on GPU, 2 on CPU (Assert 2)"


def test_a_worker_answers_with_seconds() -> None:
    code = (
        "import time; from tests.gpu.steps import serve; print('noise')\n"
        "serve(lambda job: print(job.frames) or (lambda: time.sleep(0.01)))"
    )
    asked = [JOBS[0].name, JOBS[0].name, JOBS[2].name]
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
    lengths = Job("blstm", 100).lengths()
    assert lengths[0] == 100 and lengths.min() >= 50 and len(set(lengths)) > 10
    assert (np.diff(lengths) <= 0).all()


@pytest.mark.parametrize("model", training_check.MODELS)
def test_a_job_has_all_inputs_of_its_network(model: str) -> None:
    job = Job(model, 12)
    program = compiled(job, "cpu")
    executable: Any = program.executable
    feed = feed_of(job, program)
    assert set(feed) == set(executable.inputs)
    lengths = feed["data/size1"]
    assert lengths[0] == feed["data"].shape[1] == 12 and lengths.min() < 12
