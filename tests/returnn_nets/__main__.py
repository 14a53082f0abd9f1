"""``python -m tests.returnn_nets CHECKOUT --returnn-python PYTHON --folder FOLDER``: the networks of RETURNN's tests.

RETURNN's tests run, each network that they construct is written as a config, RETURNN records what it computes for it
with random inputs and parameters, and every target is compared with that. What is in FOLDER already is not made again.

The tests are executed, so the checkout must be trusted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from compiler.check.case import CaseReport, check_case
from tests.published.children import Failed, run_each

__all__ = ["main", "outcomes"]

_ROOT = Path(__file__).resolve().parents[2]
#: Networks that one process of RETURNN records: if it dies, the others are recorded by the next one.
_BATCH = 40
_SECONDS = 120.0


def main(argv: Sequence[str] | None = None) -> int:
    """Print what became of each network; exit code 1 if one is told as a bug of this project, 2 if there are none."""
    parser = argparse.ArgumentParser(prog="python -m tests.returnn_nets", description=__doc__)
    parser.add_argument("checkout", type=Path, help="of github.com/rwth-i6/returnn")
    parser.add_argument("--returnn-python", metavar="PYTHON", required=True, help="with RETURNN, TensorFlow, PyTorch")
    parser.add_argument("--folder", type=Path, required=True, help="for configs and recorded numbers")
    parser.add_argument("--targets", default="reference,tf,onnx")
    parser.add_argument("--only", default="", metavar="TEXT", help="the networks with this in their name")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    args = parser.parse_args(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    if not any(args.folder.glob("*.py")):
        _ask(args, "-m", "tests.returnn_nets.collect", str(args.checkout.resolve()), str(args.folder.resolve()))
    nets = [path for path in sorted(args.folder.resolve().glob("*.py")) if args.only in path.name]
    _record(args, [path for path in nets if not path.with_suffix(".npz").exists()])
    recorded = [path for path in nets if path.with_suffix(".npz").exists()]
    if not recorded:
        print(f"{args.returnn_python} made no networks of {args.checkout} in {args.folder}", file=sys.stderr)
        return 2
    print(f"networks: {len(nets)}, of which RETURNN computes {len(recorded)}")
    reports = [report for target in args.targets.split(",") for report in outcomes(recorded, target, args.jobs)]
    for report in reports:
        if not report.ok:
            name, reason = Path(report.case).stem, str(report.reason).replace("\n", "\n    ")
            print(f"{name} {report.target} {'refused' if report.refused else 'differs'}\n    {reason}")
    counts = Counter((r.target, "agree" if r.ok else "refused" if r.refused else "differ") for r in reports)
    for (target, outcome), count in sorted(counts.items()):
        print(f"{target:10} {outcome:8} {count:4}")
    return 1 if any("this is a bug of" in str(report.reason) for report in reports) else 0


def outcomes(nets: Sequence[Path], target: str, jobs: int) -> list[CaseReport]:
    """Compare each network with its recorded numbers, in a process of its own."""
    function: Callable[[Path], CaseReport] = partial(check_case, target=target)
    return [
        CaseReport(str(path), target, reason=found.reason) if isinstance(found, Failed) else found
        for path, found in run_each(function, nets, jobs=jobs, seconds=_SECONDS)
    ]


def _record(args: argparse.Namespace, nets: Sequence[Path]) -> None:
    for start in range(0, len(nets), _BATCH):
        _ask(args, str(_ROOT / "tests" / "golden" / "record.py"), *map(str, nets[start : start + _BATCH]))


def _ask(args: argparse.Namespace, *words: str) -> None:
    """Run RETURNN's Python on this project's sources; what it prints is not needed, what it writes is."""
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    quiet = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(
        [args.returnn_python, *words],
        cwd=_ROOT,
        env={**environment, **quiet},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
