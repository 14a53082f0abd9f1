"""``pretrain``: its options, and the network of each epoch that it covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from returnn_ir.config.construction import networks_from_input, networks_from_output
from returnn_ir.config.network_names import CopyMode
from returnn_ir.config.network_values import copied, depends_on_epoch, of_epoch
from returnn_ir.errors import ConfigError, Origin
from returnn_ir.options import Count, Described, Form, checked, fits, from_text, read_options, shown

if TYPE_CHECKING:
    from returnn_ir.config.options import Config

__all__ = ["PretrainOptions", "pretrain_networks"]

NetDict = dict[str, Any]

#: The options that have a key of the config of their own, where ``pretrain`` does not say.
_KEYS = {
    "copy_output_layer": "pretrain_copy_output_layer",
    "greedy": "pretrain_greedy",
    "repetitions": "pretrain_repetitions",
    "construction_algo": "pretrain_construction_algo",
}
_MAX_STEPS = 10_000


def _names(given: object) -> object:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given


@dataclass(frozen=True, kw_only=True)
class PretrainOptions:
    """What ``pretrain`` says.

    Attributes:
        copy_param_mode: how parameters get into the next step's network.
        copy_output_layer: whether output layers keep their parameters; by default as ``copy_param_mode``.
        greedy: train the new layers only, which RETURNN does not have any more.
        repetitions: epochs of each step: of all, of one after the other (the last of them goes on), or by ``default``,
            number of the step (from 0) and ``final``.
        construction_algo: makes the networks. A function is called with the step and the network, until it gives none.
        output_layers: are in each network of the built-in algorithms.
        input_layers: behind which nothing is left to be taken away.
    """

    copy_param_mode: CopyMode | None = None
    copy_output_layer: bool | CopyMode | None = None
    greedy: bool | None = None
    repetitions: Annotated[
        Count | list[Count] | tuple[Count, ...] | dict[int | str, Count] | None,
        Described("a number of epochs, a list of them, or a dict by 'default', number of the step and 'final'"),
    ] = None
    construction_algo: Annotated[
        Literal["from_output", "from_input", "no_network_modifications"] | Callable[..., Any],
        Described("'from_output', 'from_input', 'no_network_modifications' or a function"),
    ] = "from_output"
    output_layers: Annotated[tuple[str, ...], Form(_names)] = ("output",)
    input_layers: Annotated[tuple[str, ...], Form(_names)] = ("data",)

    @property
    def keeps_output_layers(self) -> bool:
        """Whether output layers take the parameters that they had in the network before."""
        given = self.copy_output_layer
        return (self.copy_param_mode if given is None else given) not in (False, "reset")

    @staticmethod
    def from_config(config: Config) -> PretrainOptions | None:
        """Read the options; None where the config does not pretrain.

        Raises:
            ConfigError: an option that is wrong or not known.
            ProblemList: several.
        """
        value = config.get("pretrain")
        if not config.is_typed("pretrain") and isinstance(value, str):
            value = from_text(value, bool | None | str)
        if not value:
            return None
        if value is not True and value != "default" and not isinstance(value, Mapping):
            raise ConfigError(
                "there is no such pretraining",
                where=config.origin(None, "pretrain"),
                expected="a dict of options, or 'default'",
                received=shown(value),
            )
        given = dict(value) if isinstance(value, Mapping) else {}
        given.update((n, _of_key(config, n)) for n, key in _KEYS.items() if n not in given and key in config)

        place = partial(_place, config)
        return checked(read_options(PretrainOptions, given, place, owner="pretrain", unset=True))


def _place(config: Config, name: str | None) -> Origin:
    """Where an option stands: in ``pretrain``, or as a key of the config."""
    pretrain = config.get("pretrain")
    inside = isinstance(pretrain, Mapping) and name in pretrain
    own = _KEYS.get(name or "")
    return config.origin(None, own) if own in config and not inside else config.place("pretrain", name)


def _of_key(config: Config, name: str) -> object:
    value = config[_KEYS[name]]
    if config.is_typed(_KEYS[name]) or not isinstance(value, str):
        return value
    hints = {"greedy": bool | None, "repetitions": list[Count], "copy_output_layer": bool | str}
    return from_text(value, hints.get(name, str))


def pretrain_networks(options: PretrainOptions, config: Config, network: NetDict) -> list[NetDict]:
    """The network dict of each epoch; epochs of one step have the same object, unless it depends on the epoch.

    Raises:
        ConfigError: the algorithm gave what is no network, or the repetitions do not fit its steps.
    """
    steps = _steps(options, config, network)
    repetitions = _repetitions(options, config, steps)
    epochs: list[NetDict] = []
    for step, times in zip(map(_without_repetition, steps), repetitions, strict=True):
        first = len(epochs) + 1
        if depends_on_epoch(step):
            epochs.extend([of_epoch(step, epoch) for epoch in range(first, first + times)])
        else:
            epochs.extend([step] * times)
    if not epochs:
        raise ConfigError(
            "no step of the pretraining has an epoch",
            where=_place(config, "repetitions"),
            received=shown(options.repetitions),
        )
    if options.greedy and len(epochs) > 1:
        raise ConfigError(
            "only training new layers is not available, in RETURNN neither", where=_place(config, "greedy")
        )
    return epochs


def _steps(options: PretrainOptions, config: Config, network: NetDict) -> list[NetDict]:
    """The networks of the steps; the last one is the config's own."""
    algorithm = options.construction_algo
    if callable(algorithm):
        return _custom_steps(algorithm, config, network)
    if algorithm == "no_network_modifications":
        return [network]
    try:
        if algorithm == "from_input":
            return networks_from_input(network, options.output_layers)
        return networks_from_output(network, options.output_layers, options.input_layers)
    except ConfigError as error:
        error.where = error.where or _place(config, "construction_algo")
        raise


