"""A net on our targets against RETURNN's numbers, or checked alone where RETURNN refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.judging.worker import serve
from tests.recording.cli import set_environment

__all__ = ["TARGETS", "compare"]

TARGETS = ("reference", "tf", "onnx")


def compare(config: str) -> dict[str, Any]:
    """By target what is wrong with ``NET.py`` compared with ``NET.npz``; ``check``: of a net without numbers."""
    path = Path(config)
    if not path.with_suffix(".npz").exists():
        return {"check": _check(path)}
    return {target: _target(path, target) for target in TARGETS}


def _target(path: Path, target: str) -> dict[str, Any]:
    from compiler.check import check_case
    from runtime.deployment.session import OnnxSession

    report = check_case(path, target, open_model=OnnxSession)
    kind = "agrees" if report.ok else "refused" if report.refused else "differs"
    if kind == "differs" and "bug of returnn-ir" in str(report.reason):
        kind = "internal error"
    elif kind == "differs" and _not_finite(path):
        kind = "not finite"
    return {"kind": kind, "reason": report.reason}


def _not_finite(path: Path) -> bool:
    """Whether RETURNN's own numbers are none: what comes of an empty sequence or an alignment that there is not."""
    from tests.recording.archive import read

    arrays = read(path.with_suffix(".npz"))
    return not all(bool(np.all(np.isfinite(a))) for a in arrays.values() if a.dtype.kind == "f")


def _check(path: Path) -> dict[str, Any]:
    """Whether our check refuses it in the mode in which RETURNN refuses it, too."""
    from compiler.program.named import build_named
    from returnn_ir import load
    from returnn_ir.errors import UserError, bug_report

    try:
        config: dict[str, Any] = {}
        exec(path.read_text(encoding="utf-8").rpartition("\ncase = ")[2].join(["case = ", ""]), config)
        mode = next((m for m in ("train", "search") if config["case"].get(m)), "eval")
        build_named(load(path, mode=mode), mode, everything=True)
    except UserError as error:
        return {"kind": "refused", "reason": str(error)}
    except Exception as error:
        return {"kind": "internal error", "reason": bug_report(error)}
    return {"kind": "agrees", "reason": None}


if __name__ == "__main__":
    set_environment()
    serve(compare)
