"""The list of ops: what ``returnn-opt --ops`` prints, and that docs/ops.md is current."""

from __future__ import annotations

import pytest

from compiler.cli.opt import main
from returnn_ir.ir.op import all_ops
from returnn_ir.text.op_table import describe_ops, op_families
from tests.ir.ops_page import PAGE, ops_page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == ops_page(), "make ops"


def test_each_op_has_a_row() -> None:
    rows = [row.name for family in op_families().values() for row in family]
    assert sorted(rows) == [op.name for op in all_ops()]


def test_the_command_line_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--ops"]) == 0
    out = capsys.readouterr().out
    assert out == "\n".join(describe_ops()) + "\n"
    assert out.isascii()
    lines = out.splitlines()
    assert max(map(len, lines)) <= 120
    assert "composite/norms:" in lines
    assert "  where(condition, x, y)  # elementwise, joins, precision follow" in lines
    assert "  search_sorted(sorted, values) {dim: Dim, side: 'left' | 'right' = \"left\"}" in lines
    assert "  softmax(x) {dims: tuple of Dim, mask: bool = true}  # masked, composite, tail zero" in lines
    # an attribute stands in one line
    assert (
        "      padding: 'valid' | 'same', groups: int >= 1 = 1}  # reads_tail, precision any" in lines
    )  # an attribute stands in one line
