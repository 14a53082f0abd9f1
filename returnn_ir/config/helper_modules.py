"""The modules that a config imports: files that ``--module`` names, checkouts of ``returnn.import_``, its own helpers.

They are the config's own code: they see what it sees, and each config has its own of them.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from returnn_ir.config.checkouts import PREFIX, Checkouts, normalized
from returnn_ir.errors import ConfigError

if TYPE_CHECKING:
    from returnn_ir.config.options import Config

__all__ = ["HelperModules"]

#: Held to change sys.modules, and not while anything is imported: threads of a config may wait for each other.
_LOCK = threading.RLock()

#: Folders of what is installed, and of this project: none of it is a config's.
_INSTALLED = tuple({Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_PROJECT = tuple(Path(__file__).parents[2] / name for name in ("returnn_ir", "compiler", "runtime"))
#: Who asks between the config's code and this finder.
_BETWEEN = ("importlib", "_frozen_importlib", "returnn_ir.config")


class HelperModules(MetaPathFinder):
    """Finds the modules of one config while its code runs.

    Args:
        config: ``config.assume`` says which files are modules, and where folders are.
        code_builtins: what the config's code has as built-ins; its modules get them, too.
    """

    def __init__(self, config: Config, code_builtins: dict[str, Any]) -> None:
        self._config = config
        self._builtins = code_builtins
        self._checkouts = Checkouts(config.assume)
        self._found: set[str] = set()
        self._modules: dict[str, ModuleType] = {}
        self._stashed: dict[str, ModuleType] = {}
        self._folders: list[str] = []
        self._users = 0

    @contextmanager
    def active(self) -> Iterator[None]:
        """Imports of the config's code find its modules inside; ``sys.modules`` and ``sys.path`` are put back.

        Several threads may be inside; the last one puts back.
        """
        with _LOCK:
            self._users += 1
            if self._users == 1:
                self._enter()
        try:
            yield
        finally:
            with _LOCK:
                self._users -= 1
                if not self._users:
                    self._leave()

    def _enter(self) -> None:
        names = {*self._config.assume.modules, *self._modules}
        self._stashed = {name: sys.modules.pop(name) for name in names if name in sys.modules}
        sys.modules.update(self._modules)
        sys.path[:0] = self._folders
        sys.meta_path.insert(1, self)  # behind the stand-ins for RETURNN and TensorFlow

    def _leave(self) -> None:
        sys.meta_path.remove(self)
        for folder in self._folders:
            with suppress(ValueError):  # the config's code removed it
                sys.path.remove(folder)
        self._modules = {name: sys.modules.pop(name) for name in self._found if name in sys.modules}
        sys.modules.update(self._stashed)

    # --- the import system

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's question; only the config's own code gets another answer than anybody."""
        spec = self._find(fullname, path) if self._asked_by_config(sys._getframe(1)) else None
        if spec is not None:
            self._found.add(fullname)
        return spec

    def _find(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        if fullname in self._config.assume.modules:
            return self._named(fullname)
        if any(name.startswith(fullname + ".") for name in self._config.assume.modules):
            return self._empty(fullname)
        if fullname.partition(".")[0] == PREFIX:
            return self._of_checkout(fullname, path)
        return self._own(fullname, path) if self._config.assume.change_code else None

    def _asked_by_config(self, frame: FrameType | None) -> bool:
        """Whether the nearest code that is no import machinery is the config's; TensorFlow's imports are not."""
        while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_BETWEEN):
            frame = frame.f_back
        return frame is not None and frame.f_builtins is self._builtins

    def _named(self, fullname: str) -> ModuleSpec | None:
        file = Path(self._config.assume.modules[fullname]).resolve()
        self._config.note_assumed(f"module {fullname}", str(file))
        return self._spec(fullname, file)

    def _of_checkout(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """A package above a checkout, a checkout, or what is in one."""
        folder = self._checkouts.folder(fullname)
        if folder is not None and (folder / "__init__.py").is_file():
            return self._spec(fullname, folder / "__init__.py")
        if folder is not None or self._checkouts.leads(fullname):
            return self._empty(fullname, folder)
        if not path:
            raise ConfigError(
                f"{fullname} is imported without a call of returnn.import_ before",
                expected="import_('REPOSITORY', 'PATH', 'VERSION')",
                received=", ".join(self._checkouts.known()) or None,
            )
        for found in _entries(path[0], fullname.rpartition(".")[2]):
            if found.suffix == ".py":
                return self._spec(fullname, found)
            file = found / "__init__.py"
            return self._spec(fullname, file) if file.is_file() else self._empty(fullname, found)
        return None

    def _empty(self, fullname: str, folder: Path | None = None) -> ModuleSpec:
        """A package without code, of what is in a folder."""
        spec = ModuleSpec(fullname, _EmptyLoader(self), is_package=True)
        spec.submodule_search_locations = [] if folder is None else [str(folder)]
        return spec

    def _own(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """A helper module that Python finds by itself, where folders are now; what is installed is not the config's."""
        folders = list(sys.path if path is None else path)
        spec = PathFinder.find_spec(fullname, [self._config.assume.path(folder) for folder in folders])
        if spec is None:
            return None
        if type(spec.loader) is SourceFileLoader and spec.origin is not None and not _installed(Path(spec.origin)):
            return self._spec(fullname, Path(spec.origin))
        return spec if PathFinder.find_spec(fullname, folders) is None else None

    def _spec(self, fullname: str, file: Path) -> ModuleSpec | None:
        loader = _CodeLoader(fullname, str(file), self)
        inside = [str(file.parent)] if file.name == "__init__.py" else None
        return spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=inside)

    # --- what RETURNN has for it

    def import_(self, repo: str, path: str, version: str | None = None) -> ModuleType:
        """``returnn.import_.import_``: a module of a repository, from a checkout that is here.

        Raises:
            ConfigError: there is no checkout, or no such file in it.
        """
        name, folder = self._checkouts.add(repo, path, version)
        self._config.note_assumed(f"returnn.import_ of {repo}" + (f" at {version}" if version else ""), str(folder))
        return importlib.import_module(name)

    def by_file(self, filename: str) -> ModuleType:
        """``returnn.util.basic.generic_import_module``: a module by its name, or by its file or folder.

        Raises:
            ConfigError: there is no such file, and no module is given in its place.
        """
        if "/" not in filename:
            return importlib.import_module(filename)
        path = Path(self._config.assume.path(filename))
        if path.stem in self._config.assume.modules:
            return importlib.import_module(path.stem)
        if not path.exists():
            raise ConfigError(
                f"the config imports {filename!r}, and there is no such file",
                hint=f"--module {path.stem}=FILE gives another one",
            )
        names, folder = [path.stem], path.parent
        while (folder / "__init__.py").exists():
            names.insert(0, folder.name)
            folder = folder.parent
        if str(folder) not in sys.path:
            self._folders.insert(0, str(folder))
            sys.path.insert(0, str(folder))
        return importlib.import_module(".".join(names))


class _CodeLoader(SourceFileLoader):
    """Runs a module with the built-ins of the config's code."""

    def __init__(self, fullname: str, path: str, helpers: HelperModules) -> None:
        super().__init__(fullname, path)
        self.helpers = helpers

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self.helpers._builtins
        super().exec_module(module)


class _EmptyLoader(Loader):
    """Of a package without code."""

    def __init__(self, helpers: HelperModules) -> None:
        self.helpers = helpers

    def create_module(self, spec: ModuleSpec) -> None:
        """Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def _entries(folder: str, name: str) -> Iterator[Path]:
    """What a part of a dotted name means: a package, a file, a folder. RETURNN writes ``-`` and ``.`` as ``_``."""
    found = [e for e in sorted(Path(folder).iterdir()) if normalized(e.name.removesuffix(".py")) == name]
    yield from (entry for entry in found if (entry / "__init__.py").is_file())
    yield from (entry for entry in found if entry.suffix == ".py" and entry.is_file())
    yield from (entry for entry in found if entry.is_dir())


def _installed(file: Path) -> bool:
    return any(file.is_relative_to(folder) for folder in (*_INSTALLED, *_PROJECT))
