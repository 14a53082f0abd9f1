"""``python -m compiler.cli`` is ``returnn-compile``."""

from __future__ import annotations

import sys

from compiler.cli.compile import main

if __name__ == "__main__":
    sys.exit(main())
