"""Which optimizer a config asks for, with RETURNN's defaults. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Any

from returnn_ir.config.read import place_of, read_config, read_option
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.options import Described, Form, Key, ZeroOrMore, shown

__all__ = ["OptimizerKind", "OptimizerOptions"]

DEFAULT_EPSILON = 1e-16  # RETURNN's, far below TensorFlow's 1e-8


class OptimizerKind(Enum):
    """The update rules. The value is how TensorFlow names the slots (see :attr:`OptimizerOptions.slot_suffix`)."""

    GRADIENT_DESCENT = "GradientDescent"
    MOMENTUM = "Momentum"
    SGD = "SGD"  # Keras' rule: the learning rate is inside of the momentum
    ADAM = "Adam"
    NADAM = "Nadam"


# ---------------------------------------------------------------- what a config may say


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's own options for optimizers.

    Attributes:
        optimizer: a dict with a class, or the class alone.
        momentum: without ``optimizer`` it chooses the momentum optimizer, with it it is the default of one.
        epsilon: the default of an optimizer that has one.
        adam: the old way to choose one; before behavior_version 2.
        nadam: as ``adam``.
    """

    optimizer: Annotated[
        Mapping[str, Any] | None,
        Form(lambda given: {"class": given} if given and isinstance(given, str) else given or None),
        Described('a dict {"class": "adam", ...}, or the class alone'),
    ] = None
    momentum: ZeroOrMore = 0.0
    epsilon: Annotated[ZeroOrMore, Key("optimizer_epsilon")] = DEFAULT_EPSILON
    adam: bool = False
    nadam: bool = False
    behavior_version: int = 0


@dataclass(frozen=True, kw_only=True)
class _GradientDescent:
    """What every optimizer takes.

    Attributes:
        kind: the class, in any case, with or without ``Optimizer`` behind.
        learning_rate_multiplier: for this optimizer's updates.
        name: of the slots in a checkpoint, instead of the class.
        use_locking: without effect, one process updates the variables.
    """

    kind: Annotated[str, Key("class")]
    learning_rate_multiplier: float = 1.0
    name: str | None = None
    use_locking: Any = None


@dataclass(frozen=True, kw_only=True)
class _Sgd(_GradientDescent):
    """Keras' gradient descent.

    Attributes:
        momentum: the share of the last update that is added to the next.
        nesterov: looks ahead by the momentum (Nesterov 1983).
    """

    momentum: ZeroOrMore | None = None
    nesterov: bool = False


@dataclass(frozen=True, kw_only=True)
class _Momentum(_GradientDescent):
    """Gradient descent with momentum (Polyak 1964).

    Attributes:
        momentum: the share of the last update that is added to the next.
        nesterov: looks ahead by the momentum (Nesterov 1983).
    """

    momentum: ZeroOrMore | None = None
    nesterov: Annotated[bool, Key("use_nesterov")] = False


@dataclass(frozen=True, kw_only=True)
class _Adam(_GradientDescent):
    """Adam (Kingma and Ba 2015), and Nadam (Dozat 2016).

    Attributes:
        beta1: the decay of the mean of the gradients.
        beta2: the decay of the mean of their squares.
        epsilon: added to the root of the latter.
    """

    beta1: ZeroOrMore = 0.9
    beta2: ZeroOrMore = 0.999
    epsilon: ZeroOrMore | None = None


_CLASSES: Mapping[str, tuple[OptimizerKind, type[_GradientDescent]]] = {
    "gradientdescent": (OptimizerKind.GRADIENT_DESCENT, _GradientDescent),
    "sgd": (OptimizerKind.SGD, _Sgd),
    "momentum": (OptimizerKind.MOMENTUM, _Momentum),
    "adam": (OptimizerKind.ADAM, _Adam),
    "nadam": (OptimizerKind.NADAM, _Adam),
}


