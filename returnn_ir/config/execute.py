"""Executes a Python config: its globals become options, its errors become messages with the config's line."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from returnn_ir.config.author_files import AuthorFiles
from returnn_ir.config.helper_modules import HelperModules
from returnn_ir.config.module_views import ModuleViews
from returnn_ir.config.options import Config
from returnn_ir.config.returnn_helpers import login_without_terminal
from returnn_ir.config.returnn_names import shim_names
from returnn_ir.config.shim import ShimSession, guarded_import
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError

__all__ = ["errors_of_functions", "run_python_config"]

#: The module name that RETURNN gives a config.
MODULE_NAME = "__returnn_config__"


def run_python_config(config: Config, path: Path, text: str) -> None:
    """Executes ``text`` in the config's namespace, without importing RETURNN or (unless it is called) TensorFlow.

    Raises:
        ConfigError: a syntax error, or an exception of the config; both with file and line.
    """
    file = str(path)
    try:
        code = compile(text, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ConfigError(
            f"syntax error in the config: {error.msg}",
            where=Origin(file=file, line=error.lineno),
            received=error.text.strip() if error.text else None,
        ) from error
    except ValueError as error:
        raise ConfigError(f"cannot read the config: {error}", where=file) from error
    except (RecursionError, MemoryError) as error:  # what Python's parser raises, too
        raise ConfigError("an expression of the config is too long or nested too deeply", where=file) from error
    package, folder = _package(path)
    module = ModuleType(MODULE_NAME)
    namespace = module.__dict__
    code_builtins = dict(vars(builtins))
    files, modules = AuthorFiles(config), HelperModules(config, code_builtins)
    session = ShimSession(namespace, partial(shim_names, config=config, files=files, modules=modules))
    _set_builtins(code_builtins, config, files, modules, session)
    namespace.update(config.namespace)
    names = {"config": config, "__file__": file, "__package__": package, "__builtins__": code_builtins}
    namespace.update(names)
    config.namespace = namespace
    config.executed = True

    def call(function: Callable[..., object], *args: object, **options: object) -> object:
        with (
            session.active(),
            modules.active(),
            _importable(module, folder),
            login_without_terminal(),
            _config_errors(file),
        ):
            return config.assume.values(function(*args, **options))

    config.call = call
    with session.active(loading=True):
        call(exec, code, namespace)


def _set_builtins(
    code_builtins: dict[str, Any], config: Config, files: AuthorFiles, modules: HelperModules, session: ShimSession
) -> None:
    """What ``import`` and ``open`` are for the config's own code, whenever it runs."""
    import_ = guarded_import(builtins.__import__, session)
    views = ModuleViews(files) if config.assume.files or config.assume.paths else None

    def import_of_code(*args: Any, **options: Any) -> ModuleType:
        with modules.active():
            module: ModuleType = import_(*args, **options)
        return module if views is None else views.of(module)

    code_builtins["__import__"] = import_of_code
    if views is not None:
        code_builtins["open"] = views.open


def _package(path: Path) -> tuple[str, str | None]:
    """The package that a config beside an ``__init__.py`` is part of, and the folder where that package is found.

    Any other config counts as part of RETURNN, so that ``from .util import ...`` means RETURNN's module.
    """
    folder = path.resolve().parent
    names: list[str] = []
    while (folder / "__init__.py").exists() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    return (".".join(names), str(folder)) if names else ("returnn", None)


@contextmanager
def _importable(module: ModuleType, folder: str | None) -> Iterator[None]:
    """The config as a module, which dataclasses look for, and its package on the search path."""
    before = sys.modules.get(MODULE_NAME)
    sys.modules[MODULE_NAME] = module
    added = folder is not None and folder not in sys.path
    if folder is not None and added:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder is not None and added:
            sys.path.remove(folder)
        del sys.modules[MODULE_NAME]
        if before is not None:
            sys.modules[MODULE_NAME] = before


@contextmanager
def _config_errors(file: str) -> Iterator[None]:
    """Turns what the config's code raises into a ConfigError at the innermost line of the config."""
    try:
        yield
    except UserError as error:
        here = _innermost(error.__traceback__, file)
        for problem in error.problems if isinstance(error, ProblemList) else (error,):
            if problem.where is None:
                problem.where = here
            elif isinstance(problem.where, Origin) and problem.where.file is None:
                problem.where = replace(problem.where, file=here.file, line=here.line)
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"the config raised {type(error).__name__}: {error}",
            where=_innermost(error.__traceback__, file),
            hint=_hint(error),
        ) from error


@contextmanager
def errors_of_functions(config: Config) -> Iterator[None]:
    """Turns what a function of the config raises, wherever a run calls it, into a ConfigError at the config's line."""
    try:
        yield
    except (UserError, MemoryError, OSError):
        raise
    except Exception as error:
        where = _innermost(error.__traceback__, str(config.path))
        if where.line is None or not config.executed:
            raise
        what = f"a function of the config raised {type(error).__name__}: {error}"
        raise ConfigError(what, where=where, hint=_hint(error)) from error


def _innermost(traceback: TracebackType | None, file: str) -> Origin:
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return Origin(file=file, line=line)


def _hint(error: BaseException) -> str | None:
    if isinstance(error, ModuleNotFoundError) and error.name:
        known = error.name.partition(".")[0]
        return f"install the module {known!r}, or put it where Python finds it (PYTHONPATH), or --module {known}=FILE"
    if isinstance(error, FileNotFoundError):
        return "--map-path OLD=NEW says where files are now; returnn-compile --assume-files takes them for given"
    return None
