"""Registries that fill themselves: what a module defines is known once the module was imported."""

from __future__ import annotations

import importlib
import pkgutil

__all__ = ["import_modules"]


def import_modules(package: str) -> None:
    """Import every module in a package's folder and the folders in it, so that they register what they define."""
    folder = importlib.import_module(package)
    for module in pkgutil.walk_packages(folder.__path__, f"{package}."):
        importlib.import_module(module.name)
