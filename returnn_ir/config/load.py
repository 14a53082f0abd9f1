"""Reads a config file in any of RETURNN's three syntaxes and applies overrides to it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from returnn_ir.config.assumptions import NOTHING_ASSUMED, Assumptions
from returnn_ir.config.execute import run_python_config
from returnn_ir.config.json_text import is_json, parse_json
from returnn_ir.config.options import Config
from returnn_ir.config.overrides import apply_overrides, set_text
from returnn_ir.config.source_map import SourceMap
from returnn_ir.errors import ConfigError, Origin
from returnn_ir.ir.mode import Mode

__all__ = ["load_config", "load_config_for"]

_READERS = {"python": SourceMap.add_python, "json": SourceMap.add_json, "lines": SourceMap.add_lines}


def load_config(path: str | Path, overrides: Sequence[str] = (), *, assume: Assumptions = NOTHING_ASSUMED) -> Config:
    """Loads a config.

    Args:
        path: a JSON config (``.json``, or a text that is JSON or starts with ``{``), a Python config (``.py``, or a
            first line that starts with ``#!``) or lines of ``key value``. Only a Python config runs code.
        overrides: words of a command line, ``["++key", "value", ...]``; the config sees them while it loads, and they
            win over its own values.
        assume: what its code finds instead of what is on its author's machine; ``config.assumed`` lists what was used.

    Raises:
        ConfigError: no such file, a syntax error, an error while the config executes, or a bad override.
    """
    config = Config(Path(path), assume)
    apply_overrides(config, overrides)
    _load_file(config, Path(path), [])
    apply_overrides(config, overrides)
    _move_paths(config)
    return config


def load_config_for(
    path: str | Path,
    overrides: Sequence[str] = (),
    mode: str | None = None,
    *,
    assume: Assumptions = NOTHING_ASSUMED,
) -> Config:
    """Loads a config for a mode. Many define another network where ``task`` is "search"; it is for mode ``search``,
    unless ``overrides`` set it.

    Raises:
        ConfigError: as :func:`load_config`.
    """
    searches = mode == Mode.SEARCH and "++task" not in overrides
    return load_config(path, ("++task", "search", *overrides) if searches else overrides, assume=assume)


def _move_paths(config: Config) -> None:
    """Options name each path where it is now."""
    if not config.assume.paths:
        return
    moved = config.assume.values
    typed = {key: moved(config[key], config.place(key)) for key in config if config.is_typed(key)}
    config.update({key: value for key, value in typed.items() if value is not config[key]})
    config.texts = {key: [moved(text) for text in texts] for key, texts in config.texts.items()}


def _load_file(config: Config, path: Path, including: list[Path]) -> None:
    text = _read(path)
    syntax = _syntax(path, text)
    if syntax == "python" and including:
        raise ConfigError(
            "a config of `key value` lines, which is data, includes Python code",
            where=str(including[-1]),
            received=f"include {path}",
            hint="make the including config Python, too: `#!rnn.py` as its first line, and `exec` or `import`",
        )
    config.add_source(partial(_READERS[syntax], file=str(path), text=text))
    if syntax == "python":
        run_python_config(config, path, text)
    elif syntax == "json":
        config.update(parse_json(text, str(path)))
    else:
        _load_lines(config, path, text, [*including, path])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"no such file: {path}") from error
    except OSError as error:
        raise ConfigError(f"cannot read the config: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the config is not UTF-8 text: {error}", where=str(path)) from error


def _syntax(path: Path, text: str) -> str:
    """``python``, ``json`` or ``lines``: RETURNN's rule, but JSON is never executed, and what can only be Python is."""
    if path.suffix.lower() == ".json" or is_json(text):
        return "json"
    start = text.lstrip()
    if start.startswith("#!") or path.suffix == ".py":
        return "python"
    if start.startswith("{"):
        return "json"
    return "python" if _is_python(text) else "lines"


def _is_python(text: str) -> bool:
    """Parses as Python and assigns, imports or defines something (``key value`` lines do none of it)."""
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(s, ast.Assign | ast.Import | ast.ImportFrom | ast.FunctionDef) for s in statements)


def _load_lines(config: Config, path: Path, text: str, including: list[Path]) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split(None, 1)
        if not words:
            continue
        origin = Origin(file=str(path), line=number)
        if len(words) != 2 or words[1].startswith("="):
            raise ConfigError(
                "cannot read this line of the config",
                where=origin,
                expected="`key value`",
                received=line.strip(),
                hint="a Python config needs `#!rnn.py` as first line, or the suffix .py",
            )
        key, value = words[0], words[1].strip()
        if key != "include":
            set_text(config, key, value, origin)
            continue
        for name in map(Path, value.split(",")):
            if name in including:
                raise ConfigError(f"the config includes itself: {name}", where=origin)
            _load_file(config, name, including)
