"""``returnn-run``: train, evaluate or forward a config. The same command again resumes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compiler.cli.command import USER_ERROR, run_command
from returnn_ir.config import Config
from returnn_ir.errors import ConfigError

__all__ = ["main"]

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
    _call_startup(config)
    task = config.value("task", "train")
    if task == "forward":
        from runtime.tasks.forward import forward_to_hdf

        forward_to_hdf(config)
    elif task == "search":
        from runtime.tasks.search import search

        search(config)
    elif task == "eval":
        from runtime.tasks.evaluate import evaluate

        evaluate(config)
    else:
        from runtime.tasks.train import train

        train(config)  # or the refusal of a task that there is not
    return 0


def _call_startup(config: Config) -> None:
    """``startup_callback``, which a config may have; it may still change the config."""
    callback = config.typed_value("startup_callback")
    if not callback:
        return
    if not callable(callback):
        raise ConfigError(
            "'startup_callback' is no function",
            where=config.origin(None, "startup_callback"),
            expected="a function that takes config=...",
            received=repr(callback),
        )
    config.call(callback, config=config)


if __name__ == "__main__":
    sys.exit(main())
