"""``task = "cleanup_old_models"``: the clean-up that a training makes after each epoch, by itself and confirmed."""

from __future__ import annotations

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError
from runtime.checkpoints.cleanup import CleanupOptions, cleanup_old_models, epochs_to_delete
from runtime.checkpoints.files import existing_checkpoints
from runtime.learning_rate import LearningRateControl
from runtime.tasks.log import log
from runtime.tasks.run_lock import lock_paths

__all__ = ["delete_old_models"]


def delete_old_models(config: Config) -> None:
    """Delete the checkpoints that ``cleanup_old_models`` does not keep, after somebody has said yes.

    Raises:
        ConfigError: the config names no model.
    """
    options = CleanupOptions.from_config(config) or CleanupOptions()
    model = config.get("model")
    if not isinstance(model, str) or not model:
        raise ConfigError("the config names no model", where=str(config.path), expected="model = 'PATH'")
    with lock_paths([model]):
        history = LearningRateControl.from_config(config).history
        scores = {epoch: data.scores for epoch, data in history.items()}
        removed = epochs_to_delete(options, existing_checkpoints(model), scores)
        if not removed:
            log("no checkpoint is to be deleted", 2)
        elif config.get("dry_run"):
            log(f"Dry-run, will not delete the models of epochs {removed}.", 2)
        elif _confirmed(f"We will delete the models of epochs {removed}."):
            cleanup_old_models(options, model, scores)
            log(f"deleted {len(removed)} checkpoints", 2)


def _confirmed(question: str) -> bool:
    """The answer of a person; nobody there to answer is a no."""
    try:
        return input(f"{question} Confirm? [yes/no] ").strip().lower() in ("y", "yes")
    except EOFError:
        log("not confirmed, nothing is deleted", 1)
        return False
