"""``docs/writing_a_pass.md``, followed by somebody who takes it at its word."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import compiler.passes
from compiler.cli.opt import main
from compiler.passes.base import Pass, check_order
from compiler.passes.registry import all_passes
from compiler.program import pipelines
from returnn_ir.ir.mode import Stage
from tests.filecheck import check_file

PAGE = (Path(__file__).parents[2] / "docs" / "writing_a_pass.md").read_text(encoding="utf-8")
TEST, MODULE, COMMAND, PLACE = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files that the page says to write, of which the module counts as one of ``compiler.passes``."""
    for path, text in {"tests/passes/idempotent.ir": TEST, "passes/idempotent.py": MODULE}.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, encoding="ascii")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compiler.passes, "__path__", [*compiler.passes.__path__, str(tmp_path / "passes")])
    all_passes.cache_clear()
    importlib.invalidate_caches()
    yield tmp_path
    sys.modules.pop("compiler.passes.idempotent", None)
    all_passes.cache_clear()


def test_its_text_test_passes(checkout: Path) -> None:
    check_file(checkout / "tests/passes/idempotent.ir")


def test_its_text_test_fails_without_the_pass(checkout: Path) -> None:
    path = checkout / "tests/passes/idempotent.ir"
    path.write_text(TEST.replace("RUN: idempotent, dce", "RUN: dce"), encoding="ascii")
    with pytest.raises(AssertionError, match="CHECK-NOT: 'maximum' found"):
        check_file(path)


def test_the_command_prints_what_is_shown(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, shown = COMMAND.split("\n", 1)
    assert main(shlex.split(command.removeprefix("$ returnn-opt "))) == 0
    assert capsys.readouterr() == (shown, "")
    assert main(["--list"]) == 0
    assert "Replace op(x, x) by x where that is what it computes." in capsys.readouterr().out


def test_its_place_in_the_pipeline(checkout: Path) -> None:
    scope = {**vars(pipelines), "Idempotent": all_passes()["idempotent"]}
    exec(compile(PLACE, "docs/writing_a_pass.md", "exec"), scope)
    made: tuple[Pass, ...] = scope["OPTIMIZE"]
    assert tuple(pass_ for pass_ in made if pass_.name != "idempotent") == pipelines.OPTIMIZE
    assert check_order(made, Stage.TARGET) == Stage.TARGET
