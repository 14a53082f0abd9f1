"""Which options of a config datasets take over, compared with RETURNN's (``record_dataset_defaults``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config import load_config
from returnn_ir.errors import ConfigError
from runtime.datasets import Dataset
from runtime.datasets.chunking import Chunks, frames_of
from runtime.tasks.run_options import RunOptions
from runtime.tasks.setup import Setup
from tests.runtime.record_dataset_defaults import CONFIGS, DATA, FORMS

RETURNN = json.loads(DATA.read_text(encoding="utf-8"))
KEYS = ("data", "classes")


def opened(folder: Path, key: str, data: object, options: dict[str, Any]) -> Dataset:
    """The dataset of a config."""
    path = folder / "net.py"
    path.write_text("", encoding="utf-8")
    config = load_config(path)
    config.update({"train": data, key: data, **options})
    nothing: Any = None
    run_options = RunOptions.from_config(config)
    ordering = run_options.batching if key == "train" else "sorted"
    return Setup(config, run_options, nothing, nothing, nothing).dataset(key, data, seq_ordering=ordering)


@pytest.mark.parametrize("key", ["train", "dev"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CONFIGS)
def test_options_that_a_dataset_takes_over(tmp_path: Path, name: str, form: str, key: str) -> None:
    options = opened(tmp_path, key, FORMS[form], CONFIGS[name]).options
    chunks = options.chunking or Chunks(0, 0)
    assert isinstance(chunks, Chunks)
    found = {
        "chunks": [[frames_of(chunks.size, data), frames_of(chunks.step, data)] for data in KEYS],
        "variance": options.chunking_variance,
        "min_chunk_size": [frames_of(options.min_chunk_size, data) for data in KEYS],
        "context": [list(options.context_window.frames.get(data, (0, 0))) for data in KEYS],
        "window": options.window,
        "seq_ordering": options.seq_ordering,
    }
    assert found == RETURNN[f"{name}, {form}, {key}"]


def test_a_function_says_everything_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened(tmp_path, "train", FORMS["function"], CONFIGS["all"])
    assert capsys.readouterr().out == (
        "note: dataset 'train' is a function, and so has nothing of chunking_variance, min_chunk_size, "
        "context_window, window, chunking, as in RETURNN\n"
    )
    opened(tmp_path, "dev", FORMS["dict"], CONFIGS["all"])
    opened(tmp_path, "dev", FORMS["function"], CONFIGS["chunking"])
    assert capsys.readouterr().out == ""


def test_further_evaluation_data_take_nothing_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = opened(tmp_path, "more", FORMS["dict"], {**CONFIGS["all"], "chunk_eval": True}).options
    assert (options.chunking, options.chunking_variance, options.window) == (None, 0.0, 1)
    assert capsys.readouterr().out == (
        "note: dataset 'more' has a name of its own, and so has nothing of chunking_variance, min_chunk_size, "
        "context_window, window, as in RETURNN\n"
    )


def test_datasets_of_a_network_take_everything_over(tmp_path: Path) -> None:
    """Those that ``#config`` gives: functions, and those of other names, too."""
    (tmp_path / "net.py").write_text("", encoding="utf-8")
    config = load_config(tmp_path / "net.py")
    config.update({"train": FORMS["dict"], **CONFIGS["all"]})
    defaults = RunOptions.from_config(config).dataset_defaults
    assert defaults.of("train", FORMS["function"], anew=True)["chunking"] == Chunks(8, 4)
    assert defaults.of("more", FORMS["function"], anew=True) == {**defaults.all, "chunking": None}


@pytest.mark.parametrize("size", [{"data": 50}, 50.5])
def test_cutting_by_a_batch_size_that_is_no_number(tmp_path: Path, size: object) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(tmp_path, "dev", FORMS["dict"], {"on_size_limit": "chunk", "batch_size": size})
    assert caught.value.what == "on_size_limit = 'chunk' cuts by batch_size, which is no whole number"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chunking = 'data:50'", "net.py:1, key 'chunking': option 'chunking' cannot be understood"),
        ("min_chunk_size = -1", "net.py:1, key 'min_chunk_size': option 'min_chunk_size' cannot be understood"),
        ("context_window = (1, 2)", "net.py:1, key 'context_window': option 'context_window' cannot be understood"),
        ("chunking_variance = -1", "net.py:1, key 'chunking_variance': option 'chunking_variance' is out of range"),
        ("seq_drop = 1.5", "net.py:1, key 'seq_drop': option 'seq_drop' is out of range"),
        ("seq_drop_freq = 0", "net.py:1, key 'seq_drop_freq': option 'seq_drop_freq' is out of range"),
        ("window = -1", "net.py:1, key 'window': option 'window' is out of range"),
        ("on_size_limit = 'chop'", "net.py:1, key 'on_size_limit': option 'on_size_limit' has an unknown value"),
        ("inc_seq_length = 'x'", "net.py:1, key 'inc_seq_length': option 'inc_seq_length' has the wrong type"),
    ],
)
def test_wrong_values_have_their_place(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(f"{line}\ntrain = {FORMS['dict']!r}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        RunOptions.from_config(load_config(path))
    assert str(caught.value).splitlines()[0] == f"{tmp_path}/{message}"
