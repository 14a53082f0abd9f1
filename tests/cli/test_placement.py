"""``returnn-compile --target onnx --device cuda``: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from compiler.cli import main
from tests.conformance.gaps import GOLDEN

HEADER = 'extern_data = {"data": {"dim": 3}}\n'
LSTM = HEADER + 'network = {"output": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"}}\n'
ELU = HEADER + 'network = {"output": {"class": "linear", "activation": "elu", "n_out": 2, "from": "data"}}\n'

REFUSED = (
    "returnn-compile: layer 'output': Elu of opset 22 has no CUDA kernel\n"
    "  expected: on CUDA all but shape arithmetic\n"
    "  received: on the CPU: output/Elu\n"
    "  try: --opset 21\n"
)


def _run(folder: Path, text: str, *words: str) -> int:
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    return main([str(path), *words])


def test_without_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path, LSTM, "--target", "onnx", "--device", "cuda", "--require-device") == 0
    out = capsys.readouterr().out
    assert "on CUDA, 0 on the CPU, " in out
    assert "argument in host memory: sequence_lens of output/LSTM" in out


def test_an_opset_without_kernels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, and written into the file and the report; with --require-device nothing is written."""
    words = ["--target", "onnx", "--device", "cuda", "--opset", "22", "-o", str(tmp_path / "m.onnx")]
    assert _run(tmp_path, ELU, *words, "--json", str(tmp_path / "r.json")) == 0
    out = capsys.readouterr().out
    assert "no kernel: Elu of opset 22 has no CUDA kernel; try --opset 21\n" in out
    assert f"wrote {tmp_path / 'm.onnx'} " in out
    model = onnx.load(str(tmp_path / "m.onnx"))
    meta = {entry.key: entry.value for entry in model.metadata_props}
    placement = json.loads(meta["returnn_ir.placement"])
    assert [node["op"] for node in placement["on_host"]] == ["Elu"]
    assert json.loads((tmp_path / "r.json").read_text()) == {"placement": {"m.onnx": placement}}
    assert "returnn_ir.outputs" in meta
    (tmp_path / "m.onnx").unlink()
    assert _run(tmp_path, ELU, *words, "--require-device") == 2
    printed = capsys.readouterr()
    assert "no kernel: Elu of opset 22 has no CUDA kernel; try --opset 21\n" in printed.out
    assert printed.err == REFUSED
    assert not (tmp_path / "m.onnx").exists()
    assert _run(tmp_path, ELU, "--target", "onnx", "--device", "cuda", "--require-device") == 0


def test_no_placement_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path, ELU, "--target", "onnx", "-o", str(tmp_path / "m.onnx")) == 0
    assert "CUDA" not in capsys.readouterr().out
    assert b"returnn_ir.placement" not in (tmp_path / "m.onnx").read_bytes()


def test_of_checked_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under each case, and in its report; under a refused one the reason."""
    words = ["--target", "onnx", "--device", "cuda", "--check", "--json", str(tmp_path / "r.json")]
    cases = [str(GOLDEN / "rec_units" / f"{unit}.py") for unit in ("basiclstm", "gru")]
    assert main([*cases, str(tmp_path / "none.py"), *words]) == 2
    lines = capsys.readouterr().out.splitlines()
    tops = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[2] for line in tops[:-1]] == ["ok", "ok", "refused"]
    assert tops[-1] == "2 of 3 agree"
    headers = [place for place, line in enumerate(lines) if line.startswith("    placement (CUDAExecutionProvider of ")]
    assert [place - 1 for place in headers] == [lines.index(top) for top in tops[:2]]
    assert any(line.endswith("  no kernel: GRU with linear_before_reset = 0 has no CUDA kernel") for line in lines)
    told = json.loads((tmp_path / "r.json").read_text())["cases"]
    assert ["placement" in case for case in told] == [True, True, False]
    assert {node["op"] for node in told[1]["placement"]["on_host"] if node["why"] == "no kernel"} == {"GRU"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--check --device cuda", "--device cuda is about an ONNX file\n  try: --target onnx"),
        ("--device cuda", "--device cuda is about an ONNX file\n  try: --target onnx"),
        (
            "--target tf --device cuda",
            "--device: target 'tf' has no CUDA provider\n  received: cuda\n  try: --device gpu",
        ),
        (
            "--target reference --device cuda",
            "--device: target 'reference' has no CUDA provider\n  received: cuda\n  try: --target onnx",
        ),
        (
            "--target onnx --require-device",
            "--require-device is about --device cuda\n  try: --device cuda --require-device",
        ),
        (
            "--target onnx --device cuda --layout split",
            "--layout split has a placement for each file that is written\n  try: -o FOLDER",
        ),
        (
            "--target onnx --device cuda --require-device --check",
            "--check compares numbers, not where nodes run\n  try: leave --require-device away",
        ),
    ],
)
def test_refused_options(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert _run(tmp_path, LSTM, *words.split()) == 2
    assert capsys.readouterr().err == f"returnn-compile: {message}\n"
