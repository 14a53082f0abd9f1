"""Runs exported models on a GPU: `python -m tests.gpu.gpu_check --json out.json`, or `make gpu-check`.

The golden cases on onnxruntime's CUDA provider with RETURNN's numbers, which nodes stay on the CPU, what is copied
there and back, whether `returnn-compile --device cuda` tells the same, and what half precision costs, in both ONNX
profiles; then questions about the provider itself. Without a GPU it says so and succeeds. Needs onnxruntime-gpu, onnx
and NumPy; `--provider CPUExecutionProvider` runs the same on the CPU.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from returnn_ir.errors import UserError
from tests.gpu.cases import CaseResult, check_cases, in_both_profiles, select_cases
from tests.gpu.half import Drift
from tests.gpu.probes import PROBES, Answer
from tests.gpu.provider import CPU, CUDA, Placement, cuda_devices

__all__ = ["main"]

_Item = TypeVar("_Item")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 0 if all is well or there is no GPU, 1 if something is wrong, 2 if the provider does not load."""
    parser = argparse.ArgumentParser(description="run the exported golden cases on a GPU")
    parser.add_argument("--provider", default=CUDA, help="onnxruntime's execution provider (default %(default)s)")
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="these families or cases (default: all)")
    parser.add_argument("--probes", nargs="*", choices=list(PROBES), default=list(PROBES), help="default: all")
    parser.add_argument("--json", type=Path, help="write the results here")
    args = parser.parse_args(argv)
    if args.provider == CUDA and not cuda_devices():
        print("gpu-check: no CUDA GPU here, nothing was checked")
        return 0
    try:
        answers, results = _measure(args.provider, args.probes, select_cases(args.cases))
    except UserError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 2
    print("\n".join(_table(args.provider, answers, results)))
    wrong: list[tuple[str, str | None]] = [(a.question, a.text) for a in answers if a.ok is False]
    wrong += [(f"{r.case} ({r.profile})", r.reason) for r in results if r.reason is not None and not r.refused]
    wrong += [(f"{r.case} ({r.profile})", f"not as counted: {'; '.join(r.borders)}") for r in results if r.borders]
    for name, reason in wrong:
        print(f"{name}: {reason}")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        report = _report(args.provider, answers, results)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


def _measure(provider: str, probes: Sequence[str], cases: Sequence[str]) -> tuple[list[Answer], list[CaseResult]]:
    """Both lists of results; a bar shows how far it is."""
    import onnxruntime

    if provider == CUDA:
        onnxruntime.preload_dlls()
    answers = [answer for name in _counted("probes", probes, len(probes)) for answer in PROBES[name](provider)]
    count = len(cases) + len(in_both_profiles(cases))
    return answers, list(_counted("cases", check_cases(cases, provider), count))


def _counted(what: str, items: Iterable[_Item], total: int) -> Iterator[_Item]:
    """The items; a line on a terminal says how far it is."""
    for number, item in enumerate(items, 1):
        if sys.stderr.isatty():
            print(f"\r{what} {number}/{total} ", end="" if number < total else "\n", file=sys.stderr, flush=True)
        yield item


def _table(provider: str, answers: Sequence[Answer], results: Sequence[CaseResult]) -> list[str]:
    """The lines: a row per question and per family of cases, numbers to the right."""
    own = provider.removesuffix("ExecutionProvider")
    head = ["what", "result", f"nodes on {own}", "elsewhere", "Memcpy", "as counted", "ms per run", "fp16 drift"]
    head.append("most often on CPU" if provider != CPU else "most frequent")
    asked = [[a.question, a.text, *_cells(provider, a.placement, None, [a.half])] for a in answers]
    families = [_family(provider, name, list(g)) for name, g in groupby(results, key=lambda result: result.family)]
    rows = [head, *asked, *families]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    rule = "  ".join("-" * width for width in widths)

    def line(row: Sequence[str]) -> str:
        cells = [c.rjust(w) if 2 <= i <= 7 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return "  ".join(cells).rstrip()

    title = f"ONNX models on {provider}, onnxruntime {_versions()['onnxruntime']}"
    return [title, line(head), rule, *map(line, asked), rule, *map(line, families)]


def _family(provider: str, name: str, held: Sequence[CaseResult]) -> list[str]:
    """The row of the cases of a family."""
    total = Placement()
    for result in held:
        total.add(result.placement)
    ran = [r for r in held if not r.refused]
    text = f"{sum(r.ok for r in ran)} of {len(ran)}"
    text += f", {len(held) - len(ran)} refused" if len(ran) < len(held) else ""
    time = sum(r.seconds for r in ran) / max(len(ran), 1)
    compared = [r.borders for r in held if r.borders is not None]
    agree = f"{sum(not found for found in compared)} of {len(compared)}" if compared else ""
    return [f"cases of {name}", text, *_cells(provider, total, time, [r.half for r in ran], agree)]


def _cells(
    provider: str, placement: Placement, time: float | None, halves: Sequence[Drift], agree: str = ""
) -> list[str]:
    if not placement.nodes:
        counts = ["", "", ""]
    else:
        own = placement.nodes[provider]
        other = sum(placement.nodes.values()) - own
        counts = [str(own), str(other), str(placement.memcpy)]
    numbers = [h for h in halves if isinstance(h, float)]
    refused = sum(isinstance(h, str) and bool(h) for h in halves)
    half = f"{max(numbers):.1e}" if numbers else ""
    half += f" ({refused} do not run)" if refused else ""
    ops = ", ".join(f"{op} {n}" for op, n in placement.on_cpu.most_common(3))
    return [*counts, agree, f"{time * 1e3:.2f}" if time is not None else "", half, ops]


def _versions() -> dict[str, str]:
    import onnx
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__, "numpy": version("numpy")}


def _report(provider: str, answers: Sequence[Answer], results: Sequence[CaseResult]) -> dict[str, Any]:
    return {
        "provider": provider,
        "machine": platform.processor() or platform.machine(),
        "versions": _versions(),
        "probes": [answer.to_json() for answer in answers],
        "cases": [result.to_json() for result in results],
    }


if __name__ == "__main__":
    sys.exit(main())
