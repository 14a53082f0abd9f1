"""The exported golden cases on a GPU: `python -m tests.gpu.cases_check`, a part of `make gpu-check`.

RETURNN's numbers on onnxruntime's CUDA provider, in both ONNX profiles; which nodes stay on the CPU and what is copied
there and back; whether `returnn-compile --device cuda` tells the same; what half precision costs. Several processes
share the cases, so that one that ends costs one case. Needs onnxruntime-gpu, onnx and NumPy.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from returnn_ir.errors import UserError
from tests.conformance.contrib import PROFILE
from tests.gpu.cases import in_both_profiles, select_cases, spread
from tests.gpu.part import Part
from tests.gpu.workers import Worker, WorkerError

__all__ = ["main", "table"]

#: Of `--small`: one with a loop, and one with a file of its own in the other profile.
SMALL = ("rec_units/gru", "attention/transformer_decoder_block")
#: Seconds of one case.
_LIMIT = 120.0

#: A case and the profile of its file.
_Task = tuple[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; 1 if something is wrong, 2 if there is no such case."""
    parser = Part.arguments("run the exported golden cases on a GPU")
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="these families or cases (default: all)")
    parser.add_argument("--processes", type=int, help="that share them (default: the processors, at most 14)")
    args = parser.parse_args(argv)
    part = Part.of("cases", args)
    try:
        cases = spread(select_cases(args.cases or (SMALL if part.small else None)))
    except UserError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 2
    tasks = [*((case, "portable") for case in cases), *((case, PROFILE) for case in in_both_profiles(cases))]
    processes = args.processes or min(len(tasks), os.cpu_count() or 1, 14)
    left: queue.SimpleQueue[_Task] = queue.SimpleQueue()
    for task in sorted(tasks, key=lambda task: cases.index(task[0])):
        left.put(task)
    threads = [threading.Thread(target=_work, args=(part, left)) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if missing := left.qsize():
        part.record(f"no time for {missing} of {len(tasks)}", left_out=missing)
    print("\n".join(table(part.provider, [record for record in part.found if "case" in record])))
    return part.exit_code()


def _work(part: Part, left: queue.SimpleQueue[_Task]) -> None:
    """Take cases until there are none, or no time."""
    worker = None
    while part.left() > 0:
        try:
            case, profile = left.get_nowait()
        except queue.Empty:
            break
        worker = worker or Worker([sys.executable, "-m", "tests.gpu.worker_cases", part.provider])
        try:
            found = worker.ask([case, profile], part.patience(_LIMIT))
        except WorkerError as error:
            worker.close()
            worker, found = (
                None,
                {"case": case, "profile": profile, "ok": False, "refused": False, "reason": str(error)},
            )
        _record(part, found)
    if worker is not None:
        worker.close()


def _record(part: Part, found: Mapping[str, Any]) -> None:
    name, wrong = f"{found['case']} ({found['profile']})", []
    if found["reason"] is not None and not found["refused"]:
        wrong = [f"{name}: {found['reason']}"]
    if found.get("borders"):
        wrong += [f"{name}: not as counted: {'; '.join(found['borders'])}"]
    part.record("", **found, wrong=wrong)


def table(provider: str, results: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines: a row per family of cases and profile, numbers to the right."""
    own = provider.removesuffix("ExecutionProvider")
    head = [
        "cases of",
        "right",
        f"nodes on {own}",
        "elsewhere",
        "Memcpy",
        "as counted",
        "fp16 drift",
        "most on the CPU",
    ]
    families: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in results:
        families.setdefault((result["profile"], result["case"].partition("/")[0]), []).append(result)
    rows = [head, *(_row(provider, profile, family, families[profile, family]) for profile, family in sorted(families))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["  ".join(c.ljust(w) if i in (0, 7) else c.rjust(w) for i, (c, w) in _columns(r, widths)) for r in rows]


def _columns(row: Sequence[str], widths: Sequence[int]) -> list[tuple[int, tuple[str, int]]]:
    return list(enumerate(zip(row, widths, strict=True)))


def _row(provider: str, profile: str, family: str, held: Sequence[Mapping[str, Any]]) -> list[str]:
    ran = [r for r in held if not r["refused"]]
    nodes, on_cpu = Counter[str](), Counter[str]()
    for result in ran:
        nodes.update(result.get("nodes", {}))
        on_cpu.update(result.get("on_cpu", {}))
    compared = [r["borders"] for r in ran if r.get("borders") is not None]
    drifts = [r["half"] for r in ran if isinstance(r.get("half"), float)]
    fails = sum(isinstance(r.get("half"), str) and bool(r["half"]) for r in ran)
    return [
        family if profile == "portable" else f"{family}, {profile}",
        f"{sum(r['ok'] for r in ran)} of {len(ran)}",
        str(nodes[provider]),
        str(nodes.total() - nodes[provider]),
        str(sum(r.get("memcpy", 0) for r in ran)),
        f"{sum(not found for found in compared)} of {len(compared)}" if compared else "",
        (f"{max(drifts):.1e}" if drifts else "") + (f" ({fails} do not run)" if fails else ""),
        ", ".join(f"{op} {n}" for op, n in on_cpu.most_common(3)),
    ]


if __name__ == "__main__":
    sys.exit(main())
