"""The whole check on tiny models without a GPU: every path runs, each part with its own libraries only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compiler.check.recorded import Recorded, read_recorded
from tests.gpu import cases, cases_check, gpu_check, search_check, training_check
from tests.gpu.gpu_check import PARTS, Stage, main
from tests.gpu.part import read_records
from tests.gpu.provider import CPU, CUDA

ROOT = Path(__file__).parents[2]
SMALL = ["--small", "--without-gpu", "--rounds", "1"]
ONNX = ["search", "borders", "cases", "forward"]


def test_the_parts_of_onnx_without_tensorflow(tmp_path: Path) -> None:
    """With a Python that cannot import TensorFlow."""
    (tmp_path / "tensorflow.py").write_text("raise ImportError('not here')", encoding="utf-8")
    command = ["-m", "tests.gpu.gpu_check", *SMALL, "--parts", *ONNX, "--out", str(tmp_path / "out")]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PEER_TORCH_PYTHON": ""}
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    records = read_records(tmp_path / "out" / "records.jsonl")
    wrong = [text for record in records for text in record.get("wrong", ())]
    assert (done.returncode, wrong) == (0, []), done.stdout + done.stderr
    assert {record["part"] for record in records} == set(ONNX)
    assert all(r["ok"] and r["nodes"][CPU] > 0 and 0 <= r["half"] < 0.1 for r in records if r["part"] == "cases")
    searches = [r["ms_per_step"] for r in records if r["part"] == "search"]
    assert all(list(times) == ["loop", "fixed sizes", "split"] and min(times.values()) > 0 for times in searches)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    reached = {goal["what"]: goal["figure"] for goal in report["goals"]}
    assert reached["golden cases, portable"] == "2 of 2"
    assert reached["golden cases, onnxruntime"] == "1 of 1"


def test_training_beside_an_older_commit(tmp_path: Path) -> None:
    """The sources of before are these here."""
    records = tmp_path / "records.jsonl"
    arguments = ["--models", "gru", "--before", str(ROOT), "--records", str(records)]
    assert training_check.main([*SMALL, *arguments]) == 0
    (record,) = read_records(records)
    assert list(record["seconds"]) == ["ours", "before"]
    assert all(first["first"] > 0 for first in record["first"].values())


def test_no_gpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr(gpu_check, "cuda_devices", lambda: 0)
    assert main(["--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "gpu-check: no CUDA GPU here, nothing was checked\n"
    assert not (tmp_path / "out").exists()


def test_a_library_that_is_not_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu_check, "PARTS", [Stage("training", ("none",), "no_such_library", 1)])
    assert main(["--without-gpu", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("gpu-check: no_such_library is not here, training was not checked\n")


def test_a_part_that_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu_check, "PARTS", [Stage("probes", ("probes_check",), "json", 1)])
    monkeypatch.setattr(gpu_check, "GRACE", -9.9)
    assert main(["--without-gpu", "--out", str(tmp_path), "--seconds", "10"]) == 1
    assert capsys.readouterr().out.endswith("WRONG: probes: ended, since it took more than 10 + -10 s\n")


def test_a_part_that_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The next one runs all the same."""
    stages = [Stage(name, (module,), "json", 1) for name, module in (("search", "none"), ("borders", "steps"))]
    monkeypatch.setattr(gpu_check, "PARTS", stages)
    assert main(["--without-gpu", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().out.endswith("WRONG: search: ended with 1\nWRONG: borders: ended with 0\n")


def test_no_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr(gpu_check, "PARTS", [Stage("search", ("none",), "json", 1)])
    assert main(["--without-gpu", "--out", str(tmp_path), "--seconds", "1"]) == 0
    assert capsys.readouterr().out.startswith("gpu-check: no time for search\n")


def test_no_sources_of_before(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), "--before", str(tmp_path)])
    assert capsys.readouterr().err.endswith(f"--before {tmp_path}: there is no folder 'compiler' in it\n")


def test_every_part_has_a_module() -> None:
    assert all((ROOT / "tests" / "gpu" / f"{stage.module[0]}.py").is_file() for stage in PARTS)


# ---------------------------------------------------------------- what is wrong is told


def test_wrong_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(path: Path) -> Recorded:
        recorded = read_recorded(path)
        moved = {name: replace(output, value=output.value + 1) for name, output in recorded.outputs.items()}
        return replace(recorded, outputs=moved)

    monkeypatch.setattr(cases, "read_recorded", other)
    found = cases.check_case("dense/linear_default", CPU)
    assert not found.ok and "entries differ" in str(found.reason)


def test_a_placement_that_is_not_as_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "CUDA", CPU)
    monkeypatch.setattr(cases, "border_differences", lambda model: ("a on the CPU only as counted",))
    assert cases.check_case("dense/linear_default", CPU).borders == ("a on the CPU only as counted",)


def test_a_provider_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """No silent fallback to the CPU."""
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [CPU])
    found = cases.check_case("dense/linear_default", CUDA)
    assert f"did not load {CUDA}" in str(found.reason)


def test_other_hypotheses(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    contestants = search_check.Search.contestants

    def broken(*given: Any) -> Any:
        made = contestants(*given)
        run = made["fixed sizes"]
        shifted = {"output/beam_scores": lambda v: v - 1}

        def other(folder: Path) -> Any:
            loaded = run(folder)
            return lambda feed: {n: shifted.get(n, lambda v: v)(v) for n, v in loaded(feed).items()}

        return {"loop": made["loop"], "fixed sizes": other}

    monkeypatch.setattr(search_check.Search, "contestants", broken)
    tiny = search_check.searches(small=True, device="cpu")[:1]
    monkeypatch.setattr(search_check, "searches", lambda small, device: tiny)
    assert search_check.main(SMALL) == 1
    assert "WRONG: attention, 3 x 8, portable: fixed sizes: output/beam_scores: 12 of 12" in capsys.readouterr().out


def test_unknown_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert cases_check.main(["--without-gpu", "--cases", "dense/linaer"]) == 2
    assert "dense/linaer" in capsys.readouterr().err


def test_cases_are_spread_over_the_families() -> None:
    assert cases.spread(["a/1", "a/2", "a/3", "b/1", "b/2"]) == ["a/1", "b/1", "a/2", "b/2", "a/3"]


def test_table_of_cases() -> None:
    placed = {"nodes": {CUDA: 5, CPU: 2}, "on_cpu": {"Pad": 2}, "memcpy": 1, "borders": []}
    right = {"case": "a/1", "profile": "portable", "ok": True, "refused": False, "half": 2e-3, **placed}
    drifts = {**right, "case": "a/2", "half": "overflow", "borders": ["x"]}
    ended = {"case": "a/3", "profile": "portable", "ok": False, "refused": False, "reason": "ended"}
    lines = cases_check.table(CUDA, [right, drifts, ended])
    assert [line.split() for line in lines[1:]] == [
        ["a", "2", "of", "3", "10", "4", "2", "1", "of", "2", "2.0e-03", "(1", "do", "not", "run)", "Pad", "4"]
    ]
