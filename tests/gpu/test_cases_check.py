"""The GPU check itself, on the CPU: every path runs, nothing of TensorFlow is needed, and it refuses to pretend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.check.recorded import Recorded, read_recorded
from tests.gpu import cases, gpu_check
from tests.gpu.gpu_check import main
from tests.gpu.provider import CPU, CUDA

ROOT = Path(__file__).parents[2]
CASES = ["rec_units/gru", "dense/linear_default"]


def test_all_of_it_on_the_cpu_without_tensorflow(tmp_path: Path) -> None:
    """In a process of its own, in which TensorFlow cannot be imported."""
    report = tmp_path / "report.json"
    arguments = ["--provider", CPU, "--cases", *CASES, "--json", str(report)]
    code = (
        "import sys; sys.modules.update(tensorflow=None, h5py=None, rich=None); from tests.gpu.gpu_check import main\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main({arguments!r}))"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cases of rec_units" in done.stdout
    found = json.loads(report.read_text())
    assert [case["ok"] for case in found["cases"]] == [True] * len(CASES)
    assert all(case["nodes"][CPU] > 0 and case["memcpy"] == 0 for case in found["cases"])
    assert all(0 <= case["half"] < 0.1 for case in found["cases"])
    answers = {probe["question"]: probe for probe in found["probes"]}
    assert {probe["ok"] for probe in answers.values()} == {True, None}
    assert any("TopK" in question for question in answers)
    assert all(p["seconds_per_step"] > 0 for q, p in answers.items() if q.startswith("step of an LSTM"))


def test_cases_run_in_both_profiles() -> None:
    results = list(cases.check_cases(["dense/linear_default", "attention/transformer_decoder_block"], CPU))
    assert [(r.family, r.ok) for r in results] == [
        ("dense", True),
        ("attention", True),
        ("attention, onnxruntime", True),
    ]
    portable, own = results[1:]
    assert own.placement.nodes[CPU] < portable.placement.nodes[CPU]
    assert isinstance(own.half, float)


def test_no_gpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(gpu_check, "cuda_devices", lambda: 0)
    assert main([]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_gpu_whose_provider_does_not_load(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No silent fallback to the CPU."""
    import onnxruntime

    monkeypatch.setattr(gpu_check, "cuda_devices", lambda: 1)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    assert main(["--cases", CASES[0]]) == 2
    assert f"did not load {CUDA}" in capsys.readouterr().err


def test_wrong_numbers_fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def other(path: Path) -> Recorded:
        recorded = read_recorded(path)
        moved = {name: replace(output, value=output.value + 1) for name, output in recorded.outputs.items()}
        return replace(recorded, outputs=moved)

    monkeypatch.setattr(cases, "read_recorded", other)
    assert main(["--provider", CPU, "--cases", CASES[1], "--probes"]) == 1
    assert "entries differ" in capsys.readouterr().out


def test_a_placement_that_is_not_as_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cases, "CUDA", CPU)
    monkeypatch.setattr(cases, "border_differences", lambda model: ("a on the CPU only as counted",))
    assert main(["--provider", CPU, "--cases", CASES[1], "--probes"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{CASES[1]} (portable): not as counted: a on the CPU only as counted"
    assert " 0 of 1 " in next(line for line in lines if line.startswith("cases of"))


def test_unknown_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--provider", CPU, "--cases", "dense/linaer", "--probes"]) == 2
    assert "dense/linaer" in capsys.readouterr().err
