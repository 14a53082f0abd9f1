"""Stand-ins for ``returnn`` and ``tensorflow`` while a config loads, so that neither is imported for it.

:class:`ShimSession` answers ``import tensorflow``, ``import returnn...`` and RETURNN's old module names (``TFUtil``)
for the time of one config's execution. What a config may need while it loads (dims, ``WrapEpochValue``, ...) is here;
every other name becomes a :class:`LazyName`, which is looked up in the real package when it is used after loading.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import resolve_name
from types import ModuleType
from typing import Any

from returnn_ir.config.returnn_names import OLD_MODULES, LayerClassStub
from returnn_ir.errors import ConfigError

__all__ = ["LazyName", "ShimSession", "guarded_import", "lazy_path"]

#: sys.modules is shared by all threads: one config executes at a time.
_LOCK = threading.RLock()


class LazyName:
    """``tf.nn.relu`` before TensorFlow is imported: a path that becomes the real object when it is used."""

    __slots__ = ("_path", "_session")

    def __init__(self, session: ShimSession, path: str) -> None:
        self._session = session
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._session.attribute(self._path, name, of_module=False)

    def __call__(self, *args: object, **options: object) -> Any:
        """Calls the real object; imports its package."""
        return self._session.resolve(self._path)(*args, **options)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        if self._session.loads_without(self._path) and self._path.startswith("returnn.tf.layers."):
            return (LayerClassStub,)
        return (self._session.resolve(self._path),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LazyName) and self._path == other._path

    def __hash__(self) -> int:
        return hash(self._path)

    def __repr__(self) -> str:
        return f"<{self._path}, not imported yet>"


def lazy_path(value: object) -> str | None:
    """The dotted path that a lazy name stands for; None for anything else. Nothing is imported."""
    return value._path if isinstance(value, LazyName) else None


class _LazyModule(ModuleType):
    """A module of a package that is not imported; ``__path__`` lets its submodules be imported too."""

    def __init__(self, session: ShimSession, name: str, path: str, names: Mapping[str, object]) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._session = session
        self._path = path
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return self._session.resolve(self._path).__version__
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._session.attribute(self._path, name, of_module=True)


class ShimSession(MetaPathFinder, Loader):
    """The stand-in modules of one config.

    Args:
        namespace: the config's globals; lazy names among them are replaced once their package is really imported.
        names: what a module of RETURNN really has while a config loads, by its path.

    Attributes:
        imported: the names of the modules that stand in now.
    """

    def __init__(self, namespace: dict[str, object], names: Callable[[str], Mapping[str, object]]) -> None:
        self._names = names
        self._namespace = namespace
        self._depth = 0
        self._loading = False
        self.imported: set[str] = set()

    @contextmanager
    def active(self, *, loading: bool = False) -> Iterator[None]:
        """Imports inside give the stand-ins; ``sys.modules`` is put back afterwards.

        Args:
            loading: the config itself executes, and not one of its functions later.
        """
        with _LOCK:
            if self._depth:
                yield
                return
            with _shadowed(self):
                self._depth, self._loading = 1, loading
                try:
                    yield
                finally:
                    self._depth, self._loading = 0, False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's question whether ``fullname`` is ours."""
        parent = sys.modules.get(fullname.rpartition(".")[0])
        ours = _is_shadowed(fullname) and (parent is None or isinstance(parent, _LazyModule))
        return ModuleSpec(fullname, self, is_package=True) if ours else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The stand-in for one module."""
        self.imported.add(spec.name)
        return self._stand_in(spec.name)

    def _stand_in(self, name: str) -> _LazyModule:
        path = _real_path(name)
        return _LazyModule(self, name, path, self._names(path))

    def helpers(self, name: str, members: Sequence[str]) -> ModuleType | None:
        """A module of RETURNN for a function that runs later, if it needs only what is here of it; else None."""
        path = _real_path(name)
        there = {} if path.startswith("returnn.tf.layers.") else self._names(path)  # those only stand in
        return self._stand_in(name) if members and all(member in there for member in members) else None

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: a stand-in is complete."""

    def attribute(self, path: str, name: str, *, of_module: bool) -> object:
        """``path.name``: a lazy name while the config loads (of a stand-in module: while active), else the object."""
        if self._loading or (of_module and self._depth):
            return LazyName(self, _real_path(f"{path}.{name}"))
        return _member(self.resolve(path), path, name)

    def loads_without(self, path: str) -> bool:
        """Whether this is RETURNN's and the config is loading, for which RETURNN is not imported."""
        return self._loading and path.partition(".")[0] == "returnn"

    def resolve(self, path: str) -> Any:
        """The real object behind a dotted path; imports its package.

        Raises:
            ConfigError: the package is not installed or has no such name, or RETURNN itself would be needed to load.
        """
        root = path.partition(".")[0]
        if self.loads_without(path):
            raise ConfigError(
                f"{path} of RETURNN cannot be used while the config loads",
                expected="only RETURNN's dims and small helpers at this point",
                hint="use it inside a function that runs later",
            )
        with _LOCK, _unshadowed(self):
            value = _import_path(path)
            if not self._loading:
                self._settle(root)
        return value

    def _settle(self, root: str) -> None:
        """Replaces the config's global lazy names of a package that is now imported: no detour from here on."""
        for name, value in list(self._namespace.items()):
            if isinstance(value, LazyName | _LazyModule) and value._path.partition(".")[0] == root:
                try:
                    self._namespace[name] = _import_path(value._path)
                except ConfigError:
                    continue  # a name that is gone is an error where it is used, not here


