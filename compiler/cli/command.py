"""What the command lines have in common: one message and an exit code for whatever goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable

from returnn_ir.errors import MismatchError, UserError, bug_report

__all__ = ["MISMATCH", "USER_ERROR", "run_command"]

USER_ERROR, MISMATCH = 2, 1


def run_command(program: str, run: Callable[[], int], *, debug: bool) -> int:
    """Run a command; returns the exit code (2: a user's error, 1: numbers that differ).

    Args:
        program: what the messages start with.
        run: gives the exit code of a command that ends as it should.
        debug: let errors escape, for their traceback.
    """
    try:
        return run()
    except UserError as error:
        if debug:
            raise
        print(f"{program}: {error}", file=sys.stderr)
        return MISMATCH if isinstance(error, MismatchError) else USER_ERROR
    except BrokenPipeError:
        return 0
    except Exception as error:  # the last resort: whatever escapes is told in one message, too
        if debug:
            raise
        print(f"{program}: {bug_report(error)}", file=sys.stderr)
        return USER_ERROR
