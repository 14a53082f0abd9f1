"""What of a network one file gave values, for people: which layers got nothing of a file that has a part only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Coverage", "shortened"]

_SHOWN = 8


@dataclass(frozen=True)
class Coverage:
    """Of one file.

    Attributes:
        file: the checkpoint.
        entry: its name in ``preload_from_files``; None: it is the run's own checkpoint.
        found: the variables of the network that it gave values.
        left: those that it should have given one, too, but does not have.
        unused: variables of the file that nobody asked for.
    """

    file: str
    entry: str | None
    found: Sequence[str]
    left: Sequence[str]
    unused: Sequence[str]

    def lines(self) -> Iterator[str]:
        """Nothing or one line where all is found, else what is left, layer by layer."""
        file, count = self.file if self.entry is None else f"{self.file} ({self.entry!r})", len(self.found)
        if not self.left:
            if self.entry is not None:
                yield f"preloaded {file}: {count} variable{'s' if count != 1 else ''}"
            return
        yield f"{file} has {count} of {count + len(self.left)} variables"
        by_layer: dict[str, list[str]] = {}
        for name in self.left:
            by_layer.setdefault(name.rpartition("/")[0], []).append(name.rpartition("/")[2])
        reached = {name.rpartition("/")[0] for name in self.found}
        nothing = [layer for layer in by_layer if layer not in reached]
        if nothing:
            yield f"  layers without a value: {shortened(nothing)}"
        for layer in [layer for layer in by_layer if layer in reached][:_SHOWN]:
            yield f"  of layer {layer} not: {shortened(by_layer[layer])}"
        if self.unused:
            yield f"  variables of the file that are not used: {shortened(self.unused)}"


def shortened(names: Sequence[str]) -> str:
    """The first of some names, and how many there are."""
    return ", ".join(names[:_SHOWN]) + (f" ... ({len(names)})" if len(names) > _SHOWN else "")
