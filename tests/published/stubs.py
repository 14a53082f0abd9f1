"""What a published config finds on its author's machine and not here: files, commands, modules.

Only while a config executes or one of its functions runs for its network, and only in the process that examines it.
"""

from __future__ import annotations

import builtins
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

from returnn_ir.config import returnn_names
from returnn_ir.config.execute import MODULE_NAME

__all__ = ["Anything", "stubbed"]


class Anything:
    """Takes every call and has every attribute: what a helper module that is not here would have given."""

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Anything()

    def __call__(self, *args: object, **options: object) -> Anything:
        return Anything()


class _StubModule(ModuleType):
    """A module that is not here; each of its names is :class:`Anything`."""

    __path__: list[str] = []  # noqa: RUF012 - what makes a module a package, so that its submodules are imported too

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Anything()


class _HelperModules(MetaPathFinder, Loader):
    """Answers the imports of the config itself that nothing else answers."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        return ModuleSpec(fullname, self, is_package=True) if _asked_by_config() else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def _asked_by_config() -> bool:
    """Whether the nearest code that is no import machinery is the config's; TensorFlow's optional imports are not."""
    frame = sys._getframe(2)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith(("importlib", "returnn_ir.config")):
            return name == MODULE_NAME
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


@contextmanager
def stubbed() -> Iterator[None]:
    """Files exist, and those that are read are empty; commands do nothing; missing helper modules can be imported."""
    finder = _HelperModules()
    before = set(sys.modules)
    sys.meta_path.append(finder)
    try:
        with ExitStack() as stack:
            for name in ("exists", "isfile", "isdir"):
                stack.enter_context(mock.patch.object(os.path, name, _true))
            stack.enter_context(mock.patch.object(builtins, "open", _open(builtins.open)))
            stack.enter_context(mock.patch.object(subprocess, "check_output", _command))
            stack.enter_context(mock.patch.object(subprocess, "run", _command))
            stack.enter_context(mock.patch.object(subprocess, "check_call", _command))
            stack.enter_context(mock.patch.object(os, "system", _command))
            stack.enter_context(mock.patch.object(np, "loadtxt", lambda *args, **options: np.zeros(1)))
            helpers = {"import_": lambda *args, **options: None}
            stack.enter_context(mock.patch.dict(returnn_names._NAMES["returnn.import_"], helpers))
            module = _module(returnn_names._generic_import_module)
            stack.enter_context(mock.patch.object(returnn_names, "_generic_import_module", module))
            names = {"generic_import_module": module}
            stack.enter_context(mock.patch.dict(returnn_names._NAMES["returnn.util.basic"], names))
            yield
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - before:
            if isinstance(sys.modules[name], _StubModule):
                del sys.modules[name]


def _true(path: object) -> bool:
    return True


def _open(real: Callable[..., Any]) -> Callable[..., Any]:
    """``open`` for which a file that is not there has no lines; nothing is written."""

    def open_(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if isinstance(file, int) or Path(file).is_file():
            return real(file, mode, *args, **options)
        return io.BytesIO() if "b" in mode else io.StringIO("{}" if "r" in mode else "")

    return open_


def _command(command: object, *args: object, **options: object) -> Any:
    """The cluster's ``cf FILE`` says where it has cached the file; anything else says nothing."""
    return str(command[-1]).encode() if isinstance(command, list) and command[0] == "cf" else b""


def _module(real: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    def load(filename: str) -> ModuleType:
        return real(filename) if Path(filename).exists() or "/" not in filename else _StubModule(Path(filename).stem)

    return load
