"""The LAYERS stage: the network dict, parsed. Typed options, resolved names, every problem reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from returnn_ir.behavior import Behavior
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.config.returnn_classes import hint_for, not_known
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError
from returnn_ir.network.circles import Circles, reachable
from returnn_ir.network.layer_options import LayerDict, LayerOptions, NetDict, layer_refs, parse_options
from returnn_ir.network.layer_registry import LayerSpec, find_layer, layer_names
from returnn_ir.network.loss_registry import find_loss
from returnn_ir.network.naming import extra_prefix
from returnn_ir.network.nested_options import nested_problems
from returnn_ir.network.option_table import OptionVerdict, refused_options
from returnn_ir.options import shown

if TYPE_CHECKING:
    from returnn_ir.config import Config

__all__ = ["MAX_NESTING", "LayerDef", "Net", "load_net", "parse_network"]

#: How deep networks may stand inside of each other; building them needs Python's stack.
MAX_NESTING = 24
#: With what references begin that mean no layer of the network itself.
_RESERVED = ("data:", "prev:", "base:", "layer:", ":")


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

    def is_recurrent(self, output: object) -> bool:
        """Whether this layer with this output, or its loss, looks at other frames, see ``LayerSpec.recurrent``."""
        recurrent = self.spec.recurrent
        loss = find_loss(self.options.loss) if self.options.loss is not None else None
        own = recurrent(self.options, output) if callable(recurrent) else recurrent
        return own or (loss is not None and loss.recurrent)

    def refs(self, sources: Sequence[str] | None = None) -> list[str]:
        """The names this layer needs, as its own network knows them; ``sources`` for only some of its sources."""
        return list(dict.fromkeys([*(self.sources if sources is None else sources), *self._refs_of_options]))

    def needed(self, sources: Sequence[str] | None = None) -> list[str]:
        """The same without the layers of which only parameters are used: these may come later."""
        return list(dict.fromkeys([*(self.sources if sources is None else sources), *self._needed_by_options]))

    @cached_property
    def _refs_of_options(self) -> tuple[str, ...]:
        """What it needs besides its sources; found once, as nested networks are looked through for it."""
        found = [*self._own_refs(), *self.reused()]
        for child in self.children.values():
            found.extend(child.outer_refs())
        for definition in self.inner.values():
            found.extend(definition.refs())
        return tuple(dict.fromkeys(found))

    @cached_property
    def _needed_by_options(self) -> tuple[str, ...]:
        found = [*self._own_refs(), *_whole_layers(self.options.reuse_params)]
        for child in self.children.values():
            found.extend(child.outer_refs(LayerDef.needed))
        for definition in self.inner.values():
            found.extend(definition.needed())
        return tuple(dict.fromkeys(found))

    def _own_refs(self) -> list[str]:
        """What the options of this layer itself need, besides parameters."""
        found = layer_refs(self.options)
        if self.spec.extra_refs is not None:
            found.extend(self.spec.extra_refs(self.options))
        found.extend(t.removeprefix("layer:") for t in self.targets() if t.startswith("layer:"))
        return found

    def reused(self) -> list[str]:
        """The layers whose parameters, or output, are parameters of this one."""
        return _reused_layers(self.options.reuse_params, "reuse_layer", "layer_output")

    def targets(self) -> list[str]:
        """The data keys, or ``layer:NAME``, that ``target`` names."""
        target = self.options.target
        return [target] if isinstance(target, str) else list(target or ())

    @property
    def is_like_target(self) -> bool:
        """Whether the output's type is that of the target, whatever the sources are."""
        return self.spec.like_target and bool(self.targets())

    def nested_layers(self) -> list[LayerDef]:
        """The layers inside of this one, at any depth."""
        found = [layer for child in self.children.values() for layer in child.all_layers()]
        for definition in self.inner.values():
            found.extend([definition, *definition.nested_layers()])
        return found

    def origin_of(self, ref: str) -> Origin:
        """Where this layer names another one: the option, if one can be told."""
        if ref in self.sources:
            return self.key_origin("from")
        for option in fields(self.options):
            value = getattr(self.options, option.name)
            held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
            if any(isinstance(name, str) and name == ref for name in held):
                return self.key_origin(option.name)
        return self.origin

    def key_origin(self, key: str) -> Origin:
        """Where an option of this layer stands."""
        return self.origin.with_key(key)


