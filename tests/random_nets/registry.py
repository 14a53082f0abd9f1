"""The registry of families: ``@family("conv")`` above one function for a layer class, or for those that go together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from returnn_ir.registry import import_modules
from tests.random_nets.sketch import Sketch

__all__ = ["Family", "families", "family"]

Build = Callable[[Sketch], None]


@dataclass(frozen=True)
class Family:
    """Layers that a generator adds together.

    Attributes:
        classes: the layer classes that it is for; further ones may be used.
        build: adds them to a network, or raises Unsuitable.
        modes: in which modes its numbers can be compared.
        places: in which networks it may stand.
    """

    name: str
    classes: tuple[str, ...]
    build: Build
    modes: tuple[str, ...]
    places: tuple[str, ...]


_FAMILIES: list[Family] = []
_MODES = ("eval", "train", "search")
_PLACES = ("root", "subnetwork", "loop")


def family(
    *classes: str, modes: tuple[str, ...] = _MODES, places: tuple[str, ...] = _PLACES
) -> Callable[[Build], Build]:
    """Register a function that adds layers of these classes to a network."""

    def add(build: Build) -> Build:
        _FAMILIES.append(Family(build.__name__, classes, build, modes, places))
        return build

    return add


@functools.cache
def families() -> tuple[Family, ...]:
    """All families, by name: their order does not depend on the order of imports."""
    import_modules("tests.random_nets.families")
    return tuple(sorted(_FAMILIES, key=lambda f: f.name))
