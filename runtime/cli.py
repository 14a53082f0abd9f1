"""``returnn-run``: train, evaluate or forward a config. The same command again resumes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from returnn_ir.errors import UserError, bug_report

__all__ = ["main"]

USER_ERROR = 2

_USAGE = """usage: returnn-run [--debug] [--best-checkpoint] config.py [++key value ...]

Run a RETURNN config: task = train (default), eval, forward or search.
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
        _run(words[0], words[1:], best=best)
    except UserError as error:
        if debug:
            raise
        print(f"returnn-run: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("returnn-run: interrupted; the same command resumes from the newest checkpoint", file=sys.stderr)
        return 130
    except Exception as error:  # the last resort: whatever escapes is told in one message, too
        if debug:
            raise
        print(f"returnn-run: {bug_report(error)}", file=sys.stderr)
        return USER_ERROR
    return 0


def _run(path: str, overrides: Sequence[str], *, best: bool) -> None:
    from returnn_ir.config import load_config

    config = load_config(path, overrides)
    if best:
        from runtime.tasks.run_options import RunOptions
        from runtime.tasks.start import find_checkpoint

        print(find_checkpoint(config, RunOptions.from_config(config), best=True))
        return
    if config.value("task", "train") == "forward":
        from runtime.tasks.forward import forward_to_hdf

        forward_to_hdf(config)
        return
    if config.value("task", "train") == "search":
        from runtime.tasks.search import search

        search(config)
        return
    from runtime.tasks.train import Engine

    engine = Engine(config)
    if engine.options.task == "eval":
        engine.evaluate()
    else:
        engine.train()


if __name__ == "__main__":
    sys.exit(main())
