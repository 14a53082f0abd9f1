"""Layers: shape."""

from __future__ import annotations
