"""Layers: subnetwork."""

from __future__ import annotations
