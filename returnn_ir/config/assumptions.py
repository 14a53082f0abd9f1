"""What is taken for given of the machine that a config was written for: its files, where they are now, its modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from returnn_ir.errors import ConfigError, Origin

__all__ = ["NOTHING_ASSUMED", "Assumed", "Assumptions"]

_OPTION = "--map-path"


@dataclass(frozen=True)
class Assumed:
    """One thing that was not there and was taken for given.

    Attributes:
        name: a path, or what else the config asked for.
        what: what stands for it: ``"a file"``, ``"zeros of the shape [80]"``.
    """

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


@dataclass(frozen=True)
class Assumptions:
    """What a config's own code and its options find instead of what is on their author's machine.

    Attributes:
        files: whether paths that do not exist count as there. It is for a check: nothing can be read from them.
        paths: where folders and files are now, by what the config calls them: the longest prefix counts. The name of
            a repository (``"github.com/rwth-i6/returnn-experiments"``) says where ``returnn.import_`` finds a checkout.
        modules: files of modules that the config imports, by their names.

    Raises:
        ConfigError: a module's file is not there, or a name is no module's.
    """

    files: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, path in self.modules.items():
            if not all(part.isidentifier() for part in name.split(".")):
                raise ConfigError(
                    "--module takes the name under which the config imports it", where="command line", received=name
                )
            if not Path(path).is_file():
                raise ConfigError(f"no such file for the module {name!r}: {path}", where="command line")
        for old, new in self.paths.items():
            if not old.strip("/") or not new:
                raise ConfigError(
                    f"{_OPTION} takes a path and where it is now",
                    where="command line",
                    expected=f"{_OPTION} OLD=NEW",
                    received=f"{old}={new}",
                )

    @classmethod
    def of_words(cls, files: bool, paths: Sequence[str], modules: Sequence[str]) -> Assumptions:
        """From ``OLD=NEW`` and ``NAME=FILE`` of a command line.

        Raises:
            ConfigError: a word without ``=``, the same name twice, or as the class says.
        """
        named = {name: Path(path) for name, path in _pairs(modules, "--module", "NAME=FILE")}
        return cls(files, dict(_pairs(paths, _OPTION, "OLD=NEW")), named)

    @property
    def change_code(self) -> bool:
        """Whether the config's own code finds anything else than it does without them."""
        return self.files or bool(self.paths) or bool(self.modules)

    def path(self, name: str) -> str:
        """Where a path is now; one below a new place inside of the old one is there already."""
        fitting = [old for old in self.paths if _below(name, old)]
        if not fitting:
            return name
        old = max(fitting, key=lambda one: len(one.rstrip("/")))
        new = self.paths[old]
        if _below(new, old) and _below(name, new):
            return name
        return new.rstrip("/") + name[len(old.rstrip("/")) :] or "/"

    def values(self, value: Any, where: Origin | None = None) -> Any:
        """An option's value with each absolute path in it where it is now; the same object if none is moved.

        Raises:
            ConfigError: the value contains itself.
        """
        if not self.paths:
            return value
        try:
            return self._moved(value)
        except RecursionError:
            raise ConfigError(
                "the value is nested too deeply, or contains itself", where=where, hint=f"leave {_OPTION} away"
            ) from None

    def _moved(self, value: Any) -> Any:
        if isinstance(value, str):  # "data" is a path only for code that opens it
            return self.path(value) if value.startswith("/") else value
        if type(value) is dict:
            moved = {self._moved(key): self._moved(item) for key, item in value.items()}
            same = list(moved) == list(value) and all(moved[key] is item for key, item in value.items())
            return value if same else moved
        if type(value) in (list, tuple, set):
            items = [self._moved(item) for item in value]
            return value if all(a is b for a, b in zip(value, items, strict=True)) else type(value)(items)
        return value


#: Everything is where the config says.
NOTHING_ASSUMED = Assumptions()


def _below(name: str, folder: str) -> bool:
    """Whether a path is the folder or in it."""
    folder = folder.rstrip("/")
    return name == folder or name.startswith(folder + "/")


def _pairs(words: Iterable[str], option: str, expected: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ConfigError(
                f"cannot read {option}", where="command line", expected=f"{option} {expected}", received=word
            )
        if name in found:
            raise ConfigError(f"{option} names {name!r} twice", where="command line", received=word)
        found[name] = str(Path(value).expanduser())
    return list(found.items())
