"""``returnn-opt`` as somebody who writes a pass calls it: what it prints, its exit codes and what it imports."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.cli.opt import main
from compiler.passes.registry import all_passes
from compiler.program.pipelines import PIPELINES

GRAPH = """\
graph named forward {
  dim F static 3
  %0 = param() {name="a", dtype="float32", dims=[F]} : float32[F]
  %1 = tanh(%0) : float32[F]
  %2 = tanh(%0) : float32[F]
  %3 = add(%1, %2) : float32[F]
  %4 = softmax(%3) {dims=[F]} : float32[F]  # layer 'out'
  output "a" = %4 axes [F]
}
"""
SHARED = GRAPH.replace("  %2 = tanh(%0) : float32[F]\n", "").replace("%1, %2", "%1, %1").replace("%3", "%2")
SHARED = SHARED.replace("%4", "%3")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of IR in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("net.ir").write_text(f"# a comment\n{GRAPH}", encoding="ascii")
    return "net.ir"


def test_the_result_is_printed(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([file, "--passes", "cse, dce"]) == 0
    assert capsys.readouterr() == (SHARED, "")


def test_without_passes_the_text_is_checked_and_printed(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([file]) == 0
    assert capsys.readouterr() == (GRAPH, "")


def test_stdin_and_a_file_as_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(GRAPH))
    made = tmp_path / "made.ir"
    assert main(["-", "--passes", "cse", "-o", str(made)]) == 0
    assert made.read_text(encoding="ascii") == SHARED
    assert capsys.readouterr() == ("", "")


def test_the_graph_after_each_pass(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    passes = "dce,cse,fold_constants{max_entries=8},materialize_masks"
    assert main([file, "--passes", passes, "--print-each"]) == 0
    out, err = capsys.readouterr()
    masked = SHARED.replace("graph named", "graph masked").replace(
        "{dims=[F]} : float32[F]  #", "{dims=[F], mask=false} : float32[F]  #"
    )
    assert out == masked
    assert err == (
        f"# dce changed nothing\n# after cse\n{SHARED}# fold_constants{{max_entries=8}} changed nothing\n"
        f"# after materialize_masks\n{masked}"
    )


def test_a_new_stage_is_a_change(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    unmasked = "".join(line for line in GRAPH.splitlines(keepends=True) if "softmax" not in line).replace("%4", "%3")
    monkeypatch.setattr("sys.stdin", io.StringIO(unmasked))
    assert main(["-", "--passes", "materialize_masks", "--print-each"]) == 0
    masked = unmasked.replace("graph named", "graph masked")
    assert capsys.readouterr() == (masked, f"# after materialize_masks\n{masked}")


def test_pipelines_targets_and_decisions(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--passes",
        "named, lower",
        "--target",
        "onnx",
        "--fusion",
        "softmax=never",
        "--explain",
        "--device",
        "cuda",
    ]
    assert main([file, *words]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("graph target forward {")
    assert "softmax" not in out
    assert err == 'layer \'out\': softmax expanded: fusion = {"softmax": "never"}\n'


def test_the_list_has_a_line_for_each_pass_and_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    at = lines.index("pipelines:")
    assert title == "passes (with the stages they take, and the one they make):"
    assert [line.split()[0].partition("{")[0] for line in lines[:at]] == list(all_passes())
    assert all(line.endswith(".") and "`" not in line for line in lines[:at])
    assert "fold_constants{max_entries=64} any Replace nodes by constants." in map(" ".join, map(str.split, lines))
    assert any(line.split()[:4] == ["assign_axes", "masked", "->", "target"] for line in lines)
    assert [line.partition(":")[0].strip() for line in lines[at + 1 :]] == list(PIPELINES)
    assert lines[at + 1] == "  optimize: simplify, fold_constants, known_branches, cse, dce"


LOOSE = (
    'graph named forward {\n  dim F static 3\n  %0 = const() {value=1.0, dtype="float32", dims=[F]} : float32[]\n}\n'
)
REFUSED = {
    (): "no IR text is named\n  try: a file, or - for stdin",
    ("other.ir",): "cannot read other.ir: No such file or directory",
    (".",): "cannot read .: Is a directory",
    (
        "noise.bin",
    ): "cannot read noise.bin: it is no text\n  received: 'utf-8' codec can't decode byte 0xff in position "
    "0: invalid start byte",
    ("broken.ir",): "broken.ir, line 2, column 3: unknown root\n    nothing\n    ^^^^^^^\n"
    "  expected: one of output, loss, constraints, objective, state, trainable, check\n  received: 'nothing'",
    (
        "loose.ir",
    ): "loose.ir: this graph breaks the rules: op 'const' is stored as float32[], inference gives float32[F]\n"
    "  graph named forward {\n    dim F static 3\n"
    '>   %0 = const() {value=1.0, dtype="float32", dims=[F]} : float32[]\n  }',
    ("net.ir", "--passes", "cse,dec"): "no pass is named 'dec'\n  try: did you mean 'dce'?",
    ("net.ir", "--passes", "assign_axes"): "pass 'assign_axes' takes a graph in stage masked, not named",
    ("net.ir", "--fusion", "softmax"): "--fusion takes OP=WHAT\n  expected: softmax=never, or another policy\n"
    "  received: softmax",
    ("net.ir", "--fusion", "softmax=nevr"): "config key 'fusion' has an unknown policy for 'softmax'\n"
    "  expected: one of require, prefer, never\n  received: 'nevr'\n  try: did you mean 'never'?",
    ("net.ir", "-o", "no/such.ir"): "cannot write no/such.ir: No such file or directory",
    ("net.ir", "--target", "tf", "--opset", "17", "--passes", "expand_composites"): "opset: target 'tf' has no opset\n"
    "  received: 17\n  try: target 'onnx' has one",
    ("net.ir", "--target", "onnx", "--device", "gpu", "--passes", "expand_composites"): "target 'onnx' knows no device "
    "'gpu'\n  expected: cpu, cuda",
    ("net.ir", "--device", "gpu", "--passes", "expand_composites"): "device: target 'reference' has no device\n"
    "  received: gpu\n  try: target 'tf' has one",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_is_wrong_is_told(words: tuple[str, ...], file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("noise.bin").write_bytes(b"\xff\xfe\x00")
    Path("broken.ir").write_text("graph named forward {\n  nothing\n}\n", encoding="ascii")
    Path("loose.ir").write_text(LOOSE, encoding="ascii")
    assert main(list(words)) == 2
    assert capsys.readouterr() == ("", f"returnn-opt: {REFUSED[words]}\n")


def _imports(*words: str) -> str:
    code = (
        "import sys; from compiler.cli.opt import main; code = main(sys.argv[1:]); "
        "print(sorted({'tensorflow', 'onnx', 'onnxruntime', 'networkx', 'h5py'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_only_a_target_that_is_asked_imports_its_libraries(file: str) -> None:
    assert _imports(file, "--passes", "named,lower") == "[]"
    assert _imports(file, "--passes", "named,hoist_from_loop,history_to_carry", "--target", "tf") == "[]"
