"""Inputs that once ended in a traceback, a hang, executed code or a silent wrong result: what is said about each now.

``tests/faults/expected.txt`` is a transcript: a command, what it prints, its exit code.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compiler.cli import main
from compiler.program.program import compile_net
from returnn_ir import load

FAULTS = Path(__file__).parents[1] / "faults"
_COMMAND = re.compile(r"^\$ returnn-compile (.*)\n((?:.*\n)*?)exit (\d)\n", re.MULTILINE)
TEXT = (FAULTS / "expected.txt").read_text(encoding="utf-8")
TRANSCRIPT = _COMMAND.findall(TEXT)

SCRIPTS = re.findall(r"^\$ python (.*)\n((?:.*\n)*?)exit (\d)\n", TEXT, re.MULTILINE)


def test_every_file_is_told_about() -> None:
    files = {path.name for path in FAULTS.iterdir() if path.suffix in (".py", ".json")}
    assert {command.split()[0] for command, _, _ in (*TRANSCRIPT, *SCRIPTS)} == files


@pytest.mark.parametrize(("command", "printed", "code"), TRANSCRIPT, ids=[command for command, _, _ in TRANSCRIPT])
def test_transcript(
    command: str, printed: str, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A right result, or one message and exit code 2; none is a bug of ours."""
    monkeypatch.chdir(FAULTS)
    assert main(command.split()) == int(code)
    out, err = capsys.readouterr()
    assert out + err == printed
    assert code in "02"
    assert "internal error" not in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(("script", "printed", "code"), SCRIPTS, ids=[script for script, _, _ in SCRIPTS])
def test_script(script: str, printed: str, code: str) -> None:
    """What a program that uses ours gets: in a process of its own, because one of them once died with SIGSEGV."""
    path = os.pathsep.join(filter(None, [str(FAULTS.parents[1]), os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, script],
        cwd=FAULTS,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    error = re.findall(r"^returnn_ir\.errors\.(\w+: (?:.*\n)*)", ran.stderr, re.MULTILINE)
    assert ran.stdout + "".join(error) == printed
    assert ran.returncode == int(code)


@pytest.mark.parametrize("target", ["reference", "onnx", "tf"])
@pytest.mark.parametrize(
    ("net", "frames", "features", "shape"),
    [
        ("stft_short.py", 7, 1, (2, 0, 5)),
        ("stft_short.py", 8, 1, (2, 1, 5)),
        ("stft_short_clip.py", 7, 1, (2, 0, 5)),
        ("stft_short_clip.py", 8, 1, (2, 1, 5)),
        ("oracle_conv_short.py", 2, 3, (2, 0, 2)),
        ("oracle_conv_short.py", 5, 3, (2, 1, 2)),
    ],
)
def test_sequences_shorter_than_a_window(
    net: str, frames: int, features: int, shape: tuple[int, ...], target: str
) -> None:
    """They have no frames, on each target."""
    program = compile_net(load(FAULTS / net), target=target, mode="forward")
    inputs = {"data": np.ones((2, frames, features), np.float32), "data/size1": np.array([frames, frames - 1])}
    results = program.run(inputs, program.initial_params(1))
    assert results["output/output"].shape[:3] == shape
    assert results["output/output/size1"].tolist() == [shape[1], 0]


def test_a_beam_larger_than_all_hypotheses() -> None:
    """The hypotheses that there are, and places for the others; their scores say so."""
    program = compile_net(load(FAULTS / "beam1000.py"), target="reference", mode="search")
    inputs = {"data": np.ones((1, 3, 3), np.float32), "data/size1": np.array([3])}
    scores = program.run(inputs, program.initial_params(1))["output/output/beam_scores"]
    assert int((scores > -1e20).sum()) == 4**3


def test_a_huge_encoding_is_refused_before_memory_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text(
        "extern_data = {'data': {'dim': 1000000000}}\n"
        "network = {'output': {'class': 'positional_encoding', 'add_to_input': True, 'from': 'data'}}\n"
    )
    assert main([str(net)]) == 2
    assert capsys.readouterr().err == (
        f"returnn-compile: layer 'output' ({net}:2): "
        "the layer would compute a very large table while the program is built\n"
        "  expected: at most 268435456 entries\n"
        "  received: 5e+08\n"
    )
