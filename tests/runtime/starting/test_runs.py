"""Runs of the command line, one for each way to begin; each needs TensorFlow."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from compiler.target.protocol import Array
from runtime.cli import main
from runtime.learning_rate.file import load_history
from tests.runtime.test_keys_of_runs import CONFIG

STILL = "learning_rate = 0.0\nnum_epochs = 1\n"
#: Layers that the checkpoints of the fixture do not have.
MORE = """
network["h"] = {"class": "linear", "activation": "tanh", "n_out": 9, "from": "data"}
network["lm_output"] = {"class": "softmax", "from": "h", "target": "classes", "loss": "ce"}
"""


def config_in(folder: Path, lines: str = "") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder)) + lines + "\n", encoding="utf-8")
    return str(path)


def read(prefix: Path | str, name: str) -> Array:
    return CheckpointReader.open(str(prefix)).read(name)


def same(first: Path, second: Path, name: str, other: str | None = None) -> bool:
    return bool(np.array_equal(read(first, name), read(second, other or name)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three epochs; the folder with ``net.001`` to ``net.003``."""
    folder = tmp_path_factory.mktemp("trained")
    assert main([config_in(folder, "num_epochs = 3")]) == 0
    return folder


def test_preload_for_training(tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = f"""
preload_from_files = {{
    "b": {{"filename": {str(trained / "net.001")!r}, "init_for_train": True, "ignore_missing": True}},
    "a": {{"filename": {str(trained / "net.002.index")!r}, "init_for_train": True, "prefix": "lm_"}},
    "c": {{"filename": "nowhere"}},
}}
"""
    own = tmp_path / "run" / "net.001"
    assert main([config_in(tmp_path / "run", STILL + MORE + lines)]) == 0
    assert same(own, trained / "net.002", "lm_output/W", "output/W")
    assert same(own, trained / "net.001", "output/W")
    out = capsys.readouterr().out
    assert f"preloaded {trained / 'net.002'} ('a'): 2 variables\n" in out
    assert f"{trained / 'net.001'} ('b') has 2 of 4 variables\n  layers without a value: h\n" in out
    # the next epoch is one of this training, whatever the files are now
    more = ["++num_epochs", "2", "++preload_from_files", '{"a": {"filename": "gone", "init_for_train": True}}']
    assert main([str(tmp_path / "run" / "net.py"), *more]) == 0
    assert f"resumed from {own}" in capsys.readouterr().out


def test_preload_for_other_tasks(tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two models as one, without any checkpoint that has both."""
    lines = f"""
preload_from_files = {{
    "a_lm": {{"filename": {str(trained / "net.002")!r}, "prefix": "lm_"}},
    "b_am": {{"filename": {str(trained / "net.003")!r}}},
    "start": {{"filename": "nowhere", "init_for_train": True}},
}}
network["lm_output"] = {{"class": "softmax", "from": "data", "target": "classes", "loss": "ce"}}
task = "eval"
"""
    path = config_in(tmp_path / "run", lines)
    assert main([path]) == 2
    assert capsys.readouterr().err == (
        f"returnn-run: there is no checkpoint {tmp_path / 'run' / 'net'}.*\n  try: train first, or set load\n"
    )
    assert main([path, "++allow_random_model_init", "True"]) == 0
    out = capsys.readouterr().out
    assert (
        f"preloaded {trained / 'net.002'} ('a_lm'): 2 variables\n"
        f"preloaded {trained / 'net.003'} ('b_am'): 2 variables\nnote: there is no checkpoint to load\n"
    ) in out
    assert main([path, "++load", str(trained / "net.001")]) == 0
    assert f"loaded {trained / 'net.001'}\n" in capsys.readouterr().out


def test_import_and_load(tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "run" / "net.001"
    assert main([config_in(tmp_path / "run", f"{STILL}import_model_train_epoch1 = {str(trained / 'net.002')!r}")]) == 0
    assert same(own, trained / "net.002", "output/W")
    assert main([config_in(tmp_path / "next", f"load = {str(trained / 'net.003')!r}\nnum_epochs = 4")]) == 0
    out = capsys.readouterr().out
    assert f"started from {trained / 'net.003'}" in out and "train epoch 4, " in out and "train epoch 3, " not in out


def test_start_epoch(tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = f"{STILL}load = {str(trained / 'net.003')!r}\nstart_epoch = 7\nnum_epochs = 7"
    assert main([config_in(tmp_path / "run", lines)]) == 0
    out = capsys.readouterr().out
    assert "note: training starts at start_epoch = 7, in RETURNN at 1\n" in out and "train epoch 7, " in out
    assert same(tmp_path / "run" / "net.007", trained / "net.003", "output/W")


def test_a_checkpoint_that_lacks_layers(tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config_in(tmp_path / "run", f"{STILL}{MORE}import_model_train_epoch1 = {str(trained / 'net.002')!r}")
    assert main([path]) == 2
    assert "net.002: the checkpoint has no variable 'h/W'\n" in capsys.readouterr().err
    assert main([path, "++load_ignore_missing_vars", "True"]) == 0
    assert (
        f"{trained / 'net.002'} has 3 of 7 variables\n  layers without a value: h, lm_output\n"
        in capsys.readouterr().out
    )


def test_layers_that_import_in_their_own_way(tmp_path: Path, trained: Path) -> None:
    lines = f"""
network["output"] = {{"class": "softmax", "from": "data", "target": "data", "loss": "mse",
                     "custom_param_importer": "subset", "n_out": 9}}
import_model_train_epoch1 = {str(trained / "net.002")!r}
"""
    assert main([config_in(tmp_path / "run", STILL + lines)]) == 0
    found, theirs = read(tmp_path / "run" / "net.001", "output/W"), read(trained / "net.002", "output/W")
    assert found.shape == (9, 9) and theirs.shape == (9, 2)
    np.testing.assert_array_equal(found[:, :2], theirs)


def test_later_checkpoints_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config_in(tmp_path / "run", "num_epochs = 3")
    assert main([path]) == 0
    more = ["++num_epochs", "2", "++cleanup_old_models", '{"keep_last_n": 1, "keep_best_n": 0, "keep": []}']
    assert main([path, *more, "++start_epoch", "2"]) == 0
    out = capsys.readouterr().out
    assert "note: checkpoints of later epochs than num_epochs = 2 are ignored: 3\n" in out
    assert "note: epochs that have a checkpoint are trained again, because of start_epoch: 2\n" in out
    assert sorted(index.stem for index in (tmp_path / "run").glob("net.???.index")) == ["net.002", "net.003"]


def test_going_back_to_the_best_epoch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The learning rate makes epoch 2 worse than epoch 1."""
    lines = """
num_epochs = 3
learning_rates = [0.1, 1e4, 0.0]
use_last_best_model = {"filter_score": 1e9}
save_interval = 1
optimizer = {"class": "adam"}
"""
    path, folder = config_in(tmp_path / "run", lines), tmp_path / "run"
    assert main([path]) == 0
    scores = {epoch: data.scores["dev_score"] for epoch, data in load_history(folder / "rates").items()}
    assert scores[2] > scores[1]
    assert f"epoch 2 has not the best score, epoch 3 goes on from {folder / 'net.001'}\n" in capsys.readouterr().out
    assert same(folder / "net.003", folder / "net.001", "output/W")
    step, steps = int(read(folder / "net.001", "global_step")), int(read(folder / "net.003", "global_step"))
    assert steps == 2 * step  # that of epoch 1 and those of epoch 3
    (folder / "net.001.index").unlink()
    (folder / "net.003.index").unlink()
    assert main([path]) == 2
    assert capsys.readouterr().err == (
        f"returnn-run: {folder / 'net'}: there is no checkpoint of epoch 1, to which use_last_best_model goes back\n"
        "  expected: one of the epochs 2\n"
        "  try: save_interval = 1, and no cleanup_old_models that deletes the best epochs\n"
    )


def test_what_is_left_of_a_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A score that is not finite; the next run begins with the last whole epoch."""
    lines = "num_epochs = 3\nlearning_rates = [0.1, 1e38, 0.1]\nmax_seqs = 2\n"
    path, folder = config_in(tmp_path / "run", lines), tmp_path / "run"
    assert main([path]) == 2
    captured = capsys.readouterr()
    assert "train epoch 2: the score is " in captured.err
    saved = re.findall(r"saved what is left as (\S+)", captured.out)
    assert len(saved) == 1 and re.fullmatch(r".*/net\.002\.crash_\d+", saved[0])
    assert read(saved[0], "output/W").shape == (9, 2)
    (folder / "rates").unlink()
    assert main([path, "++learning_rates", "[0.1, 0.1, 0.1]", "++num_epochs", "2"]) == 0
    assert f"resumed from {folder / 'net.001'}" in capsys.readouterr().out
    assert Path(f"{saved[0]}.index").exists()


def test_stopping_is_no_crash(tmp_path: Path) -> None:
    lines = "def order(epoch):\n    raise KeyboardInterrupt\ntrain['seq_ordering'] = order\n"
    assert main([config_in(tmp_path / "run", lines)]) == 130
    assert not list((tmp_path / "run").glob("net.*index"))
