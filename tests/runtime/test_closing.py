"""However a run ends, the files of its datasets are closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from runtime.cli import main
from runtime.datasets import HDFDataset, HDFOptions, HDFWriter
from runtime.model.step import Step, TrainStep

CONFIG = """
folder = {folder!r}
train = dev = search_data = {{"class": "HDFDataset", "files": [folder + "/data.hdf"]}}
extern_data = {{"data": {{"dim": 3}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{"output": {{"class": "softmax", "from": "data", "loss": "ce"}}}}
batch_size = 20
num_epochs = 1
learning_rate = 0.1
model = folder + "/net"
search_output_layer = "output"
"""


def open_files() -> int:
    count: int = h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE)
    return count


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The config of a training that is done."""
    folder = tmp_path_factory.mktemp("closing")
    rng = np.random.default_rng(1)
    with HDFWriter(folder / "data.hdf", 3, ndim=2, extra_type={"classes": (2, 1, "int32")}) as writer:
        for i in range(8):
            frames, labels = rng.normal(size=(6, 3)).astype(np.float32), rng.integers(2, size=6).astype(np.int32)
            writer.insert_seq(f"seq-{i}", frames, extra={"classes": labels})
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder)), encoding="utf-8")
    assert main([str(path)]) == 0
    return str(path)


@pytest.fixture(autouse=True)
def nothing_stays_open(config: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The datasets are held here, so that no file is closed only because nobody knows it any more."""
    held: list[HDFDataset] = []
    make = HDFDataset.__init__

    def init(self: HDFDataset, options: HDFOptions) -> None:
        make(self, options)
        held.append(self)

    monkeypatch.setattr(HDFDataset, "__init__", init)
    assert open_files() == 0
    yield
    assert held
    assert open_files() == 0


@pytest.mark.parametrize("task", ["train", "eval", "forward", "search"])
def test_a_run_that_ends(config: str, tmp_path: Path, task: str) -> None:
    output = ["++output_file", str(tmp_path / "out.hdf")]
    assert main([config, "++task", task, "++num_epochs", "2", "++model", config.replace("net.py", "net"), *output]) == 0


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (ValueError("a bug"), 2)], ids=["interrupted", "bug"]
)
@pytest.mark.parametrize(("task", "kind"), [("train", TrainStep), ("train", Step), ("eval", Step)])
def test_a_run_that_fails_in_a_step(
    config: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    kind: type[Step] | type[TrainStep],
    error: BaseException,
    code: int,
) -> None:
    opened: list[int] = []

    def step(*args: object, **options: object) -> None:
        opened.append(open_files())
        raise error

    monkeypatch.setattr(kind, "__call__", step)
    model = ["++model", str(tmp_path / "net")] if task == "train" else []
    assert main([config, "++task", task, *model]) == code
    assert opened and opened[0] > 0


@pytest.mark.parametrize("task", ["forward", "search"])
def test_other_tasks_that_fail_in_a_step(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    opened: list[int] = []

    def feed(*args: object) -> None:
        opened.append(open_files())
        raise KeyboardInterrupt

    monkeypatch.setattr("runtime.tasks.epoch.checked_feed", feed)
    assert main([config, "++task", task, "++output_file", str(tmp_path / "out.hdf")]) == 130
    assert opened and opened[0] > 0


def test_a_dataset_that_does_not_fit(config: str, tmp_path: Path) -> None:
    """The second one is refused when the first one is open already."""
    wrong = "{'class': 'Task12AXDataset', 'num_seqs': 2}"
    assert main([config, "++model", str(tmp_path / "net"), "++dev", wrong]) == 2
