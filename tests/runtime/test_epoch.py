"""The run loop without a config, on the NumPy target: what a step is fed, what stops it, that everything is closed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.errors import DataError
from runtime.cli import main
from runtime.datasets import Batch, BatchOptions, StaticDataset, StaticOptions
from runtime.tasks.epoch import EpochSummary, TakeResults, run_epoch

NET = """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "softmax", "from": "data", "loss": "ce"}}
"""
TWO = BatchOptions(batch_size=100, max_seqs=2)


def program(folder: Path, text: str = NET) -> Program:
    (folder / "net.py").write_text(text, encoding="utf-8")
    return compile_net(load(folder / "net.py"), target="reference", mode="eval")


def dataset(count: int = 5, **further: Any) -> StaticDataset:
    """Sequences of 1, 2, ... frames, all ones; their labels are 0. ``further`` replaces data of the last one."""
    seqs: list[dict[str, Any]] = [
        {"data": np.ones((n, 3), np.float32), "classes": np.zeros(n, np.int32)} for n in range(1, count + 1)
    ]
    seqs[-1] |= further
    return StaticDataset(StaticOptions(data=seqs, name="ones"))


def nothing(batch: Batch, results: Mapping[str, Array]) -> str:
    return ""


def run(made: Program, data: StaticDataset, take: TakeResults = nothing, **options: Any) -> EpochSummary:
    step = partial(made.run, params=made.initial_params())
    return run_epoch("try", made, step, take, dataset=data, epoch=1, batch_options=TWO, **options)


def loaders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "load ones"]


def test_each_batch_once_and_in_order(tmp_path: Path) -> None:
    made, seen = program(tmp_path), []

    def take(batch: Batch, results: Mapping[str, Array]) -> str:
        seen.append((batch.tags, float(results["loss/output"]), 1 / float(results["loss/output/norm_factor"])))
        return "taken"

    done = run(made, dataset(), take)
    assert (done.steps, done.num_seqs) == (3, 5)
    assert 0 <= done.computing_share <= 1 and done.seconds > 0
    assert [tags for tags, _, _ in seen] == [("seq-0", "seq-1"), ("seq-2", "seq-3"), ("seq-4",)]
    np.testing.assert_allclose([frames for _, _, frames in seen], [3, 7, 5], rtol=1e-6)
    weights = made.initial_params()["output/W"].sum(axis=0, dtype=np.float64)
    loss = np.log(np.exp(weights).sum()) - weights[0]
    np.testing.assert_allclose([total / frames for _, total, frames in seen], loss, rtol=1e-5)


def test_the_step_is_fed_what_the_program_reads(tmp_path: Path) -> None:
    """In its types, with the number of the batch in its epoch; further keys are only for whoever takes the results."""
    kept = '{"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "keep_over_epoch", "from": "data"}'
    made = program(tmp_path, f'extern_data = {{"data": {{"dim": 3}}}}\nnetwork = {{"output": {kept}}}')
    feeds, batches = [], []

    def step(feed: Mapping[str, Array]) -> Mapping[str, Array]:
        feeds.append(feed)
        return {f"check/{index}": np.array(True) for index in range(len(made.graph.checks))}

    def take(batch: Batch, results: Mapping[str, Array]) -> str:
        batches.append(sorted(batch.data))
        return ""

    data = dataset()
    run_epoch("try", made, step, take, dataset=data, epoch=1, batch_options=TWO, keys=["classes", "no such data"])
    assert [int(feed["epoch_step"]) for feed in feeds] == [0, 1, 2]
    assert {name: value.dtype.name for name, value in feeds[0].items()} == {
        spec.name: spec.dtype for spec in made.inputs
    }
    assert batches == [["classes", "data"]] * 3


def test_numbers_that_would_change_are_refused(tmp_path: Path) -> None:
    made = program(tmp_path)
    with pytest.raises(DataError) as caught:
        run(made, StaticDataset(StaticOptions(data=[_labels(1.0), _labels(0.5)], name="ones")))
    assert str(caught.value) == (
        "try: the data 'classes' does not fit into the type that the network reads\n"
        "  expected: int32\n  received: 0.5 (float32) in sequence 'seq-1'"
    )
    assert run(made, StaticDataset(StaticOptions(data=[_labels(1.0), _labels(2.0)], name="ones"))).steps == 1


def _labels(value: float) -> dict[str, Array]:
    return {"data": np.ones((2, 3), np.float32), "classes": np.full(2, value, np.float32)}


def test_what_stops_a_run_names_the_batch(tmp_path: Path) -> None:
    made = program(tmp_path)
    with pytest.raises(DataError) as caught:
        run(made, dataset(data=np.full((5, 3), np.inf, np.float32)))
    assert str(caught.value).startswith("try: the data is not finite: sequence 'seq-4', key 'data', frame 0")
    with pytest.raises(DataError) as caught:
        run(made, dataset(classes=np.full(5, 4, np.int32)))
    assert str(caught.value).startswith("try: a label of data 'classes' is out of range")
    assert not loaders()


def test_a_score_that_is_not_finite(tmp_path: Path) -> None:
    text = NET.replace('"loss": "ce"', '"loss": "ce", "loss_scale": 3e38')
    made = program(tmp_path, text)
    with pytest.raises(DataError) as caught, np.errstate(over="ignore"):
        run(made, dataset())
    assert str(caught.value) == (
        "try: the score is inf\n  received: batch with sequences seq-0, seq-1\n"
        "  try: a lower learning rate or gradient_clip; checkpoints of earlier epochs are kept"
    )
    with np.errstate(over="ignore"):
        assert run(made, dataset(), stop_on_nonfinite=False).steps == 3


def test_a_check_of_the_program(tmp_path: Path) -> None:
    """The loop looks at what the step says of it."""
    made = program(tmp_path)
    ((message, _),) = made.graph.checks

    def step(feed: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"check/0": np.array(len(feed["data"]) == 2)}

    data = dataset()
    with pytest.raises(DataError) as caught:
        run_epoch("try", made, step, nothing, dataset=data, epoch=1, batch_options=TWO)
    assert str(caught.value) == f"try: {message}\n  received: batch of seq-4"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_loader_ends_with_the_loop(tmp_path: Path, error: type[BaseException]) -> None:
    made, running = program(tmp_path), []

    def take(batch: Batch, results: Mapping[str, Array]) -> str:
        running.extend(loaders())
        raise error

    with pytest.raises(error):
        run(made, dataset(count=50), take)
    assert running == ["load ones"]
    assert not loaders()


# ---------------------------------------------------------------- the tasks above it

CONFIG = """
import numpy as np
from runtime.datasets import StaticDataset, StaticOptions

