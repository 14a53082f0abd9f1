"""The command lines ``returnn-compile`` (:mod:`compiler.cli.compile`) and ``returnn-opt`` (:mod:`compiler.cli.opt`)."""

from __future__ import annotations

from compiler.cli.compile import main

__all__ = ["main"]
