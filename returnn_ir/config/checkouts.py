"""``returnn.import_``: where checkouts of repositories are on this machine, and what their modules are called."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from returnn_ir.config.assumptions import Assumptions
from returnn_ir.errors import ConfigError

__all__ = ["PREFIX", "Checkouts", "normalized"]

#: The package of all that is imported by it.
PREFIX = "returnn_import"
_VERSION = re.compile(r"(?:(\d{8,14})-)?([0-9a-f]{7,40})")
_IN_NAME = re.compile(r"v(?:(\d{8,14})_)?([0-9a-f]{7,40})")


@dataclass(frozen=True)
class _Checkout:
    """A folder in which a repository is.

    Attributes:
        package: dotted, of the repository without its version.
        version: as the config says it; None: the working copy.
    """

    package: str
    version: str | None
    folder: Path

    def is_called(self, name: str) -> bool:
        """Whether a component of a module's name means this version: RETURNN writes out the date and the revision."""
        if self.version is None:
            return name == "dev"
        ours, asked = _VERSION.fullmatch(self.version), _IN_NAME.fullmatch(name)
        if ours is None or asked is None:
            return False
        return all(_same_start(a, b) for a, b in zip(ours.groups(""), asked.groups(""), strict=True))

    @property
    def name(self) -> str:
        """Dotted, with the version."""
        return f"{self.package}.{'dev' if self.version is None else 'v' + normalized(self.version)}"


class Checkouts:
    """The checkouts from which one config imports.

    A repository is where ``--map-path REPOSITORY=FOLDER`` says, else where RETURNN keeps it: below ``RETURNN_PKG_PATH``
    (``~/returnn/pkg``), a version of it as ``REPOSITORY@vVERSION``. Nothing is fetched.
    """

    def __init__(self, assume: Assumptions) -> None:
        self._assume = assume
        self._known: list[_Checkout] = []

    def add(self, repo: str, path: str, version: str | None) -> tuple[str, Path]:
        """The name of the module for a file or folder of a repository, and where the repository is.

        Raises:
            ConfigError: the repository, or the file in it, is not here, or one of the names is none.
        """
        if not path or path.startswith("/") or ".." in path or ".." in repo or ":" in repo:
            raise ConfigError(
                "returnn.import_ takes a repository and a path inside it",
                expected="import_('github.com/OWNER/NAME', 'folder/file.py', 'DATE-COMMIT')",
                received=f"{repo!r}, {path!r}",
            )
        if version is not None and _VERSION.fullmatch(version) is None:
            raise ConfigError(
                "a version for returnn.import_ is a date and a commit",
                expected="'20211231-0123abcd0123'",
                received=repr(version),
            )
        folder = self._folder_of(repo, path, version)
        if not (folder / path).exists():
            raise ConfigError(f"there is no {path!r} in the checkout of {repo}", received=str(folder))
        checkout = _Checkout(f"{PREFIX}.{normalized(repo)}", version, folder)
        if checkout not in self._known:
            self._known.append(checkout)
        return f"{checkout.name}.{normalized(path.removesuffix('.py').removeprefix('./').rstrip('/'))}", folder

    def _folder_of(self, repo: str, path: str, version: str | None) -> Path:
        versioned = f"{repo}@v{version}" if version else repo
        for name in (versioned, repo):
            moved = self._assume.path(name)
            if moved != name:
                return _existing(Path(moved), name)
        kept = Path(os.environ.get("RETURNN_PKG_PATH") or Path.home() / "returnn" / "pkg")
        found = next(_of_version(kept / repo, version), None)
        if found is None:
            raise ConfigError(
                f"the config imports {path!r} of {versioned} with returnn.import_, and there is no checkout of it here",
                expected=f"one in {kept}",
                hint=f"--map-path {repo}=FOLDER names a checkout; nothing is fetched",
            )
        return found

    def leads(self, name: str) -> bool:
        """Whether a module's name is that of a package above the known checkouts."""
        return any(f"{one.name}.".startswith(f"{name}.") for one in self._known)

    def folder(self, name: str) -> Path | None:
        """The folder of the checkout that a module's name means; None: it means none."""
        package, _, last = name.rpartition(".")
        return next((one.folder for one in self._known if one.package == package and one.is_called(last)), None)

    def known(self) -> list[str]:
        """The names of all packages that were imported."""
        return [one.name for one in self._known]


def _of_version(main: Path, version: str | None) -> Iterator[Path]:
    """RETURNN's working copy, or its checkouts of a version."""
    if version is None:
        if main.is_dir():
            yield main
        return
    wanted = _Checkout("", version, main)
    for folder in sorted(main.parent.glob(f"{main.name}@v*")):
        if wanted.is_called("v" + normalized(folder.name.partition("@v")[2])):
            yield folder


def _existing(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise ConfigError(f"--map-path {name}={folder}: there is no such folder", where="command line")
    return folder


def _same_start(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def normalized(name: str) -> str:
    """A path as a dotted name, whose parts are what Python can import."""
    return name.replace(".", "_").replace("-", "_").replace("/", ".")
