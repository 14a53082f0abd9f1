"""``++key value`` on the command line, and the options that RETURNN also takes as ``--key value``."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence

from returnn_ir.config.options import Config
from returnn_ir.errors import ConfigError, Origin, did_you_mean

__all__ = ["apply_overrides", "set_text"]

#: The options of RETURNN's command line, ``-x value`` or ``--long value``, to the config key they set.
_DASHED = {
    "-a": "activation",
    "-b": "batch_size",
    "-c": "chunking",
    "-d": "description",
    "-e": "epoch",
    "-E": "eval",
    "-f": "gate_factors",
    "-i": "save_interval",
    "-j": "dropout",
    "-k": "output_file",
    "-l": "log",
    "-L": "load",
    "-m": "momentum",
    "-n": "num_epochs",
    "-o": "order",
    "-p": "loss",
    "-q": "cache",
    "-r": "learning_rate",
    "-s": "hidden_sizes",
    "-t": "truncate",
    "-u": "device",
    "-w": "window",
    "-x": "task",
    "-y": "hidden_type",
}
_DASHED |= {f"--{key}": key for key in list(_DASHED.values())}
_DASHED |= {"-g": "lreg", "--lreg": "lreg", "-v": "log_verbosity", "--verbose": "log_verbosity"}
_DASHED |= {"-z": "max_seqs", "--max_sequences": "max_seqs"}


def apply_overrides(config: Config, overrides: Sequence[str]) -> None:
    """Sets the options that a command line gives, in their order.

    Raises:
        ConfigError: a word that is no option, a missing value, or a value that does not fit the option's type.
    """
    for key, value in _pairs(overrides):
        config.overridden.add(key)
        set_text(config, key, value, config.origin(None, key))


def set_text(config: Config, key: str, text: str, origin: Origin) -> None:
    """Sets an option from a text: a Python literal for an option that is typed, else texts between commas."""
    if not config.is_typed(key):
        config.texts[key] = text.split(",") if text.find(",") > 0 else [text]
        return
    before = config.namespace[key]
    config.set(key, text if isinstance(before, str) else _literal(text, before, origin))


def _literal(text: str, before: object, origin: Origin) -> object:
    try:
        return ast.literal_eval(text)
    except SyntaxError:
        # A path or the like, which RETURNN keeps as text with a warning too.
        warnings.warn(f"{origin}: {text!r} is no Python literal; it replaces {before!r} as text", stacklevel=2)
        return text
    except (RecursionError, MemoryError) as error:
        raise ConfigError(
            "the override is nested too deeply", where=origin, expected=f"a literal like {before!r}"
        ) from error
    except (ValueError, TypeError) as error:
        words = {"true": "True", "false": "False", "none": "None"}
        raise ConfigError(
            "the option has a Python value, so its override must be a Python literal",
            where=origin,
            expected=f"a literal like {before!r}",
            received=text,
            hint=f"write {words[text.lower()]}" if text.lower() in words else f"write quotes around it: '\"{text}\"'",
        ) from error


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("++") and len(word) > 2:
            key = word[2:]
        elif word.startswith("--") and "=" in word:
            name, _, value = word.partition("=")
            rest.insert(0, value)
            key = _dashed(name)
        else:
            key = _dashed(word)
        if not rest:
            raise ConfigError(f"the option {word} has no value", where="command line", expected=f"{word} VALUE")
        value = rest.pop(0)
        yield key, value[1:] if value.startswith("+-") else value


def _dashed(word: str) -> str:
    if word not in _DASHED:
        key = word.lstrip("-+")
        raise ConfigError(
            f"unknown option {word!r}",
            where="command line",
            expected="++KEY VALUE for any option of the config",
            hint=" or ".join(filter(None, [did_you_mean(word, _DASHED), f"++{key} VALUE" if key else None])) or None,
        )
    return _DASHED[word]
