"""The result of a check as lines that read like a table, on a terminal with colours."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compiler.check.case import CaseReport
from compiler.onnx.placement.report import placement_lines

__all__ = ["print_reports"]

_GREEN, _RED, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"


def print_reports(reports: Sequence[CaseReport]) -> None:
    """One line per case; under it the whole reason of one that fails, and where its nodes run if that was asked."""
    width = max((len(r.case) for r in reports), default=0)
    coloured = sys.stdout.isatty()
    for report in reports:
        word = "ok" if report.ok else "refused" if report.refused else "differs"
        if coloured:
            word = f"{_GREEN if report.ok else _RED}{word}{_PLAIN}"
        print(
            f"{report.case:<{width}}  {report.target}  {word}  {len(report.layers)} compared, max {report.max_abs:.2g}"
        )
        if report.reason is not None:
            print("\n".join(f"    {line}" for line in report.reason.splitlines()))
        if report.placement is not None:
            print("\n".join(f"    {line}" for line in placement_lines(report.placement, coloured=coloured)))
    good = sum(r.ok for r in reports)
    print(f"{good} of {len(reports)} agree")
