"""``python -m tests.published CHECKOUT``: what becomes of every TensorFlow config of a checkout, with counts of causes.

By default each one is loaded and checked, and lowered where a target is named (a search: for onnx). With
``--runnable`` its training is prepared as far as TensorFlow is not needed, and with ``--run N`` so many are really
trained over a change of their network; both have HDF files in place of the data. With ``--against N`` so many are
compared with RETURNN on random parameters, and trained for three steps.

The configs are executed, so the checkout must be trusted. Nothing of their authors' machines is needed: files are
assumed (``--assume-files`` of ``returnn-compile``), and with ``--stand-ins`` modules are given (``surroundings.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from compiler.cli.assume import add_assumptions, read_assumptions
from returnn_ir.ir.mode import Mode
from tests.published.against_returnn import AgainstReturnn, compare, read_agreed
from tests.published.changes import ChangeOutcome, spread, train_over_change
from tests.published.children import Failed, run_each
from tests.published.configs import find_configs
from tests.published.examine import Outcome, examine, preload
from tests.published.report import against_table, change_table, run_summary, summary
from tests.published.runnable import RunOutcome, examine_run, preload_runs
from tests.published.surroundings import Surroundings


def main(argv: Sequence[str] | None = None) -> int:
    """Print the counts; exit code 1 if a config that is not refused dies."""
    args = _parser().parse_args(argv)
    args.checkout = args.checkout.resolve()
    configs = [p for p in find_configs(args.checkout) if any(text in str(p) for text in args.only or [""])]
    started = monotonic()
    outcomes: list[Any] = []
    kind = _compare if args.against else _train if args.run else _prepare if args.runnable else _check
    with TemporaryDirectory() as folder:
        around = Surroundings.of_checkout(
            args.checkout, Path(folder), stand_ins=args.stand_ins, given=read_assumptions(args)
        )
        lines = kind(args, around, configs, outcomes)
    print("\n".join(lines))
    print(f"\n{monotonic() - started:.0f} s with {args.jobs} at once")
    _write_json(args.json, outcomes)
    died = ("died in a pass",) if kind is _check else ("died",)
    return 1 if any(o.outcome in died for o in outcomes) else 0


def _check(
    args: argparse.Namespace, around: Surroundings, configs: Sequence[Path], outcomes: list[Outcome]
) -> list[str]:
    target = args.target or ("onnx" if args.mode == Mode.SEARCH else "none")
    target = None if target == "none" else target
    preload(target)
    function = partial(examine, mode=args.mode, target=target, surroundings=around)
    _examine(args, configs, function, lambda path, why: Outcome(path, "died in the check", why), outcomes)
    lowered = "" if target is None else f", lowered for {target}"
    modules = f"{len(around.assume.modules)} modules" if around.assume.modules else "no modules"
    return [*summary(outcomes, args.causes), "", f"mode {args.mode}{lowered}; {modules} given"]


def _prepare(
    args: argparse.Namespace, around: Surroundings, configs: Sequence[Path], outcomes: list[RunOutcome]
) -> list[str]:
    preload_runs()
    function = partial(examine_run, surroundings=around)
    _examine(args, configs, function, lambda path, why: RunOutcome(path, "died", why), outcomes)
    return run_summary(outcomes, args.causes)


def _train(
    args: argparse.Namespace, around: Surroundings, configs: Sequence[Path], outcomes: list[ChangeOutcome]
) -> list[str]:
    """Train as many as were asked for, from as many folders as there are."""
    preload_runs()

    function = partial(train_over_change, surroundings=around)
    some = _until(args.run, "trained", spread(configs, args.checkout), outcomes)
    _examine(args, some, function, lambda path, why: ChangeOutcome(path, "died", why), outcomes)
    return change_table(outcomes, args.checkout)


def _compare(
    args: argparse.Namespace, around: Surroundings, configs: Sequence[Path], outcomes: list[AgainstReturnn]
) -> list[str]:
    """Compare as many as were asked for, from as many folders as there are; what agreed in an earlier run counts."""
    preload_runs()
    function = partial(compare, surroundings=around, returnn_python=args.returnn_python, narrow=args.narrow)
    outcomes += read_agreed(args.json, configs)
    done = {o.config for o in outcomes}
    left = (path for path in spread(configs, args.checkout) if str(path) not in done)
    some = _until(args.against, "agrees", left, outcomes)
    _examine(args, some, function, lambda path, why: AgainstReturnn(path, "died", why), outcomes)
    return against_table(outcomes, args.checkout)


def _until(number: int, outcome: str, configs: Iterable[Path], outcomes: Sequence[Any]) -> Iterator[Path]:
    """The configs until so many have the outcome."""
    for path in configs:
        if sum(o.outcome == outcome for o in outcomes) >= number:
            return
        yield path


def _examine(
    args: argparse.Namespace,
    configs: Iterable[Path],
    function: Callable[[Path], Any],
    failed: Callable[[str, str], Any],
    outcomes: list[Any],
) -> None:
    """Add the outcome of each config."""
    for path, result in run_each(function, configs, jobs=args.jobs, seconds=args.seconds):
        outcomes.append(failed(str(path), result.reason) if isinstance(result, Failed) else result)
        name = path.relative_to(args.checkout)
        why = f": {outcomes[-1].cause}" if args.against and outcomes[-1].cause else ""
        print(f"[{len(outcomes)}] {name}: {outcomes[-1].outcome}{why}", file=sys.stderr, flush=True)
        _write_json(args.json, outcomes)


def _write_json(path: Path | None, outcomes: Sequence[Any]) -> None:
    """What there is so far, so that an interrupted run can be looked at and an ``--against`` goes on."""
    if path is not None:
        held = [asdict(o) for o in sorted(outcomes, key=lambda o: o.config)]
        path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.published", description=__doc__)
    parser.add_argument("checkout", type=Path, help="of github.com/rwth-i6/returnn-experiments")
    parser.add_argument("--mode", choices=("forward", "train", "search"), default="search")
    parser.add_argument(
        "--target", choices=("none", "reference", "onnx"), help="what it is lowered for (a search: onnx, else none)"
    )
    parser.add_argument("--stand-ins", action="store_true", help="give helper modules to the configs that import them")
    add_assumptions(parser)
    parser.add_argument("--runnable", action="store_true", help="prepare trainings, instead of checking and lowering")
    parser.add_argument("--run", type=int, default=0, metavar="N", help="train N over a change of their network")
    parser.add_argument("--against", type=int, default=0, metavar="N", help="compare N with RETURNN")
    parser.add_argument("--returnn-python", metavar="PYTHON", default=sys.executable, help="has RETURNN, for --against")
    parser.add_argument("--narrow", type=int, default=1, metavar="N", help="widths of layers are N times smaller there")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="configs with this in their path, or one of these"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--seconds", type=float, default=300.0, help="the longest that one config may take")
    parser.add_argument("--causes", type=int, default=30, help="lines per outcome")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every outcome here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
