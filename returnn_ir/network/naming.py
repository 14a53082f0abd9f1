"""RETURNN's variable names: the one place that knows how a parameter of a layer is called in a checkpoint."""

from __future__ import annotations

import re

__all__ = ["extra_prefix", "layer_scope", "variable_name"]

#: How RETURNN names layers of extra networks.
_EXTRA = re.compile(r"(extra(?:\.[A-Za-z0-9_.()]+)?):")

_INVALID = re.compile(r"[:(){}&+\-*'\" ,]")


def layer_scope(path: str) -> str:
    """The scope of a layer's variables: its path, with what TensorFlow does not allow in names replaced."""
    scope = _INVALID.sub("__", path.encode("ascii", "ignore").decode())
    return f".{ord(scope[0])}.{scope[1:]}" if scope[:1] in ("_", "-", "\\", "/") and scope else scope


def variable_name(scope: str, parameter: str) -> str:
    """The name of a parameter within its layer's scope."""
    return f"{scope}/{parameter}" if scope else parameter


def extra_prefix(name: str) -> str | None:
    """``extra.search`` of ``extra.search:LAYER``; None for a layer of the network itself."""
    found = _EXTRA.match(name)
    return found.group(1) if found is not None else None
