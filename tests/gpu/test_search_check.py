"""The check that searches on a GPU, on the CPU: every path runs, and it tells what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gpu import search_check
from tests.gpu.search_check import main


def test_no_gpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(search_check, "cuda_devices", lambda: 0)
    assert main([]) == 0
    assert capsys.readouterr().out == "gpu-check: no CUDA GPU here, no search was checked\n"


def test_all_of_it_on_the_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--device", "cpu", "--models", "small", "--batches", "3", "--rounds", "1"]
    assert main([*command, "--json", str(tmp_path / "out.json")]) == 0
    assert capsys.readouterr().out.startswith("small, 3 x 30: loop ")
    (row,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["searches"]
    assert list(row["ms_per_step"]) == ["loop", "split", "fixed sizes"]
    assert all(time > 0 for time in row["ms_per_step"].values())


def test_differences(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = search_check._prepared

    def broken(*given: Any) -> Any:
        program, expected, runs = prepared(*given)
        run = runs["fixed sizes"]
        wrong = {"output/beam_scores": lambda v: v - 1}
        runs["fixed sizes"] = lambda feed: {n: wrong.get(n, lambda v: v)(v) for n, v in run(feed).items()}
        return program, expected, runs

    monkeypatch.setattr(search_check, "_prepared", broken)
    assert main(["--device", "cpu", "--models", "small", "--batches", "1", "--rounds", "1"]) == 1
    assert "small, 1 x 30: fixed sizes: output/beam_scores: 4 of 4 entries differ" in capsys.readouterr().out


def test_a_device_that_is_not_there(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_check, "cuda_devices", lambda: 1)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    assert main(["--models", "small", "--batches", "1"]) == 2
    assert capsys.readouterr().err == (
        "gpu-check: onnxruntime has no CUDAExecutionProvider\n"
        "  expected: CPUExecutionProvider\n"
        "  try: pip install onnxruntime-gpu, without onnxruntime beside it\n"
    )
