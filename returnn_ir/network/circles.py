"""Layers that need each other: the groups that a network falls into, each behind those that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Circles", "groups", "reachable"]


@dataclass(frozen=True)
class Circles:
    """What the layers of a network need of each other.

    Attributes:
        number: of the group of layers that each one is in.
        recurrent: the layers that need themselves, by way of others or not.
    """

    number: Mapping[str, int]
    recurrent: frozenset[str]

    @staticmethod
    def of(names: Iterable[str], needs: Callable[[str], Iterable[str]]) -> Circles:
        """As :func:`groups`."""
        found = groups(names, needs)
        number = {name: i for i, group in enumerate(found) for name in group}
        return Circles(number, frozenset(x for g in found for x in g if len(g) > 1 or x in needs(x)))

    def share(self, one: str, other: str) -> bool:
        """Whether two layers need each other."""
        return self.number[one] == self.number[other]


def reachable(starts: Iterable[str], arrows: Mapping[str, Iterable[str]]) -> set[str]:
    """The names that the arrows lead to from these, which are among them."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        following = set(arrows[waiting.pop()]) - found
        found |= following
        waiting.extend(following)
    return found


def groups(names: Iterable[str], needs: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """The names, those that need each other together (Tarjan's strongly connected components, without recursion).

    Args:
        names: in which order to begin.
        needs: what a name needs; one that is not among the names is left out.
    """
    known = dict.fromkeys(names)
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}  # the first name that can be reached, of those without a group
    open_names: list[str] = []
    grouped: set[str] = set()
    found: list[list[str]] = []

    def enter(name: str) -> tuple[str, Iterator[str]]:
        number[name] = lowest[name] = len(number)
        open_names.append(name)
        return name, iter([x for x in needs(name) if x in known])

    for start in known:
        stack = [enter(start)] if start not in number else []
        while stack:
            name, following = stack[-1]
            needed = next(following, None)
            if needed is None:
                stack.pop()
                if stack:
                    lowest[stack[-1][0]] = min(lowest[stack[-1][0]], lowest[name])
                if lowest[name] == number[name]:
                    group = [open_names.pop()]
                    while group[-1] != name:
                        group.append(open_names.pop())
                    grouped.update(group)
                    found.append(group[::-1])
            elif needed not in number:
                stack.append(enter(needed))
            elif needed not in grouped:
                lowest[name] = min(lowest[name], number[needed])
    return found
