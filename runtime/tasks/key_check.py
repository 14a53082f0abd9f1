"""What a run does not take of its config, told before data and models are loaded."""

from __future__ import annotations

from collections.abc import Mapping

from returnn_ir.config import Config, misspelt_keys, refused_keys
from returnn_ir.config.epoch_networks import network_difference, same_network
from returnn_ir.config.key import Run
from returnn_ir.errors import ConfigError, ProblemList
from returnn_ir.network.net import Net, parse_network
from returnn_ir.network.option_table import refused_in_run
from runtime.tasks.log import log

__all__ = ["check_network_of_epochs", "checked_net"]

_ASKED_EPOCHS = 100  # of a training without end


def checked_net(run: Run) -> Net:
    """The parsed network, after the table of keys and that of layer options were asked about this run.

    Raises:
        ProblemList: every key and option that is refused and whatever is wrong in the network, at once.
    """
    problems = refused_keys(run)
    net = None
    try:
        net = parse_network(run.network, run.config)
        problems.extend(refused_in_run(net, run.task))
    except ProblemList as error:
        problems.extend(error.problems)
    if net is None or problems:
        raise ProblemList(problems)
    for warning in misspelt_keys(run.config):
        log(f"warning: {warning}")
    return net


def check_network_of_epochs(config: Config, network: Mapping[str, object], first: int, last: int | None) -> None:
    """Refuse a ``get_network`` whose networks change while a training runs; without a last epoch, the next are asked.

    Args:
        network: that of the first epoch.

    Raises:
        ConfigError: the epoch at which it changes.
    """
    if not callable(config.get("get_network")):
        return
    for epoch in range(first + 1, (first + _ASKED_EPOCHS if last is None else last) + 1):
        other = config.network_for_epoch(epoch)
        if not same_network(network, other):
            raise ConfigError(
                "'get_network' is not available with networks that change: a training has one network",
                where=config.origin(None, "get_network"),
                expected=f"the network of epoch {first} in all epochs",
                received=f"another one in epoch {epoch}, {network_difference(network, other)}",
            )
