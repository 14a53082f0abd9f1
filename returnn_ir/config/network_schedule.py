"""Which network each epoch trains, and what comes with it: ``network``, ``get_network`` or ``pretrain``."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from typing import Any

from returnn_ir.config.epoch_networks import network_key, same_network
from returnn_ir.config.network_names import BUILT, CopyMode, read_names
from returnn_ir.config.network_values import copied, same_content
from returnn_ir.config.options import Config
from returnn_ir.config.pretrain import PretrainOptions, pretrain_networks
from returnn_ir.errors import ConfigError, ProblemList, UserError

__all__ = ["NetworkSchedule", "Stage", "problems_by_epoch"]

NetDict = dict[str, Any]

_KEPT = 8  # networks of get_network: it is asked for an epoch again soon, or not at all
_ASKED = 100  # epochs of a training without end


@dataclass(frozen=True)
class Stage:
    """What one epoch trains.

    Attributes:
        network: the layers by name, without what has ``#`` in front.
        overlay: the values of the config's options in this epoch (``#config``). A ``learning_rate`` is the epoch's
            entry in the learning-rate file, and no value of the option.
        copy_mode: how parameters get from the network before into this one; None: all that fit (``ifpossible``).
        copy_output_layer: whether output layers take part in that.
        trainable: whether the epoch changes parameters at all (``#trainable``).
        is_pretrain: whether this is an epoch of ``pretrain``.
        definition: the dict as given, ``#`` names included (but ``#repetition`` of a pretraining). Where that of the
            next epoch is not the same (``same_network``), the optimizer starts anew.
    """

    network: Mapping[str, Any]
    overlay: Mapping[str, Any]
    copy_mode: CopyMode | None
    copy_output_layer: bool
    trainable: bool
    is_pretrain: bool
    definition: Mapping[str, Any]

    @property
    def learning_rate(self) -> float | None:
        """What ``#config`` sets as the learning rate of this epoch."""
        rate: float | None = self.overlay.get("learning_rate")
        return rate

    @property
    def built_from(self) -> Mapping[str, Any]:
        """The layers and the options that come with them: all but learning rates, and how parameters are copied."""
        return {"layers": self.network, "options": self._options}

    @property
    def build_key(self) -> int:
        """A number that networks share of which either each or none can be built."""
        options = {key: value for key, value in self.overlay.items() if key in BUILT}
        return network_key({"layers": self.network, "options": options}, details=False)

    @property
    def _options(self) -> Mapping[str, Any]:
        return {key: value for key, value in self.overlay.items() if key != "learning_rate"}

    def config(self, config: Config) -> Config:
        """The config as it is in this epoch."""
        return config.with_options(self._options) if self._options else config


class _NoNetwork(ConfigError):
    """``get_network`` gives none for an epoch."""


class NetworkSchedule:
    """The networks of a training, by epoch.

    Args:
        pretraining: the dicts of the epochs of ``pretrain``, the first of them of epoch 1.
        options: of ``pretrain``.

    Raises:
        ConfigError: ``get_network`` is no function.
    """

    def __init__(
        self, config: Config, pretraining: Sequence[NetDict] = (), options: PretrainOptions | None = None
    ) -> None:
        self._config = config
        self._pretraining = pretraining
        self._options = options or PretrainOptions()
        self._get_network = _function(config)
        self._stages: dict[object, Stage] = {}
        self._made: dict[int, NetDict] = {}
        self._given: NetDict | None = None  # what get_network gave last, which may change, and a copy of it
        self._copy: NetDict = {}

    @staticmethod
    def from_config(config: Config) -> NetworkSchedule:
        """The schedule of a config; a pretraining makes all its networks here.

        Raises:
            UserError: what is wrong with the options of the pretraining, or with its construction algorithm, or
                ``get_network`` is no function.
        """
        options = PretrainOptions.from_config(config)
        if options is None:
            return NetworkSchedule(config)
        return NetworkSchedule(config, pretrain_networks(options, config, _network(config)), options)

    @property
    def pretrain_epochs(self) -> int:
        """The epochs that ``pretrain`` covers; 0 without."""
        return len(self._pretraining)

    @property
    def final_epoch(self) -> int:
        """The epoch whose network is the last: with ``get_network`` that of ``num_epochs``, if it has one."""
        first = self.pretrain_epochs + 1
        last = max(self._config.int("num_epochs", 5), first) if self._get_network is not None else first
        while last > first and not self._has_network(last):
            last -= 1
        return last

    def stage(self, epoch: int) -> Stage:
        """What an epoch trains (counted from 1). Epochs of one step of a pretraining have the same object.

        Raises:
            UserError: there is no network, ``get_network`` failed, or a ``#`` name has a wrong value.
        """
        if epoch < 1:
            raise ConfigError("there is no such epoch", expected="1 or more", received=epoch)
        is_pretrain = epoch <= self.pretrain_epochs
        definition = self._definition(epoch)
        # without get_network, a network behind the pretraining stays as it is: it sets no more learning rates
        stays = not is_pretrain and self._get_network is None and epoch > 1
        kind = id(definition), is_pretrain, stays
        if kind not in self._stages:
            self._stages[kind] = self._of_dict(definition, is_pretrain=is_pretrain, stays=stays)
        return self._stages[kind]

    def _definition(self, epoch: int) -> NetDict:
        if epoch <= self.pretrain_epochs:
            return self._pretraining[epoch - 1]
        if self._get_network is None:
            return self._pretraining[-1] if self._pretraining else _network(self._config)
        if epoch not in self._made:
            while len(self._made) >= _KEPT:
                forgotten = self._made.pop(next(iter(self._made)))
                if not any(forgotten is other for other in self._made.values()):
                    self._stages.pop((id(forgotten), False, False), None)
            self._made[epoch] = self._of_function(self._get_network, epoch)
        return self._made[epoch]

    def _has_network(self, epoch: int) -> bool:
        try:
            self._definition(epoch)
        except _NoNetwork:
            return False
        return True

    def _of_function(self, function: Callable[..., Any], epoch: int) -> NetDict:
        where = partial(self._config.origin, None, "get_network")
        network = self._config.call_option(where, function, epoch=epoch)
        if not isinstance(network, dict):
            raise _NoNetwork(
                "get_network must return a network dict",
                where=where(),
                received=f"{type(network).__name__} in epoch {epoch}",
            )
        if network is not self._given or not same_content(network, self._copy):
            self._copy = copied(network)  # the config may go on to change its dict
            self._given = network
        return self._copy

    def _of_dict(self, definition: NetDict, *, is_pretrain: bool, stays: bool) -> Stage:
        names, problems = read_names(definition, self._config, pretrains=bool(self._pretraining))
        if problems:
            raise ProblemList(problems)
        layers = {name: value for name, value in definition.items() if name not in names.given}
        return Stage(
            network=layers if names.given else definition,
            overlay={k: v for k, v in names.overlay.items() if not (stays and k == "learning_rate")},
            copy_mode=names.copy_mode(self._options.copy_param_mode if is_pretrain else None),
            copy_output_layer=not is_pretrain or self._options.keeps_output_layers,
            trainable=names.trainable,
            is_pretrain=is_pretrain,
            definition=definition,
        )

    # ---------------------------------------------------------------- all of them

    def distinct_stages(self, last: int | None = None, *, first: int = 1) -> list[tuple[int, Stage]]:
        """The different networks of a training, each with the first epoch that it is trained in.

        Two are the same here if they are built the same: learning rates and how parameters are copied do not count.

        An epoch for which ``get_network`` gives none ends the training when it is reached, as in RETURNN.

        Args:
            last: the last epoch; None: of a training without end, in which ``get_network`` is asked for 100 epochs.
            first: the epoch that the training starts with.

        Raises:
            UserError: what is wrong beside the layers, of all networks at once, each with its epoch.
        """
        found: dict[int, list[tuple[int, Stage]]] = {}
        problems: list[tuple[int, UserError]] = []
        before: NetDict | None = None
        for epoch in self._asked(first, last):
            try:
                with redirect_stdout(io.StringIO()):  # what get_network tells of epochs that are far away
                    definition = self._definition(epoch)
            except _NoNetwork as error:
                problems.extend([(epoch, error)] if epoch == first else [])
                break  # the training ends here, in RETURNN with an exception
            except UserError as error:
                problems.append((epoch, error))
                break  # it fails in the next epochs, too
            if definition is before:
                continue
            before = definition
            try:
                stage = self.stage(epoch)
            except UserError as error:
                problems.append((epoch, error))
                continue
            like = found.setdefault(network_key(stage.built_from), [])
            if not any(same_network(stage.built_from, other.built_from) for _, other in like):
                like.append((epoch, stage))
        if problems:
            raise ProblemList(problems_by_epoch(problems, first=first))
        return sorted((pair for pairs in found.values() for pair in pairs), key=lambda pair: pair[0])

    def _asked(self, first: int, last: int | None) -> range:
        """The epochs that may have different networks."""
        if self._get_network is None:
            behind = max(self.pretrain_epochs + 1, first)
            return range(first, (behind if last is None else min(behind, max(last, first))) + 1)
        return range(first, (max(self.pretrain_epochs, first) + _ASKED if last is None else max(last, first)) + 1)


def _function(config: Config) -> Callable[..., Any] | None:
    given: object = config.typed_value("get_network")
    if not given:
        return None
    if not callable(given):
        raise ConfigError(
            "'get_network' is no function",
            where=config.origin(None, "get_network"),
            expected="a function of the epoch that returns a network dict",
            received=repr(given),
        )
    return given


def problems_by_epoch(problems: Iterable[tuple[int, UserError]], *, first: int = 1) -> list[UserError]:
    """Problems of the networks of several epochs, with the epoch that has them first, unless that is ``first``."""
    told: dict[str, UserError] = {}
    for epoch, error in problems:
        for problem in error.problems if isinstance(error, ProblemList) else [error]:
            text = str(problem)
            if text not in told:
                told[text] = problem
                problem.what += f" (in epoch {epoch})" if epoch != first else ""
    return list(told.values())


def _network(config: Config) -> NetDict:
    if config.network is None:
        raise ConfigError("the config has no network", where=str(config.path), expected="`network` or `get_network`")
    return config.network
