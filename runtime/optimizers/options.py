"""Which optimizer a config asks for, with RETURNN's defaults. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from returnn_ir.errors import ConfigError, Origin, did_you_mean
from runtime.options import OptionReader, refuse_unknown

__all__ = ["OptimizerKind", "OptimizerOptions"]

DEFAULT_EPSILON = 1e-16  # RETURNN's, far below TensorFlow's 1e-8


class OptimizerKind(Enum):
    """The update rules. The value is how TensorFlow names the slots (see :attr:`OptimizerOptions.slot_suffix`)."""

    GRADIENT_DESCENT = "GradientDescent"
    MOMENTUM = "Momentum"
    SGD = "SGD"  # Keras' rule: the learning rate is inside of the momentum
    ADAM = "Adam"
    NADAM = "Nadam"


_CLASSES: Mapping[str, OptimizerKind] = {
    "gradientdescent": OptimizerKind.GRADIENT_DESCENT,
    "sgd": OptimizerKind.SGD,
    "momentum": OptimizerKind.MOMENTUM,
    "adam": OptimizerKind.ADAM,
    "nadam": OptimizerKind.NADAM,
}
_COMMON_KEYS = ("class", "learning_rate_multiplier", "name", "use_locking")
_KEYS: Mapping[OptimizerKind, tuple[str, ...]] = {
    OptimizerKind.GRADIENT_DESCENT: (),
    OptimizerKind.SGD: ("momentum", "nesterov"),
    OptimizerKind.MOMENTUM: ("momentum", "use_nesterov"),
    OptimizerKind.ADAM: ("beta1", "beta2", "epsilon"),
    OptimizerKind.NADAM: ("beta1", "beta2", "epsilon"),
}
_OLD_FLAGS: Mapping[str, OptimizerKind] = {"adam": OptimizerKind.ADAM, "nadam": OptimizerKind.NADAM}
"""Old boolean options, in RETURNN's order of precedence."""


@dataclass(frozen=True)
class OptimizerOptions:
    """One optimizer. Fields that its kind does not use keep their defaults."""

    kind: OptimizerKind = OptimizerKind.GRADIENT_DESCENT
    learning_rate_multiplier: float = 1.0
    momentum: float = 0.0
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = DEFAULT_EPSILON
    name: str | None = None

    @property
    def slot_suffix(self) -> str:
        """The end of the slots' names: ``Adam`` in ``optimize/lin/W/Adam``. TensorFlow 1's Nadam says Adam too."""
        default = OptimizerKind.ADAM if self.kind is OptimizerKind.NADAM else self.kind
        return self.name or default.value

    @property
    def betas(self) -> tuple[float, ...]:
        """Adam's two decay rates; empty for rules without them."""
        return (self.beta1, self.beta2) if "beta1" in _KEYS[self.kind] else ()

    @staticmethod
    def from_config(config: Mapping[str, object]) -> OptimizerOptions:
        """``optimizer = {"class": ...}``, else the old booleans, else ``momentum``, else gradient descent."""
        chosen = config.get("optimizer")
        if isinstance(chosen, str) and chosen:
            chosen = {"class": chosen}
        if chosen:
            if not isinstance(chosen, Mapping):
                raise ConfigError(
                    "the optimizer must be a dict", where=Origin(key="optimizer"), received=repr(chosen),
                    hint='optimizer = {"class": "adam"}',
                )  # fmt: skip
            return _from_dict(chosen, OptionReader(config))
        return _from_old_options(OptionReader(config))


def _kind(name: object) -> OptimizerKind:
    if not isinstance(name, str):
        raise ConfigError(
            "the optimizer needs a class", where=Origin(key="optimizer"), received=repr(name),
            expected="one of " + ", ".join(_CLASSES), hint='optimizer = {"class": "adam"}',
        )  # fmt: skip
    kind = _CLASSES.get(name.lower().removesuffix("optimizer"))
    if kind is None:
        raise _unknown(name)
    return kind


def _unknown(name: str) -> ConfigError:
    return ConfigError(
        f"unknown optimizer {name!r}",
        where=Origin(key="optimizer"),
        expected="one of " + ", ".join(_CLASSES),
        hint=did_you_mean(name.lower(), _CLASSES),
    )


def _from_dict(chosen: Mapping[str, object], config: OptionReader) -> OptimizerOptions:
    kind = _kind(chosen.get("class"))
    owner = f"optimizer {chosen['class']!r}"
    if "learning_rate" in chosen:
        raise ConfigError(
            f"{owner} must not have its own learning rate",
            where=Origin(key="optimizer"),
            hint="set learning_rate in the config, and learning_rate_multiplier here for another scale",
        )
    refuse_unknown(chosen, (*_COMMON_KEYS, *_KEYS[kind]), owner, "optimizer")
    reader = OptionReader(chosen, owner, "optimizer")
    uses_momentum, uses_betas = "momentum" in _KEYS[kind], "beta1" in _KEYS[kind]
    default_momentum = config.non_negative("momentum", 0.0) if uses_momentum else 0.0
    momentum = reader.non_negative("momentum", default_momentum)
    if kind is OptimizerKind.MOMENTUM and not reader.has("momentum") and not momentum:
        raise ConfigError(f"{owner} needs the option 'momentum'", where=Origin(key="optimizer"), hint='"momentum": 0.9')
    if kind is OptimizerKind.SGD and not momentum:
        kind = OptimizerKind.GRADIENT_DESCENT  # the same update, without a slot
    return OptimizerOptions(
        kind=kind,
        learning_rate_multiplier=reader.number("learning_rate_multiplier", 1.0),
        momentum=momentum,
        nesterov=reader.flag("use_nesterov", reader.flag("nesterov", False)),
        beta1=reader.non_negative("beta1", 0.9),
        beta2=reader.non_negative("beta2", 0.999),
        epsilon=reader.non_negative("epsilon", _default_epsilon(config) if uses_betas else DEFAULT_EPSILON),
        name=reader.text("name"),
    )


def _default_epsilon(config: OptionReader) -> float:
    return config.non_negative("optimizer_epsilon", DEFAULT_EPSILON)


def _from_old_options(config: OptionReader) -> OptimizerOptions:
    """``adam = True``, ``nadam = True``, ``momentum = 0.9``: allowed before behavior_version 2."""
    momentum = config.non_negative("momentum", 0.0)
    for flag, kind in _OLD_FLAGS.items():
        if config.flag(flag, False):
            _require_old_version(config, flag)
            if momentum:
                raise ConfigError(
                    f"{flag} cannot be combined with momentum",
                    where=Origin(key="momentum"),
                    hint="leave one of the two out",
                )
            return OptimizerOptions(kind=kind, epsilon=_default_epsilon(config))
    if momentum:
        _require_old_version(config, "momentum")
        return OptimizerOptions(kind=OptimizerKind.MOMENTUM, momentum=momentum)
    return OptimizerOptions()


def _require_old_version(config: OptionReader, key: str) -> None:
    if config.integer("behavior_version", 0) >= 2:
        hint = 'optimizer = {"class": "momentum", "momentum": ...}' if key == "momentum" else None
        raise ConfigError(
            f"the option {key!r} does not choose the optimizer from behavior_version 2 on",
            where=Origin(key=key),
            hint=hint or f'optimizer = {{"class": "{key}"}}',
        )
