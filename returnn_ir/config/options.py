"""The options of a config, typed access to them, and the places they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

from returnn_ir.config.assumptions import NOTHING_ASSUMED, Assumed, Assumptions
from returnn_ir.config.data_options import DataOptions
from returnn_ir.config.extern_data import extern_data_spec
from returnn_ir.config.json_text import parse_json
from returnn_ir.config.source_map import SourceMap
from returnn_ir.errors import ConfigError, Origin
from returnn_ir.options import fits, from_text, wrong_value

__all__ = ["Config"]

T = TypeVar("T")
_Int = int
_Float = float
_Bool = bool
_List = list

#: Names of the config's namespace that are not options.
_HIDDEN = ("config",)


class Config(Mapping[str, object]):
    """A config: a mapping of its options, with RETURNN's typed access.

    Options of a Python or JSON config have the types they have there. Those of ``key value`` lines and of overrides of
    new keys are texts, parsed when they are asked for by type.

    Args:
        path: the file, as given.
        assume: what its code and its options find instead of what is on their author's machine.

    Attributes:
        namespace: the typed options; for a Python config its globals, which its functions use.
        texts: the untyped options, split at commas.
        overridden: the keys that the command line set.
        changed: the keys whose values are those of ``#config`` of a network.
        own_layers: names of layer classes that the config defines itself.
        executed: whether the config is Python code; else it is data, and nothing in it may run.
        call: runs a function of the config with the loading shim active and with errors that name the config's line.
    """

    def __init__(self, path: Path, assume: Assumptions = NOTHING_ASSUMED) -> None:
        self.path = path
        self.assume = assume
        self._assumed: dict[str, Assumed] = {}
        self.namespace: dict[str, object] = {}
        self.texts: dict[str, _List[str]] = {}
        self.overridden: set[str] = set()
        self.changed: frozenset[str] = frozenset()
        self.own_layers: set[str] = set()
        self.executed = False
        self._sources: _List[Callable[[SourceMap], None]] = []
        self.call: Callable[..., object] = lambda function, *args, **options: function(*args, **options)

    # --- mapping

    def __getitem__(self, key: str) -> object:
        if _is_option(key) and key in self.namespace:
            return self.namespace[key]
        texts = self.texts[key]
        return texts[0] if len(texts) == 1 else ",".join(texts)

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self.namespace if _is_option(key))
        yield from (key for key in self.texts if key not in self.namespace)

    def __len__(self) -> _Int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> _Bool:
        return isinstance(key, str) and ((_is_option(key) and key in self.namespace) or key in self.texts)

    def __repr__(self) -> str:
        return f"Config({str(self.path)!r}, {len(self)} options)"

    @property
    def options(self) -> dict[str, object]:
        """All options as a new dict."""
        return {key: self[key] for key in self}

    # --- what is not on this machine

    @property
    def assumed(self) -> _List[Assumed]:
        """What was not there and was taken for given, in the order in which it was asked for."""
        return list(self._assumed.values())

    def note_assumed(self, name: str, what: str) -> None:
        """Adds to what was assumed; of each name the first that was said."""
        self._assumed.setdefault(name, Assumed(name, what))

    # --- typed access

    def has(self, key: str) -> _Bool:
        """Is the option given?"""
        return key in self

    def is_typed(self, key: str) -> _Bool:
        """Does the option have a Python type, or is it a text?"""
        return _is_option(key) and key in self.namespace

    @property
    def typed_dict(self) -> dict[str, object]:
        """The typed options themselves; what is changed in it, is."""
        return self.namespace

    def is_of_type(self, key: str, types: type | tuple[type, ...]) -> _Bool:
        """Is the option typed, and an instance of a type?"""
        return self.is_typed(key) and isinstance(self.namespace[key], types)

    def get_of_type(self, key: str, types: type | tuple[type, ...], default: object = None) -> Any:
        """The typed option if it is an instance of a type, else ``default``."""
        return self.namespace[key] if self.is_of_type(key, types) else default

    def typed_value(self, key: str, default: object = None, index: _Int | None = None) -> Any:
        """The typed option, of a list the entry ``index``; ``default`` also where it is only given as text."""
        value = self.namespace[key] if self.is_typed(key) else default
        return value[index] if index is not None and isinstance(value, _List | tuple) else value

    def opt_typed_value(self, key: str, default: object = None) -> Any:
        """The typed option, else its text, else ``default``."""
        return self.get(key, default)

    def value(self, key: str, default: T, index: _Int | None = None, list_join_str: str = ",") -> str | T:
        """The option as text; lists joined."""
        value = self.namespace[key] if self.is_typed(key) else self.texts.get(key)
        if value is None:
            return default
        if isinstance(value, _List | tuple):
            return list_join_str.join(map(str, value)) if index is None else str(value[index])
        return str(value)

    string = value

    def int(self, key: str, default: T, index: _Int = 0) -> _Int | T:
        """The option as whole number."""
        value = self._entry(key, index)
        return default if value is None else self._read(key, value, _Int)

    def float(self, key: str, default: T, index: _Int = 0) -> _Float | T:
        """The option as number; texts such as ``"inf"`` count."""
        value = self._entry(key, index)
        return default if value is None else _Float(self._read(key, value, _Float))

    def bool(self, key: str, default: T, index: _Int = 0) -> _Bool | T:
        """The option as truth value: a bool, a whole number, or one of the words true/yes/on, false/no/off."""
        value = self._entry(key, index)
        if value is None or value == "":
            return default
        return _Bool(value) if isinstance(value, Integral) else self._read(key, value, _Bool)

    def bool_or_other(self, key: str, default: T, index: _Int = 0) -> Any:
        """The typed option, else its text as truth value if it is a word for one."""
        if self.is_typed(key):
            return self.typed_value(key, default, index)
        text = self._entry(key, index)
        if text is None or text == "":
            return default
        value = from_text(str(text), _Bool)
        return value if isinstance(value, _Bool) else text

    def is_true(self, key: str, default: _Bool = False) -> _Bool:
        """Is the option something true? Unlike :meth:`bool`, any object may be asked about."""
        return _Bool(self.namespace[key]) if self.is_typed(key) else self.bool(key, default)

    def list(self, key: str, default: _List[Any] | None = None) -> _List[Any]:
        """The option as list; a single value is a list of one."""
        value = self.namespace[key] if self.is_typed(key) else self.texts.get(key)
        if value is None:
            return [] if default is None else default
        return _List(value) if isinstance(value, _List | tuple) else [value]

    def int_list(self, key: str, default: _List[_Int] | None = None) -> _List[_Int]:
        """The option as list of whole numbers."""
        return [self._read(key, value, _Int) for value in self.list(key, default)]

    def float_list(self, key: str, default: _List[_Float] | None = None) -> _List[_Float]:
        """The option as list of numbers."""
        return [_Float(self._read(key, value, _Float)) for value in self.list(key, default)]

    def set(self, key: str, value: object) -> None:
        """Sets a typed option; also what functions of a Python config see."""
        self.namespace[key] = value

    def update(self, options: Mapping[str, object]) -> None:
        """Sets several typed options."""
        self.namespace.update(options)

    def with_options(self, options: Mapping[str, object]) -> Config:
        """The same config with other values of typed options, which functions of a Python config do not see.

        They count as what ``#config`` of a network says.
        """
        view = copy(self)
        view.namespace = {**self.namespace, **options}
        view.changed = self.changed | options.keys()
        return view

    def call_option(self, where: Callable[[], Origin], function: Callable[..., object], **options: object) -> Any:
        """Calls a function that an option of the config is or holds.

        Args:
            where: the option; told of an error that is in no line of the config, such as arguments that do not fit.
        """
        try:
            return self.call(function, **options)
        except ConfigError as error:
            if isinstance(error.where, Origin) and error.where.line is None:
                error.where = where()
            raise

    def _entry(self, key: str, index: _Int) -> object:
        value = self.namespace[key] if self.is_typed(key) else self.texts.get(key)
        if not isinstance(value, _List | tuple):
            return value
        if index >= len(value):
            raise self._error(key, f"at least {index + 1} entries", value)
        return value[index]

    def _read(self, key: str, value: object, kind: type[T]) -> T:
        """A value of the option by its type; a text of a typed option counts as a number that need not be whole."""
        if isinstance(value, str) and (kind is _Float or not self.is_typed(key)):
            value = from_text(value, kind)
        if fits(value, kind):
            return kind(value)  # type: ignore[call-arg]  # int, float or bool
        raise wrong_value(key, value, kind, self.origin(None, key))

    def _error(self, key: str, expected: str, received: object) -> ConfigError:
        return ConfigError(
            f"the option {key!r} has the wrong type",
            where=self.origin(None, key),
            expected=expected,
            received=f"{received!r} ({type(received).__name__})",
        )

    # --- places

    def add_source(self, read: Callable[[SourceMap], None]) -> None:
        """Adds a file to the source map; it is read only when a place is asked for."""
        self._sources.append(read)

    @cached_property
    def source_map(self) -> SourceMap:
        """Lines of layers and options."""
        result = SourceMap()
        for read in self._sources:
            with suppress(RecursionError):  # of a text that is nested too deeply no lines are known
                read(result)
        return result

    def origin(self, layer_path: str | None, key: str | None = None) -> Origin:
        """Where a layer (``"enc"``, ``"rec/sub"``), a key of it, or an option of the config (path None) was written."""
        if layer_path is None and key in self.changed:
            return self._place_of_change(str(key))
        if layer_path is None and key in self.overridden:
            return Origin(key=key, file="command line")
        file, line = self.source_map.find(layer_path, key)
        return Origin(layer=layer_path, key=key, file=file or str(self.path), line=line)

    def place(self, option: str, *keys: object) -> Origin:
        """Where a dict that is an option, or what it holds under ``keys``, was written; what is None is left away."""
        names = [str(key) for key in keys if key is not None]
        if option in self.changed:
            return self._place_of_change(".".join([option, *names]))
        if option in self.overridden:
            return Origin(key=".".join([option, *names]), file="command line")
        file, line = self.source_map.find_inside(option, names)
        return Origin(key=".".join([option, *names]), file=file or str(self.path), line=line)

    def _place_of_change(self, key: str) -> Origin:
        file, line = self.source_map.find("#config", key.partition(".")[0])
        return Origin(key=f"#config.{key}", file=file or str(self.path), line=line)

    # --- what a network needs

    @property
    def behavior_version(self) -> _Int:
        """RETURNN's behaviour version; 0 where the config does not say."""
        return self.int("behavior_version", 0)

    @cached_property
    def network(self) -> dict[str, Any] | None:
        """The ``network`` dict, read from its JSON file if the option names one; None if absent."""
        value = self.get("network")
        if value is None or isinstance(value, dict):
            return value
        if not isinstance(value, str):
            raise self._error("network", "a network dict, or the name of a JSON file with one", value)
        if value.lstrip().startswith("{"):
            return parse_json(value, str(self.path))
        return self._network_file(value)

    @property
    def network_is_code(self) -> _Bool:
        """Whether the network is written in Python; one in JSON, also in a file that a Python config names, is data."""
        return self.executed and (callable(self.get("get_network")) or not isinstance(self.get("network"), str))

    def _network_file(self, name: str) -> dict[str, Any]:
        """The network in a JSON file, which is looked for in the working directory and beside the config."""
        found = [file for file in (Path(name), self.path.parent / name) if file.is_file()]
        if not found:
            raise ConfigError(f"no such network file: {name}", where=self.origin(None, "network"))
        text = found[0].read_text(encoding="utf-8")
        network = parse_json(text, str(found[0]))
        self.source_map.add_json(str(found[0]), text, root="network")
        return network

    def extern_data_spec(self) -> dict[str, DataOptions]:
        """The inputs by data key, with RETURNN's options of ``extern_data`` for each."""
        return extern_data_spec(self)


def _is_option(key: str) -> bool:
    return key not in _HIDDEN and not (key.startswith("__") and key.endswith("__"))
