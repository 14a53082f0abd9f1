"""``python -m tests.published.demos CHECKOUT [--returnn-python PYTHON] [++key value ...]``: RETURNN's demos.

Each ``demos/*.config`` of a checkout of RETURNN is trained here, unmodified, and with ``--returnn-python`` by RETURNN,
too; the table says how well and how fast both did. The configs are executed, so the checkout must be trusted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.published.demo_runs import INITIAL, Run, train_here, train_in_returnn

__all__ = ["Demo", "main", "table"]

#: A score after a few epochs depends on the initial values: RETURNN's own differ by as much from seed to seed.
_WORSE = 2.0


@dataclass(frozen=True)
class Demo:
    """A demo by both; ``theirs`` is None if RETURNN was not asked."""

    name: str
    theirs: Run | None
    ours: Run

    @property
    def compared(self) -> int:
        """The last epoch that both finished, 0 if there is none."""
        runs = [run for run in (self.theirs, self.ours) if run is not None]
        return max(set.intersection(*(set(run.epochs) for run in runs)), default=0)

    @property
    def as_good(self) -> bool:
        """Whether it runs here where RETURNN runs it, and to a score that is not clearly worse."""
        if self.theirs is None:
            return not self.ours.failure
        if not self.theirs.epochs:
            return True  # nothing is promised of what RETURNN does not run
        epoch = self.compared
        return epoch > 0 and self.ours.dev(epoch)[0] <= _WORSE * self.theirs.dev(epoch)[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; exit code 1 if a demo that RETURNN runs does not run here, or clearly worse."""
    args = _parser().parse_intermixed_args(argv)
    configs = [p for p in sorted((args.checkout / "demos").resolve().glob("*.config")) if args.only in p.name]
    demos = []
    with tempfile.TemporaryDirectory() as temporary:
        for config in configs:
            demos.append(_demo(config, (args.folder or Path(temporary)) / config.stem, args))
            print(f"[{len(demos)}/{len(configs)}] {demos[-1].name}", file=sys.stderr, flush=True)
    print("\n".join(table(demos)))
    return 0 if all(demo.as_good for demo in demos) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.published.demos", description=__doc__)
    parser.add_argument("checkout", type=Path, help="of github.com/rwth-i6/returnn")
    parser.add_argument("--returnn-python", type=Path, metavar="PYTHON", help="of an environment that has RETURNN")
    parser.add_argument("--same-start", action="store_true", help="ours begins with RETURNN's initial parameters")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", default="", metavar="TEXT", help="the demos with this in their name")
    parser.add_argument("--seconds", type=float, default=1200.0, help="the longest that one training may take")
    parser.add_argument("--folder", type=Path, help="where logs and models stay; without, they are deleted")
    parser.add_argument("options", nargs="*", metavar="++key value", help="for both, e. g. ++gradient_noise 0.0")
    return parser


def _demo(config: Path, folder: Path, args: argparse.Namespace) -> Demo:
    options, theirs = ["++num_epochs", str(args.epochs), *args.options], None
    if args.returnn_python is not None:
        python = args.returnn_python.absolute()  # not resolved: the link is what makes it a venv's
        theirs = train_in_returnn(python, config, folder / "returnn", options, seconds=args.seconds)
        if args.same_start and (folder / "returnn" / f"{INITIAL}.index").exists():
            options += ["++import_model_train_epoch1", str((folder / "returnn" / INITIAL).resolve())]
    return Demo(config.stem, theirs, train_here(config, folder / "here", options, seconds=args.seconds))


def table(demos: Sequence[Demo]) -> list[str]:
    """Lines of Markdown: what was trained, then why the others were not."""
    lines = [
        "| demo | epochs | RETURNN: dev score | error | here: dev score | error | RETURNN: processor s | here |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(demo) for demo in demos if demo.compared]
    failed = [demo for demo in demos if not demo.compared]
    if failed:
        lines += ["", "| demo | RETURNN | here |", "|---|---|---|"]
        lines += [f"| {demo.name} | {_outcome(demo.theirs)} | {_outcome(demo.ours)} |" for demo in failed]
    return lines


def _row(demo: Demo) -> str:
    epoch, theirs = demo.compared, demo.theirs
    scores = [f"{x:.7g}" for x in (*theirs.dev(epoch), *demo.ours.dev(epoch))] if theirs else None
    scores = scores or ["", "", *(f"{x:.7g}" for x in demo.ours.dev(epoch))]
    seconds = [f"{run.seconds:.0f}" if run else "" for run in (theirs, demo.ours)]
    return "| " + " | ".join([demo.name, str(epoch), *scores, *seconds]) + " |"


def _outcome(run: Run | None) -> str:
    if run is None:
        return "not asked"
    said = run.failure or f"{len(run.epochs)} epochs, no dev score"
    return said.replace("|", "\\|") if not run.epochs else f"{len(run.epochs)} epochs"


if __name__ == "__main__":
    sys.exit(main())
