"""Where runs begin and end: checkpoints to start from, epochs, networks by epoch; what RETURNN does, asked of it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from returnn_ir.config import load_config
from returnn_ir.errors import ConfigError, ProblemList
from runtime.cli import main
from runtime.learning_rate.file import load_history
from runtime.tasks.run_lock import lock_paths
from runtime.tasks.run_options import RunOptions
from runtime.tasks.setup import Setup
from runtime.tasks.start import find_checkpoint
from tests.runtime.test_keys_of_runs import CONFIG


def config_in(folder: Path, lines: str = "") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "net.py"
    path.write_text(CONFIG.format(folder=str(folder)) + lines + "\n", encoding="utf-8")
    return str(path)


def step(prefix: Path) -> int:
    return int(CheckpointReader.open(str(prefix)).read("global_step"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs; the prefix of the last checkpoint, ``.../net.002``."""
    folder = tmp_path_factory.mktemp("trained")
    assert main([config_in(folder)]) == 0
    return folder / "net.002"


def test_the_best_checkpoint(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(trained.parent / "net.py")
    assert main(["--best-checkpoint", path, "++seq_drop", "0.1"]) == 0  # it trains nothing, so nothing is refused
    config = load_config(path)
    assert capsys.readouterr().out == f"{find_checkpoint(config, RunOptions.from_config(config), best=True)}\n"


def test_load_goes_on_behind_the_epoch_in_its_name(
    tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path / "run", f"load = {str(trained)!r}\nnum_epochs = 3")
    assert main([config]) == 0
    out = capsys.readouterr().out
    assert f"started from {trained}" in out
    assert "train epoch 3" in out and "train epoch 2" not in out
    assert step(tmp_path / "run" / "net.003") == step(trained) * 3 // 2
    assert main([config, "++num_epochs", "4"]) == 0
    assert f"resumed from {tmp_path / 'run' / 'net.003'}" in capsys.readouterr().out


def test_load_epoch_wins_over_the_name(tmp_path: Path, trained: Path) -> None:
    options = f"load = {str(trained) + '.index'!r}\nload_epoch = 7"
    setup = Setup.from_config(load_config(config_in(tmp_path / "run", options)))
    assert (setup.start.epoch, setup.start.checkpoint, setup.options.num_epochs) == (7, str(trained), 7)


def test_import_is_epoch_one(tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = f"import_model_train_epoch1 = {str(trained)!r}\nnum_epochs = 1\nlearning_rate = 0.0"
    assert main([config_in(tmp_path / "run", options)]) == 0
    assert "train epoch 1" in capsys.readouterr().out
    own = CheckpointReader.open(str(tmp_path / "run" / "net.001"))
    np.testing.assert_array_equal(own.read("output/W"), CheckpointReader.open(str(trained)).read("output/W"))
    assert step(tmp_path / "run" / "net.001") == step(trained) + step(trained.with_name("net.001"))


def test_checkpoints_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("load", "import_model_train_epoch1"):
        assert main([config_in(tmp_path / "run", f"{key} = 'no/net.003'")]) == 2
        assert "no/net.003" in capsys.readouterr().err
    path = config_in(tmp_path / "run", "load_epoch = 3")
    assert main([path]) == 2
    assert capsys.readouterr().err == (
        f"returnn-run: {path}:11, key 'load_epoch': there is no checkpoint {tmp_path / 'run' / 'net'}.003\n"
        "  expected: train first, or set load\n"
    )


def test_the_initial_model_is_epoch_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_in(tmp_path / "run", "save_epoch1_initial_model = True\nnum_epochs = 1\nlearning_rate = 0.0")
    assert main([config]) == 0
    first, last = (CheckpointReader.open(str(tmp_path / "run" / f"net.00{epoch}")) for epoch in (0, 1))
    np.testing.assert_array_equal(first.read("output/W"), last.read("output/W"))
    assert step(tmp_path / "run" / "net.000") == 0
    assert main([config, "++task", "eval", "++load_epoch", "0"]) == 0
    assert f"loaded {tmp_path / 'run' / 'net.001'}" in capsys.readouterr().out


def test_a_training_without_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = """
num_epochs = 0
def order(epoch):
    if epoch == 8:
        raise KeyboardInterrupt
    return "default"
train["seq_ordering"] = order
"""
    config = config_in(tmp_path / "run", lines)
    assert main([config]) == 130
    assert "train epoch 7" in capsys.readouterr().out
    assert (tmp_path / "run" / "net.007.index").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("num_epochs = -1", "option 'num_epochs' is out of range\n  expected: int >= 0\n  received: -1 (int)"),
        ("save_interval = 0", "option 'save_interval' is out of range\n  expected: int >= 1\n  received: 0 (int)"),
        (
            "max_seqs = 0",
            "option 'max_seqs' is out of range\n  expected: a positive number, or -1\n  received: 0 (int)",
        ),
        (
            "eval_batch_size = 0.5",
            "option 'eval_batch_size' is out of range\n"
            "  expected: a number of at least 1, or a dict from data keys to such numbers | None\n"
            "  received: 0.5 (float)",
        ),
        (
            "batch_size = 0",
            "option 'batch_size' is out of range\n"
            "  expected: a number of at least 1, or a dict from data keys to such numbers\n  received: 0 (int)",
        ),
    ],
)
def test_ranges(tmp_path: Path, line: str, message: str) -> None:
    path = config_in(tmp_path / "run", line)
    with pytest.raises(ConfigError) as caught:
        RunOptions.from_config(load_config(path))
    assert str(caught.value) == f"{path}:11, key {line.partition(' ')[0]!r}: {message}"


