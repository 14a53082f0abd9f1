"""What the parts have in common: results are kept at once, time is kept, what fails does not stop the others."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.gpu import part as part_module
from tests.gpu.part import Part, read_records, wrong_of


def test_results_are_kept_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deep" / "records.jsonl"
    arguments = ["--without-gpu", "--records", str(path), "--seconds", "60"]
    part = Part.of("borders", Part.arguments("about").parse_args(arguments))
    part.record("2 Memcpy", memcpy=2)
    assert read_records(path) == [{"part": "borders", "memcpy": 2, "line": "2 Memcpy"}]
    part.record("", wrong=["3 Memcpy"])
    assert wrong_of(read_records(path)) == ["borders: 3 Memcpy"]
    assert capsys.readouterr().out == "borders: 2 Memcpy\nborders: WRONG: 3 Memcpy\n"
    assert part.exit_code() == 1
    assert 50 < part.left() < 60


def test_a_line_that_was_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps({"part": "a"}) + '\n{"part": "b', encoding="utf-8")
    assert read_records(path) == [{"part": "a"}]
    assert capsys.readouterr().err == f"{path}: a line was cut off\n"
    assert read_records(tmp_path / "none") == []


def test_no_time_left() -> None:
    part = Part("search")
    seen = []
    for item in part.each(["a", "b", "c"]):
        seen.append(item)
        part.deadline = time.monotonic()
    assert seen == ["a"]
    assert part.found == [{"part": "search", "left_out": ["b", "c"], "line": "no time for 2: b; c"}]
    assert part.exit_code() == 0


def test_patience() -> None:
    part = Part("search")
    assert part.patience(100.0) == 100.0
    part.deadline = time.monotonic()
    assert 11.0 < part.patience(100.0) <= 12.0
    part.deadline -= 60.0
    assert part.patience(100.0) == 2.0


def test_what_fails_does_not_stop_the_others() -> None:
    part = Part("search")
    for item in part.each([1, 0, 2]):
        with part.kept(f"item {item}"):
            part.record(str(4 / item))
    assert [record["line"] for record in part.found] == ["4.0", "item 0: ZeroDivisionError: division by zero", "2.0"]
    assert part.exit_code() == 1


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(part_module, "cuda_devices", lambda: 0)
    with pytest.raises(SystemExit, match=r"^0$"):
        Part.of("search", Part.arguments("about").parse_args([]))
    assert capsys.readouterr().out == "gpu-check: no CUDA GPU here, search was not checked\n"
