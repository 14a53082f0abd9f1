"""Which optimizer a config asks for, with RETURNN's defaults. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from returnn_ir.config.read import place_inside, place_of, read_config
from returnn_ir.errors import ConfigError, Origin, did_you_mean
from returnn_ir.options import (
    Described,
    Form,
    Key,
    Place,
    Probability,
    ZeroOrMore,
    checked,
    option_hints,
    read_options,
    shown,
)
from runtime.optimizers.registry import (
    EPSILON,
    OptimizerOptions,
    OptimizerSpec,
    find_optimizer,
    optimizer_names,
    why_not_built,
)

__all__ = ["ChosenOptimizer"]

#: Keys that choose the optimizer of their name before behavior_version 2, in RETURNN's order of precedence.
_OLD_KEYS = ("adam", "nadam", "adadelta", "adagrad", "rmsprop")


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's own options for optimizers.

    Attributes:
        optimizer: a dict with a class, or the class alone.
        momentum: without ``optimizer`` it chooses the momentum optimizer, with it it is the default of one.
        epsilon: the default of an optimizer that has one.
        adam: the old way to choose one; before behavior_version 2.
        nadam: as ``adam``.
        adadelta: as ``adam``.
        adagrad: as ``adam``.
        rmsprop: as ``adam``; a float is its decay.
    """

    optimizer: Annotated[
        Mapping[str, Any] | None,
        Form(lambda given: {"class": given} if given and isinstance(given, str) else given or None),
        Described('a dict {"class": "adam", ...}, or the class alone'),
    ] = None
    momentum: ZeroOrMore = 0.0
    epsilon: Annotated[ZeroOrMore, Key("optimizer_epsilon")] = EPSILON
    adam: bool = False
    nadam: bool = False
    adadelta: bool = False
    adagrad: bool = False
    rmsprop: bool | Probability = False
    behavior_version: int = 0


@dataclass(frozen=True)
class ChosenOptimizer:
    """An optimizer with its options."""

    spec: OptimizerSpec
    options: OptimizerOptions

    @property
    def slot_suffix(self) -> str:
        """The end of the slots' names: ``Adam`` in ``optimize/lin/W/Adam``."""
        return self.options.name or self.spec.slot_name

    @property
    def powers(self) -> dict[str, float]:
        """By name, what a checkpoint has to the power of the steps."""
        return {name: getattr(self.options, name) for name in self.spec.powers}

    @staticmethod
    def from_config(config: Mapping[str, object]) -> ChosenOptimizer:
        """``optimizer = {"class": ...}``, else the old keys, else ``momentum``, else gradient descent.

        Raises:
            UserError: everything that is wrong.
        """
        keys = read_config(_Keys, config)
        chosen = _from_old_options(keys, config) if keys.optimizer is None else keys.optimizer
        return _read(chosen, keys, place_inside(config, "optimizer"))

    def of_layer(self, given: Mapping[str, object], config: Mapping[str, object], place: Place) -> ChosenOptimizer:
        """The optimizer that ``updater_opts`` of a layer asks for; without a class it is of the class of this one.

        Args:
            given: its ``optimizer``.
            config: has the defaults of epsilon and momentum.
            place: where an option of it stands.

        Raises:
            UserError: everything that is wrong.
        """
        return _read({"class": self.options.kind, **given}, read_config(_Keys, config), place)


def _read(chosen: Mapping[str, object], keys: _Keys, place: Place) -> ChosenOptimizer:
    spec = _find(chosen.get("class"), place(None))
    owner = f"optimizer {chosen['class']!r}"
    if "learning_rate" in chosen:
        raise ConfigError(
            f"{owner} must not have its own learning rate",
            where=place(None),
            hint="set learning_rate in the config, and learning_rate_multiplier here for another scale",
        )
    given = {**chosen, **_defaults(spec, chosen, keys)}
    return ChosenOptimizer(spec, checked(read_options(spec.options, given, place, owner=owner, unset=True)))


def _find(name: object, where: Origin | str | None) -> OptimizerSpec:
    expected = "one of " + ", ".join(optimizer_names())
    if not isinstance(name, str):
        hint = 'optimizer = {"class": "adam"}'
        raise ConfigError(
            "the optimizer needs a class", where=where, expected=expected, received=shown(name), hint=hint
        )
    spec = find_optimizer(name)
    if spec is None:
        reason = why_not_built(name)
        if reason:
            raise ConfigError(f"the optimizer {name!r} is not available: {reason}", where=where, expected=expected)
        near = did_you_mean(name.lower(), optimizer_names())
        raise ConfigError(f"unknown optimizer {name!r}", where=where, expected=expected, hint=near)
    return spec


def _defaults(spec: OptimizerSpec, chosen: Mapping[str, object], keys: _Keys) -> dict[str, float]:
    """The config's values of options that are not given; as in RETURNN, a momentum of zero is none."""
    found = {"epsilon": keys.epsilon, **({"momentum": keys.momentum} if keys.momentum else {})}
    known = option_hints(spec.options)
    return {name: value for name, value in found.items() if name in known and chosen.get(name) is None}


def _from_old_options(keys: _Keys, config: Mapping[str, object]) -> dict[str, object]:
    """``adam = True``, ``rmsprop = 0.9``, ``momentum = 0.9``: allowed before behavior_version 2."""
    for key in _OLD_KEYS:
        value = getattr(keys, key)
        if value or isinstance(value, float):
            _require_old_version(keys, config, key)
            _refuse_momentum(keys, config, key)
            return {"class": key, **({"decay": value} if isinstance(value, float) else {})}
    if keys.momentum:
        _require_old_version(keys, config, "momentum")
        return {"class": "momentum"}
    return {"class": "gradientdescent"}


def _refuse_momentum(keys: _Keys, config: Mapping[str, object], key: str) -> None:
    if keys.momentum and "momentum" not in option_hints(_find(key, place_of(config, key)).options):
        where, hint = place_of(config, "momentum"), "leave one of the two out"
        raise ConfigError(f"{key} cannot be combined with momentum", where=where, hint=hint)


def _require_old_version(keys: _Keys, config: Mapping[str, object], key: str) -> None:
    if keys.behavior_version >= 2:
        hint = 'optimizer = {"class": "momentum", "momentum": ...}' if key == "momentum" else None
        raise ConfigError(
            f"the option {key!r} does not choose the optimizer from behavior_version 2 on",
            where=place_of(config, key),
            hint=hint or f'optimizer = {{"class": "{key}"}}',
        )
