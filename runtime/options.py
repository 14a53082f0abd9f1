"""Typed reading of config values, with one clear error per wrong value.

A config maps option names to values: Python and JSON configs hold typed values, ``key value`` configs and
``++key value`` overrides hold strings. Both are accepted; ``None`` means "not set", as in RETURNN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError, Origin, did_you_mean

__all__ = ["OptionReader", "placed", "refuse_unknown"]

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


@dataclass(frozen=True)
class OptionReader:
    """Reads typed options from ``values``.

    Attributes:
        owner: names the dict in messages; None: the config itself.
        place: the key of the config that holds the dict; None: each option is such a key.
    """

    values: Mapping[str, object]
    owner: str | None = None
    place: str | None = None

    def has(self, key: str) -> bool:
        """Whether the option is set to something other than None."""
        return self.values.get(key) is not None

    def number(self, key: str, default: float) -> float:
        """A float; strings such as ``"1e-8"`` or ``"inf"`` count."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                pass
        raise self._wrong(key, "a number", value)

    def integer(self, key: str, default: int) -> int:
        """An int; strings of digits count, floats do not."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            try:
                return int(value)
            except ValueError:
                pass
        raise self._wrong(key, "an integer", value)

    def flag(self, key: str, default: bool) -> bool:
        """A bool; 0 and 1 and the usual words count."""
        value = self.values.get(key)
        if value is None or value == "":
            return default
        if isinstance(value, int):
            return bool(value)
        if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        raise self._wrong(key, "True or False", value)

    def text(self, key: str, default: str | None = None) -> str | None:
        """A string."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        raise self._wrong(key, "a string", value)

    def non_negative(self, key: str, default: float) -> float:
        """A float that is not below zero (and not NaN)."""
        value = self.number(key, default)
        if not value >= 0:
            raise self._wrong(key, "a number that is not negative", self.values[key])
        return value

    def _wrong(self, key: str, expected: str, value: object) -> ConfigError:
        what = (
            f"option {key!r} of {self.owner} has a wrong value" if self.owner else f"option {key!r} has a wrong value"
        )
        return ConfigError(what, where=Origin(key=self.place or key), expected=expected, received=repr(value))


def refuse_unknown(values: Iterable[str], valid: Iterable[str], owner: str, place: str) -> None:
    """Raise a :class:`ConfigError` for the first key of ``values`` that is not in ``valid``.

    ``owner`` names the dict, ``place`` the key of the config that holds it.
    """
    known = sorted(valid)
    for key in values:
        if key not in known:
            raise ConfigError(
                f"unknown key {key!r} in {owner}",
                where=Origin(key=place),
                expected="one of " + ", ".join(known),
                hint=did_you_mean(str(key), known),
            )


@contextmanager
def placed(config: Config) -> Iterator[None]:
    """Errors of options that are read in here get the line of their key in the config."""
    try:
        yield
    except ConfigError as error:
        where = error.where
        if isinstance(where, Origin) and where.key is not None and where.layer is None and where.file is None:
            error.where = config.origin(None, where.key)
        raise
