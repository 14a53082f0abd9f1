"""``task = "initialize_model"``: what a training would begin with, as the checkpoint ``model`` itself."""

from __future__ import annotations

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError
from runtime.checkpoints.files import save_model
from runtime.model.variables import Variables
from runtime.tasks.log import log
from runtime.tasks.run_lock import lock_paths
from runtime.tasks.setup import Setup, log_lines
from runtime.tasks.training.network import TrainedNetwork

__all__ = ["initialize_model"]


def initialize_model(config: Config) -> None:
    """Build the network of a training's first epoch, load what that begins with, and save its parameters.

    Raises:
        ConfigError: the config names no model.
        UserError: whatever a training refuses.
    """
    config.set("task", "train")
    setup = Setup.from_config(config)
    model = setup.options.model
    if model is None:
        raise ConfigError("the config names no model", where=str(config.path), expected="model = 'PATH'")
    setup.start_tensorflow()
    variables = Variables(setup.options.random_seed)
    network = TrainedNetwork(config, setup.schedule.stage(max(setup.start.epoch, 1)), variables)
    loading = setup.start.loading_of(network.net)
    if loading:
        log_lines(variables.load(loading, network.programs))
    if setup.options.dry_run:
        return
    with lock_paths([model]):
        save_model(model, variables.saved(network.programs))
    log(f"Save model under {model}", 4)
