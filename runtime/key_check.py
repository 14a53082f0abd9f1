"""What a run does not take of its config, told before data and models are loaded."""

from __future__ import annotations

import types
from collections.abc import Mapping

import numpy as np

from returnn_ir.config import Config, misspelt_keys, refused_keys
from returnn_ir.config.key import Run
from returnn_ir.dims import Dim
from returnn_ir.errors import ConfigError, ProblemList
from returnn_ir.layers.option_table import refused_in_run
from returnn_ir.network.net import Net, parse_network
from runtime.progress import log

__all__ = ["check_network_of_epochs", "checked_net", "same_network"]

_ASKED_EPOCHS = 100  # of a training without end
_SHOWN = 5


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
                received=f"another one in epoch {epoch}, {_difference(network, other)}",
            )


def same_network(first: object, second: object) -> bool:
    """Whether two network dicts, or parts of them, mean the same; dims and functions are made anew for each."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(same_network(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same_network, first, second))
    if isinstance(first, Dim) and isinstance(second, Dim):
        return (first.name, first.size) == (second.name, second.size)
    if isinstance(first, types.FunctionType) and isinstance(second, types.FunctionType):
        return first is second or _same_function(first, second)
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    return first is second or bool(type(first) is type(second) and first == second)


def _same_function(first: types.FunctionType, second: types.FunctionType) -> bool:
    """Whether their code is the same, and what it sees of the functions around it; functions there by their code."""
    seen = [[cell.cell_contents for cell in f.__closure__ or ()] + list(f.__defaults__ or ()) for f in (first, second)]
    codes = [[getattr(value, "__code__", value) for value in values] for values in seen]
    return first.__code__ == second.__code__ and same_network(*codes)


def _difference(first: Mapping[str, object], second: Mapping[str, object]) -> str:
    names = [n for n in {**first, **second} if not same_network(first.get(n), second.get(n))]
    return f"in {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''}"
