"""A run: the config's ``task``, between the lines that open and close its log."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from returnn_ir.config import Config
from returnn_ir.config.execute import errors_of_functions
from returnn_ir.errors import ConfigError, did_you_mean
from runtime.tasks.cleanup import delete_old_models
from runtime.tasks.evaluate import evaluate
from runtime.tasks.forward import forward_to_hdf
from runtime.tasks.initialize import initialize_model
from runtime.tasks.log import hms_fraction, log, open_log
from runtime.tasks.priors import compute_priors
from runtime.tasks.search.search import search
from runtime.tasks.training.train import train

__all__ = ["TASKS", "run_task"]


def _nothing(config: Config) -> None:
    log("Task: No-operation", 1)


TASKS: Mapping[str, Callable[[Config], Any]] = {
    "train": train,
    "eval": evaluate,
    "forward": forward_to_hdf,
    "search": search,
    "compute_priors": compute_priors,
    "initialize_model": initialize_model,
    "cleanup_old_models": delete_old_models,
    "nop": _nothing,
}
"""Those of RETURNN that are here, by name."""

_NOT_BUILT = (
    "hpx", "analyze", "analyze_data", "hyper_param_tuning", "search_server", "debug_shell", "nop_init_net_train"
)  # fmt: skip
_CODE, _OPTIONAL_CODE = "config:", "optional-config:"


def run_task(config: Config) -> None:
    """Run the config's task, by default ``train``.

    Raises:
        ConfigError: there is no such task.
        UserError: whatever the task refuses.
    """
    name = str(config.value("task", "train"))
    task = _function_of(config, name) or _task(config, name)
    with open_log(config):
        started = time.monotonic()
        _log_start(config)
        _call_startup(config)
        with errors_of_functions(config):
            task(config)
        log(f"elapsed: {hms_fraction(time.monotonic() - started)}")
        log("Quitting", 4)


def _task(config: Config, name: str) -> Callable[[Config], Any]:
    if name in TASKS:
        return TASKS[name]
    raise ConfigError(
        f"the task {name!r} is not built" if name in _NOT_BUILT else f"there is no task {name!r}",
        where=config.origin(None, "task"),
        expected=f"{', '.join(TASKS)}, or {_CODE}NAME of a function of the config",
        hint=did_you_mean(name, TASKS),
    )


def _function_of(config: Config, name: str) -> Callable[[Config], Any] | None:
    """``config:NAME``, a function of the config without arguments; ``optional-config:NAME`` may be missing."""
    prefix = next((p for p in (_CODE, _OPTIONAL_CODE) if name.startswith(p)), None)
    if prefix is None:
        return None
    function = config.get(name.removeprefix(prefix))
    if function is None and prefix == _OPTIONAL_CODE:
        return lambda config: log(f"No task found for {name!r}, so just quitting.", 1)
    if not callable(function):
        raise ConfigError(
            f"the task {name!r} needs a function of the config",
            where=config.origin(None, "task"),
            received="nothing of that name" if function is None else type(function).__name__,
        )

    def call(config: Config) -> None:
        log(f"Task: {function!r}", 1)
        config.call(function)

    return call


def _call_startup(config: Config) -> None:
    """``startup_callback``, which a config may have; it may still change the config."""
    callback = config.typed_value("startup_callback")
    if not callback:
        return
    if not callable(callback):
        raise ConfigError(
            "'startup_callback' is no function",
            where=config.origin(None, "startup_callback"),
            expected="a function that takes config=...",
            received=repr(callback),
        )
    config.call(callback, config=config)


def _log_start(config: Config) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S (UTC%z)")
    place = f"pid {os.getpid()}, cwd {Path.cwd()}, Python {sys.executable}"
    log(f"returnn-run starting up, version {version('returnn-ir')}, date/time {now}, {place}")
    log(f"config: {config.path}", 4)
    log(f"Hostname: {socket.gethostname()}", 4)
    if config.get("dry_run"):
        log("Dry run, will not save anything.", 1)
