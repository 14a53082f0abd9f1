"""What is learned of the types in a loop while its body is built to find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from returnn_ir.axes.output_type import OutputType
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.network.net import Net

__all__ = ["TypeSearch"]


@dataclass
class TypeSearch:
    """The layers of a body, and as what they saw each other; layers of networks inside count as the one they are in.

    Attributes:
        net: the network of the body.
        assumed: what layers give that cannot be built yet, by full path.
        asked: the paths whose previous step is asked for, by layer of the body.
        untyped: by layer of the body, the layers that could not be built because a previous step has no type yet.
        building: the layers of the body that are being built, the last one for those before it.
        supposing: what is seen counts for nothing.
        seen: as what each layer saw others; a layer is named, its previous step has ``prev:`` and its full path.
    """

    net: Net
    assumed: Mapping[str, OutputType]
    asked: dict[str, list[str]] = field(default_factory=dict)
    untyped: dict[str, dict[str, tuple[NetScope, str]]] = field(default_factory=dict)
    building: list[str] = field(default_factory=list)
    supposing: bool = False
    seen: dict[str, dict[str, OutputType | None]] = field(default_factory=dict)
    _by_reader: dict[str, set[str]] = field(default_factory=dict)

    def layer_of(self, path: str) -> str:
        """The layer of the body that a layer is, or stands in."""
        own = path.removeprefix(f"{self.net.path}/")
        return self.net.layer_of(own) or own

    def ask(self, path: str, output_type: OutputType | None) -> None:
        """The layer that is being built reads the step before of the layer at a path."""
        key = f"prev:{path}"
        if key not in self.seen:
            self.asked.setdefault(self.layer_of(path), []).append(path)
            self.seen[key] = {}
        self.see(key, output_type)

    def see(self, key: str, output_type: OutputType | None) -> None:
        """The layer that is being built reads something of this type, None if that is not known."""
        if self.building and not self.supposing:
            self.seen.setdefault(key, {})[self.building[-1]] = output_type
            self._by_reader.setdefault(self.building[-1], set()).add(key)

    @contextmanager
    def build(self, name: str) -> Iterator[None]:
        """A layer of the body is built, perhaps once more."""
        if not self.supposing:
            for key in self._by_reader.pop(name, ()):
                self.seen[key].pop(name, None)
        self.building.append(name)
        try:
            yield
        finally:
            self.building.pop()

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """What layers see inside was only supposed."""
        building, self.building = self.building, []
        self.supposing = True
        yield
        self.building, self.supposing = building, False

    def wait(self, path: str, scope: NetScope, name: str) -> None:
        """The layer at a path needs a type that is not known."""
        self.untyped.setdefault(self.layer_of(path), {})[path] = (scope, name)

    def stale(self, type_of: Callable[[str], OutputType | None], keys: Iterable[str]) -> dict[str, None]:
        """The layers that saw something of this as what it is not any more."""
        found: dict[str, None] = {}
        for key in keys:
            now = type_of(key)
            for reader, then in self.seen.get(key, {}).items():
                if now is not None and (then is None or not (then is now or now.matches(then))):
                    found[reader] = None
        return found
