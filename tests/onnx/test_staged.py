"""An export of several files that fails leaves the old ones or nothing, never half of each."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from compiler.cli import main
from compiler.target.staged import staged

NAMES = ["encoder.onnx", "finish.onnx", "init.onnx", "step.onnx"]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def write_all(folder: Path, text: str) -> None:
    with staged(folder) as part:
        for name in NAMES:
            (part / name).write_text(text)


def test_new_files_take_the_place_of_old_ones(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    write_all(folder, "old")
    (folder / "notes.txt").write_text("stays")
    write_all(folder, "new")
    assert contents(folder) == {**dict.fromkeys(NAMES, "new"), "notes.txt": "stays"}


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    for number in ("1", "2"):
        with staged(tmp_path / "model") as part:
            (part / "variables").mkdir()
            (part / "variables" / f"data-{number}").write_text("")
            (part / "graph.txt").write_text("")
    assert [path.name for path in (tmp_path / "model" / "variables").iterdir()] == ["data-2"]


def test_a_failure_while_writing_keeps_the_old_files(tmp_path: Path) -> None:
    write_all(tmp_path, "old")
    with pytest.raises(OSError, match="disk"), staged(tmp_path) as part:
        (part / NAMES[0]).write_text("new")
        raise OSError("the disk is full")
    assert contents(tmp_path) == dict.fromkeys(NAMES, "old")


def test_a_failure_while_writing_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "parts") as part:
        (part / NAMES[0]).write_text("new")
        raise KeyboardInterrupt
    assert not (tmp_path / "parts").exists()


def test_a_failure_while_moving_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all(tmp_path, "old")
    replace = Path.replace

    def failing(path: Path, target: Path) -> Path:
        if path.name == "init.onnx":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="Input/output"):
        write_all(tmp_path, "new")
    assert contents(tmp_path) == {}


def test_a_split_export_that_fails_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Path(__file__).parents[1] / "golden" / "search" / "fixed_length.py"
    command = [str(net), "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path)]
    assert main(command) == 0
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}
    write = Path.write_bytes

    def failing(path: Path, content: bytes) -> int:
        if path.name == "step.onnx":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", failing)
    assert main([*command, "++random_seed", "2"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES
    assert {name: (tmp_path / name).read_bytes() for name in NAMES} == before
