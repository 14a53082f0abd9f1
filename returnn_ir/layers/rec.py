"""Layers: rec."""

from __future__ import annotations
