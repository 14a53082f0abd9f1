"""Stands for the module of a cluster's file cache, which nobody outside of that cluster has: each file is where it is.

``python -m tests.published CHECKOUT --stand-ins`` gives it to the configs that import it, as ``--module`` would.
"""

from __future__ import annotations

__all__ = ["ClientConfiguration", "CmClient"]


class ClientConfiguration:
    """Of a client; it has nothing to say."""

    def loadDefault(self) -> None:
        """Nothing to load."""


class CmClient:
    """Asks the cache for files."""

    def __init__(self, config: ClientConfiguration) -> None:
        self.config = config

    def fetch(self, path: str) -> tuple[str, bool]:
        """Where the file is, and whether it was copied there."""
        return path, False
