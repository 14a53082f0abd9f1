"""Which network each epoch trains, and what comes with it: ``network``, ``get_network`` or ``pretrain``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.config.epoch_networks import same_network
from returnn_ir.config.network_values import copied
from returnn_ir.config.options import Config
from returnn_ir.config.pretrain import CopyMode, PretrainOptions, pretrain_networks
from returnn_ir.errors import ConfigError

__all__ = ["CopyMode", "NetworkSchedule", "Stage"]

_KEPT_STAGES = 8  # of get_network, which is asked for an epoch again soon, or not at all
_ASKED_EPOCHS = 100  # of a training without end


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

    def config(self, config: Config) -> Config:
        """The config as it is in this epoch."""
        options = {key: value for key, value in self.overlay.items() if key != "learning_rate"}
        return config.with_options(options) if options else config


class NetworkSchedule:
    """The networks of a training, by epoch.

    Args:
        pretraining: the dicts of the epochs of ``pretrain``, the first of them of epoch 1.
        options: of ``pretrain``.
    """

    def __init__(
        self, config: Config, pretraining: Sequence[dict[str, Any]] = (), options: PretrainOptions | None = None
    ) -> None:
        self._config = config
        self._pretraining = pretraining
        self._options = options or PretrainOptions()
        function = config.get("get_network")
        self._get_network: Callable[..., Any] | None = function if callable(function) else None
        self._stages: dict[int, Stage] = {}

    @staticmethod
    def from_config(config: Config) -> NetworkSchedule:
        """The schedule of a config; a pretraining makes all its networks here.

        Raises:
            UserError: what is wrong with the options of the pretraining, or with its construction algorithm.
        """
        options = PretrainOptions.from_config(config)
        if options is None:
            return NetworkSchedule(config)
        return NetworkSchedule(config, pretrain_networks(options, config, _network(config)), options)

    @property
    def pretrain_epochs(self) -> int:
        """The epochs that ``pretrain`` covers; 0 without."""
        return len(self._pretraining)

    def stage(self, epoch: int) -> Stage:
        """What an epoch trains (counted from 1). Epochs of equal networks may have the same object.

        Raises:
            UserError: there is no network, ``get_network`` failed, or a ``#`` name has a wrong value.
        """
        if epoch < 1:
            raise ConfigError("there is no such epoch", expected="1 or more", received=epoch)
        if epoch not in self._stages:
            while len(self._stages) >= _KEPT_STAGES:
                del self._stages[next(iter(self._stages))]
            self._stages[epoch] = self._make(epoch)
        return self._stages[epoch]

    def _make(self, epoch: int) -> Stage:
        """A stage; one whose dict is that of a stage that there is already, is that one."""
        is_pretrain = epoch <= self.pretrain_epochs
        if is_pretrain:
            definition = self._pretraining[epoch - 1]
        elif self._get_network is not None:
            definition = self._of_function(self._get_network, epoch)
        else:
            definition = self._pretraining[-1] if self._pretraining else _network(self._config)
        # without get_network, a network behind the pretraining stays as it is: it sets no more learning rates
        stays = not is_pretrain and self._get_network is None and epoch > 1
        return self._of_dict(definition, is_pretrain=is_pretrain, stays=stays)

    def _of_dict(self, definition: dict[str, Any], *, is_pretrain: bool, stays: bool) -> Stage:
        names = {name: value for name, value in definition.items() if str(name).startswith("#")}
        overlay = names.get("#config") or {}
        mode = names.get("#copy_param_mode", self._options.copy_param_mode if is_pretrain else None)
        return Stage(
            network={n: v for n, v in definition.items() if n not in names} if names else definition,
            overlay={k: v for k, v in overlay.items() if not (stays and k == "learning_rate")},
            copy_mode=mode,
            copy_output_layer=not is_pretrain or self._options.keeps_output_layers,
            trainable=names.get("#trainable", True),
            is_pretrain=is_pretrain,
            definition=definition,
        )

    def _of_function(self, function: Callable[..., Any], epoch: int) -> dict[str, Any]:
        network = self._config.call(function, epoch=epoch)
        if not isinstance(network, dict):
            raise ConfigError(
                "get_network must return a network dict",
                where=self._config.origin(None, "get_network"),
                received=f"{type(network).__name__} in epoch {epoch}",
            )
        result: dict[str, Any] = copied(network)  # the config may go on to change its dict
        return result

    def distinct_stages(self, last: int | None = None) -> list[tuple[int, Stage]]:
        """The different networks up to an epoch, each with the first epoch that it is trained in.

        Args:
            last: None: of a training without end, in which ``get_network`` is asked for the next 100 epochs.
        """
        final = self.pretrain_epochs + (_ASKED_EPOCHS if self._get_network is not None else 1)
        found: list[tuple[int, Stage]] = []
        for epoch in range(1, (final if last is None else max(last, 1)) + 1):
            if epoch > self.pretrain_epochs + 1 and self._get_network is None:
                break
            stage = self.stage(epoch)
            if not any(same_network(stage.definition, other.definition) for _, other in found):
                found.append((epoch, stage))
        return found


def _network(config: Config) -> dict[str, Any]:
    if config.network is None:
        raise ConfigError("the config has no network", where=str(config.path), expected="`network` or `get_network`")
    return config.network
