"""The log of a run: targets, verbosities, and the lines that scripts made for RETURNN's logs read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.reader import CheckpointReader
from returnn_ir.config import Config, load_config
from returnn_ir.errors import ConfigError, UserError
from runtime.cli import main
from runtime.tasks.log import hms_fraction, log, logs, open_log


def config_of(folder: Path, text: str) -> Config:
    path = folder / "log.config"
    path.write_text(f"#!rnn.py\n{text}\n", encoding="utf-8")
    return load_config(path)


def test_each_target_has_its_verbosity_and_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of(
        tmp_path,
        f"log = [{str(tmp_path / 'brief')!r}, {str(tmp_path / 'all')!r}]\n"
        "log_verbosity = [1, 5]\nlog_format = ['default', 'verbose']",
    )
    with open_log(config):
        for verbosity in range(1, 6):
            log(f"line {verbosity}", verbosity)
        assert logs(5)
    assert not logs(1)
    assert (tmp_path / "brief").read_text().splitlines() == ["line 1"]
    everything = (tmp_path / "all").read_text().splitlines()
    assert len(everything) == 5
    assert re.fullmatch(r"INFO - \d{4}-\d\d-\d\d,\d\d:\d\d:\d\d\.\d\dS line 1", everything[0])
    assert everything[4].startswith("DEBUG - ")
    assert capsys.readouterr().out.splitlines() == ["line 1", "line 2", "line 3"]  # further targets have 3


def test_one_verbosity_is_that_of_all_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").mkdir()
    config = config_of(tmp_path, f"log = {str(tmp_path / 'logs' / 'run.$date.log')!r}\nlog_verbosity = 2")
    with open_log(config):
        log("shown", 2)
        log("hidden")
    (file,) = (tmp_path / "logs").iterdir()
    assert re.fullmatch(r"run\.\d{4}(-\d\d){5}\.log", file.name)
    assert file.read_text() == "shown\n" == capsys.readouterr().out


def test_a_command_gets_the_lines(tmp_path: Path) -> None:
    with open_log(config_of(tmp_path, f"log = ['| cat > {tmp_path}/piped']")):
        log("into a pipe")
    assert (tmp_path / "piped").read_text() == "into a pipe\n"


def test_a_dry_run_writes_no_file(tmp_path: Path) -> None:
    with open_log(config_of(tmp_path, f"log = {str(tmp_path / 'file')!r}\ndry_run = True")):
        log("line")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log = '/nowhere/run.log'", "the log '/nowhere/run.log' cannot be written"),
        ("log_verbosity = 6", "option 'log_verbosity'"),
        ("log_format = 'long'", "option 'log_format'"),
    ],
)
def test_wrong_targets_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)), open_log(config_of(tmp_path, text)):
        pass


def test_a_config_that_is_data_starts_no_command(tmp_path: Path) -> None:
    path = tmp_path / "data.config"
    path.write_text("log |touch x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="a config that is data starts no command"), open_log(load_config(path)):
        pass


def test_time_with_fractions() -> None:
    assert hms_fraction(3723.0405001) == "1:02:03.0405"


TRAINING = """#!rnn.py
train = {{"class": "Task12AXDataset", "num_seqs": 6}}
dev = {{"class": "Task12AXDataset", "num_seqs": 3, "fixed_random_seed": 1}}
extern_data = {{"data": {{"dim": 9}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{
    "aux": {{"class": "softmax", "from": "data", "loss": "ce"}},
    "output": {{"class": "rec", "unit": "lstm", "from": "data", "n_out": 2, "loss": "ce"}},
}}
batch_size, max_seqs, num_epochs, learning_rate = 500, 2, 1, 0.01
model = {folder!r} + "/net"
log = {folder!r} + "/log"
log_verbosity = 5
"""

NUMBER = r"[-+\d.e]+"


def test_the_lines_of_a_training_are_those_of_returnn(tmp_path: Path) -> None:
    """Recorded from RETURNN at verbosity 5, with patterns for its numbers."""
    path = tmp_path / "train.config"
    path.write_text(TRAINING.format(folder=str(tmp_path)) + "log_batch_size = True\n", encoding="utf-8")
    assert main([str(path)]) == 0
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    step = (
        rf"cost:aux {NUMBER}, cost:output {NUMBER}, error:aux {NUMBER}, error:output {NUMBER}, loss {NUMBER}, "
        rf"max_size:classes \d+, max_size:data \d+, num_seqs 2, {NUMBER} sec/step, elapsed 0:\d\d:\d\d, "
        rf"exp\. remaining 0:\d\d:\d\d, complete {NUMBER}%"
    )
    scores = rf"aux {NUMBER} output {NUMBER}"
    wanted = [
        r"start training at epoch 1",
        r"using batch size: 500, max seqs: 2",
        r"start epoch 1 with learning rate 0\.01 \.\.\.",
        *(rf"train epoch 1, step {index}, {step}" for index in range(3)),
        rf"train epoch 1, finished after 3 steps, 0:00:\d\d elapsed \({NUMBER}% computing time\)",
        rf"epoch 1 score: {scores} error: {scores} elapsed: 0:00:\d\d",
        rf"epoch 1 'dev' eval, finished after 2 steps, 0:00:\d\d elapsed \({NUMBER}% computing time\)",
        rf"dev: score {scores} error {scores}",
        rf"Save model under {re.escape(str(tmp_path))}/net\.001",
        r"Finished training in epoch 1\.",
        r"elapsed: 0:\d\d:\d\d\.\d{4}",
    ]
    found = iter(lines)
    for pattern in wanted:
        assert any(re.fullmatch(pattern, line) for line in found), f"{pattern}\n" + "\n".join(lines)


PRIORS = """#!rnn.py
task = "compute_priors"
train = {{"class": "Task12AXDataset", "num_seqs": 4, "fixed_random_seed": 1}}
extern_data = {{"data": {{"dim": 9}}, "classes": {{"dim": 2, "sparse": True}}}}
network = {{"output": {{"class": "softmax", "from": "data", "loss": "ce", "forward_weights_init": 0}}}}
batch_size, num_epochs = 500, 1
model = {folder!r} + "/net"
output_file = {folder!r} + "/prior.txt"
"""


def test_priors_are_the_mean_of_the_posteriors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "priors.config"
    path.write_text(PRIORS.format(folder=str(tmp_path)), encoding="utf-8")
    assert main([str(path), "++task", "train", "++learning_rate", "0"]) == 0
    assert main([str(path)]) == 0
    np.testing.assert_allclose(np.loadtxt(tmp_path / "prior.txt"), np.log([0.5, 0.5]), rtol=1e-6)
    assert re.search(r"^Prior sum in std-space \(should be close to 1\.0\): [01]\.\d+$", capsys.readouterr().out, re.M)
    assert main([str(path)]) == 2
    assert "the output file exists" in capsys.readouterr().err


def test_a_model_that_is_only_initialized(tmp_path: Path) -> None:
    path = tmp_path / "train.config"
    path.write_text(TRAINING.format(folder=str(tmp_path)) + "log = None\nsave_epoch1_initial_model = True\n")
    assert main([str(path), "++task", "initialize_model"]) == 0
    assert main([str(path)]) == 0
    alone, first = (CheckpointReader.open(str(tmp_path / name)) for name in ("net", "net.000"))
    assert sorted(alone.names()) == sorted(first.names())
    for name in alone.names():
        np.testing.assert_array_equal(alone.read(name), first.read(name))


def test_tasks_of_a_config_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.config"
    path.write_text(f"#!rnn.py\ndef act():\n    open({str(tmp_path / 'done')!r}, 'w').close()\n", encoding="utf-8")
    assert main([str(path), "++task", "config:act"]) == 0
    assert (tmp_path / "done").exists()
    assert main([str(path), "++task", "config:missing"]) == 2
    assert main([str(path), "++task", "optional-config:missing"]) == 0
    assert main([str(path), "++task", "nop"]) == 0
    assert main([str(path), "++task", "analyze"]) == 2
    shown = capsys.readouterr()
    assert "needs a function of the config" in shown.err
    assert "the task 'analyze' is not built" in shown.err
    assert "Task: No-operation" in shown.out


@pytest.mark.parametrize(
    ("measure", "warned"), [("'dev_error'", False), ("'dev_eror'", True), ("['dev_eror', 'dev_score']", False)]
)
def test_a_measure_that_there_will_not_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], measure: str, warned: bool
) -> None:
    path = tmp_path / "train.config"
    lines = f"learning_rate_control = 'newbob'\nlearning_rate_control_error_measure = {measure}\nlog = None\n"
    path.write_text(TRAINING.format(folder=str(tmp_path)) + lines, encoding="utf-8")
    assert main([str(path)]) == 0
    warning = (
        "warning: there is no score 'dev_eror', which learning_rate_control_error_measure asks for: as in RETURNN "
        "'dev_score_output' is watched, of dev_error_aux, dev_error_output, dev_score_aux, dev_score_output, "
        "train_error_aux, train_error_output, train_score_aux, train_score_output"
    )
    assert (warning in capsys.readouterr().out.splitlines()) == warned
