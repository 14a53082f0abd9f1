"""``python -m tests.published CHECKOUT``: load, check and lower every TensorFlow config of a checkout, count causes.

The configs are executed, so the checkout must be trusted. Nothing of their authors' machines is needed: absent files,
commands and helper modules are stubbed (``stubs.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import monotonic

from tests.published.children import Failed, run_each
from tests.published.configs import find_configs
from tests.published.examine import Outcome, examine, preload
from tests.published.report import summary


def main(argv: Sequence[str] | None = None) -> int:
    """Print the counts; exit code 1 if a config that the check accepts dies in a pass."""
    args = _parser().parse_args(argv)
    checkout: Path = args.checkout.resolve()
    configs = [p for p in find_configs(checkout) if args.only in str(p)]
    started = monotonic()
    preload(args.target)
    outcomes: list[Outcome] = []
    function = partial(examine, mode=args.mode, target=args.target)
    for path, result in run_each(function, configs, jobs=args.jobs, seconds=args.seconds):
        if isinstance(result, Failed):
            result = Outcome(str(path), "died in the check", result.reason, False, {})
        outcomes.append(result)
        name = path.relative_to(checkout)
        print(f"[{len(outcomes)}/{len(configs)}] {name}: {result.outcome}", file=sys.stderr, flush=True)
    print("\n".join(summary(outcomes, args.causes)))
    print(f"\n{monotonic() - started:.0f} s with {args.jobs} at once, mode {args.mode}, target {args.target}")
    if args.json is not None:
        held = [o.to_json() for o in sorted(outcomes, key=lambda o: o.config)]
        args.json.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    return 1 if any(o.outcome == "died in a pass" for o in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.published", description=__doc__)
    parser.add_argument("checkout", type=Path, help="of github.com/rwth-i6/returnn-experiments")
    parser.add_argument("--mode", choices=("forward", "train", "search"), default="search")
    parser.add_argument("--target", choices=("reference", "onnx"), default="onnx", help="what it is lowered for")
    parser.add_argument("--only", default="", metavar="TEXT", help="the configs with this in their path")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--seconds", type=float, default=300.0, help="the longest that one config may take")
    parser.add_argument("--causes", type=int, default=30, help="lines per outcome")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every outcome here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