LATER = [
    ("train", 'cleanup_old_models = ({"keep_last_n": 3}, 1)', "option 'cleanup_old_models' has the wrong type"),
    ("train", 'optimizer = "adm"', "unknown optimizer 'adm'"),
    ("train", "newbob_multi_num_epochs = 0", "option 'newbob_multi_num_epochs' is out of range"),
    ("forward", "forward_batch_size = -1", "option 'forward_batch_size' is out of range"),
    ("forward", 'forward_output_layer = "outptu"', "there is no layer 'outptu'"),
    ("forward", 'output_file = "{folder}/net.py"', "the output file exists: {folder}/net.py"),
    ("search", 'search_output_layer = "outptu"', "there is no layer 'outptu'"),
    ("search", 'search_output_file = "{folder}/net.py"', "the output file exists: {folder}/net.py"),
    ("search", 'search_output_file_format = "json"', "option 'search_output_file_format' has an unknown value"),
]


@pytest.mark.parametrize(("task", "line", "what"), LATER)
def test_options_of_later_are_read_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, task: str, line: str, what: str
) -> None:
    """What is needed behind an epoch, or when all is computed, is told before data and TensorFlow, with its line."""
    folder = tmp_path / "run"
    data = 'train = dev = eval = forward_data = search_data = "missing.hdf"'
    path = config_in(folder, line.replace("{folder}", str(folder)) + f"\n{data}\ntask = {task!r}")
    monkeypatch.setattr(Setup, "start_tensorflow", lambda self: pytest.fail("TensorFlow was started"))
    assert main([path]) == 2
    place = f"{path}:11, key {line.partition(' ')[0]!r}"
    assert capsys.readouterr().err.startswith(f"returnn-run: {place}: {what.replace('{folder}', str(folder))}\n")


def test_inputs_may_be_asked_for(tmp_path: Path) -> None:
    """As RETURNN's layers of these names."""
    setup = Setup.from_config(load_config(config_in(tmp_path / "run")))
    setup.check_layers("forward_output_layer", ["output", "data", "data:classes"])
    with pytest.raises(ConfigError) as caught:
        setup.check_layers("forward_output_layer", ["data:clases"])
    assert caught.value.what == "there is no layer 'data:clases'"


