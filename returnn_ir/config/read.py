"""Options of a config, read into the frozen dataclass that describes them; wrong ones with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from returnn_ir.errors import Origin
from returnn_ir.options import Place, checked, read_keys, read_options

__all__ = ["place_inside", "place_of", "read_config", "read_option"]

Options = TypeVar("Options")


@runtime_checkable
class _ConfigFile(Protocol):
    """What the reader asks of a :class:`returnn_ir.config.Config`; a plain dict has nothing of it."""

    def is_typed(self, key: str) -> bool: ...

    def origin(self, layer_path: str | None, key: str | None = None) -> Origin: ...

    def place(self, option: str, *keys: object) -> Origin: ...


def read_config(cls: type[Options], config: Mapping[str, object]) -> Options:
    """The options of a config, or of a plain dict of typed options, that a dataclass describes.

    Raises:
        ConfigError: an option that is wrong.
        ProblemList: several.
    """
    is_text = (lambda key: not config.is_typed(key)) if isinstance(config, _ConfigFile) else (lambda key: False)
    return checked(read_keys(cls, config, partial(place_of, config), is_text))


def read_option(
    cls: type[Options], config: Mapping[str, object], key: str, given: Mapping[str, object], *, owner: str
) -> Options:
    """The options of a dict that is an option of a config; as in the config, None means that one is not set.

    Args:
        key: of the config, for places.
        owner: what has these options, for messages.

    Raises:
        ConfigError: an option that is wrong or not known.
        ProblemList: several.
    """
    return checked(read_options(cls, given, place_inside(config, key), owner=owner, unset=True))


def place_of(config: Mapping[str, object], key: str | None) -> Origin:
    """Where an option stands: its line, where the config is a file."""
    return config.origin(None, key) if isinstance(config, _ConfigFile) else Origin(key=key)


def place_inside(config: Mapping[str, object], key: str) -> Place:
    """Where the options of a dict stand that is an option of the config."""
    if isinstance(config, _ConfigFile):
        return partial(config.place, key)
    return lambda inner: Origin(key=key if inner is None else f"{key}.{inner}")
