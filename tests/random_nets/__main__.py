"""``python -m tests.random_nets --returnn-python PYTHON``: random nets, judged by RETURNN and compared with it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.judging.answers import compared, forget, judged, returnn_python
from tests.random_nets.generate import random_net
from tests.random_nets.report import Verdict, table

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 1 where numbers differ or something died."""
    options = _parser().parse_args(arguments)
    numbers = options.only or range(options.first, options.first + options.count)
    folder: Path = options.folder / f"seed{options.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    nets = [random_net(number, options.seed) for number in numbers]
    paths = [folder / f"net{net.number}.py" for net in nets]
    for net, path in zip(nets, paths, strict=True):
        _write(path, net.text)
    theirs, ours = judged(paths, options.returnn_python), compared(paths, keep=options.keep)
    verdicts = [Verdict(net, theirs[path], ours[path]) for net, path in zip(nets, paths, strict=True)]
    print("\n".join(table(verdicts, options.causes)))
    if options.json:
        options.json.write_text(json.dumps([v.to_json() for v in verdicts], indent=1) + "\n", encoding="utf-8")
    return 1 if any(v.outcome in ("differ", "internal error") for v in verdicts) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.random_nets", description=__doc__)
    parser.add_argument(
        "--returnn-python", type=returnn_python, required=True, metavar="PYTHON", help="has RETURNN, TensorFlow"
    )
    parser.add_argument("--count", type=int, default=1000, help="how many nets")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="these nets alone")
    parser.add_argument("--seed", type=int, default=1, help="other nets")
    parser.add_argument("--causes", type=int, default=15, help="so many causes of each kind are shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    parser.add_argument("--keep", action="store_true", help="do not compare again what was compared before")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "random_nets", help="where nets are written")
    return parser


def _write(path: Path, text: str) -> None:
    """Write a net; what RETURNN said of another text by that name is forgotten."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    forget(path)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
