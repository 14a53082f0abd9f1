"""The LAYERS stage: the network dict, parsed. Typed options, resolved names, every problem reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from returnn_ir.behavior import Behavior
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError, did_you_mean
from returnn_ir.layers.options import LayerDict, LayerOptions, NetDict, layer_refs, parse_options
from returnn_ir.layers.registry import LayerSpec, find_layer, layer_names
from returnn_ir.network.naming import extra_prefix

if TYPE_CHECKING:
    from returnn_ir.config import Config

__all__ = ["LayerDef", "Net", "load_net", "parse_network"]


@dataclass(frozen=True)
class LayerDef:
    """One layer of a network dict.

    Attributes:
        children: the nested networks, by option.
        inner: the layers inside of this one (``LayerDict``), by option. They bear its name, and so do their parameters.
    """

    name: str
    path: str
    spec: LayerSpec
    options: LayerOptions
    sources: tuple[str, ...]
    origin: Origin
    raw: Mapping[str, Any]
    children: Mapping[str, Net] = field(default_factory=dict)
    inner: Mapping[str, LayerDef] = field(default_factory=dict)

    def sources_in(self, *, searching: bool) -> tuple[str, ...]:
        """The sources that are read in a search, or outside of one."""
        ignores = self.spec.ignores_sources
        return () if ignores is not None and ignores(self.options, searching) else self.sources

    def refs(self, sources: Sequence[str] | None = None) -> list[str]:
        """The names this layer needs, as its own network knows them; ``sources`` for only some of its sources."""
        found = [*(self.sources if sources is None else sources), *layer_refs(self.options)]
        if self.spec.extra_refs is not None:
            found.extend(self.spec.extra_refs(self.options))
        found.extend(t.removeprefix("layer:") for t in self.targets() if t.startswith("layer:"))
        found.extend(self.reused())
        for child in self.children.values():
            found.extend(child.outer_refs())
        for definition in self.inner.values():
            found.extend(definition.refs())
        return list(dict.fromkeys(found))

    def reused(self) -> list[str]:
        """The layers whose parameters this one takes."""
        return _reused_layers(self.options.reuse_params)

    def targets(self) -> list[str]:
        """The data keys, or ``layer:NAME``, that ``target`` names."""
        target = self.options.target
        return [target] if isinstance(target, str) else list(target or ())

    def nested_layers(self) -> list[LayerDef]:
        """The layers inside of this one, at any depth."""
        found = [layer for child in self.children.values() for layer in child.all_layers()]
        for definition in self.inner.values():
            found.extend([definition, *definition.nested_layers()])
        return found

    def key_origin(self, key: str) -> Origin:
        """Where an option of this layer stands."""
        return self.origin.with_key(key)


def _reused_layers(reuse: str | dict[str, Any] | None) -> list[str]:
    if isinstance(reuse, str):
        return [reuse]
    if not isinstance(reuse, dict):
        return []
    found = [reuse[key] for key in ("reuse_layer", "layer_output") if isinstance(reuse.get(key), str)]
    for part in (reuse.get("map") or {}).values():
        found.extend(_reused_layers(part if isinstance(part, (str, dict)) else None))
    return found


@dataclass
class Net:
    """A parsed network, or a nested one."""

    layers: dict[str, LayerDef]
    behavior: Behavior
    path: str = ""
    config: Config | None = None

    def outer_refs(self) -> list[str]:
        """What the layers of a nested network need of the network around it."""
        found: list[str] = []
        for definition in self.layers.values():
            found.extend(r.removeprefix("base:") for r in definition.refs() if r.startswith("base:"))
        return found

    def all_layers(self) -> list[LayerDef]:
        """Every layer, those of nested networks included."""
        found: list[LayerDef] = []
        for definition in self.layers.values():
            found.extend([definition, *definition.nested_layers()])
        return found


def parse_network(network: Mapping[str, Any], config: Config) -> Net:
    """Parse a whole network dict.

    Raises:
        ProblemList: unknown classes and options, wrong types, missing sources: everything that was found.
    """
    problems: list[UserError] = []
    behavior = Behavior.of(config.behavior_version)
    net = _parse(network, config, behavior, "", problems)
    if problems:
        raise ProblemList(problems)
    return net


def _parse(network: Mapping[str, Any], config: Config, behavior: Behavior, path: str, problems: list[UserError]) -> Net:
    layers: dict[str, LayerDef] = {}
    for name, raw in network.items():
        if name.startswith("#"):
            continue
        own = name.partition(":")[2] if extra_prefix(name) is not None else name  # parameters are shared by name
        full = f"{path}/{own}" if path else own
        if not isinstance(raw, Mapping):
            problems.append(ConfigError("a layer is a dict", where=config.origin(full), received=repr(raw)))
            continue
        definition = _parse_layer(own, raw, config, behavior, full, problems)
        if definition is not None:
            layers[name] = definition
    return Net(layers, behavior, path, config)


def _parse_layer(
    name: str, raw: Mapping[str, Any], config: Config, behavior: Behavior, path: str, problems: list[UserError]
) -> LayerDef | None:
    origin = config.origin(path)
    class_name = raw.get("class")
    spec = find_layer(class_name) if isinstance(class_name, str) else None
    if spec is None and class_name in config.own_layers:
        problems.append(
            ConfigError(
                f"the layer class {class_name!r} is Python code of the config, which cannot be compiled",
                where=config.origin(path, "class"),
                hint="an eval layer, or a subnetwork of RETURNN's layers",
            )
        )
        return None
    if spec is None:
        problems.append(
            ConfigError(
                f"unknown layer class {class_name!r}" if class_name is not None else "the layer has no 'class'",
                where=config.origin(path, "class") if class_name is not None else origin,
                hint=did_you_mean(str(class_name), layer_names()),
            )
        )
        return None
    try:
        sources = _sources(raw, behavior, origin, spec)
    except UserError as error:
        problems.append(error)
        return None
    body = {k: v for k, v in raw.items() if k not in ("class", "from")}
    options, wrong = parse_options(spec.options, body, lambda key: config.origin(path, key))
    problems.extend(wrong)
    if options is None:
        return None
    children = {
        f.name: _parse(value, config, behavior, path, problems)
        for f in fields(options)
        if isinstance(value := getattr(options, f.name), NetDict)
    }
    inner = {
        f.name: made
        for f in fields(options)
        if isinstance(value := getattr(options, f.name), LayerDict)
        and (made := _parse_layer(name, value, config, behavior, f"{path}/{f.name}", problems)) is not None
    }
    return LayerDef(name, path, spec, options, sources, origin, raw, children, inner)


def _sources(raw: Mapping[str, Any], behavior: Behavior, origin: Origin, spec: LayerSpec) -> tuple[str, ...]:
    """The names in ``from``; where there is none "data", if the layer or the behaviour version (before 1) says so."""
    if "from" not in raw:
        if spec.sources == "none":
            return ()
        if not (behavior.default_from_data or spec.reads_data):
            raise ConfigError(
                f"a {spec.name!r} layer needs 'from'",
                where=origin,
                hint="'from': 'data'; behavior_version 0 assumes it",
            )
        return ("data",)
    given = raw["from"]
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, (list, tuple)):
        names = [g[0] if isinstance(g, (list, tuple)) and g else g for g in given]  # concat: (layer, axis)
        if all(isinstance(n, str) for n in names):
            return tuple(n for n in names if n != "none")
    raise ConfigError(
        "'from' is not understood",
        where=origin.with_key("from"),
        expected="a layer name or a list of them",
        received=repr(given),
    )


def load_net(config: Config, epoch: int = 1) -> Net:
    """Parse the network of a loaded config.

    Raises:
        ConfigError: the config has none.
    """
    network = config.network_for_epoch(epoch)
    if network is None:
        raise ConfigError(
            "the config has no network", where=str(config.path), expected="network = {...} or get_network()"
        )
    return parse_network(network, config)