def test_off_values_and_defaults(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("train = {'class': 'x'}\nmax_seqs = None\nmax_seq_length = 0\n", encoding="utf-8")
    options = RunOptions.from_config(load_config(path))
    assert (options.batch_options.batch_size, options.batch_options.max_seqs, options.num_epochs) == (1, -1, 5)
    path.write_text(path.read_text() + "max_seq_length = 7\nmin_seq_length = 2\n", encoding="utf-8")
    options = RunOptions.from_config(load_config(path))
    assert [options.batch_options_of(name).max_seq_length for name in ("dev", "eval")] == [7, None]
    assert [options.batch_options_of(name).min_seq_length for name in ("dev", "eval")] == [None, None]


def test_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    visible = {"GPU": ["gpu0"]}
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: visible[kind])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: visible.update({kind: devices}))
    for device, left in (("gpu", ["gpu0"]), ("cpu", [])):
        Setup.from_config(load_config(config_in(tmp_path / "run", f"device = {device!r}"))).start_tensorflow()
        assert visible["GPU"] == left
    path = config_in(tmp_path / "run", "device = 'tpu'")
    with pytest.raises(ConfigError) as caught:
        RunOptions.from_config(load_config(path))
    assert str(caught.value) == (
        f"{path}:11, key 'device': option 'device' has an unknown value\n"
        "  expected: 'cpu', or 'gpu': a GPU where there is one\n  received: 'tpu' (str)\n  try: did you mean 'gpu'?"
    )


# ---------------------------------------------------------------- networks by epoch


NETWORKS = """
def get_network(epoch, **kwargs):
    size = {size}
    same = lambda sources, **kwargs: sources[0].output
    return {{"h": {{"class": "eval", "from": "data", "eval": "source(0)", "out_type": same}},
            "output": {{"class": "softmax", "from": "data", "loss": "ce", "dropout": size}}}}
"""


def test_the_network_of_all_epochs(tmp_path: Path) -> None:
    setup = Setup.from_config(load_config(config_in(tmp_path / "run", NETWORKS.format(size="0.1"))))
    assert list(setup.net.layers) == ["h", "output"]


def test_networks_that_change(tmp_path: Path) -> None:
    path = config_in(tmp_path / "run", NETWORKS.format(size="0.1 if epoch < 4 else 2.0"))
    assert Setup.from_config(load_config(path, ["++num_epochs", "3"])).net.layers
    with pytest.raises(ProblemList) as caught:
        Setup.from_config(load_config(path, ["++num_epochs", "9"]))
    assert str(caught.value) == (
        f"layer 'output' ({path}:16, key 'dropout'): option 'dropout' is out of range (in epoch 4)\n"
        "  expected: float >= 0 and < 1\n  received: 2.0 (float)"
    )


