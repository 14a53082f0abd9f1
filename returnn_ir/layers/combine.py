"""Layers: combine."""

from __future__ import annotations
