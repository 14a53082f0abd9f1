"""The golden cases on one provider: RETURNN's numbers, placement, time, half precision."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from compiler.check import CaseReport
from compiler.check.case import check_program
from compiler.check.recorded import read_recorded
from compiler.onnx.program import OnnxProgram
from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.errors import ConfigError, UserError, did_you_mean
from tests.conformance.contrib import DEVICE, PROFILE, contrib_cases
from tests.conformance.gaps import GOLDEN, all_cases, gap
from tests.gpu.borders import border_differences
from tests.gpu.half import Drift, drift
from tests.gpu.provider import CUDA, OnProvider, Placement, ProviderSession, seconds

__all__ = ["CaseResult", "check_cases", "in_both_profiles", "select_cases"]

#: Runs per measured time.
ROUNDS = 5


@dataclass(frozen=True)
class CaseResult:
    """One golden case.

    Attributes:
        reason: what is wrong, None if nothing is.
        max_abs: the largest difference from RETURNN's numbers.
        seconds: of a run, without loading.
        half: drift in float16.
        borders: where our count of borders between host and device differs from the session; None if there is no GPU.
        refused: onnx does not take the network at all, whatever the provider.
        profile: whose operators the file has.
    """

    case: str
    reason: str | None
    max_abs: float = 0.0
    seconds: float = 0.0
    placement: Placement = field(default_factory=Placement)
    half: Drift = ""
    borders: tuple[str, ...] | None = None
    refused: bool = False
    profile: str = "portable"

    @property
    def family(self) -> str:
        """The folder of the case, and the profile if it is not the default."""
        folder = self.case.partition("/")[0]
        return folder if self.profile == "portable" else f"{folder}, {self.profile}"

    @property
    def ok(self) -> bool:
        """Whether the numbers are right."""
        return self.reason is None

    def to_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "case": self.case,
            "profile": self.profile,
            "ok": self.ok,
            "reason": self.reason,
            "refused": self.refused,
            "max_abs": self.max_abs,
            "seconds": self.seconds,
            "half": self.half,
            "borders": self.borders,
            **self.placement.to_json(),
        }


def select_cases(patterns: Sequence[str] | None) -> list[str]:
    """The cases that onnx passes on the CPU, of these families or with these names; all if there are no patterns.

    Raises:
        ConfigError: no case has such a name.
    """
    known = all_cases()
    names = {*known, *(case.partition("/")[0] for case in known)}
    for pattern in patterns or ():
        if pattern not in names:
            raise ConfigError("no such golden case", received=pattern, hint=did_you_mean(pattern, sorted(names)))
    chosen = [c for c in known if patterns is None or c in patterns or c.partition("/")[0] in patterns]
    return [case for case in chosen if gap(case, "onnx") is None]


def check_cases(cases: Iterable[str], provider: str) -> Iterator[CaseResult]:
    """Run cases one by one; behind them in the profile onnxruntime those that have other files there."""
    chosen = list(cases)
    for case in chosen:
        yield _check(case, provider)
    for case in in_both_profiles(chosen):
        yield dataclasses.replace(_check(case, provider, profile=PROFILE, device=DEVICE), profile=PROFILE)


def in_both_profiles(cases: Iterable[str]) -> list[str]:
    """Those that are run in both profiles."""
    return [case for case in cases if case in contrib_cases()]


def _check(case: str, provider: str, **options: Any) -> CaseResult:
    path = GOLDEN / f"{case}.py"
    report = CaseReport(case, "onnx")
    recorded = read_recorded(path.with_suffix(".npz"))
    wanted = list(recorded.outputs)
    try:
        program = compile_net(load(path), target="onnx", mode=recorded.mode, fetch=wanted, everything=True, **options)
    except UserError as error:
        return CaseResult(case, str(error), refused=True)
    if not isinstance(program.executable, OnnxProgram):
        return CaseResult(case, "no ONNX program came out")
    try:
        placed = OnProvider(program.executable, provider)
        check_program(report, dataclasses.replace(program, executable=placed), recorded)
        session = ProviderSession(placed.model, provider)
        time = seconds(lambda: session.run(placed.feeds), ROUNDS)
    except Exception as error:  # onnxruntime's errors have no base class; one case must not stop the others
        return CaseResult(case, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    half = drift(placed.model, placed.feeds, placed.results, provider)
    borders = border_differences(placed.model) if provider == CUDA else None
    return CaseResult(case, report.reason, report.max_abs, time, placed.placement, half, borders)
