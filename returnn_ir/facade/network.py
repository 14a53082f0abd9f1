"""RETURNN's layers, network and config, as ``self``, ``self.network`` and ``self.network.get_config()`` give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from returnn_ir.errors import UnsupportedError
from returnn_ir.facade.access import shown
from returnn_ir.facade.data import DataView
from returnn_ir.facade.view import View

__all__ = ["ConfigView", "LayerView", "NetworkView", "ProgramFacts", "SourceLayerView"]

T = TypeVar("T")


@dataclass(frozen=True)
class ProgramFacts(Generic[T]):
    """What config code may ask of the program that it is part of.

    Attributes:
        options: the config.
        rebind: makes a function of the config one that works on this kind of tensors; other values stay.
        step: the number of training steps so far, an int64 scalar.
        train_flag: the flag as code sees it, where a Python bool would not do (TensorFlow's ``cond``).
        training, searching, evaluating: the flags, constants of the program.
    """

    options: Mapping[str, Any]
    rebind: Callable[[Any], Any]
    step: Callable[[], T]
    train_flag: T | bool
    training: bool
    searching: bool
    evaluating: bool


@shown()
class ConfigView(View, Generic[T]):
    """The config."""

    def __init__(self, facts: ProgramFacts[T]) -> None:
        self._facts = facts

    def typed_value(self, key: str, default: Any = None, index: int | None = None) -> Any:
        """An option's value; a function of the config works on tensors too."""
        value = self._facts.rebind(self._facts.options.get(key, default))
        return value if index is None else value[index]

    value = typed_value

    def float(self, key: str, default: Any = None) -> Any:
        """A number."""
        return float(self.typed_value(key, default))

    def int(self, key: str, default: Any = None) -> Any:
        """An integer."""
        return int(self.typed_value(key, default))

    def bool(self, key: str, default: Any = None) -> Any:
        """A truth value."""
        return bool(self.typed_value(key, default))

    def has(self, key: str) -> Any:
        """Whether the config has the option."""
        return key in self._facts.options

    @property
    def typed_dict(self) -> Mapping[str, Any]:
        """All options."""
        return {key: self._facts.rebind(value) for key, value in self._facts.options.items()}


@shown("_config")
class NetworkView(View, Generic[T]):
    """The network."""

    def __init__(self, facts: ProgramFacts[T]) -> None:
        self._facts = facts

    def get_config(self) -> ConfigView[T]:
        """The config."""
        return ConfigView(self._facts)

    @property
    def _config(self) -> ConfigView[T]:
        return ConfigView(self._facts)

    @property
    def train_flag(self) -> T | bool:
        """Whether this program trains."""
        return self._facts.train_flag

    @property
    def search_flag(self) -> bool:
        """Whether this program searches."""
        return self._facts.searching

    @property
    def eval_flag(self) -> bool:
        """Whether losses are computed."""
        return self._facts.evaluating

    @property
    def global_train_step(self) -> T:
        """The number of training steps so far, int64."""
        return self._facts.step()

    def cond_on_train(self, fn_train: Callable[[], Any], fn_eval: Callable[[], Any]) -> Any:
        """One of both: the mode is known."""
        return fn_train() if self._facts.training else fn_eval()

    @property
    def parent_net(self) -> None:
        """Not asked for its own sake."""
        raise UnsupportedError("network.parent_net")


@shown("name", "output", "network")
class SourceLayerView(View, Generic[T]):
    """A source layer: ``self.sources[0]`` or ``source(0, as_layer=True)``."""

    def __init__(self, name: str, data: DataView[T], network: NetworkView[T]) -> None:
        self.name = name
        self.output = data
        self.network = network

    @property
    def search_choices(self) -> SearchChoicesView[T]:
        """The search that the source was decided in."""
        return SearchChoicesView(self.output)


@shown()
class SearchChoicesView(View, Generic[T]):
    """``self.sources[0].search_choices``, of a source that one hypothesis was decided on."""

    def __init__(self, data: DataView[T]) -> None:
        self._data = data

    @property
    def beam_scores(self) -> T:
        """The score of that hypothesis, [B, 1]."""
        return self._data._source.decided_score()


@shown("name", "network", "sources")
class LayerView(View, Generic[T]):
    """The layer that the code belongs to: ``self``."""

    def __init__(self, name: str, facts: ProgramFacts[T], sources: Sequence[SourceLayerView[T]]) -> None:
        self.name = name
        self.network = NetworkView(facts)
        self.sources = list(sources)
