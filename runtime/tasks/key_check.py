"""What a run does not take of its config, told before data and models are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.analysis.external import external_problems
from compiler.program.mixed_precision import low_dtype
from returnn_ir.config import Config, misspelt_keys, refused_keys
from returnn_ir.config.key import Run
from returnn_ir.config.network_schedule import Stage, problems_by_epoch
from returnn_ir.construct.construct import construct
from returnn_ir.errors import ProblemList, UserError
from returnn_ir.network.net import Net, parse_network
from returnn_ir.network.option_table import refused_in_run
from runtime.checkpoints.importers import layer_importers
from runtime.model.copy_params import importer_modes
from runtime.optimizers import Optimizer
from runtime.tasks.log import log
from runtime.tasks.run_options import RunOptions

__all__ = ["checked_net"]


def checked_net(run: Run, config: Config, stages: Sequence[tuple[int, Stage]] = ()) -> Net:
    """The parsed network, after the table of keys and that of layer options were asked about this run.

    Args:
        config: as given; that of the run is as it is with its network.
        stages: the different networks of a training, that of the run first, each with the epoch that begins with it.

    Raises:
        ProblemList: every key and option that is refused and whatever is wrong in any network, at once; what only other
            networks have wrong is told with their epoch.
    """
    net, problems = _checked(run)
    problems.extend(_wrong_importers(net))
    if net is not None and not problems:
        problems.extend(_by_other_programs(net, run.task))
    first = stages[0][0] if stages else 1
    found = [(first, problem) for problem in problems]
    built = {stages[0][1].build_key} if len(stages) > 1 else set()  # the first network is compiled in any case
    for epoch, stage in stages:
        then, its_net = run, net
        if epoch != first:
            then = replace(run, config=stage.config(config), network=stage.network)
            its_net, its_problems = _checked(then)
            its_problems.extend(_wrong_importers(its_net, changed=True))
            found.extend((epoch, problem) for problem in its_problems)
            if its_net is not None and not its_problems and stage.build_key not in built:
                built.add(stage.build_key)
                found.extend((epoch, problem) for problem in _not_built(its_net))
        found.extend((epoch, problem) for problem in _wrong_options(then.config, its_net))
    problems = problems_by_epoch(found, first=first)
    if net is None or problems:
        raise ProblemList(problems)
    for warning in misspelt_keys(run.config):
        log(f"warning: {warning}")
    return net


def _checked(run: Run) -> tuple[Net | None, list[UserError]]:
    problems = refused_keys(run)
    net = None
    try:
        net = parse_network(run.network, run.config)
        problems.extend(refused_in_run(net))
    except ProblemList as error:
        problems.extend(error.problems)
    return net, problems


def _wrong_importers(net: Net | None, *, changed: bool = False) -> list[UserError]:
    """What is wrong with ``custom_param_importer`` of layers, where the network of before has other parameters, too."""
    if net is None:
        return []
    try:
        if changed:
            importer_modes(net, {})
        layer_importers(net)
    except ProblemList as error:
        return list(error.problems)
    return []


def _by_other_programs(net: Net, task: str) -> list[UserError]:
    """The losses that RASR computes, where a network says how to start it and the task has losses."""
    given = [options for one in net.all_layers() for options in (one.raw, one.raw.get("loss_opts") or {})]
    if task not in ("train", "eval") or not any("sprint_opts" in options for options in given):
        return []
    try:
        return list(external_problems(construct(net, task).graph))
    except UserError:
        return []  # told when it is compiled


def _not_built(net: Net) -> list[UserError]:
    """Why a network of later cannot be built; a training would come to it after hours."""
    try:
        return list(external_problems(construct(net, "train").graph))
    except UserError as error:
        return list(error.problems) if isinstance(error, ProblemList) else [error]


def _wrong_options(config: Config, net: Net | None) -> list[UserError]:
    """What is wrong with the options of a run and of its optimizer, which a network may change."""

    def read_updates(config: Config) -> None:
        options = Optimizer.create(config).options
        if net is not None:
            options.check(net)

    problems: list[UserError] = []
    for read in (RunOptions.from_config, read_updates, low_dtype):
        try:
            read(config)
        except UserError as error:
            problems.extend(error.problems if isinstance(error, ProblemList) else [error])
    return problems
