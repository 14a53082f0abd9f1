"""Runs exported models on a GPU: `python -m tests.gpu.gpu_check --json out.json`, or `make gpu-check`.

The golden cases on onnxruntime's CUDA provider with RETURNN's numbers, which nodes stay on the CPU, what is copied
there and back, and what half precision costs; then questions about the provider itself. Without a GPU it says so and
succeeds. Needs onnxruntime-gpu, onnx, NumPy and rich; `--provider CPUExecutionProvider` runs the same on the CPU.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from returnn_ir.errors import UserError
from tests.gpu.cases import CaseResult, check_cases, select_cases
from tests.gpu.half import Drift
from tests.gpu.probes import PROBES, Answer
from tests.gpu.provider import CPU, CUDA, Placement, cuda_devices

__all__ = ["main"]


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
    console = Console()
    console.print(_table(args.provider, answers, results))
    wrong: list[tuple[str, str | None]] = [(a.question, a.text) for a in answers if a.ok is False]
    wrong += [(r.case, r.reason) for r in results if r.reason is not None and not r.refused]
    for name, reason in wrong:
        console.print(f"{name}: {reason}", markup=False, highlight=False, style="red")
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
    stderr = Console(stderr=True)
    answers = []
    for name in track(probes, description="probes", console=stderr, transient=True):
        answers += list(PROBES[name](provider))
    found = check_cases(cases, provider)
    results = list(track(found, description="cases", total=len(cases), console=stderr, transient=True))
    return answers, results


def _table(provider: str, answers: Sequence[Answer], results: Sequence[CaseResult]) -> Table:
    table = Table(title=f"ONNX models on {provider}, onnxruntime {_versions()['onnxruntime']}")
    table.add_column("what")
    table.add_column("result")
    for name in (
        f"nodes on {provider.removesuffix('ExecutionProvider')}",
        "elsewhere",
        "Memcpy",
        "ms per run",
        "fp16 drift",
    ):
        table.add_column(name, justify="right")
    table.add_column("most often on CPU" if provider != CPU else "most frequent")
    for answer in answers:
        style = "red" if answer.ok is False else None
        table.add_row(
            answer.question, answer.text, *_cells(provider, answer.placement, None, [answer.half]), style=style
        )
    table.add_section()
    for family, group in groupby(results, key=lambda result: result.family):
        held = list(group)
        total = Placement()
        for result in held:
            total.add(result.placement)
        ran = [r for r in held if not r.refused]
        good = sum(r.ok for r in ran)
        text = f"{good} of {len(ran)}" + (f", {len(held) - len(ran)} refused" if len(ran) < len(held) else "")
        cells = _cells(provider, total, sum(r.seconds for r in ran) / max(len(ran), 1), [r.half for r in ran])
        table.add_row(f"cases of {family}", text, *cells, style="red" if good < len(ran) else None)
    return table


def _cells(provider: str, placement: Placement, time: float | None, halves: Sequence[Drift]) -> list[str]:
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
    return [*counts, f"{time * 1e3:.2f}" if time is not None else "", half, ops]


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
