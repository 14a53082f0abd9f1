"""Asks the table of keys about a config: what a run refuses, what a training would, and what may be misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from returnn_ir.config.key import Key, Run
from returnn_ir.config.keys import KEYS
from returnn_ir.config.network_schedule import Stage
from returnn_ir.config.options import Config
from returnn_ir.errors import ConfigError, UserError

__all__ = ["misspelt_keys", "refused_by_training", "refused_keys"]

_SHOWN = 80
_SHORTEST, _LONG, _MANY_WORDS = 6, 12, 4
_PLAIN = (bool, int, float, str, list, tuple, dict, type(None))


def refused_keys(run: Run) -> list[UserError]:
    """Every key with a value that this run does not have, each with its place, its off value and the reason."""
    return [_problem(run, key, asked) for key, asked in _asked(run)]


def refused_by_training(config: Config, stages: Iterable[Stage] = ()) -> list[str]:
    """The names of the keys that a training from scratch with this config refuses.

    Args:
        stages: of its networks, which may change options.
    """
    configs = [config, *(stage.config(config) for stage in stages)]
    return list(dict.fromkeys(key.name for one in configs for key, _ in _asked(Run(one, "train"))))


def _asked(run: Run) -> Iterator[tuple[Key, object]]:
    for name, key in KEYS.items():
        asked = key.asks(run.config[name], run) if name in run.config else None
        if asked is not None:
            yield key, asked


def _problem(run: Run, key: Key, asked: object) -> UserError:
    return ConfigError(
        f"{key.name!r} is not available: {key.text}",
        where=run.config.origin(None, key.name),
        expected=", ".join([*map(repr, key.off), "or nothing"]) if key.off else "nothing",
        received=_short(asked),
        hint=_hint(run.config, key),
    )


def _hint(config: Config, key: Key) -> str:
    inside = key.name in config.changed
    return f"leave {key.name!r} out of '#config'" if inside else f"++{key.name} {_override(config, key)}"


def _override(config: Config, key: Key) -> str:
    """The off value as a shell's word that replaces the value: a literal, unless that is a text already."""
    off = key.off[0] if key.off else None
    is_text = not config.is_typed(key.name) or isinstance(config[key.name], str)
    return f"\"'{off}'\"" if isinstance(off, str) and not is_text else str(off)


def _short(value: object) -> str:
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def misspelt_keys(config: Config) -> list[str]:
    """Warnings about options that no key is named like, but nearly; a config's own variables stay silent."""
    warnings = []
    for name in config:
        near = _near(config, name)
        if near is not None:
            warnings.append(f"{config.origin(None, name)}: there is no such key, did you mean {near!r}?")
    return warnings


def _near(config: Config, name: str) -> str | None:
    """The key that an unknown option is nearly named like; what begins with an underscore is the config's own."""
    if name in KEYS or name.startswith("_") or type(config[name]) not in _PLAIN:
        return None
    return next((key for key in KEYS if _is_misspelt(name, key)), None)


def _is_misspelt(name: str, key: str) -> bool:
    """Whether one or two letters make the difference, or a word inside. Numbers and affixes make a name of its own."""
    if min(len(name), len(key)) < _SHORTEST:
        return False
    allowed = 1 if len(key) < _LONG else 2
    if abs(len(name) - len(key)) <= allowed and len(set(name) ^ set(key)) <= 2 * allowed:
        return _digits(name) == _digits(key) and _edits(name, key) <= allowed
    return min(name.count("_"), key.count("_")) >= _MANY_WORDS - 1 and _differs_by_a_word(
        name.split("_"), key.split("_")
    )


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def _differs_by_a_word(first: list[str], second: list[str]) -> bool:
    longer, shorter = (first, second) if len(first) > len(second) else (second, first)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(1, len(longer) - 1))


def _edits(first: str, second: str) -> int:
    """Letters to insert, remove, replace, or to swap with their neighbour."""
    rows = [list(range(len(second) + 1))]
    for i, a in enumerate(first, 1):
        row = [i]
        for j, b in enumerate(second, 1):
            best = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
