"""What is wrong with the networks of later epochs, told before a training begins."""

from __future__ import annotations

from returnn_ir.config import Config
from returnn_ir.config.network_schedule import NetworkSchedule, Stage
from returnn_ir.errors import ProblemList, UserError
from returnn_ir.network.net import parse_network
from runtime.optimizers import Optimizer
from runtime.tasks.run_options import RunOptions

__all__ = ["check_stages"]


def check_stages(config: Config, schedule: NetworkSchedule, last: int | None) -> None:
    """Read each network of a training and the options that come with it.

    Args:
        last: the last epoch; None: there is none.

    Raises:
        UserError: everything that is wrong in the first network, else in later ones, each with its epoch.
    """
    (_, first), *others = schedule.distinct_stages(last)
    _read(config, first)
    problems: list[UserError] = []
    for epoch, stage in others:
        try:
            _read(config, stage)
        except UserError as error:
            for problem in error.problems if isinstance(error, ProblemList) else [error]:
                problem.what += f" (in epoch {epoch})"
                problems.append(problem)
    if problems:
        raise ProblemList(problems)


def _read(config: Config, stage: Stage) -> None:
    config_then = stage.config(config)
    RunOptions.from_config(config_then)
    Optimizer.create(config_then).options.check(parse_network(stage.network, config_then))
