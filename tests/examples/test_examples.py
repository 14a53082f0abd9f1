"""The examples run as their users run them, in small."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

from compiler.cli import main as compile_main
from runtime.cli import main as run_main

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_handwriting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Data, training, export, decoding: TensorFlow and ONNX find the same digits."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "examples/out/digits"
    data.mkdir(parents=True)
    script = runpy.run_path(str(EXAMPLES / "digits_data.py"))
    scans = load_digits()
    for name, lines in (("train", 120), ("dev", 20), ("test", 30)):
        split = next(s for s in script["SPLITS"] if s.name == name)
        script["write_split"](data / f"{name}.hdf", replace(split, num_lines=lines), scans.images, scans.target)
    (tmp_path / "examples/handwriting.py").write_text((EXAMPLES / "handwriting.py").read_text(encoding="utf-8"))
    assert run_main(["examples/handwriting.py", "++num_epochs", "2"]) == 0
    capsys.readouterr()
    assert run_main(["--best-checkpoint", "examples/handwriting.py"]) == 0
    checkpoint = capsys.readouterr().out.strip()
    model = "examples/out/handwriting.onnx"
    options = ["--target", "onnx", "-o", model, "--checkpoint", checkpoint]
    assert compile_main(["examples/handwriting.py", *options]) == 0
    assert "verified against the reference on 3 ragged batches" in capsys.readouterr().out
    decode = runpy.run_path(str(EXAMPLES / "handwriting_decode.py"))
    monkeypatch.setattr(sys, "argv", ["handwriting_decode.py", model])
    assert decode["main"]() == 0
    assert "30 lines of scanned digits" in capsys.readouterr().out


def test_12ax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The old spellings of a config from 2016."""
    monkeypatch.chdir(tmp_path)
    assert run_main([str(EXAMPLES / "12ax.py"), "++num_epochs", "1"]) == 0
    assert "train epoch 1, learning rate 0.01" in capsys.readouterr().out
