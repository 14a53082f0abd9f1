"""The construction algorithms of a pretraining that RETURNN brings along, ``from_input`` and ``from_output``.

Both give the networks of the steps from small to large; the last is the whole one. A step that brings nothing new to
train is left out. Names with ``#`` in front are no layers: they are in each step. Layers come in the order of their
names where an order is needed, so that the result does not depend on how the dict was written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from returnn_ir.errors import ConfigError

__all__ = ["networks_from_input", "networks_from_output"]

NetDict = dict[str, Any]
Layers = Mapping[str, Mapping[str, Any]]

_DATA = "data"


def networks_from_input(network: NetDict, outputs: Collection[str]) -> list[NetDict]:
    """Networks that grow from the data on: those layers that are within 1, 2, ... layers, and all outputs.

    Layers that are not trained and follow on the data are in each of them. A source that is not there is replaced by
    what is behind it.
    """
    layers = _layers(network)
    steps: list[NetDict] = []
    while (names := _within(layers, len(steps) + 1)) is not None:
        kept = {*names, *(name for name in layers if _is_output(layers, name, outputs))}
        if not any(source in layers and source not in kept for name in kept for source in _sources(layers[name])):
            break
        steps.append(_others(network) | {name: _reading_from(layers, name, kept) for name in sorted(kept)})
    return _with_new_layers([*steps, network], outputs)


def networks_from_output(network: NetDict, outputs: Sequence[str], inputs: Collection[str]) -> list[NetDict]:
    """Networks that shrink from the outputs on: their sources are taken away, again and again.

    An output never reads an input, as that would change its parameters' shape.

    Raises:
        ConfigError: an output is no layer, or reads what is neither a layer nor an input.
    """
    steps: list[NetDict] = [network]
    while (smaller := _without_sources(_layers(network), steps[0], outputs, inputs)) is not None:
        steps.insert(0, smaller)
    return _with_new_layers(steps, outputs)


# ---------------------------------------------------------------- growing from the data


def _within(layers: Layers, distance: int) -> set[str] | None:
    """The layers within so many of the data, or of the untrained ones behind it; None if none is as far away."""
    found: set[str] = set()
    front = {_DATA}
    while new := {n for n in _readers(layers, front) if n not in found and not layers[n].get("trainable", True)}:
        found |= new
        front |= new
    for _ in range(distance):
        front = {name for name in _readers(layers, front) if name not in found}
        if not front:
            return None
        found |= front
    return found


def _readers(layers: Layers, sources: Collection[str]) -> Iterator[str]:
    return (name for name, layer in layers.items() if any(source in sources for source in _sources(layer)))


def _reading_from(layers: Layers, name: str, kept: Collection[str]) -> dict[str, Any]:
    """A layer whose sources are those that are there; the data only for one that reads nothing else."""
    layer = dict(layers[name])
    sources, found = _sources(layer), list[str]()
    _collect(layers, name, kept, found, {name})
    if sources != found:
        layer["from"] = [source for source in found if source != _DATA]
    return layer


def _collect(layers: Layers, name: str, kept: Collection[str], found: list[str], visited: set[str]) -> None:
    """The nearest sources of a layer that are there, in the order of reading."""
    for source in _sources(layers[name]):
        if source in kept or source not in layers:
            found.extend([source] if source not in found else [])
        elif source not in visited:
            visited.add(source)
            _collect(layers, source, kept, found, visited)


# ---------------------------------------------------------------- shrinking from the outputs


def _without_sources(
    whole: Layers, network: NetDict, outputs: Sequence[str], inputs: Collection[str]
) -> NetDict | None:
    """The next smaller network: something that is trained is gone, and no output reads an input; None if none is."""
    layers = dict(_layers(network))
    while True:
        read = {source for name in outputs for source in _output_sources(layers, name)}
        gone = {source for source in read if source not in inputs}
        wrong = next((source for source in sorted(gone) if source not in layers), None)
        if wrong is not None:
            raise ConfigError(
                "'from_output' can take away layers only",
                expected=f"outputs that read layers or one of the inputs ({', '.join(sorted(inputs))})",
                received=repr(wrong),
                hint="name it among the 'input_layers' of 'pretrain'",
            )
        trained = any(layers[source].get("trainable", True) for source in gone)
        layers = {name: layer for name, layer in layers.items() if name not in gone}
        behind = _behind(whole, layers, gone) | (read - gone)
        if behind == read:
            return None
        for name in outputs:
            if name not in layers:
                raise ConfigError("an output of the pretraining is the source of one", received=repr(name))
            layers[name] = {**layers[name], "from": sorted(behind)}
        if trained and not behind.intersection(inputs):
            return _others(network) | layers


def _behind(whole: Layers, kept: Layers, gone: Collection[str]) -> set[str]:
    """What is read by layers that are taken away, through all that are."""
    found: set[str] = set()
    visited, waiting = set(gone), list(gone)
    while waiting:
        for source in _sources(whole[waiting.pop()]):
            if source in kept or source not in whole:
                found.add(source)
            elif source not in visited:
                visited.add(source)
                waiting.append(source)
    return found


def _output_sources(layers: Layers, name: str) -> list[str]:
    if name not in layers:
        raise ConfigError(
            "there is no such output layer", expected=", ".join(sorted(layers)), received=repr(name),
            hint="'output_layers' of 'pretrain' names them",
        )  # fmt: skip
    return _sources(layers[name])


# ---------------------------------------------------------------- networks as dicts


def _layers(network: NetDict) -> Layers:
    """The layers by name; what is none of them is told where the network is parsed."""
    return {name: layer for name, layer in network.items() if _is_layer(name, layer)}


def _others(network: NetDict) -> NetDict:
    return {name: value for name, value in network.items() if not _is_layer(name, value)}


def _is_layer(name: object, value: object) -> bool:
    return isinstance(name, str) and not name.startswith("#") and isinstance(value, Mapping)


def _sources(layer: Mapping[str, Any]) -> list[str]:
    sources = layer.get("from", [_DATA])
    listed = sources if isinstance(sources, (list, tuple)) else [sources]
    return [source for source in listed if isinstance(source, str)]


def _is_output(layers: Layers, name: str, outputs: Collection[str]) -> bool:
    return name in outputs or layers[name].get("class") == "softmax" or "target" in layers[name]


def _with_new_layers(steps: list[NetDict], outputs: Collection[str]) -> list[NetDict]:
    """Those steps that have a layer to train which the one before has not, and the last; output layers do not count."""
    return [
        step
        for before, step in zip([{}, *steps], steps[:-1], strict=False)
        if any(
            name not in before and layer.get("trainable", True) and not _is_output(_layers(step), name, outputs)
            for name, layer in _layers(step).items()
        )
    ] + steps[-1:]
