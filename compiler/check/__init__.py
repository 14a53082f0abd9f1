"""Checks of a compiled network against recorded numbers."""

from __future__ import annotations

from compiler.check.case import CaseReport, check_case

__all__ = ["CaseReport", "check_case"]
