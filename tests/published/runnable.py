"""One config: all that ``returnn-run`` does of its training before TensorFlow, with stand-ins for its data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from compiler.program.named import build_named
from returnn_ir.config import Config, load_config
from returnn_ir.config.network_schedule import Stage
from returnn_ir.construct.construct import Expanded
from returnn_ir.errors import ProblemList, UserError
from returnn_ir.ir.graph import Graph
from returnn_ir.network.layer_registry import layer_names
from returnn_ir.network.loss_registry import find_loss
from returnn_ir.network.net import parse_network
from runtime.datasets import plan_epoch
from runtime.model.copy_params import plan_copy
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.evaluation_options import EvaluationOptions
from runtime.tasks.setup import Setup
from runtime.tasks.training.callback import NetworkCallback
from runtime.tasks.training.data import TrainingData
from runtime.tasks.training.train import TrainOptions
from tests.published.examine import cause
from tests.published.stand_in import standing_in
from tests.published.surroundings import Surroundings

__all__ = ["OUTCOMES", "RunOutcome", "examine_run", "preload_runs"]

#: From the first thing that can happen to the last.
OUTCOMES = ("not loaded", "refused", "died", "runs")


@dataclass(frozen=True)
class RunOutcome:
    """What became of one config.

    Attributes:
        config: its path.
        outcome: one of :data:`OUTCOMES`.
        cause: why it does not run: the first problem.
        others: all further problems that were found at once.
        networks: how many different ones were constructed.
        batches: in the first epoch.
        seconds: by step: load, options, networks, data.
    """

    config: str
    outcome: str
    cause: str = ""
    others: tuple[str, ...] = ()
    networks: int = 0
    batches: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class _Examination:
    """The steps that a config goes through, timed."""

    path: Path
    surroundings: Surroundings
    networks: int = 0
    batches: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> RunOutcome:
        """The steps up to the first that fails."""
        outcome, error = "runs", None
        started = monotonic()
        try:
            options = ["++task", "train", *self.surroundings.options(self.path)]
            config = load_config(self.path, options, assume=self.surroundings.assume)
        except Exception as wrong:
            outcome, error = "not loaded", wrong
        self._took("load", started)
        if error is None:
            try:
                with standing_in(config, Path.cwd()):
                    self._prepare(config)
            except UserError as wrong:
                outcome, error = "refused", wrong
            except Exception as wrong:
                outcome, error = "died", wrong
        causes = [cause(problem) for problem in _problems(error)]
        first, others = (causes or [""])[0], tuple(causes[1:])
        return RunOutcome(str(self.path), outcome, first, others, self.networks, self.batches, self.seconds)

    def _prepare(self, config: Config) -> None:
        """As ``runtime.tasks.training.train`` does, in its order."""
        started = monotonic()
        setup = Setup.from_config(config)
        TrainOptions.from_config(config)
        EvaluationOptions.from_config(config)
        NetworkCallback.from_config(config)
        started = self._took("options", started)
        first = setup.start.epoch + 1
        stages = setup.schedule.distinct_stages(setup.options.num_epochs, first=first)
        built: dict[int, Expanded] = {}
        before: Expanded | None = None
        for _, stage in stages:
            network = built.get(stage.build_key) or _build(config, stage)
            built[stage.build_key] = network
            self.networks = len(built)
            if before is not None:
                plan_copy(before.params, network.params, stage.copy_mode)
            before = network
        started = self._took("networks", started)
        self._plan(config, setup, first, stages[0][1], built[stages[0][1].build_key].graph)
        self._took("data", started)

    def _plan(self, config: Config, setup: Setup, epoch: int, stage: Stage, graph: Graph) -> None:
        then = setup.in_epoch(config, stage)
        options = replace(then.options.batch_options.started(epoch), recurrent=graph.recurrent)
        with TrainingData() as data:
            data.update(then)
            for name, dataset in {"train": data.train, **data.evaluated}.items():
                check_dataset(name, dataset, graph)
            keys = {str(node.attrs["name"]).partition("/")[0] for node in graph.nodes("input")} & set(data.train.specs)
            self.batches = sum(1 for _ in plan_epoch(data.train, epoch, options, keys=keys))

    def _took(self, step: str, started: float) -> float:
        now = monotonic()
        self.seconds[step] = round(now - started, 2)
        return now


def examine_run(path: Path, surroundings: Surroundings) -> RunOutcome:
    """Prepare the training of one config; whatever happens becomes its outcome."""
    return _Examination(path, surroundings).run()


def preload_runs() -> None:
    """Import what every config needs; the processes that examine them are forks of this one."""
    layer_names()
    find_loss("ce")


def _build(config: Config, stage: Stage) -> Expanded:
    return build_named(parse_network(stage.network, stage.config(config)), "train")


def _problems(error: Exception | None) -> list[Exception]:
    if isinstance(error, ProblemList):
        return [problem for one in error.problems for problem in _problems(one)]
    return [] if error is None else [error]
