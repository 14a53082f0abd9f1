"""``make`` finds a Python by itself, and says so where it finds none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ("python3.11", "python3.12", "python3.13", "python3", "python")


def make(folder: Path, usable: tuple[str, ...], *words: str) -> subprocess.CompletedProcess[str]:
    """Run make where only the Pythons ``usable`` do what they are asked for; others exist, as pyenv's shims do."""
    folder.mkdir()
    for name in NAMES:
        path = folder / name
        path.write_text(f"#!/bin/sh\necho {name}\nexit {0 if name in usable else 127}\n", encoding="utf-8")
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    environment = {key: value for key, value in environment.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "PYTHON")}
    command = ["make", "--directory", str(ROOT), f"VENV={folder / 'venv'}", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("usable", "chosen"),
    [(("python3.12", "python3.13"), "python3.12"), (("python3.13", "python3"), "python3.13"), (("python",), "python")],
)
def test_the_first_that_is_usable(tmp_path: Path, usable: tuple[str, ...], chosen: str) -> None:
    ran = make(tmp_path / "bin", usable, "--dry-run", "test")
    assert ran.returncode == 0, ran.stderr
    assert f'"{chosen}" -m venv {tmp_path}/bin/venv' in ran.stdout


def test_a_python_of_the_users_choice(tmp_path: Path) -> None:
    ran = make(tmp_path / "bin", NAMES, "--dry-run", "test", "PYTHON=python3.13")
    assert f'"python3.13" -m venv {tmp_path}/bin/venv' in ran.stdout


@pytest.mark.parametrize("words", [(), ("PYTHON=python3.13",)])
def test_none(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = make(tmp_path / "bin", (), "lint", *words)
    asked = "python3.13" if words else "python3.11 python3.12 python3.13 python3 python"
    assert ran.returncode == 2
    assert ran.stderr.startswith(
        f"no Python from 3.11 to 3.13 with venv among {asked}; give one: make PYTHON=/path/to/python\n"
    )
    assert not (tmp_path / "bin" / "venv").exists()
