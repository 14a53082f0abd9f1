"""Record golden cases with RETURNN: ``python tests/golden/record.py [--check] CASE.py [CASE.py ...]``.

It needs a Python that has RETURNN and TensorFlow, and nothing of this project's own compiler; see README.md beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # not this folder, whose families are no modules
    from tests.recording.cli import main

    sys.exit(main())
