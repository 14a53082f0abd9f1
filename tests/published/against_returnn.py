"""One config against RETURNN: its network with random parameters, evaluated and searched; and three steps of training.

The network and what it calls are written as a config that needs no file (``tests/recording/config_text.py``). RETURNN's
own Python records what it computes for it, and each target is compared with that.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from compiler.check.case import check_case
from returnn_ir.config import Config, load_config
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.errors import UserError
from runtime.learning_rate import LearningRateControl
from runtime.tasks.training.train import train
from tests.published.changes import stay_here
from tests.published.examine import cause
from tests.published.narrow import narrowed
from tests.published.stand_in import Lengths, standing_in
from tests.published.surroundings import Surroundings
from tests.recording.config_text import CannotWrite, ConfigText

__all__ = ["OUTCOMES", "AgainstReturnn", "compare", "read_agreed"]

#: From the first thing that can happen to the last.
OUTCOMES = ("not loaded", "not written", "RETURNN fails", "refused", "differs", "died", "agrees")

_ROOT = Path(__file__).resolve().parents[2]
_BATCH = 2
_FRAMES = (12, 21)
_DRAWS = 3
_TARGETS = ("tf", "onnx")
_TRAINED = 4  # sequences of a step: the stand-in's ten in three steps
_SCALE = 0.1  # of random parameters: deep networks stay finite
#: By itself RETURNN constructs a layer within the one that reads it, which takes minutes for a deep conformer. With a
#: loop it must: flat, it does not find what a layer of the loop has outside of it.
_FLAT = {"flat_net_construction": "True"}
#: Options that do not say what a network computes, or say it where RETURNN would not look for the network.
_LEFT_OUT = ("network", "get_network", "pretrain", "train", "dev", "eval", "search_data", "forward_data", "debug")


@dataclass(frozen=True)
class AgainstReturnn:
    """What became of one config.

    Attributes:
        outcome: one of :data:`OUTCOMES`.
        cause: of what is not ``agrees``.
        narrow: by what the widths of layers were divided.
        parameters: how many numbers the parameters have.
        compared: by mode and target, how many outputs, losses and gradients were compared.
        largest: their largest differences.
        scores: of the steps of training.
        seconds: of all, RETURNN's included.
    """

    config: str
    outcome: str
    cause: str = ""
    narrow: int = 1
    parameters: int = 0
    compared: Mapping[str, int] = field(default_factory=dict)
    largest: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0


class _Failed(Exception):
    """An outcome that is not ``agrees``."""

    def __init__(self, outcome: str, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome


def compare(path: Path, surroundings: Surroundings, returnn_python: str, narrow: int = 1) -> AgainstReturnn:
    """Compare one config in the current folder, which is empty; whatever happens becomes its outcome.

    Args:
        narrow: by what the widths of layers are divided.
    """
    started = monotonic()
    compared: dict[str, int] = {}
    largest: dict[str, float] = {}
    scores: Mapping[str, float] = {}
    outcome, why = "agrees", ""
    try:
        framewise = _evaluate(_load(path, surroundings, "eval", narrow), returnn_python, compared, largest)
        searching = _load(path, surroundings, "search", narrow)
        if _searches(_network(searching)):
            case = _write_case(searching, "search", framewise=framewise)
            _record(case, returnn_python)
            for target in _TARGETS:
                _check(case, target, compared, largest)
        scores = _train(_load(path, surroundings, "train", narrow), framewise=framewise)
    except _Failed as failed:
        outcome, why = failed.outcome, str(failed)
    except UserError as error:
        outcome, why = "refused", cause(error)
    except Exception as error:
        outcome, why = "died", cause(error)
    return AgainstReturnn(
        str(path), outcome, why, narrow, _numbers(Path("eval.npz")), compared, largest, scores,
        round(monotonic() - started, 1),
    )  # fmt: skip


def read_agreed(found: Path | None, configs: Sequence[Path]) -> list[AgainstReturnn]:
    """Those of the configs that agreed in an earlier run, from the file with its outcomes."""
    if found is None or not found.exists():
        return []
    held = [AgainstReturnn(**fields) for fields in json.loads(found.read_text(encoding="utf-8"))]
    wanted = set(map(str, configs))
    return [outcome for outcome in held if outcome.outcome == "agrees" and outcome.config in wanted]


def _load(path: Path, surroundings: Surroundings, mode: str, narrow: int) -> Config:
    """The config with its last network, and what that network's epoch changes."""
    task = "search" if mode == "search" else "train"
    try:
        config = load_config(path, ["++task", task, *surroundings.options(path)], assume=surroundings.assume)
    except UserError as error:
        raise _Failed("not loaded", cause(error)) from error
    schedule = NetworkSchedule.from_config(config)
    stage = schedule.stage(schedule.final_epoch)
    config = stage.config(config)
    sizes = {options.size for options in config.extern_data_spec().values() if options.size is not None}
    config.update({"network": narrowed(stage.network, narrow, sizes)})
    for name in ("get_network", "pretrain"):
        config.namespace.pop(name, None)
    return config


