"""What all objects of the facade have in common."""

from __future__ import annotations

from typing import Any

from returnn_ir.errors import UnsupportedError

__all__ = ["View"]


class View:
    """Refuses what it does not know: nothing is answered by chance."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(f"{type(self).__name__.removesuffix('View').lower()}.{name}")
