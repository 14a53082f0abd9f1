"""RETURNN's layers, network and config, as ``self``, ``self.network`` and ``self.network.get_config()`` give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from returnn_ir.errors import ConfigError, UnsupportedError
from returnn_ir.facade.access import shown
from returnn_ir.facade.data import DataView
from returnn_ir.facade.data_template import DataTemplate
from returnn_ir.facade.view import View

__all__ = ["ConfigView", "LayerView", "NetworkLayers", "NetworkView", "ProgramFacts", "SourceLayerView"]

T = TypeVar("T")


class NetworkLayers(Protocol[T]):
    """The layers and data of a network, as code asks for them."""

    @property
    def name(self) -> str:
        """The network's path."""

    @property
    def parent(self) -> NetworkLayers[T] | None:
        """Those of the network around."""

    @property
    def rec_step(self) -> Callable[[], T] | None:
        """Gives the number of the step of the loop that the network stands in."""

    @property
    def data_keys(self) -> Sequence[str]:
        """The keys of the data."""

    def output(self, name: str) -> DataView[T]:
        """The output of a layer, or ``data:KEY``, built now if it was not yet."""

    def batch_size(self) -> T:
        """The number of sequences, an int32 scalar."""


@dataclass(frozen=True)
class ProgramFacts(Generic[T]):
    """What config code may ask of the program that it is part of.

    Attributes:
        options: the config.
        rebind: makes a function of the config one that works on this kind of tensors; other values stay.
        step: the number of training steps so far, an int64 scalar.
        rec_step: the number of the step of the loop that the code stands in; None where it stands in none.
        layers: what stands in the code's network and around it; None where code sees its own sources only.
        train_flag: the flag as code sees it, where a Python bool would not do (TensorFlow's ``cond``).
        training, searching, evaluating: the flags, constants of the program.
    """

    options: Mapping[str, Any]
    rebind: Callable[[Any], Any]
    step: Callable[[], T]
    rec_step: Callable[[], T] | None
    layers: NetworkLayers[T] | None
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

    # ---------------------------------------------------------------- inside of a loop

    def is_inside_rec_layer(self, inside_loop: bool = True) -> bool:
        """Whether the code stands in a loop."""
        return self._facts.rec_step is not None

    def have_rec_step_info(self) -> bool:
        """The same."""
        return self._facts.rec_step is not None

    def get_rec_step_index(self) -> T:
        """The number of the loop's step, int32, counted from 0."""
        if self._facts.rec_step is None:
            raise ConfigError("network.get_rec_step_index(), but the layer stands in no recurrent subnetwork")
        return self._facts.rec_step()

    # ---------------------------------------------------------------- other layers

    def _known(self, what: str) -> NetworkLayers[T]:
        if self._facts.layers is None:
            raise UnsupportedError(f"network.{what} in code that is not compiled")
        return self._facts.layers

    @property
    def name(self) -> str:
        """The network's path."""
        return self._known("name").name

    @property
    def parent_net(self) -> NetworkView[T] | None:
        """The network around this one."""
        parent = self._known("parent_net").parent
        if parent is None:
            return None
        return NetworkView(replace(self._facts, layers=parent, rec_step=parent.rec_step))

    def get_root_network(self) -> NetworkView[T]:
        """The outermost network."""
        parent = self.parent_net
        return self if parent is None else parent.get_root_network()

    def get_layer(self, layer_name: str) -> SourceLayerView[T]:
        """Another layer, or ``data:KEY``."""
        return SourceLayerView(layer_name, self._known("get_layer").output(layer_name), self)

    @property
    def layers(self) -> LayersView[T]:
        """The layers by name."""
        return LayersView(self)

    @property
    def extern_data(self) -> ExternDataView[T]:
        """The inputs."""
        return ExternDataView(self._known("extern_data"))

    def get_extern_data(self, key: str, mark_data_key_as_used: bool = True) -> DataView[T]:
        """An input."""
        return self._known("get_extern_data").output(f"data:{key}")

    def get_data_batch_dim(self) -> T:
        """The number of sequences."""
        return self._known("get_data_batch_dim").batch_size()


@shown()
class LayersView(View, Generic[T]):
    """``network.layers``."""

    def __init__(self, network: NetworkView[T]) -> None:
        self._network = network

    def __getitem__(self, name: str) -> SourceLayerView[T]:
        return self._network.get_layer(name)


@shown()
class ExternDataView(View, Generic[T]):
    """``network.extern_data``, and its dict ``data``."""

    def __init__(self, layers: NetworkLayers[T]) -> None:
        self._layers = layers

    @property
    def data(self) -> ExternDataView[T]:
        """The inputs by key."""
        return self

    def __contains__(self, key: str) -> bool:
        return key in self._layers.data_keys

    def __getitem__(self, key: str) -> DataView[T]:
        return self._layers.output(f"data:{key}")

    def keys(self) -> list[str]:
        """The keys."""
        return list(self._layers.data_keys)


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
    """The layer that the code belongs to: ``self``.

    Args:
        output: what its output is known to be.
    """

    def __init__(
        self,
        name: str,
        facts: ProgramFacts[T],
        sources: Sequence[SourceLayerView[T]],
        output: DataTemplate | None = None,
    ) -> None:
        self.name = name
        self.network = NetworkView(facts)
        self.sources = list(sources)
        self._output = output

    @property
    def output(self) -> DataTemplate:
        """The layer's output, which has no value yet."""
        if self._output is None:
            raise UnsupportedError("layer.output in code that is not compiled")
        return self._output