def _network(config: Config) -> dict[str, Any]:
    network = config["network"]
    assert isinstance(network, dict)
    return network


def _evaluate(config: Config, returnn_python: str, compared: dict[str, int], largest: dict[str, float]) -> bool:
    """Compare the evaluation; gives whether labels are one per frame, which no option says: RETURNN fails otherwise.

    One of a few hundred thousand units may stand so near to the kink of its activation that rounding decides about its
    gradient. So another draw decides; what is wrong differs in each.
    """
    framewise = _record_eval(config, returnn_python)
    for seed in range(1, _DRAWS + 1):
        if seed > 1:
            _record(_write_case(config, "eval", framewise=framewise, seed=seed), returnn_python)
        try:
            for target in _TARGETS:
                _check(Path("eval.py"), target, compared, largest)
        except _Failed as failed:
            if failed.outcome != "differs" or "grad/" not in str(failed) or seed == _DRAWS:
                raise
        else:
            break
    return framewise


def _record_eval(config: Config, returnn_python: str) -> bool:
    try:
        _record(_write_case(config, "eval", framewise=False), returnn_python)
    except _Failed as first:
        if first.outcome != "RETURNN fails":
            raise
        try:
            _record(_write_case(config, "eval", framewise=True), returnn_python)
        except _Failed:
            raise first from None
        return True
    return False


def _write_case(config: Config, mode: str, *, framewise: bool, seed: int = 1) -> Path:
    """The config that RETURNN records."""
    network = _network(config)
    specs = config.extern_data_spec()
    lengths = Lengths(config, specs, np.random.default_rng(1), _BATCH, framewise=framewise, frames=_FRAMES)
    case = {
        "batch": _BATCH,
        "lens": {key: lengths.of(key) for key in specs},
        "fetch": [name for name, layer in network.items() if _is_output(name, layer, mode)],
        "param_scale": _SCALE,
        "seed": seed,
        "search": mode == "search",
        "grad": mode != "search",
    }
    path = Path(f"{mode}.py")
    out = ConfigText()
    for name, value in config.options.items():
        if not name.startswith(_LEFT_OUT):
            _define(out, name, value)
    try:
        construction = {} if _has_loop(network) else _FLAT
        ends = {**construction, "network": out.value(network), "case": repr(case)}
        path.write_text(out.text(str(config.path), ends))
    except CannotWrite as error:
        raise _Failed("not written", str(error)) from error
    return path


def _define(out: ConfigText, name: str, value: object) -> None:
    """An option that cannot be written is left out; a network that needs it fails where it is recorded."""
    try:
        out.define(name, value)
    except CannotWrite:
        return


def _searches(network: Mapping[str, Any]) -> bool:
    return any(
        layer.get("class") == "choice" or any(_searches(v) for v in layer.values() if isinstance(v, Mapping))
        for layer in network.values()
        if isinstance(layer, Mapping)
    )


def _has_loop(network: Mapping[str, Any]) -> bool:
    return any(isinstance(layer, Mapping) and isinstance(layer.get("unit"), Mapping) for layer in network.values())


def _is_output(name: str, layer: Any, mode: str) -> bool:
    """Whether RETURNN constructs the layer without another one that asks for it."""
    if not isinstance(layer, Mapping):
        return False
    left_out = "only_on_eval" if mode == "search" else "only_on_search"
    wanted = name == "output" or layer.get("is_output_layer") or layer.get("loss") or layer.get("class") == "decide"
    return bool(wanted) and not layer.get(left_out)


def _record(case: Path, returnn_python: str) -> None:
    command = [returnn_python, str(_ROOT / "tests" / "golden" / "record.py"), "--large", str(case.resolve())]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "FAILED" in line]
        raise _Failed("RETURNN fails", lines[-1].partition("FAILED: ")[2][:300] if lines else "its process died")


def _check(case: Path, target: str, compared: dict[str, int], largest: dict[str, float]) -> None:
    report, key = check_case(case, target), f"{case.stem} {target}"
    compared[key], largest[key] = len(report.layers), report.max_abs
    if not report.ok:
        raise _Failed("refused" if report.refused else "differs", f"{key}: {report.reason}")


def _train(config: Config, *, framewise: bool) -> Mapping[str, float]:
    """The scores of one epoch of three steps on data that stand in."""
    stay_here(config, 1)
    config.update({"max_seqs": _TRAINED})
    with standing_in(config, Path.cwd(), framewise=framewise):
        train(config)
    scores = dict(LearningRateControl.from_config(config).history[1].scores)
    wrong = [name for name, value in scores.items() if not np.isfinite(value)]
    if wrong:
        raise _Failed("died", f"{wrong[0]} is not finite")
    return scores


def _numbers(recorded: Path) -> int:
    """Of all parameters together."""
    if not recorded.exists():
        return 0
    with np.load(recorded) as arrays:
        return sum(int(arrays[key].size) for key in arrays.files if key.startswith("param/"))
