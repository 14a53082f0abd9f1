"""Passes are found by themselves, each has a text test, and lists of them are read or refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from compiler.passes import rewrite
from compiler.passes.base import Context, Pass
from compiler.passes.cleanup.fold_constants import FoldConstants
from compiler.passes.loops.history_to_carry import HistoryToCarry
from compiler.passes.registry import all_passes, parse_passes, pass_text
from compiler.program.pipelines import PIPELINES
from returnn_ir.errors import IRError, UserError
from returnn_ir.ir.graph import Graph
from tests.filecheck import passes_of

FILES = sorted(Path(__file__).parent.glob("*.ir"))


def test_every_pass_of_a_pipeline_is_found() -> None:
    used = {type(pass_) for pipeline in PIPELINES.values() for pass_ in pipeline}
    assert used == set(all_passes().values())
    assert all(all_passes()[cls.name] is cls for cls in used)
    assert not set(all_passes()) & set(PIPELINES), "a name in a list means one thing"


@dataclass(frozen=True)
class Twin(Pass):
    """Has the name of another pass."""

    name: ClassVar[str] = "cse"

    def run(self, graph: Graph, context: Context) -> bool:
        return False


def test_a_name_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite, "Twin", Twin, raising=False)
    all_passes.cache_clear()
    with pytest.raises(IRError, match=r"two passes are named 'cse': .*cleanup\.cse"):
        all_passes()


def test_every_pass_has_a_text_test() -> None:
    tested = {pass_.name for path in FILES for pass_ in passes_of(path.read_text(encoding="ascii"))}
    assert tested == set(all_passes())


def test_a_list_of_passes_is_read() -> None:
    expected = (HistoryToCarry(searching=True), FoldConstants(max_entries=8), *PIPELINES["optimize"])
    text = "history_to_carry{searching=true}, fold_constants{max_entries=8},optimize"
    assert parse_passes(text, PIPELINES) == expected


@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_text_of_passes_reads_back(pipeline: tuple[Pass, ...]) -> None:
    text = ", ".join(pass_text(pass_) for pass_ in pipeline)
    assert parse_passes(text) == pipeline


WRONG = {
    "simplfy": "no pass is named 'simplfy'\n  try: did you mean 'simplify'?",
    "optimise": "no pass is named 'optimise'\n  try: did you mean 'optimize'?",
    "zzz": "no pass is named 'zzz'\n  try: returnn-opt --list names all passes",
    "cse{fast=true}": "pass 'cse' has no option 'fast'\n  expected: no options",
    "fold_constants{entries=1}": (
        "pass 'fold_constants' has no option 'entries'\n  expected: max_entries\n  try: did you mean 'max_entries'?"
    ),
    "fold_constants{max_entries=true}": (
        "option 'max_entries' of pass 'fold_constants' has the wrong type\n  expected: int\n  received: true"
    ),
    "cse dce": ("line 1, column 5: unexpected text\n  cse dce\n      ^^^\n  expected: a comma\n  received: 'dce'"),
    "history_to_carry{searching=yes}": (
        "line 1, column 28: unexpected text\n  history_to_carry{searching=yes}\n                             ^^^\n"
        "  expected: true, false, a number or a string in double quotes\n  received: 'yes'"
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_list_is_told(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_passes(text, PIPELINES)
    assert str(caught.value) == WRONG[text]
