"""Layers: conv."""

from __future__ import annotations
