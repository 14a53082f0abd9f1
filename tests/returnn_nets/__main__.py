"""``python -m tests.returnn_nets CHECKOUT --returnn-python PYTHON --folder FOLDER``: the networks of RETURNN's tests.

RETURNN's tests run, each network that they construct is written as a config, RETURNN records what it computes for it
with random inputs and parameters, and every target is compared with that. What is in FOLDER already is not made again,
and what RETURNN said of it is not asked again.

The tests are executed, so the checkout must be trusted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.judging.answers import compared, judged, returnn_python
from tests.judging.compare import TARGETS
from tests.judging.worker import Reply

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Print what became of each network; exit code 1 if one is told as a bug of this project, 2 if there are none."""
    parser = argparse.ArgumentParser(prog="python -m tests.returnn_nets", description=__doc__)
    parser.add_argument("checkout", type=Path, help="of github.com/rwth-i6/returnn")
    parser.add_argument(
        "--returnn-python",
        type=returnn_python,
        metavar="PYTHON",
        required=True,
        help="with RETURNN, TensorFlow, PyTorch",
    )
    parser.add_argument("--folder", type=Path, required=True, help="for configs and recorded numbers")
    parser.add_argument("--only", default="", metavar="TEXT", help="the networks with this in their name")
    args = parser.parse_args(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    if not any(args.folder.glob("*.py")):
        _collect(args)
    nets = [path for path in sorted(args.folder.resolve().glob("*.py")) if args.only in path.name]
    theirs = judged(nets, args.returnn_python)
    recorded = [path for path in nets if not theirs[path]]
    if not recorded:
        print(f"{args.returnn_python} made no networks of {args.checkout} in {args.folder}", file=sys.stderr)
        return 2
    print(f"networks: {len(nets)}, of which RETURNN computes {len(recorded)}")
    ours = compared(recorded, keep=False)
    found = [(target, path.stem, *_outcome(ours[path], target)) for target in TARGETS for path in recorded]
    for target, name, outcome, reason in found:
        if outcome != "agrees":
            print(f"{name} {target} {outcome}\n    {reason}".replace("\n", "\n    "))
    for (target, outcome), count in sorted(Counter((target, outcome) for target, _, outcome, _ in found).items()):
        print(f"{target:10} {outcome:14} {count:4}")
    return 1 if any(outcome == "internal error" for _, _, outcome, _ in found) else 0


def _outcome(reply: Reply, target: str) -> tuple[str, str]:
    """What became of a network on a target, and why."""
    if "died" in reply:
        return "died", str(reply["died"])
    return reply[target]["kind"], str(reply[target]["reason"])


def _collect(args: argparse.Namespace) -> None:
    """Run RETURNN's tests in its Python; what it prints is not needed, what it writes is."""
    command = [args.returnn_python, "-m", "tests.returnn_nets.collect", args.checkout.resolve(), args.folder.resolve()]
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
