"""What the command lines say when this project itself is wrong: one message, exit code 2, the traceback on demand."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from traceback import format_exception_only

import pytest

from compiler.cli import main as compile_main
from returnn_ir.errors import IRError, bug_report
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.types import TensorType
from returnn_ir.network import layer_registry
from returnn_ir.network.layer_registry import find_layer
from returnn_ir.text.verify import verify
from runtime.cli import main as run_main

NET = 'extern_data = {"data": {"dim": 3}}\nnetwork = {"output": {"class": "copy", "from": "data"}}\n'
REPORT = "  this is a bug of returnn-ir, not of the config: please report it with the config and what --debug says\n"


def _broken(error: Exception) -> Callable[..., object]:
    def build(*args: object) -> object:
        raise error

    return build


def _break_copy(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    spec = find_layer("copy")
    assert spec is not None
    monkeypatch.setitem(layer_registry._LAYERS, "copy", replace(spec, build=_broken(error)))


def _net(folder: Path) -> str:
    path = folder / "net.py"
    path.write_text(NET, encoding="utf-8")
    return str(path)


def test_the_layer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break_copy(monkeypatch, ZeroDivisionError("division by zero"))
    net = _net(tmp_path)
    assert compile_main([net]) == 2
    line = _broken.__code__.co_firstlineno + 2
    assert capsys.readouterr().err == (
        "returnn-compile: internal error: ZeroDivisionError: division by zero\n"
        f"  while building: layer 'output' ({net}:2)\n"
        f"  at: cli/test_bugs.py:{line}\n{REPORT}"
    )


def test_debug_shows_the_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _break_copy(monkeypatch, KeyError("x"))
    with pytest.raises(KeyError):
        compile_main([_net(tmp_path), "--debug"])


def test_too_little_memory_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break_copy(monkeypatch, MemoryError("Unable to allocate 2 TiB"))
    assert compile_main([_net(tmp_path)]) == 2
    assert capsys.readouterr().err == "returnn-compile: there is not enough memory: Unable to allocate 2 TiB\n"


def test_a_full_disk_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break_copy(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "x.onnx"))
    assert compile_main([_net(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "returnn-compile: the operating system refuses it: x.onnx: No space left on device\n"
    )


def test_a_broken_graph_in_python() -> None:
    """Whoever calls us sees a traceback; it says whose bug it is, and a message for the command line says it once."""
    graph = Graph()
    node = Builder(graph.body).const(0.0).node
    assert node is not None
    node.results[0].type = TensorType("int64")
    with pytest.raises(IRError) as caught:
        verify(graph)
    note = "this is a bug of returnn-ir, not of the config: please report it with the config and this traceback"
    assert "".join(format_exception_only(caught.value)).endswith(f"\n{note}\n")
    assert note not in str(caught.value)
    assert note not in bug_report(caught.value)
    assert f"{bug_report(caught.value)}\n".endswith(REPORT)


@pytest.mark.parametrize("debug", [False, True])
def test_returnn_run(
    debug: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*args: object, **options: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr("runtime.cli._run", run)
    if debug:
        with pytest.raises(IndexError):
            run_main(["--debug", _net(tmp_path)])
        return
    assert run_main([_net(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("returnn-run: internal error: IndexError: out of range\n  at: cli/test_bugs.py:")
    assert error.endswith(REPORT)
