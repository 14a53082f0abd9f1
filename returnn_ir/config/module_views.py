"""``os``, ``numpy``, ``subprocess`` ... as a config's own code sees them while paths are moved or assumed.

Nobody else sees them: the config's ``import`` gives views of these modules, in which some functions are others.
"""

from __future__ import annotations

import builtins
import bz2
import codecs
import glob
import gzip
import inspect
import io
import os
import pathlib
import subprocess
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from returnn_ir.config.author_files import AuthorFiles

__all__ = ["ModuleViews"]

_Functions = dict[str, Any]


class ModuleViews:
    """The views that the code of one config gets.

    Args:
        files: what it finds at the paths that it names.
    """

    def __init__(self, files: AuthorFiles) -> None:
        self._changed = _changed_functions(files)
        self._views: dict[str, _View] = {}

    @property
    def open(self) -> Callable[..., Any]:
        """The built-in ``open``."""
        function: Callable[..., Any] = self._changed["builtins"]["open"]
        return function

    def of(self, module: Any) -> Any:
        """The view of a module, if there is one; anything else as it is."""
        name = getattr(module, "__name__", None)
        if not isinstance(module, ModuleType) or isinstance(module, _View) or name not in self._changed:
            return module
        if name not in self._views:
            self._views[name] = _View(self, module, self._changed[name])
        return self._views[name]


class _View(ModuleType):
    """A module some of whose names are others."""

    def __init__(self, views: ModuleViews, real: ModuleType, changed: Mapping[str, Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self._views = views
        self._real = real
        self.__dict__.update({name: _by_name(new, getattr(real, name)) for name, new in changed.items()})

    def __getattr__(self, name: str) -> Any:
        return self._views.of(getattr(self._real, name))

    def __dir__(self) -> list[str]:
        return dir(self._real)


def _by_name(new: Any, real: Any) -> Any:
    """``new``, which takes a path first, for calls that name their first argument as those of ``real`` do."""
    if isinstance(new, type):
        return new
    try:
        first = next(iter(inspect.signature(real).parameters.values()))
    except ValueError:  # numpy.fromfile, which is no Python
        name = "file"
    else:  # subprocess hands all on to Popen
        name = "args" if first.kind is inspect.Parameter.VAR_POSITIONAL else first.name

    def call(*args: Any, **options: Any) -> Any:
        first = (options.pop(name),) if not args and name in options else ()
        return new(*first, *args, **options)

    return call


def _changed_functions(files: AuthorFiles) -> dict[str, _Functions]:
    """By the module's own name."""
    opening = {module.__name__: {"open": files.opening(module.open)} for module in (builtins, io, codecs, gzip, bz2)}
    paths = {
        "exists": files.question(os.path.exists, ""),
        "lexists": files.question(os.path.lexists, ""),
        "isfile": files.question(os.path.isfile, "file"),
        "isdir": files.question(os.path.isdir, "folder"),
        "getsize": files.reading(os.path.getsize),
        "getmtime": files.reading(os.path.getmtime),
    }
    folders: _Functions = {name: files.reading(getattr(os, name)) for name in ("listdir", "scandir", "stat", "walk")}
    folders |= {name: files.making(getattr(os, name)) for name in ("makedirs", "mkdir")}
    arrays: _Functions = {name: files.reading(getattr(np, name)) for name in ("load", "fromfile", "genfromtxt")}
    return {
        **opening,
        "os": folders,
        os.path.__name__: paths,
        "glob": {name: files.finding(getattr(glob, name)) for name in ("glob", "iglob")},
        "numpy": {"loadtxt": files.array(np.loadtxt), **arrays},
        "subprocess": _commands(files),
        "pathlib": {"Path": _path_class(files)},
    }


def _commands(files: AuthorFiles) -> _Functions:
    def output(printed: str, options: Mapping[str, Any]) -> str | bytes:
        as_text = options.get("text") or options.get("universal_newlines") or options.get("encoding")
        return printed if as_text else printed.encode()

    def completed(printed: str, options: Mapping[str, Any]) -> Any:
        return subprocess.CompletedProcess(["cf"], 0, output(printed, options), None)

    return {
        "check_output": files.command(subprocess.check_output, output),
        "run": files.command(subprocess.run, completed),
        "check_call": files.command(subprocess.check_call, lambda printed, options: 0),
        "call": files.command(subprocess.call, lambda printed, options: 0),
        "getoutput": files.command(subprocess.getoutput, lambda printed, options: printed.strip()),
    }


def _path_class(files: AuthorFiles) -> type:
    """``pathlib.Path``, whose methods that look at the disk ask ``files``."""

    def asked(name: str, kind: str) -> Callable[..., Any]:
        real = getattr(pathlib.Path, name)

        def method(self: pathlib.Path) -> Any:
            return files.question(lambda path: real(pathlib.Path(path)), kind)(str(self))

        return method

    def read(name: str) -> Callable[..., Any]:
        real = getattr(pathlib.Path, name)

        def method(self: pathlib.Path, *args: Any, **options: Any) -> Any:
            return files.reading(lambda path: real(pathlib.Path(path), *args, **options))(str(self))

        return method

    def opened(self: pathlib.Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        return files.opening(builtins.open)(str(self), mode, *args, **options)

    def made(self: pathlib.Path, *args: Any, **options: Any) -> None:
        files.making(lambda path: pathlib.Path(path).mkdir(*args, **options))(str(self))

    methods: dict[str, Any] = {"exists": asked("exists", ""), "open": opened, "mkdir": made}
    methods |= {"is_file": asked("is_file", "file"), "is_dir": asked("is_dir", "folder")}
    methods |= {name: read(name) for name in ("read_text", "read_bytes", "iterdir", "stat", "glob", "rglob")}
    return type("Path", (type(pathlib.Path()),), methods)
