"""Which options the golden cases use, and what a network becomes where one of them is left out or has another value."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from returnn_ir.config import Config, load_config
from returnn_ir.construct.construct import construct
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_registry import find_layer
from returnn_ir.network.net import parse_network
from returnn_ir.text.printer import print_graph
from tests.conformance.gaps import GOLDEN, all_cases

__all__ = ["NOT_READ", "Case", "Use", "golden_uses", "recorded_mode"]

#: Options whose dicts have options of their own, with what they belong to: ``loss ce``, ``unit lstm``.
NESTED = {"loss_opts": "loss", "unit_opts": "unit", "ctc_opts": "", "batch_norm": "", "scheduled_sampling": ""}
Network = Mapping[str, Any]


@dataclass(eq=False)
class Case:
    """A network with its config, which is loaded once, and the mode that it is built in."""

    name: str
    mode: str
    config: Config
    network: Network

    @cached_property
    def size(self) -> int:
        """Small ones are built first."""
        return len(repr(self.network))

    @cache  # noqa: B019 - the cases live as long as the tests
    def base(self, mode: str, everything: bool) -> str:
        """The text of the network as it is written."""
        return self.built(self.network, mode, everything)

    def built(self, network: Network, mode: str, everything: bool) -> str:
        """The text of a changed network, or the message with which it is refused."""
        try:
            net = parse_network(network, self.config)
        except UserError:
            return NOT_READ
        try:
            made = construct(net, mode, everything=everything)
        except UserError as error:
            return str(error)
        return print_graph(made.graph) + "".join(f"{name} {param.init}\n" for name, param in made.params.items())


@dataclass(frozen=True)
class Use:
    """One option of one layer of a case: the keys that lead to it in the network dict, and its value."""

    case: Case
    keys: tuple[str, ...]
    value: object

    def has_effect(self) -> bool:
        """Whether another value, or none, changes the text, in the recorded mode or where dropout and outputs matter.

        A value that the option's type already refuses shows nothing; that the option is missing does.
        """
        case = self.case
        without = _with(case.network, self.keys, _ABSENT)
        changed = [_with(case.network, self.keys, other) for other in _others(self.value)]
        for way in dict.fromkeys([(case.mode, True), ("train", True), (case.mode, False)]):
            base = case.base(*way)
            if case.built(without, *way) != base:
                return True
            if any(case.built(network, *way) not in (base, NOT_READ) for network in changed):
                return True
        return False


#: What a network is where its layer dicts are refused, before any layer was built.
NOT_READ = "not read"
_ABSENT = object()


def _others(value: object) -> list[object]:
    """Other values of the same kind, for options that repeat what follows from the rest of the network."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value + 0.25]
    if isinstance(value, str):
        return ["no-such-name"]
    if isinstance(value, Dim):
        return [Dim("other", 17)]
    if isinstance(value, Mapping):
        return [{**value, key: other} for key in value for other in _others(value[key])]
    if isinstance(value, (set, frozenset)):
        return [value | {Dim("other", 17)}]
    if isinstance(value, (list, tuple)) and value:
        return [type(value)([other, *value[1:]]) for other in _others(value[0])]
    return []


def _with(network: Network, keys: tuple[str, ...], value: object) -> dict[str, Any]:
    """The same dict with another value there; all that is beside the way to it is shared."""
    changed = dict(network)
    if len(keys) > 1:
        changed[keys[0]] = _with(network[keys[0]], keys[1:], value)
    elif value is _ABSENT:
        del changed[keys[0]]
    else:
        changed[keys[0]] = value
    return changed


def recorded_mode(case: str) -> str:
    """The mode that a golden case was recorded in; nothing else of its file is read."""
    with np.load(GOLDEN / f"{case}.npz") as archive:
        recorded = json.loads(str(archive["meta"]))["case"]
    return "train" if recorded.get("train") else "search" if recorded.get("search") else "eval"


def golden_uses() -> dict[tuple[str, str], list[Use]]:
    """Every (layer class, option) of the golden cases with its uses, those in small networks first."""
    found: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for name in all_cases():
        mode = recorded_mode(name)
        config = load_config(GOLDEN / f"{name}.py", ["++task", "search"] if mode == "search" else [])
        network = config.network
        assert network is not None, name
        case = Case(name, mode, config, network)
        for owner, option, keys, value in _options_in(network):
            found[owner, option].append(Use(case, keys, value))
    return {key: sorted(uses, key=lambda use: use.case.size) for key, uses in sorted(found.items())}


def _options_in(network: Network, around: tuple[str, ...] = ()) -> Iterator[tuple[str, str, tuple[str, ...], object]]:
    """(owner, option, keys, value) of every layer at any depth."""
    for name, raw in network.items():
        if not isinstance(raw, Mapping):
            continue
        keys = (*around, name)
        owner = raw.get("class")
        if isinstance(owner, str) and find_layer(owner) is not None:
            for option, value in raw.items():
                if option not in ("class", "from") and not option.startswith("#"):
                    yield owner, option, (*keys, option), value
                if option in NESTED and isinstance(value, Mapping):
                    prefix = f"{NESTED[option]} {raw.get(NESTED[option], 'default')}" if NESTED[option] else option
                    for inner in value:
                        yield prefix, inner, (*keys, option, inner), value[inner]
        yield from _options_in(raw, keys)
