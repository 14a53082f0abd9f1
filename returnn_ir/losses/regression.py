"""Losses: regression."""

from __future__ import annotations
