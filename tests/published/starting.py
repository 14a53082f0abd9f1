"""``python -m tests.published.starting CHECKOUT``: are the options by which runs begin understood in every config?

The configs are executed, so the checkout must be trusted. No checkpoint is looked for.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from returnn_ir.config import Assumptions, Config, load_config
from returnn_ir.errors import UserError
from returnn_ir.network.net import parse_network
from runtime.checkpoints.cleanup import CleanupOptions
from runtime.checkpoints.importers import layer_importers
from runtime.checkpoints.preload import preloads_of
from runtime.learning_rate.last_best import LastBestOptions
from runtime.tasks.run_options import RunOptions
from runtime.tasks.start import find_start
from tests.published.configs import find_configs
from tests.published.surroundings import Surroundings

__all__: list[str] = []


def _import_layers(config: Config) -> object:
    network = config.network
    return layer_importers(parse_network(network, config)) if network else None


#: Of a key, what reads it.
READERS: dict[str, Callable[[Config], object]] = {
    "preload_from_files": preloads_of,
    "cleanup_old_models": CleanupOptions.from_config,
    "use_last_best_model": LastBestOptions.from_config,
    **dict.fromkeys(
        ("start_epoch", "load_ignore_missing_vars", "allow_random_model_init", "load", "import_model_train_epoch1"),
        lambda config: find_start(config, RunOptions.from_config(config)),
    ),
    "network": _import_layers,
}


def main(checkout: str) -> int:
    """Print how many configs have each key, and what is not understood; exit code 1 if anything is not."""
    counts, problems = Counter[str](), 0
    around = Surroundings(Assumptions(files=True), Path(checkout))
    for path in find_configs(Path(checkout)):
        config = _loaded(path, around)
        if config is None:
            continue
        counts["configs"] += 1
        for key, problem in _read(config):
            counts[key] += 1
            if problem is not None:
                problems += 1
                print(f"{path}: {key}: {problem}")
    print("\n".join(f"{count:5} {key}" for key, count in counts.most_common()))
    return 1 if problems else 0


def _loaded(path: Path, around: Surroundings) -> Config | None:
    quiet = io.StringIO()
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            return load_config(path, around.options(path), assume=around.assume)
    except Exception:  # ``python -m tests.published`` says why
        return None


def _read(config: Config) -> Iterator[tuple[str, UserError | None]]:
    for key, read in READERS.items():
        if key in config:
            try:
                read(config)
                yield key, None
            except UserError as error:
                yield key, error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
