"""What a config says about updates, and what a layer says of its own parameters (``updater_opts``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Protocol

from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError
from returnn_ir.network.net import LayerDef, Net
from returnn_ir.options import Count, Described, Form, Key, Place, Range, checked, option_fields, read_options
from runtime.optimizers.gradients import GradientOptions
from runtime.optimizers.loss_scale import LossScaleOptions
from runtime.optimizers.options import ChosenOptimizer
from runtime.optimizers.schedule import StepSchedule

__all__ = ["LayersWishes", "UpdateOptions", "VariableOptions"]

_KEY = "updater_opts"


class LayersWishes(Protocol):
    """What the layers of a network say about updating a parameter; a ``Param`` has it."""

    @property
    def updater_opts(self) -> Mapping[str, Any]:
        """How to update it, in the optimizer's words."""

    @property
    def decay(self) -> float:
        """The factor of L2 that is no part of the loss."""


@dataclass(frozen=True, kw_only=True)
class _LayerKeys(GradientOptions):
    """``updater_opts``: gradient processing, and what only layers have.

    Attributes:
        optimizer: another update rule, or other options of the config's.
        tags: names for ``global_norm_tag``.
        debug_grad_summaries: without effect, there are no summaries.
    """

    optimizer: Annotated[
        Mapping[str, Any] | None, Form(lambda given: given or None), Described('a dict {"class": "adam", ...}')
    ] = None
    tags: Sequence[str] = ()
    debug_grad_summaries: Any = None


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's own options.

    Attributes:
        seed: of noise on gradients, any whole number.
        restart_every: see ``UpdateOptions``.
    """

    seed: Annotated[int, Range(), Key("random_seed")] = 42
    restart_every: Annotated[Count, Key("reset_updater_vars_mod_step")] = 0


@dataclass(frozen=True)
class VariableOptions:
    """How one variable is updated.

    Attributes:
        own: the optimizer is the layer's own; equal ones of several layers are one.
        tags: names for global norms of some variables.
    """

    optimizer: ChosenOptimizer
    gradients: GradientOptions
    own: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UpdateOptions:
    """What a config says about updates.

    Attributes:
        config: has defaults of the options of layers.
        chosen: the optimizer of variables whose layers say nothing.
        seed: of noise on gradients, any whole number.
        restart_every: the steps of an epoch after which all state starts again, as it does at its first; 0: never.
        loss_scale: of a training in float16.
    """

    config: Mapping[str, object]
    chosen: ChosenOptimizer
    gradients: GradientOptions
    schedule: StepSchedule
    seed: int
    restart_every: int
    loss_scale: LossScaleOptions

    @staticmethod
    def from_config(config: Mapping[str, object]) -> UpdateOptions:
        """Read the options; a UserError tells what is wrong."""
        keys = read_config(_Keys, config)
        return UpdateOptions(
            config,
            ChosenOptimizer.from_config(config),
            GradientOptions.from_config(config),
            StepSchedule.from_config(config),
            keys.seed,
            keys.restart_every,
            LossScaleOptions.from_config(config),
        )

    def of_variable(self, given: Mapping[str, Any], place: Place | None = None) -> VariableOptions:
        """How a variable is updated whose layer has these ``updater_opts``.

        Args:
            place: where an option of them stands (None: all of them).

        Raises:
            UserError: everything that is wrong.
        """
        if not given:
            return VariableOptions(self.chosen, self.gradients)
        place = place if place is not None else _named
        keys = checked(read_options(_LayerKeys, given, place, owner=_KEY, unset=True))
        said = {f.name: getattr(keys, f.name) for f in option_fields(GradientOptions) if f.keys[0] in given}
        optimizer = self.chosen
        if keys.optimizer is not None:
            optimizer = optimizer.of_layer(keys.optimizer, self.config, lambda key: place("optimizer"))
        gradients = replace(self.gradients, **said)
        return VariableOptions(optimizer, gradients, keys.optimizer is not None, frozenset(keys.tags))

    def maximizes_norm(self, params: Iterable[LayersWishes]) -> bool:
        """Whether a variable is updated by gradients of the gradients' norm."""
        return any(self.of_variable(param.updater_opts).gradients.maximize_norm for param in params)

    def check(self, net: Net) -> None:
        """Read what the layers of a network say, before anything is compiled.

        Raises:
            UserError: everything that is wrong.
        """
        problems: list[UserError] = []
        options: list[tuple[VariableOptions, Place]] = []
        for definition in net.all_layers():
            place = partial(_place, definition, net.config)
            try:
                options.append((self.of_variable(definition.options.updater_opts or {}, place), place))
            except ProblemList as error:
                problems.extend(error.problems)
            except UserError as error:
                problems.append(error)
        problems = problems or [*_unknown_tags(options), *_several_factors(options)]
        if problems:
            raise ProblemList(problems)


def _named(key: str | None) -> Origin:
    return Origin(key=_KEY if key is None else f"{_KEY}.{key}")


def _place(definition: LayerDef, config: Config | None, key: str | None) -> Origin:
    """Where an option of a layer's ``updater_opts`` stands: their own line."""
    return definition.key_origin(_KEY) if config is None else config.origin(definition.path, _KEY)


def _unknown_tags(options: Sequence[tuple[VariableOptions, Place]]) -> list[UserError]:
    """Global norms of variables that there are none of."""
    tags = {tag for how, _ in options for tag in how.tags}
    asked = {tag: place for how, place in options for tag in how.gradients.norm_tags if tag is not None}
    return [
        ConfigError(
            f"no layer has the tag {tag!r}, whose global norm is asked for",
            where=place(None),
            expected=", ".join(sorted(tags)) or "a tag of a layer: there is none",
            hint=f'updater_opts = {{"tags": [{tag!r}]}} in a layer with parameters',
        )
        for tag, place in asked.items()
        if tag not in tags
    ]


def _several_factors(options: Sequence[tuple[VariableOptions, Place]]) -> list[UserError]:
    """RETURNN takes the first factor that it comes to for all variables."""
    factors = {o.gradients.maximize_norm: place for o, place in options if o.gradients.maximize_norm}
    return [
        ConfigError(
            "maximize_grad_norm has several values",
            where=place(None),
            expected="one value, or 0 where it is off",
            received=", ".join(map(str, factors)),
        )
        for place in list(factors.values())[1:2]
    ]
