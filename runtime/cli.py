"""``returnn-run``: train, evaluate or forward a config. The same command again resumes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compiler.cli.command import USER_ERROR, run_command

__all__ = ["main"]

_USAGE = """usage: returnn-run [--debug] [--best-checkpoint] config.py [++key value ...]

Run a RETURNN config: task = train (default), eval, forward, search, compute_priors, ...
A training that was interrupted resumes from its newest checkpoint.

  ++key value         set a config option
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
        return run_command("returnn-run", lambda: _run(words[0], words[1:], best=best), debug=debug)
    except KeyboardInterrupt:
        print("returnn-run: interrupted; the same command resumes from the newest checkpoint", file=sys.stderr)
        return 130


def _run(path: str, overrides: Sequence[str], *, best: bool) -> int:
    from returnn_ir.config import load_config

    config = load_config(path, overrides)
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
