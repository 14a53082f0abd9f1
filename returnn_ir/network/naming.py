"""RETURNN's variable names: the one place that knows how a parameter of a layer is called in a checkpoint."""

from __future__ import annotations

import re

__all__ = ["layer_scope", "variable_name"]

_INVALID = re.compile(r"[:(){}&+\-*'\" ,]")


def layer_scope(path: str) -> str:
    """The scope of a layer's variables: its path, with what TensorFlow does not allow in names replaced."""
    scope = _INVALID.sub("__", path.encode("ascii", "ignore").decode())
    return f".{ord(scope[0])}.{scope[1:]}" if scope[:1] in ("_", "-", "\\", "/") and scope else scope


def variable_name(scope: str, parameter: str) -> str:
    """The name of a parameter within its layer's scope."""
    return f"{scope}/{parameter}" if scope else parameter