class Watched(StaticDataset):
    def close(self):
        with open(folder + "/closed", "a") as file:
            file.write(self.options.name + " ")

def watched(name):
    data = [{{"data": np.ones((2, 3), "float32"), "classes": np.zeros(2, "int32")}} for _ in range(3)]
    if name == broken:
        data[-1]["data"][1, 1] = np.nan
    return Watched(StaticOptions(data=data, name=name))

folder, broken = {folder!r}, None
task = "train"
train, dev = (lambda: watched("train")), (lambda: watched("dev"))
forward_data = search_data = lambda: watched("later")
extern_data = {{"data": {{"dim": 3}}, "classes": {{"dim": 4, "sparse": True}}}}
network = {{"output": {{"class": "softmax", "from": "data", "loss": "ce"}}}}
num_epochs, batch_size, learning_rate = 1, 2, 0.1
model = folder + "/net"
output_file = folder + "/out.hdf"
"""

OPENED = {"train": "dev train", "eval": "dev", "forward": "later", "search": "later"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "net.py").write_text(CONFIG.format(folder=str(folder)), encoding="utf-8")
    assert main([str(folder / "net.py")]) == 0
    return folder


@pytest.mark.parametrize("task", OPENED)
@pytest.mark.parametrize("broken", [False, True])
def test_each_task_closes_its_datasets(trained: Path, task: str, broken: bool) -> None:
    (trained / "closed").unlink(missing_ok=True)
    last = OPENED[task].split()[-1]
    options = ["++broken", repr(last)] if broken else []
    more = ["++num_epochs", "2"] if broken and task == "train" else []
    assert main([str(trained / "net.py"), "++task", task, *options, *more]) == (2 if broken else 0)
    assert (trained / "closed").read_text(encoding="utf-8").split() == OPENED[task].split()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("load ")]
    assert (trained / "out.hdf").exists() == (task == "forward" and not broken)
    (trained / "out.hdf").unlink(missing_ok=True)
