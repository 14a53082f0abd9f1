"""RETURNN's recorded numbers on all three targets. Known gaps are strict: a case that passes unexpectedly fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.check import check_case
from runtime.deployment.session import OnnxSession
from tests.conformance.gaps import GOLDEN, TARGETS, all_cases, gap
from tests.conformance.support import support_matrix

SUPPORT = Path(__file__).parents[2] / "docs" / "support.md"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", all_cases())
def test_golden(case: str, target: str) -> None:
    """Outputs, lengths, losses, state and (tf) gradients are RETURNN's; of onnx those of an exported file in use."""
    report = check_case(GOLDEN / f"{case}.py", target, open_model=OnnxSession)
    reason = gap(case, target)
    if reason is None:
        assert report.ok, f"{case} on {target}: {report.reason}"
    else:
        assert not report.ok, f"{case} passes on {target}; remove it from the gaps ({reason})"


def test_support_matrix_is_up_to_date(request: pytest.FixtureRequest) -> None:
    """docs/support.md is what the gaps say."""
    text = support_matrix()
    if request.config.getoption("--write-support"):
        SUPPORT.write_text(text, encoding="utf-8")
    assert SUPPORT.read_text(encoding="utf-8") == text, "run: make support"
