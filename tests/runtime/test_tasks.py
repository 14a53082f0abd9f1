"""``returnn-run`` end to end on small real data: training, scores, checkpoints, resume, and what stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from runtime.cli import main
from runtime.datasets import HDFWriter

CONFIG = """
import os
folder = {folder!r}
train = {{"class": "HDFDataset", "files": [folder + "/train.hdf"], "seq_ordering": "random"}}
dev = {{"class": "HDFDataset", "files": [folder + "/train.hdf"], "seq_ordering": "sorted"}}
extern_data = {{"data": {{"dim": 4}}, "classes": {{"dim": 3, "sparse": True}}}}
network = {{
    "h": {{"class": "linear", "activation": "tanh", "n_out": 8, "dropout": 0.1, "from": "data"}},
    "output": {{"class": "softmax", "from": "h", "loss": "ce", "target": "classes"}},
}}
batch_size = {batch_size}
num_epochs = {num_epochs}
optimizer = {{"class": "adam", "epsilon": 1e-8}}
learning_rate = 0.02
learning_rate_control = "newbob"
model = folder + "/net"
learning_rate_file = folder + "/learning_rates"
"""


def _write_data(path: Path, num_seqs: int = 60, broken: int | None = None, wrong_label: int | None = None) -> None:
    rng = np.random.default_rng(1)
    with HDFWriter(path, 4, ndim=2, extra_type={"classes": (3, 1, "int32")}, overwrite=True) as writer:
        for i in range(num_seqs):
            frames = rng.normal(size=(int(rng.integers(1, 12)), 4)).astype(np.float32)
            if i == broken:
                frames[-1, 2] = np.nan
            labels = np.argmax(frames[:, :3], axis=1).astype(np.int32)
            if i == wrong_label:
                labels[0] = 3
            writer.insert_seq(f"seq-{i}", frames, extra={"classes": labels})


def _config(folder: Path, *, num_epochs: int = 2, batch_size: int = 100) -> str:
    folder.mkdir(exist_ok=True)
    if not (folder / "train.hdf").exists():
        _write_data(folder / "train.hdf")
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder), num_epochs=num_epochs, batch_size=batch_size), encoding="utf-8")
    return str(path)


def _dev_scores(folder: Path) -> list[float]:
    text = (folder / "learning_rates").read_text(encoding="utf-8")
    return [float(x) for x in re.findall(r"'dev_score': ([-\d.e]+)", text)]


def test_training_learns_saves_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([_config(tmp_path, num_epochs=2)]) == 0
    assert (tmp_path / "net.002.index").exists()
    assert main([_config(tmp_path, num_epochs=3)]) == 0
    out = capsys.readouterr().out
    assert "resumed from" in out
    assert "train epoch 3" in out
    scores = _dev_scores(tmp_path)
    assert len(scores) == 3
    assert scores[2] < scores[0]
    assert main([_config(tmp_path, num_epochs=3), "++task", "eval"]) == 0
    assert f"score {scores[2]:.4g}"[:10] in capsys.readouterr().out


def test_steps_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """60 sequences in batches of at most 25; nothing is left to do the second time."""
    config = [_config(tmp_path, num_epochs=1, batch_size=10000), "++max_seqs", "25"]
    assert main(config) == 0
    assert "train epoch 1, finished after 3 steps, " in capsys.readouterr().out
    text = (tmp_path / "learning_rates").read_text(encoding="utf-8")
    assert "':meta:epoch_num_train_steps': 3" in text
    assert main(config) == 0
    assert "nothing to do: epoch 1 of 1 is done" in capsys.readouterr().out
    assert (tmp_path / "learning_rates").read_text(encoding="utf-8") == text


def test_forward_writes_hdf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import h5py

    assert main([_config(tmp_path, num_epochs=1)]) == 0
    output = tmp_path / "out.hdf"
    assert main([_config(tmp_path), "++task", "forward", "++forward_data", "dev", "++output_file", str(output)]) == 0
    with h5py.File(output) as file:
        lengths = file["seqLengths"][:, 0]
        assert len(lengths) == 60
        assert file["inputs"].shape == (lengths.sum(), 3)
        np.testing.assert_allclose(file["inputs"][:].sum(axis=1), 1.0, rtol=1e-5)
    assert main([_config(tmp_path), "++task", "forward", "++forward_data", "dev", "++output_file", str(output)]) == 2
    assert "the output file exists" in capsys.readouterr().err


def _start(config: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "runtime.cli", config]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_kill_in_the_middle_of_an_epoch_changes_nothing(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = _start(_config(whole, num_epochs=4, batch_size=12))
    out, _ = undisturbed.communicate()
    assert undisturbed.returncode == 0, out
    config = _config(killed, num_epochs=4, batch_size=12)
    process = _start(config)
    while not (killed / "net.002.index").exists() and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed / "net.004.index").exists(), "it was killed too late to test anything"
    again = _start(config)
    out, _ = again.communicate()
    assert again.returncode == 0, out
    assert "resumed from" in out
    assert _dev_scores(killed) == _dev_scores(whole)


def test_nan_in_the_data_names_the_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_data(tmp_path / "train.hdf", broken=7)
    assert main([_config(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "the data is not finite" in err
    assert "sequence 'seq-7', key 'data'" in err


def test_truncated_hdf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = _config(tmp_path)
    path = tmp_path / "train.hdf"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert main([config]) == 2
    err = capsys.readouterr().err
    assert "train.hdf" in err
    assert len(err.splitlines()) <= 4


def test_dataset_that_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(_config(tmp_path))
    path.write_text(path.read_text().replace('"dim": 3, "sparse"', '"dim": 5, "sparse"'), encoding="utf-8")
    assert main([str(path)]) == 2
    err = capsys.readouterr().err
    assert "dataset 'train', data 'classes': another number of labels" in err
    assert "expected: 5" in err
    assert "received: 3" in err


def test_exploding_score_stops_with_the_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = _config(tmp_path)
    path = Path(config)
    path.write_text(path.read_text().replace('"loss": "ce"', '"loss": "ce", "loss_scale": 3e38'), encoding="utf-8")
    assert main([config]) == 2
    err = capsys.readouterr().err
    assert "the score is inf" in err
    assert "batch with sequences seq-" in err


def test_unknown_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([_config(tmp_path), "++task", "trian"]) == 2
    assert "did you mean 'train'?" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["train", "eval"])
def test_a_label_out_of_range_names_the_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str], task: str) -> None:
    """The dataset says that it has three labels, and has a fourth one."""
    config = _config(tmp_path, num_epochs=1)
    if task == "eval":
        assert main([config]) == 0
    _write_data(tmp_path / "train.hdf", wrong_label=7)
    assert main([config, "++task", task, "++num_epochs", "2"]) == 2
    err = capsys.readouterr().err
    title = "train epoch 1" if task == "train" else "epoch 1 'dev' eval"
    assert f"returnn-run: {title}: a label of data 'classes' is out of range\n  expected: 0 to 2\n" in err
    assert re.search(r"  received: 3 at position 0 of sequence 'seq-7'\n", err)


def test_a_layer_for_evaluation_only_is_in_the_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its parameters are kept from epoch to epoch like the others, and found again."""
    path = Path(_config(tmp_path, num_epochs=1))
    probe = {"class": "softmax", "from": "h", "loss": "ce", "target": "classes", "only_on_eval": True}
    path.write_text(path.read_text(encoding="utf-8") + f"network['probe'] = {probe}\n", encoding="utf-8")
    assert main([str(path)]) == 0
    weights = CheckpointReader.open(str(tmp_path / "net.001")).read("probe/W")
    assert main([str(path), "++num_epochs", "2"]) == 0
    np.testing.assert_array_equal(CheckpointReader.open(str(tmp_path / "net.002")).read("probe/W"), weights)
    trained = capsys.readouterr().out.splitlines()
    assert main([str(path), "++task", "eval", "++num_epochs", "2"]) == 0
    scores = [line for line in trained if line.startswith("dev: ")]
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("dev: ")] == scores[-1:]


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("def order(epoch):\n    return {}[epoch]\ntrain['seq_ordering'] = order", 19),
        ("def chunking(dataset, seq_idx_start, **kwargs):\n    yield dataset.get_tag({}[1]), 0, 1", 19),
    ],
)
def test_what_a_function_of_the_config_raises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str, line: int
) -> None:
    """Wherever it is called, also in the thread that loads batches."""
    path = Path(_config(tmp_path))
    recurrent = '"class": "rec", "unit": "nativelstm2"'
    text = path.read_text(encoding="utf-8").replace('"class": "linear", "activation": "tanh"', recurrent)
    path.write_text(text + lines, encoding="utf-8")
    assert main([str(path)]) == 2
    assert capsys.readouterr().err == f"returnn-run: {path}:{line}: a function of the config raised KeyError: 1\n"


SQUEEZING = """#!rnn.py
train = {"class": "Task12AXDataset", "num_seqs": 2, "fixed_random_seed": 1}
extern_data = {"data": {"dim": 9}, "classes": {"dim": 2, "sparse": True}}
def squeeze(source, **kwargs):
    import tensorflow as tf
    x = source(0)
    return tf.reshape(tf.squeeze(tf.expand_dims(x, 2)[:, :, :, :], axis=1), tf.shape(x))
network = {
    "bad": {"class": "eval", "from": "data", "eval": squeeze},
    "output": {"class": "softmax", "from": "bad", "loss": "ce"},
}
batch_size, num_epochs = 5000, 1
"""


def test_what_a_kernel_refuses_is_told_of_its_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    path.write_text(SQUEEZING, encoding="utf-8")
    assert main([str(path)]) == 2
    error = capsys.readouterr().err
    assert re.fullmatch(
        rf"returnn-run: layer 'bad' \({re.escape(str(path))}:9\): TensorFlow cannot compute this layer\n"
        r"  received: Can not squeeze dim\[1\], expected a dimension of 1, got \d+\n"
        r"  try: the sizes that this batch has may not be those that the layer's code expects\n",
        error,
    )
