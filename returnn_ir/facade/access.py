"""Which attributes an expression may look at.

A config in Python is trusted: its expressions reach what its code reaches. A config that is data (JSON, ``key value``)
runs no code: an expression of it sees the attributes listed here and in the classes marked with :func:`shown`, and no
others. Everything that an allowed attribute, subscript or call gives must itself be safe to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import numpy as np

from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.ir.dims import Dim

__all__ = ["DATA_ONLY", "TRUSTED", "AllowedAttributes", "AttributeRule", "DeniedError", "shown"]

#: The attributes of an object that an expression may look at; None: all but those with two underscores in front.
AttributeRule = Callable[[object], Collection[str] | None]
C = TypeVar("C", bound=type)

_KEY = "expression_names"
_PLAIN: Mapping[type, Collection[str]] = {
    # not format, whose fields look at attributes, nor what makes long texts
    str: ("startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "split"),
    dict: ("get", "keys", "values", "items"),
    list: ("index", "count"),
    tuple: ("index", "count"),
    np.ndarray: ("shape", "ndim", "size", "T"),
    Dim: ("name", "description", "size", "is_static", "is_dynamic", "is_batch"),
}


def shown(*instance_attributes: str) -> Callable[[C], C]:
    """Marks a class: an expression of a config that is data may see its public methods and properties.

    Args:
        instance_attributes: further names, which every object gets when it is made.
    """

    def mark(cls: C) -> C:
        own = {name for name in vars(cls) if not name.startswith("_")}
        setattr(cls, _KEY, frozenset({*own, *instance_attributes}))
        return cls

    return mark


class AllowedAttributes:
    """The rule for configs that are data.

    Args:
        further: names by type, besides those of marked classes, of plain values and of NumPy's arrays.
    """

    def __init__(self, further: Mapping[type, Collection[str]] | None = None) -> None:
        self._of = {**_PLAIN, **(further or {})}

    def __call__(self, holder: object) -> Collection[str]:
        """The names; none for what nobody listed (functions, classes, modules, ...)."""
        found: list[Collection[str]] = []
        for cls in type(holder).__mro__:
            own = vars(cls).get(_KEY, self._of.get(cls))
            if own is not None:
                found.append(own)
        return found[0] if len(found) == 1 else frozenset().union(*found)


def _everything(holder: object) -> None:
    return None


#: For configs in Python.
TRUSTED: AttributeRule = _everything
#: For configs that are data.
DATA_ONLY: AttributeRule = AllowedAttributes()


class DeniedError(ConfigError):
    """A name in an expression that is not among those ``known`` at its place."""

    def __init__(self, what: str, name: str, known: Collection[str]) -> None:
        super().__init__(
            f"the expression uses {what}, which is not on the list of what it may use",
            expected="tensor functions such as tf.nn.relu, functions of numbers, and the config's own data: "
            "only a config in Python runs code",
            hint=did_you_mean(name, known) if not name.startswith("_") else None,
        )