def _is_shadowed(fullname: str) -> bool:
    root = fullname.partition(".")[0]
    return root in ("returnn", "tensorflow") or root in OLD_MODULES


def _real_path(name: str) -> str:
    """Today's path: ``TFUtil.x`` is ``returnn.tf.util.basic.x``, and RETURNN's ``compat.v1`` is TensorFlow's."""
    root, dot, rest = name.partition(".")
    path = f"returnn.{OLD_MODULES[root]}{dot}{rest}" if root in OLD_MODULES else name
    compat = "returnn.tf.compat"
    return "tensorflow.compat" + path.removeprefix(compat) if path.startswith(compat + ".") else path


@contextmanager
def _shadowed(finder: ShimSession) -> Iterator[None]:
    """Puts RETURNN's and TensorFlow's modules aside; a TensorFlow that is imported already stays as it is."""
    roots = {root for root in ("returnn", *OLD_MODULES) if root in sys.modules}
    names = [name for name in sys.modules if name.partition(".")[0] in roots] if roots else []
    stashed = {name: sys.modules.pop(name) for name in names}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.imported:
            if isinstance(sys.modules.get(name), _LazyModule):
                del sys.modules[name]
        finder.imported.clear()
        sys.modules.update(stashed)


@contextmanager
def _unshadowed(finder: ShimSession) -> Iterator[None]:
    """The real import system, for the time of a real import."""
    active = finder in sys.meta_path
    ours = {name: module for name, module in sys.modules.items() if isinstance(module, _LazyModule)}
    for name in ours:
        del sys.modules[name]
    if active:
        sys.meta_path.remove(finder)
    try:
        yield
    finally:
        if active:
            sys.meta_path.insert(0, finder)
            sys.modules.update({n: module for n, module in ours.items() if n.partition(".")[0] not in sys.modules})


def _member(value: Any, path: str, name: str) -> Any:
    """The attribute ``name`` of the object at ``path``, which may be a submodule that nothing has imported yet."""
    if isinstance(value, ModuleType) and not hasattr(value, name):
        try:
            return importlib.import_module(f"{path}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{path}.{name}":
                raise
    return getattr(value, name)


def _import_path(path: str) -> Any:
    root, *names = path.split(".")
    done = root
    try:
        value: Any = importlib.import_module(root)
        for name in names:
            value = _member(value, done, name)
            done = f"{done}.{name}"
    except ImportError as error:
        what = f"the config uses {path}"
        if error.name == root:
            package = "RETURNN itself" if root == "returnn" else root
            raise ConfigError(f"{what}, which needs {package}, and that is not installed") from error
        raise ConfigError(f"{what}, which cannot be imported: {error}") from error
    except AttributeError as error:
        raise ConfigError(f"the config uses {path}, which does not exist: {error}") from error
    return value


def guarded_import(original: Callable[..., ModuleType], session: ShimSession) -> Callable[..., ModuleType]:
    """``__import__`` for a config's functions, which may run at any time: gives them RETURNN's small helpers.

    It says clearly that RETURNN is missing when one of them needs more.
    """

    def import_(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        try:
            return original(name, globals, locals, fromlist, level)
        except ModuleNotFoundError as error:
            if error.name != "returnn" and error.name not in OLD_MODULES:
                raise
            package = str((globals or {}).get("__package__") or "")
            helpers = session.helpers(resolve_name("." * level + name, package), fromlist or ())
            if helpers is None:
                raise ConfigError(
                    f"a function of the config imports {name!r}, which needs RETURNN itself, and that is not installed"
                ) from error
            return helpers

    return import_
