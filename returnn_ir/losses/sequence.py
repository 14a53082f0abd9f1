"""Losses: sequence."""

from __future__ import annotations
