"""Layers: select."""

from __future__ import annotations
