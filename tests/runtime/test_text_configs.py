"""Configs of ``key value`` lines: every option of a run is a text, and is read as what it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.errors import UserError
from runtime.checkpoints.cleanup import CleanupOptions
from runtime.datasets import BatchOptions
from runtime.datasets.chunking import Chunks
from runtime.learning_rate import LearningRateOptions
from runtime.optimizers import ChosenOptimizer, GradientOptions
from runtime.optimizers.rules.momentum import MomentumOptions
from runtime.optimizers.schedule import StepSchedule
from runtime.optimizers.update_options import UpdateOptions
from runtime.tasks.data_options import DatasetDefaults
from runtime.tasks.run_options import RunOptions
from runtime.tasks.search.options import SearchOptions

LINES = """
task search
train Task12AXDataset:num_seqs=3
eval_datasets {"more": {"class": "Task12AXDataset", "num_seqs": 2}}
model out/net
load other/net.007.index
load_epoch none
num_epochs 3
batch_size {"data": 100, "classes": 20}
eval_batch_size 0
max_seqs 5
min_seq_length 2
chunking 50:25
chunking_variance 0.5
min_chunk_size {"data": 10}
chunk_eval yes
window 3
seq_drop 1e-1
seq_drop_freq 5
inc_seq_length 2
shuffle_batches on
enforce_min_len1 off
random_seed -7
stop_on_nonfinite_train_score off
device cpu
dry_run yes
learning_rate 1e-3
learning_rates 0.1,0.2
learning_rate_control newbob
newbob_learning_rate_decay none
learning_rate_control_error_measure dev_score,dev_error
newbob_multi_num_epochs 4
gradient_clip inf
gradient_nan_inf_filter 1
momentum 0.9
cleanup_old_models {"keep_last_n": 1, "keep": [3]}
dynamic_learning_rate {"interval": 4, "decay": 0.5}
search_data train
search_output_layer output,other
search_output_file_format py
search_do_eval false
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "net.config"
    path.write_text(LINES, encoding="utf-8")
    return load_config(str(path))


def test_a_run(config: Config) -> None:
    options = RunOptions.from_config(config)
    sizes = {"data": 100, "classes": 20}
    assert options == RunOptions(
        task="search",
        model="out/net",
        num_epochs=3,
        save_interval=1,
        batch_options=BatchOptions(
            batch_size=sizes,
            max_seqs=5,
            min_seq_length=2,
            seq_drop=0.1,
            seq_drop_freq=5.0,
            inc_seq_length=2.0,
            shuffle_batches=True,
        ),
        dataset_defaults=DatasetDefaults(
            {"chunking_variance": 0.5, "min_chunk_size": {"data": 10}, "window": 3}, Chunks(50, 25), Chunks(50, 25)
        ),
        eval_batch_options=BatchOptions(batch_size=sizes, max_seqs=5),
        train="Task12AXDataset:num_seqs=3",
        eval_datasets={"more": {"class": "Task12AXDataset", "num_seqs": 2}},
        load="other/net.007",
        random_seed=2**63 - 7,
        stop_on_nonfinite=False,
        dry_run=True,
        on_cpu=True,
    )
    search = SearchOptions.from_config(config, options)
    assert (search.layers, search.several, search.file_format) == (("output", "other"), True, "py")
    assert (search.data_name, search.data, search.do_eval) == ("train", options.train, False)


def test_a_training(config: Config) -> None:
    rates = LearningRateOptions.from_config(config)
    assert rates == LearningRateOptions(
        control="newbob",
        default_learning_rate=1e-3,
        fixed={1: 0.1, 2: 0.2},
        decay=None,
        error_measure=("dev_score", "dev_error"),
        num_epochs=4,
        update_interval=4,
        pretrain_learning_rate=1e-3,
    )
    assert GradientOptions.from_config(config) == GradientOptions(clip=float("inf"), filter_nonfinite=True)
    assert UpdateOptions.from_config(config).seed == -7
    assert ChosenOptimizer.from_config(config).options == MomentumOptions(kind="momentum", momentum=0.9)
    assert StepSchedule.from_config(config) == StepSchedule(interval=4, decay=0.5)
    assert CleanupOptions.from_config(config) == CleanupOptions(1, 4, frozenset({3}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("num_epochs many", "option 'num_epochs' has the wrong type\n  expected: int >= 0\n  received: 'many' (str)"),
        ("num_epochs -2", "option 'num_epochs' is out of range\n  expected: int >= 0\n  received: -2 (int)"),
        (
            "task trian",
            "option 'task' has an unknown value\n  expected: 'train' | 'eval' | 'forward' | 'search'"
            " | 'compute_priors'\n"
            "  received: 'trian' (str)\n  try: did you mean 'train'?",
        ),
        (
            "batch_size {'data': 0}",
            "option 'batch_size' is out of range\n"
            "  expected: a number of at least 1, or a dict from data keys to such numbers\n"
            "  received: {'data': 0} (dict)",
        ),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "net.config"
    path.write_text(f"# a config of lines\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        RunOptions.from_config(load_config(str(path)))
    assert str(caught.value) == f"{path}:2, key {line.partition(' ')[0]!r}: {message}"