def _whole_layers(reuse: str | dict[str, Any] | None) -> list[str]:
    """The layers whose outputs are parameters."""
    return _reused_layers(reuse, "layer_output")


def _reused_layers(reuse: object, *keys: str) -> list[str]:
    """The layers that ``reuse_params`` names under these keys; a text alone is a ``reuse_layer``."""
    if isinstance(reuse, str):
        return [reuse] if "reuse_layer" in keys else []
    if not isinstance(reuse, dict):
        return []
    found = [reuse[key] for key in keys if isinstance(reuse.get(key), str)]
    for part in (reuse.get("map") or {}).values():
        found.extend(_reused_layers(part, *keys))
    return found


@dataclass
class Net:
    """A parsed network, or a nested one."""

    layers: dict[str, LayerDef]
    behavior: Behavior
    path: str = ""
    config: Config | None = None
    _circles: dict[bool, Circles] = field(default_factory=dict, repr=False, compare=False)
    _between: dict[bool, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def layer_of(self, ref: str) -> str | None:
        """The layer that a name begins with; None for one from elsewhere."""
        if extra_prefix(ref) is not None:
            return None
        while ref and ref not in self.layers:
            ref = ref.rpartition("/")[0]
        return ref or None

    def circles(self, *, searching: bool) -> Circles:
        """Which layers need each other in a search, or outside of one, this step or the step before."""
        if searching not in self._circles:

            def needs(name: str) -> list[str]:
                definition = self.layers[name]
                refs = definition.refs(definition.sources_in(searching=searching))
                found = (self._own(ref) for ref in refs)
                return [own for own in found if own is not None]

            self._circles[searching] = Circles.of(self.layers, needs)
        return self._circles[searching]

    def between_recurrent(self, *, searching: bool) -> frozenset[str]:
        """The layers that need themselves, or need such a layer and are needed by one; "end" counts as one of them."""
        if searching not in self._between:
            needs = {
                name: {own for ref in d.refs(d.sources_in(searching=searching)) if (own := self._own(ref)) is not None}
                for name, d in self.layers.items()
            }
            needed_by: dict[str, set[str]] = {name: set() for name in needs}
            for name, others in needs.items():
                for other in others:
                    needed_by[other].add(name)
            core = self.circles(searching=searching).recurrent | {"end"} & self.layers.keys()
            self._between[searching] = frozenset(reachable(core, needs) & reachable(core, needed_by))
        return self._between[searching]

    def _own(self, ref: str) -> str | None:
        return self.layer_of(ref.removeprefix("prev:"))

    def outer_refs(self, of: Callable[[LayerDef], list[str]] = LayerDef.refs) -> list[str]:
        """What the layers of a nested network need of the network around it."""
        found: list[str] = []
        for definition in self.layers.values():
            found.extend(r.removeprefix("base:") for r in of(definition) if r.startswith("base:"))
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
    parser = _Parser(config, Behavior.of(config.behavior_version))
    net = parser.network(network)
    problems = parser.problems
    try:
        config.extern_data_spec()
    except ProblemList as error:
        problems = [*error.problems, *problems]
    if problems:
        raise ProblemList(problems)
    return net


class _Parser:
    """Reads layer dicts; what is wrong with them is collected in ``problems``."""

    def __init__(self, config: Config, behavior: Behavior) -> None:
        self.problems: list[UserError] = []
        self._config = config
        self._behavior = behavior
        self._around: list[int] = []  # the identities of the dicts that are being read, the outermost first

    def network(self, network: Mapping[Any, Any], path: str = "") -> Net:
        """A network dict, or a nested one."""
        layers: dict[str, LayerDef] = {}
        self._around.append(id(network))
        for name, raw in network.items():
            if isinstance(name, str) and name.startswith("#"):
                continue
            wrong = _wrong_name(name, self._config.origin(path or None, None if path else "network"))
            if wrong is not None:
                self.problems.append(wrong)
                continue
            own = name.partition(":")[2] if extra_prefix(name) is not None else name  # parameters are shared by name
            full = f"{path}/{own}" if path else own
            definition = self._layer(own, raw, full)
            if definition is not None:
                layers[name] = definition
        self._around.pop()
        return Net(layers, self._behavior, path, self._config)

    def _layer(self, name: str, raw: object, path: str) -> LayerDef | None:
        config = self._config
        if not isinstance(raw, Mapping):
            self.problems.append(ConfigError("a layer is a dict", where=config.origin(path), received=shown(raw)))
            return None
        origin = config.origin(path)
        try:
            spec = _layer_class(raw, config, path)
            sources = _sources(raw, self._behavior, origin, spec)
        except UserError as error:
            self.problems.append(error)
            return None
        body = {k: v for k, v in raw.items() if k not in ("class", "from")}
        options, wrong = parse_options(spec.options, body, lambda key: config.origin(path, key))
        self.problems.extend(wrong)
        if options is None:
            return None
        self.problems.extend(nested_problems(options, lambda key: config.origin(path, key)))
        children: dict[str, Net] = {}
        inner: dict[str, LayerDef] = {}
        for key in (f.name for f in fields(options)):
            value = getattr(options, key)
            if not isinstance(value, (NetDict, LayerDict)) or not self._enters(raw[key], path, key):
                continue
            if isinstance(value, NetDict):
                children[key] = self.network(raw[key], path)
            else:
                self._around.append(id(raw[key]))
                made = self._layer(name, raw[key], f"{path}/{key}")
                self._around.pop()
                inner.update({key: made} if made is not None else {})
        definition = LayerDef(name, path, spec, options, sources, origin, raw, children, inner)
        self.problems.extend(refused_options(definition, config, OptionVerdict.CHECK))
        return definition

    def _enters(self, nested: Mapping[Any, Any], path: str, key: str) -> bool:
        """Whether a nested network or layer can be read."""
        expected: str | None
        if id(nested) in self._around:
            what, expected = "the network contains itself", None
        elif len(self._around) >= MAX_NESTING:
            what, expected = "networks are nested too deeply", f"at most {MAX_NESTING} inside of each other"
        else:
            return True
        self.problems.append(ConfigError(what, where=self._config.origin(path, key), expected=expected))
        return False


def _wrong_name(name: object, where: Origin) -> UserError | None:
    """What is wrong with the name of a layer: no text, empty, or what references understand as something else."""
    if not isinstance(name, str):
        return ConfigError("the name of a layer must be a text", where=where, received=shown(name))
    own = name.partition(":")[2] if extra_prefix(name) is not None else name
    if not own:
        return ConfigError("the name of a layer is empty", where=where, received=repr(name))
    if own == "data" or own.startswith(_RESERVED):
        return ConfigError(
            f"the layer name {name!r} means something else",
            where=where,
            expected="a name other than 'data', without 'data:', 'prev:', 'base:', 'layer:' or ':' in front",
            hint="'data:KEY' is an input, 'prev:LAYER' the step before, 'base:LAYER' of the network around",
        )
    return None


def _layer_class(raw: Mapping[Any, Any], config: Config, path: str) -> LayerSpec:
    """The layer class that a layer dict names."""
    class_name = raw.get("class")
    where = config.origin(path, "class")
    if class_name is None:
        raise ConfigError("the layer has no 'class'", where=config.origin(path))
    if not isinstance(class_name, str):
        raise ConfigError("'class' must be the name of a layer class", where=where, received=shown(class_name))
    spec = find_layer(class_name)
    if spec is not None:
        return spec
    if class_name in config.own_layers:
        raise ConfigError(
            f"the config's own layer class {class_name!r} is TensorFlow code, which cannot be compiled",
            where=where,
            hint="an eval layer, or a subnetwork of RETURNN's layers",
        )
    what, hint = not_known("layer class", class_name), hint_for("layer class", class_name, layer_names())
    raise ConfigError(what, where=where, hint=hint)


def _sources(raw: Mapping[str, Any], behavior: Behavior, origin: Origin, spec: LayerSpec) -> tuple[str, ...]:
    """The names in ``from``; where there is none "data", if the layer or the behaviour version (before 1) says so."""
    if "from" not in raw:
        if spec.sources == "none":
            return ()
        if spec.without_from is not None:
            return spec.without_from
        if not behavior.default_from_data:
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
        received=shown(given),
    )


def load_net(config: Config, epoch: int | None = None) -> Net:
    """Parse the network of a loaded config.

    Args:
        epoch: counted from 1; None: the one that the training ends with.

    Raises:
        ConfigError: the config has none.
    """
    schedule = NetworkSchedule.from_config(config)
    stage = schedule.stage(schedule.final_epoch if epoch is None else epoch)
    return parse_network(stage.network, stage.config(config))