# ---------------------------------------------------------------- what an optimizer gets


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
        return (self.beta1, self.beta2) if self.kind in (OptimizerKind.ADAM, OptimizerKind.NADAM) else ()

    @staticmethod
    def from_config(config: Mapping[str, object]) -> OptimizerOptions:
        """``optimizer = {"class": ...}``, else the old booleans, else ``momentum``, else gradient descent.

        Raises:
            UserError: everything that is wrong.
        """
        keys = read_config(_Keys, config)
        if keys.optimizer is None:
            return _from_old_options(keys, config)
        return _from_dict(keys.optimizer, keys, config)


def _class(name: object, config: Mapping[str, object]) -> tuple[OptimizerKind, type[_GradientDescent]]:
    where, expected = place_of(config, "optimizer"), "one of " + ", ".join(_CLASSES)
    if not isinstance(name, str):
        hint = 'optimizer = {"class": "adam"}'
        raise ConfigError(
            "the optimizer needs a class", where=where, expected=expected, received=shown(name), hint=hint
        )
    found = _CLASSES.get(name.lower().removesuffix("optimizer"))
    if found is None:
        near = did_you_mean(name.lower(), _CLASSES)
        raise ConfigError(f"unknown optimizer {name!r}", where=where, expected=expected, hint=near)
    return found


def _from_dict(chosen: Mapping[str, object], keys: _Keys, config: Mapping[str, object]) -> OptimizerOptions:
    kind, cls = _class(chosen.get("class"), config)
    owner, where = f"optimizer {chosen['class']!r}", place_of(config, "optimizer")
    if "learning_rate" in chosen:
        raise ConfigError(
            f"{owner} must not have its own learning rate",
            where=where,
            hint="set learning_rate in the config, and learning_rate_multiplier here for another scale",
        )
    given = read_option(cls, config, "optimizer", chosen, owner=owner)
    common = OptimizerOptions(kind, given.learning_rate_multiplier, name=given.name)
    match given:
        case _Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
            return replace(common, beta1=beta1, beta2=beta2, epsilon=keys.epsilon if epsilon is None else epsilon)
        case _Momentum() | _Sgd():
            momentum = keys.momentum if given.momentum is None else given.momentum
            if kind is OptimizerKind.MOMENTUM and given.momentum is None and not momentum:
                raise ConfigError(f"{owner} needs the option 'momentum'", where=where, hint='"momentum": 0.9')
            if kind is OptimizerKind.SGD and not momentum:
                kind = OptimizerKind.GRADIENT_DESCENT  # the same update, without a slot
            return replace(common, kind=kind, momentum=momentum, nesterov=given.nesterov)
    return common


def _from_old_options(keys: _Keys, config: Mapping[str, object]) -> OptimizerOptions:
    """``adam = True``, ``nadam = True``, ``momentum = 0.9``: allowed before behavior_version 2."""
    old_flags = {"adam": OptimizerKind.ADAM, "nadam": OptimizerKind.NADAM}  # in RETURNN's order of precedence
    for flag, kind in old_flags.items():
        if getattr(keys, flag):
            _require_old_version(keys, config, flag)
            if keys.momentum:
                raise ConfigError(
                    f"{flag} cannot be combined with momentum",
                    where=place_of(config, "momentum"),
                    hint="leave one of the two out",
                )
            return OptimizerOptions(kind=kind, epsilon=keys.epsilon)
    if keys.momentum:
        _require_old_version(keys, config, "momentum")
        return OptimizerOptions(kind=OptimizerKind.MOMENTUM, momentum=keys.momentum)
    return OptimizerOptions()


def _require_old_version(keys: _Keys, config: Mapping[str, object], key: str) -> None:
    if keys.behavior_version >= 2:
        hint = 'optimizer = {"class": "momentum", "momentum": ...}' if key == "momentum" else None
        raise ConfigError(
            f"the option {key!r} does not choose the optimizer from behavior_version 2 on",
            where=place_of(config, key),
            hint=hint or f'optimizer = {{"class": "{key}"}}',
        )
