"""RETURNN as judge, in its own Python: it records a net's numbers, or says why not. Nothing of the compiler is here."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from tests.judging.worker import serve
from tests.recording.cli import set_environment

__all__ = ["judge"]


def judge(config: str) -> dict[str, Any]:
    """Record ``NET.py`` into ``NET.npz`` beside it; an empty answer, or ``refused``: what RETURNN raised."""
    from tests.recording.archive import write
    from tests.recording.run import record

    path = Path(config)
    try:
        write(path.with_suffix(".npz"), record(path))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        lines = [line for line in str(error).splitlines() if line.strip()]
        source = f"{Path(place.filename).name} {place.name}: {place.line}"
        message = f"{_layer_class(error)}: {type(error).__name__}: {lines[0] if lines else ''} ({source})"
        return {"refused": message, "traceback": traceback.format_exc()[-4000:]}
    return {}


def _layer_class(error: Exception) -> str:
    """The class of the layer that RETURNN was about to make, if any."""
    found = "run"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        made = frame.f_locals.get("layer_class") if frame.f_code.co_name == "_create_layer" else None
        found = getattr(made, "layer_class", None) or found
    return found


if __name__ == "__main__":
    set_environment()
    serve(judge)
