"""The network that a training has now, and its change to that of another epoch."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.program.program import Program
from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.config.epoch_networks import network_difference, same_network
from returnn_ir.config.key import Verdict
from returnn_ir.config.keys import KEYS
from returnn_ir.config.network_schedule import Stage
from returnn_ir.construct.state import Param
from returnn_ir.network.net import Net, parse_network
from runtime.model.copy_params import importer_modes, reinitialized_outputs
from runtime.model.step import Step, TrainStep
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer
from runtime.tasks.evaluation_options import EvaluationOptions
from runtime.tasks.log import log
from runtime.tasks.setup import log_notes
from runtime.tasks.training.callback import NetworkCallback

__all__ = ["TrainedNetwork"]

_OPTIMIZER_OPTIONS = sorted(
    key.name for key in KEYS.values() if key.verdict is Verdict.DONE and key.reader.startswith("runtime.optimizers")
)


class TrainedNetwork:
    """The steps of one epoch's network over the variables of the run.

    Args:
        config: as given, without what a network sets.
        stage: the first network; its variables have initial values.
        variables: of the run.
        evaluated: how it is evaluated, for ``evaluation``; None: there are no data to evaluate on.
        callback: sees the parameters that a changed network takes over.
        always: each epoch counts as one of another network.

    Attributes:
        step: updates the variables.
        evaluation: computes losses; None where nobody wants it.
        stage: whose network this is.
        net: the parsed network.
    """

    step: TrainStep
    evaluation: Step | None
    stage: Stage
    net: Net

    def __init__(
        self,
        config: Config,
        stage: Stage,
        variables: Variables,
        *,
        evaluated: EvaluationOptions | None = None,
        callback: NetworkCallback | None = None,
        always: bool = False,
    ) -> None:
        self._config = config
        self._variables = variables
        self._evaluated = evaluated
        self._callback = callback
        self._always = always
        self._steps = Steps(variables)
        self._optimizer_options: object = None
        self._compile(stage)
        log_notes(*self.programs)

    @property
    def programs(self) -> list[Program]:
        """Of training, then of evaluation if there is any; a checkpoint has the variables of both."""
        return [self.step.program, *([self.evaluation.program] if self.evaluation is not None else [])]

    def change(self, stage: Stage, epoch: int) -> bool:
        """Become the network of an epoch; says whether it is another one than before.

        Its parameters take over those of the network before by the copy mode, and the optimizer starts anew.

        Raises:
            UserError: what is wrong with the network, or parameters that cannot be copied.
        """
        before = self.stage
        if not self._always and (stage is before or same_network(stage.definition, before.definition)):
            self.stage = stage
            return False
        if stage is not before:
            log(f"the network changes, {network_difference(before.definition, stage.definition)}")
        programs = self.programs
        self._compile(stage)
        self._take_over(stage, epoch)
        self.step.reset_optimizer()
        self._steps.keep([self.step, *([self.evaluation] if self.evaluation is not None else [])])
        log_notes(*(program for program in self.programs if not any(program is other for other in programs)))
        return True

    def _compile(self, stage: Stage) -> None:
        config = stage.config(self._config)
        self.net = net = parse_network(stage.network, config)
        options = {key: config[key] for key in _OPTIMIZER_OPTIONS if key in config}
        if not same_network(options, self._optimizer_options):
            self._optimizer_options = options
            self._steps.use_optimizer(Optimizer.create(config))
        self.step = self._steps.train(net)
        if self._evaluated is not None:
            self.evaluation = self._steps.get(net, self._evaluated.mode)
        else:  # a network that is not trained computes its losses in an epoch
            self.evaluation = None if stage.trainable else self._steps.get(net, "eval")
        self.stage = stage

    def _take_over(self, stage: Stage, epoch: int) -> None:
        params: dict[str, Param] = {name: p for program in self.programs for name, p in program.params.items()}
        modes = importer_modes(self.net, params)
        anew = set() if stage.copy_output_layer else reinitialized_outputs(self.net, params, copy_output_layer=False)
        old: Mapping[str, Array] | None = None
        if self._callback is not None:
            values = {name: value for name, value in self._variables.values().items() if name not in anew}
            old = self._callback.call(values, self._variables.steps_done, epoch, self.net)
        self._variables.change(self.programs, stage.copy_mode, anew=anew, modes=modes, old=old)
