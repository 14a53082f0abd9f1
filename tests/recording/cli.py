"""``python tests/golden/record.py``: record cases, or check that recording them again gives what is there."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from tests.recording.archive import read, write
from tests.recording.case import RecordError
from tests.recording.compare import differences, identical
from tests.recording.draw import Array
from tests.recording.network import require_returnn

__all__ = ["main", "set_environment"]

#: So many differences of a case are told.
_SHOWN = 5

#: On the CPU and without oneDNN, so that two recordings give the same numbers.
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Record; the exit code is 0, 1 where a recording failed or differs, 2 where nothing can be recorded."""
    parser = argparse.ArgumentParser(prog="record.py", description="Record golden cases with RETURNN.")
    parser.add_argument("cases", nargs="+", type=Path, metavar="CASE.py", help="writes CASE.npz beside each")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the CASE.npz that is there")
    parser.add_argument("--large", action="store_true", help="two threads, no compression: for millions of parameters")
    options = parser.parse_args(arguments)
    set_environment()
    try:
        require_returnn()
    except RecordError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failed = [path for path in options.cases if not _one(path, check=options.check, large=options.large)]
    if len(options.cases) > 1:
        good = len(options.cases) - len(failed)
        print(f"{good} of {len(options.cases)} cases {'agree' if options.check else 'recorded'}")
    return 1 if failed else 0


def set_environment() -> None:
    """For a process that records or compares, before it imports TensorFlow."""
    os.environ.update(_ENVIRONMENT)


def _one(path: Path, *, check: bool, large: bool) -> bool:
    """Record or check one case and say what came of it; what RETURNN raises is told, and the next case goes on."""
    from tests.recording.run import record

    try:
        with redirect_stdout(sys.stderr):  # RETURNN tells about every layer
            arrays = record(path, threads=2 if large else 1)
        if check:
            return _agrees(path, read(path.with_suffix(".npz")), arrays)
        write(path.with_suffix(".npz"), arrays, compressed=not large)
        print(f"{path}: {len(arrays) - 1} arrays")
    except Exception as error:
        print(f"{path}: FAILED: {type(error).__name__}: {error}")
        return False
    return True


def _agrees(path: Path, recorded: Mapping[str, Array], again: Mapping[str, Array]) -> bool:
    lines = differences(recorded, again)
    if not lines:
        print(f"{path}: {'identical' if identical(recorded, again) else 'within tolerance'}")
        return True
    print(f"{path}: DIFFERS in {len(lines)} places")
    for line in lines[:_SHOWN]:
        print(f"    {line}")
    return False