def _custom_steps(algorithm: Callable[..., Any], config: Config, network: NetDict) -> list[NetDict]:
    where = partial(_place, config, "construction_algo")
    steps: list[NetDict] = []
    while made := config.call_option(where, algorithm, idx=len(steps), net_dict=copied(network)):
        if not isinstance(made, dict):
            raise ConfigError(
                f"the construction algorithm gave no network in step {len(steps)}",
                where=where(),
                expected="a network dict, or None behind the last step",
                received=shown(made),
            )
        steps.append(made)
        if len(steps) > _MAX_STEPS:
            raise ConfigError(
                "the construction algorithm does not end",
                where=where(),
                expected="None instead of a network at some step",
                received=f"{_MAX_STEPS} networks",
            )
    return [*steps, network]


# ---------------------------------------------------------------- repetitions


def _repetitions(options: PretrainOptions, config: Config, steps: list[NetDict]) -> list[int]:
    """The epochs of each step."""
    given = options.repetitions or 1
    count, last = len(steps), len(steps) - 1
    where = partial(_place, config, "repetitions")
    if isinstance(given, dict):
        default = given.get("default", 1)
        result = [default] * count
        # 'final' comes last, as does the highest number
        for key in sorted((k for k in given if k != "default"), key=lambda k: (isinstance(k, str), k)):
            step = last if key == "final" else key
            if not isinstance(step, int) or not -count <= step < count:
                raise ConfigError(
                    "there is no such step of the pretraining",
                    where=where(),
                    expected=f"'default', 'final' or a number from 0 to {last}",
                    received=repr(key),
                )
            result[step] = given[key]
    else:
        listed = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(listed) > count:
            raise ConfigError(
                "there are more repetitions than steps of the pretraining",
                where=where(),
                expected=f"at most {count}",
                received=f"{len(listed)}: {listed}",
            )
        result = [*listed, *[listed[-1]] * (count - len(listed))]
    own = _own_repetitions(config, steps)
    return [own.get(i, times) for i, times in enumerate(result)]


def _own_repetitions(config: Config, steps: list[NetDict]) -> dict[int, int]:
    """``#repetition`` of steps; a dict that is given for several steps has it for the first of them."""
    found: dict[int, int] = {}
    seen: set[int] = set()
    for i, step in enumerate(steps):
        if "#repetition" not in step or id(step) in seen:
            continue
        seen.add(id(step))
        if not fits(step["#repetition"], Count):
            raise ConfigError(
                f"'#repetition' of step {i} of the pretraining is no number of epochs",
                where=_place(config, "construction_algo"),
                expected="int >= 0",
                received=shown(step["#repetition"]),
            )
        found[i] = step["#repetition"]
    return found


def _without_repetition(step: NetDict) -> NetDict:
    if "#repetition" not in step:
        return step
    return {name: value for name, value in step.items() if name != "#repetition"}
