"""RETURNN's recorded numbers on all three targets. Known gaps are strict: a case that passes unexpectedly fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.check import CaseReport, check_case
from runtime.deployment.session import OnnxSession
from tests.conformance.contrib import BY_DEVICE, DEVICE, PROFILE, contrib_cases
from tests.conformance.gaps import GOLDEN, TARGETS, all_cases, gap
from tests.conformance.support import support_matrix

SUPPORT = Path(__file__).parents[2] / "docs" / "support.md"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", all_cases())
def test_golden(case: str, target: str) -> None:
    """Outputs, lengths, losses, state and (tf) gradients are RETURNN's; of onnx those of an exported file in use."""
    reports = list(_onnx_reports(case)) if target == "onnx" else [check_case(GOLDEN / f"{case}.py", target)]
    reason = gap(case, target)
    for report in reports:
        if reason is None:
            assert report.ok, f"{case} on {target}: {report.reason}"
        else:
            assert not report.ok, f"{case} passes on {target}; remove it from the gaps ({reason})"


def _onnx_reports(case: str) -> Iterator[CaseReport]:
    """Of the profile onnxruntime on CUDA, and where that is another file than the portable one, of that, too.

    That they are the same is tested by ``tests/conformance/test_contrib.py`` (slow).
    """
    report = check_case(GOLDEN / f"{case}.py", "onnx", profile=PROFILE, device=DEVICE, open_model=OnnxSession)
    yield report
    assert tuple(report.contrib) == contrib_cases().get(case, ()), "run: make support"
    if report.contrib or case in BY_DEVICE:
        yield check_case(GOLDEN / f"{case}.py", "onnx", open_model=OnnxSession)


def test_support_matrix_is_up_to_date(request: pytest.FixtureRequest) -> None:
    """docs/support.md is what the gaps say."""
    text = support_matrix()
    if request.config.getoption("--write-support"):
        SUPPORT.write_text(text, encoding="utf-8")
    assert SUPPORT.read_text(encoding="utf-8") == text, "run: make support"