def test_a_last_epoch_without_scores_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As RETURNN does when it was killed between the checkpoint and the evaluation."""
    config = config_in(tmp_path / "run")
    assert main([config]) == 0
    rates = tmp_path / "run" / "rates"
    whole = rates.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    second = next(index for index, line in enumerate(lines) if line.startswith("2:"))
    rates.write_text("".join(x for i, x in enumerate(lines) if i < second or "'dev_" not in x), encoding="utf-8")
    assert rates.read_text(encoding="utf-8") != whole
    capsys.readouterr()
    assert main([config, "++log_verbosity", "4"]) == 0
    assert "Last epoch model not yet evaluated on dev. Doing that now." in capsys.readouterr().out
    assert rates.read_text(encoding="utf-8") == whole


# ---------------------------------------------------------------- two trainings at once


def test_two_trainings_of_one_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_in(tmp_path / "run")
    other = config_in(tmp_path / "other", f"learning_rate_file = {str(tmp_path / 'run' / 'rates')!r}")
    for locked, path in (("net", config), ("rates", other)):
        name = str(tmp_path / "run" / locked)
        with lock_paths([name]):
            assert main([path]) == 2
            assert capsys.readouterr().err.startswith(
                f"returnn-run: {name}.lock: another training writes to {name}\n  received: process {os.getpid()} on "
            )
    assert main([config, "++num_epochs", "1"]) == 0
    assert not list(tmp_path.glob("*/*.lock"))


def test_scores_of_another_training_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([config_in(tmp_path / "run")]) == 0
    for file in (tmp_path / "run").glob("net.0*"):
        file.unlink()
    assert main([str(tmp_path / "run" / "net.py")]) == 0
    rates = tmp_path / "run" / "rates"
    assert f"note: {rates} has scores of an earlier training, which this one goes on with\n" in capsys.readouterr().out


# ---------------------------------------------------------------- what a run writes, and of which sequences


@pytest.mark.parametrize("seed", [-1, 10**30])
def test_any_whole_number_is_a_seed(tmp_path: Path, seed: int) -> None:
    options = f"random_seed = {seed}\ngradient_noise = 0.1\nnum_epochs = 1"
    assert main([config_in(tmp_path / "run", options)]) == 0


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = "dry_run = True\ncleanup_old_models = True\nsave_epoch1_initial_model = True"
    assert main([config_in(tmp_path / "run", options)]) == 0
    assert "train epoch 2" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["net.py"]


def test_exp_scores_have_returnns_names(tmp_path: Path) -> None:
    assert main([config_in(tmp_path / "run", "calculate_exp_loss = True\nnum_epochs = 1")]) == 0
    scores = load_history(tmp_path / "run" / "rates")[1].scores
    assert sorted(scores) == [
        "dev_error",
        "dev_score_output",
        "dev_score_output:exp",
        "train_error",
        "train_score_output",
        "train_score_output:exp",
    ]
    assert scores["dev_score_output:exp"] == pytest.approx(np.exp(scores["dev_score_output"]), rel=1e-6)


@pytest.mark.parametrize("epoch", [1, 2])
def test_evaluating_an_epoch_adds_to_its_scores(tmp_path: Path, epoch: int) -> None:
    """As RETURNN, which evaluates on the data of the epoch, too."""
    config = config_in(tmp_path / "run")
    assert main([config]) == 0
    before = load_history(tmp_path / "run" / "rates")
    more = "{'class': 'Task12AXDataset', 'num_seqs': 7}"
    assert main([config, "++task", "eval", "++load_epoch", str(epoch), "++eval", more]) == 0
    after = load_history(tmp_path / "run" / "rates")
    scores, added = dict(before[epoch].scores), dict(after[epoch].scores)
    found = {key: added.pop(key) for key in ("eval_score", "eval_error", "dev_score", "dev_error")}
    assert found["dev_score"] == pytest.approx(scores.pop("dev_score"), rel=1e-6)
    assert found["dev_error"] == scores.pop("dev_error")
    assert 0 < found["eval_score"] < 1
    assert added == scores
    assert replace(after[epoch], scores={}) == replace(before[epoch], scores={})
    assert after[3 - epoch] == before[3 - epoch]


def test_evaluations_that_keep_no_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, rates = config_in(tmp_path / "run"), tmp_path / "run" / "rates"
    assert main([config]) == 0
    before = rates.read_bytes()
    more = ["++task", "eval", "++eval", "{'class': 'Task12AXDataset', 'num_seqs': 7}"]
    assert main([config, *more, "++load", str(tmp_path / "run" / "net.001")]) == 0
    assert main([config, *more, "++dry_run", "True"]) == 0
    capsys.readouterr()
    with lock_paths([str(rates)]):
        assert main([config, *more]) == 0
    assert f"note: the scores are not kept: another training writes to {rates}\n" in capsys.readouterr().out
    assert rates.read_bytes() == before


def test_forwarding_leaves_no_sequence_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import h5py

    config = config_in(tmp_path / "run", "max_seq_length = 15\nforward_data = 'dev'")
    output = tmp_path / "out.hdf"
    assert main([config, "++num_epochs", "1"]) == 0
    assert main([config, "++task", "forward", "++output_file", str(output), "++forward_batch_size", "30"]) == 0
    with h5py.File(output) as file:
        assert len(file["seqTags"]) == 5
        assert file["seqLengths"][:, 0].max() > 15
    assert main([config, "++task", "forward", "++forward_batch_size", "-1"]) == 2
    assert (
        "option 'forward_batch_size' is out of range\n  expected: int >= 0\n  received: -1 (int)"
        in capsys.readouterr().err
    )


def test_order_of_evaluated_data(tmp_path: Path) -> None:
    """RETURNN sorts ``dev`` and ``eval``, and not the datasets of ``eval_datasets``."""
    lines = """
import numpy as np
dev = {"class": "StaticDataset", "data": [{"data": np.zeros((1, 9), "float32"), "classes": np.zeros(1, "int32")}]}
eval_datasets = {"devtrain": dev}
"""
    with ExitStack() as opened:
        datasets = Setup.from_config(load_config(config_in(tmp_path / "run", lines))).eval_datasets(opened)
    orders = {name: dataset.options.seq_ordering for name, dataset in datasets.items()}
    assert orders == {"dev": "sorted", "devtrain": "default"}
