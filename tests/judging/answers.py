"""What RETURNN and our targets say of many nets; a file beside each net keeps it."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.judging.worker import Reply, ask

__all__ = ["compared", "forget", "judged", "returnn_python"]

#: Seconds that one net may take; the first one imports TensorFlow, or has a native kernel compiled.
_SECONDS = 240.0
_HAS_RETURNN = "from importlib.util import find_spec; assert find_spec('returnn') and find_spec('tensorflow')"
_JUDGED, _COMPARED = ".judged", ".compared"


def returnn_python(text: str) -> str:
    """The type of an option that says which Python has RETURNN: without it, every net would be kept as refused.

    Raises:
        argparse.ArgumentTypeError: there is no such program, or no RETURNN there.
    """
    found = shutil.which(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"there is no program {text}")
    if subprocess.run([found, "-c", _HAS_RETURNN], check=False, stderr=subprocess.DEVNULL).returncode:
        raise argparse.ArgumentTypeError(f"{text} has no RETURNN and TensorFlow (tests/golden/README.md)")
    return str(Path(found).absolute())  # not resolved: the link is what makes it a venv's


def judged(paths: Sequence[Path], python: str) -> dict[Path, Reply]:
    """What RETURNN says of each net, once and for all: nothing where it has written ``NET.npz``."""
    return _answers(paths, _JUDGED, [python, "-m", "tests.judging.judge"], keep=True)


def compared(paths: Sequence[Path], *, keep: bool) -> dict[Path, Reply]:
    """What our targets say of each judged net; with ``keep`` those that were compared before are not again."""
    return _answers(paths, _COMPARED, [sys.executable, "-m", "tests.judging.compare"], keep=keep)


def forget(path: Path) -> None:
    """The net has changed: what was said of it holds no longer."""
    for suffix in (".npz", _JUDGED, _COMPARED):
        path.with_suffix(suffix).unlink(missing_ok=True)


def _answers(paths: Sequence[Path], suffix: str, command: Sequence[str], *, keep: bool) -> dict[Path, Reply]:
    missing = [str(p.resolve()) for p in paths if not (keep and p.with_suffix(suffix).exists())]
    for done, (config, reply) in enumerate(ask(command, missing, _SECONDS), 1):
        Path(config).with_suffix(suffix).write_text(json.dumps(reply), encoding="utf-8")
        if done % 25 == 0:
            print(f"{suffix[1:]}: {done} of {len(missing)}", file=sys.stderr)
    return {p: json.loads(p.with_suffix(suffix).read_text(encoding="utf-8")) for p in paths}
