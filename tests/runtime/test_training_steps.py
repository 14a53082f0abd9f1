"""Twenty steps of whole networks, compared with RETURNN's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import returnn_ir
from runtime.model.step import TrainStep
from runtime.model.steps import Steps
from runtime.model.variables import Variables
from runtime.optimizers import Optimizer

FOLDER = Path(__file__).parent / "data" / "trainings"  # see record_training.py
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
STEPS, BATCHES = (1, 20), 3


def _prepared(name: str, recorded: dict[str, Any]) -> tuple[TrainStep, float]:
    net = returnn_ir.load(FOLDER / f"{name}.py")
    assert net.config is not None
    optimizer = Optimizer.create(net.config)
    optimizer.options.check(net)
    step = Steps(Variables(), optimizer).train(net)
    for parameter, variable in step.variables.of(step.program).items():
        variable.assign(recorded[f"param/{parameter}"])
    return step, net.config.float("learning_rate", 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_same_parameters_as_returnn(name: str) -> None:
    recorded = dict(np.load(FOLDER / f"{name}.npz"))
    step, rate = _prepared(name, recorded)
    feeds = [
        {key.removeprefix(f"batch{k}/"): value for key, value in recorded.items() if key.startswith(f"batch{k}/")}
        for k in range(BATCHES)
    ]
    variables = step.variables.of(step.program)
    for number in range(1, max(STEPS) + 1):
        step(feeds[(number - 1) % BATCHES], rate)
        for parameter, variable in variables.items() if number in STEPS else ():
            expected, before = recorded[f"after{number}/{parameter}"], recorded[f"param/{parameter}"]
            np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5, atol=1e-5, err_msg=parameter)
            assert not np.array_equal(expected, before) or number == 1
