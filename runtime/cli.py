"""``returnn-run``: train, evaluate or forward a config. The same command again resumes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from compiler.cli.assume import add_assumptions, print_assumed, read_assumptions
from compiler.cli.command import USER_ERROR, run_command
from returnn_ir.errors import UserError

__all__ = ["main"]

_USAGE = """usage: returnn-run [--debug] [--best-checkpoint] config.py [++key value ...]

Run a RETURNN config: task = train (default), eval, forward, search, compute_priors, ...
A training that was interrupted resumes from its newest checkpoint.

  ++key value         set a config option
  --map-path OLD=NEW  where a folder or file of the config is now, or a checkout for returnn.import_
  --module NAME=FILE  the file of a module that the config imports
  --best-checkpoint   only print the checkpoint with the best score
  --debug             show a traceback for errors
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (2: a user's error)."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    best = "--best-checkpoint" in words
    words = [w for w in words if w not in ("--debug", "--best-checkpoint")]
    if not words or words[0] in ("-h", "--help"):
        print(_USAGE, end="")
        return 0 if words else USER_ERROR
    try:
        return run_command("returnn-run", lambda: _run(words, best=best), debug=debug)
    except KeyboardInterrupt:
        print("returnn-run: interrupted; the same command resumes from the newest checkpoint", file=sys.stderr)
        return 130


def _assumptions() -> argparse.ArgumentParser:
    """Of the options that a run has in common with a check; all other words are left."""
    parser = argparse.ArgumentParser(prog="returnn-run", add_help=False, allow_abbrev=False)
    add_assumptions(parser)
    return parser


def _run(words: Sequence[str], *, best: bool) -> int:
    from returnn_ir.config import load_config

    args, rest = _assumptions().parse_known_args(words)
    if not rest:
        raise UserError("no config is named", where="command line", expected="returnn-run config.py ...", hint="--help")
    path, *overrides = rest
    if args.assume_files:
        raise UserError(
            "--assume-files is for a check, and a run reads its files",
            hint="--map-path OLD=NEW says where they are; returnn-compile --assume-files checks a network without them",
        )
    config = load_config(path, overrides, assume=read_assumptions(args))
    print_assumed(config.assumed)
    if best:
        from runtime.tasks.run_options import RunOptions
        from runtime.tasks.start import find_checkpoint

        print(find_checkpoint(config, RunOptions.from_config(config), best=True))
        return 0
    from runtime.tasks.run import run_task

    run_task(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
