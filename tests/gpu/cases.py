"""The golden cases on one provider: RETURNN's numbers, placement, half precision."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
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
from tests.gpu.provider import CUDA, OnProvider, Placement

__all__ = ["CaseResult", "check_case", "in_both_profiles", "select_cases", "spread"]


@dataclass(frozen=True)
class CaseResult:
    """One golden case.

    Attributes:
        reason: what is wrong, None if nothing is.
        max_abs: the largest difference from RETURNN's numbers.
        half: drift in float16.
        borders: where our count of borders between host and device differs from the session; None if there is no GPU.
        refused: onnx does not take the network at all, whatever the provider.
        profile: whose operators the file has.
    """

    case: str
    reason: str | None
    max_abs: float = 0.0
    placement: Placement = field(default_factory=Placement)
    half: Drift = ""
    borders: tuple[str, ...] | None = None
    refused: bool = False
    profile: str = "portable"

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


def in_both_profiles(cases: Iterable[str]) -> list[str]:
    """Those that are run in both profiles."""
    return [case for case in cases if case in contrib_cases()]


def spread(cases: Iterable[str]) -> list[str]:
    """The first case of each folder, then the second of each, and so on: what a run that is cut off has seen."""
    held: dict[str, list[str]] = {}
    for case in cases:
        held.setdefault(case.partition("/")[0], []).append(case)
    places = {case: place for names in held.values() for place, case in enumerate(names)}
    return sorted(places, key=lambda case: places[case])


def check_case(case: str, provider: str, profile: str = "portable") -> CaseResult:
    """Run a case with the operators of a profile."""
    options: Mapping[str, str] = {"profile": PROFILE, "device": DEVICE} if profile == PROFILE else {}
    return dataclasses.replace(_check(case, provider, options), profile=profile)


def _check(case: str, provider: str, options: Mapping[str, Any]) -> CaseResult:
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
        borders = border_differences(placed.model) if provider == CUDA else None
    except Exception as error:  # onnxruntime's errors have no base class; one case must not stop the others
        return CaseResult(case, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    half = drift(placed.model, placed.feeds, placed.results, provider)
    return CaseResult(case, report.reason, report.max_abs, placed.placement, half, borders)
