"""The table of config keys: complete, true to the source, and what it says of configs."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
import re
import shlex
from pathlib import Path

import pytest

from returnn_ir.config import Config, load_config, misspelt_keys, refused_by_training, refused_keys
from returnn_ir.config.check_keys import _edits
from returnn_ir.config.key import ALL, Key, Run, Verdict
from returnn_ir.config.keys import KEYS, TABLE
from returnn_ir.config.network_schedule import NetworkSchedule
from returnn_ir.options import option_fields
from tests.config.options_page import PAGE, options_page
from tests.runtime.key_values import EFFECTIVE

ROOT = Path(__file__).parents[2]
#: All keys that RETURNN (commit b46ff5f) reads of a config, found by looking through its sources for them.
RETURNN_KEYS = frozenset((Path(__file__).parent / "returnn_keys.txt").read_text(encoding="utf-8").split())
OURS = {"fusion", "mixed_precision", "padding", "search_scores"}

#: How our modules read a config, where they do not read a dataclass of its options.
READING = r"\.(?:get|value|int|float|bool|is_true|list|typed_value)\(\s*\"{}\""
SOURCES = [path for package in ("returnn_ir", "compiler", "runtime") for path in (ROOT / package).rglob("*.py")]


def of(verdict: Verdict) -> list[Key]:
    return [key for group in TABLE.values() for key in group if key.verdict is verdict]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@functools.cache
def described() -> dict[str, set[str]]:
    """By module, the keys of its dataclasses that are read of a config, wherever they are read."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for name in re.findall(r"read_config\(\s*([A-Z_]\w+),", path.read_text(encoding="utf-8")):
            cls = getattr(importlib.import_module(module_of(path)), name)
            found.setdefault(cls.__module__, set()).update(key for f in option_fields(cls) for key in f.keys)
    return found


def config_of(path: Path, text: str) -> Config:
    path.write_text("#!rnn.py\n" + text, encoding="utf-8")
    return load_config(path)


def test_every_key_of_returnn_has_one_row() -> None:
    names = [key.name for group in TABLE.values() for key in group]
    assert len(names) == len(set(names))
    assert set(KEYS) == RETURNN_KEYS | OURS


@pytest.mark.parametrize("key", of(Verdict.DONE), ids=lambda key: key.name)
def test_done_keys_have_their_reader(key: Key) -> None:
    spec = importlib.util.find_spec(key.reader)
    assert spec is not None and spec.origin is not None, key.reader
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert key.name in described().get(key.reader, ()) or f'"{key.name}"' in text, f"{key.reader} has no {key.name}"


def test_refused_keys_have_no_reader() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {key.name}"
        for path in SOURCES
        if path.name != "keys.py"
        for text in [path.read_text(encoding="utf-8")]
        for key in of(Verdict.REFUSED)
        if re.search(READING.format(re.escape(key.name)), text) or key.name in described().get(module_of(path), ())
    ]
    assert not found


def test_what_is_read_of_a_config_has_a_row() -> None:
    pattern = re.compile(r"(?:config|program\.options|everywhere)(?:\.values)?" + READING.format(r"(\w+)"))
    read = {name for path in SOURCES for name in pattern.findall(path.read_text(encoding="utf-8"))}
    read |= {name for names in described().values() for name in names}
    assert len(read) > 40
    assert read <= set(KEYS)


def test_rows_say_why_and_for_which_task() -> None:
    for key in (*of(Verdict.NO_EFFECT), *of(Verdict.REFUSED)):
        assert key.text and not key.reader
        assert key.tasks and key.tasks <= ALL
        assert key.text[0].islower() or key.text.startswith(("L2", "RETURNN", "TensorFlow")), key.text


def test_docs_are_made_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == options_page(), "make options"


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("line", "task", "asked"),
    [
        ("shuffle_frames_of_nseqs = 2", "train", True),
        ("shuffle_frames_of_nseqs = 2", "search", False),
        ("shuffle_frames_of_nseqs = 0.0", "train", False),
        ("shuffle_frames_of_nseqs = None", "train", False),
        ("accum_grad_multiple_step = 2", "train", False),
        ("extra_updates = {'a/W': print}", "train", True),
        ("extra_updates = {}", "train", False),
        ("use_horovod = False", "train", False),
        ("chunking = {'data': 50}", "train", False),
        ("pretrain = 'default'", "train", False),
        ("backend = 'tensorflow-net-dict'; use_tensorflow = False", "train", False),
        ("use_tensorflow = False", "train", True),
        ("backend = 'torch'", "search", True),
    ],
)
def test_what_a_run_refuses(tmp_path: Path, line: str, task: str, asked: bool) -> None:
    assert bool(refused_keys(Run(config_of(tmp_path / "c.py", line), task))) is asked


def test_texts_mean_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "c.config"
    off = "batch_size 5\nuse_tensorflow true\nwrap_tf_session off\nshuffle_frames_of_nseqs 0.0\nuse_horovod no\n"
    path.write_text(off + "pretrain none\n")
    assert not refused_keys(Run(load_config(path), "train"))
    path.write_text("batch_size 5\nuse_horovod yes\nshuffle_frames_of_nseqs 3\n")
    assert refused_by_training(load_config(path)) == ["shuffle_frames_of_nseqs", "use_horovod"]


def test_what_a_network_asks_for(tmp_path: Path) -> None:
    key = "search_train_network_layers"
    lines = (
        f"{key} = False; train = {{}}\n"
        f"def get_network(epoch): return {{'#config': {{'{key}': [str(epoch)]}}}} if epoch > 1 else {{}}"
    )
    config = config_of(tmp_path / "c.py", lines)
    stages = [stage for _, stage in NetworkSchedule.from_config(config).distinct_stages(3)]
    assert len(stages) == 3
    assert refused_by_training(config) == []
    assert refused_by_training(config, stages) == [key]
    problems = "\n".join(map(str, refused_keys(Run(stages[1].config(config), "train"))))
    assert problems == (
        f"{tmp_path / 'c.py'}:3, key '#config.{key}': '{key}' is not available: {KEYS[key].text}\n"
        "  expected: False, or nothing\n"
        "  received: ['2']\n"
        f"  try: leave '{key}' out of '#config'"
    )


def test_the_whole_message(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("network = {\n}\n\nuse_horovod = True\n", encoding="utf-8")
    config = load_config(path)
    problems = refused_keys(Run(config, "train", config.network or {}))
    assert "\n".join(map(str, problems)) == (
        f"{path}:4, key 'use_horovod': 'use_horovod' is not available: one process trains\n"
        "  expected: False, or nothing\n"
        "  received: True\n"
        "  try: ++use_horovod False"
    )


@pytest.mark.parametrize("name", EFFECTIVE)
@pytest.mark.parametrize("suffix", ["py", "config"])
def test_the_hint_is_a_way_out(tmp_path: Path, name: str, suffix: str) -> None:
    """What a refusal says to try, as words of the command line, is refused no more."""
    path = tmp_path / f"c.{suffix}"
    value = EFFECTIVE[name] if suffix == "py" else eval(EFFECTIVE[name])
    path.write_text(f"{name} = {value}\n" if suffix == "py" else f"{name} {value}\n", encoding="utf-8")
    task = next(t for t in ("train", "eval", "forward") if t in KEYS[name].tasks)
    problem = next(p for p in refused_keys(Run(load_config(path), task)) if getattr(p.where, "key", None) == name)
    again = load_config(path, shlex.split(problem.hint or ""))
    assert not [p for p in refused_keys(Run(again, task)) if getattr(p.where, "key", None) == name]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("optimizer_epsiloon", "optimizer_epsilon"),  # published
        ("num_input", "num_inputs"),  # published
        ("newbob_relative_error_threshold_div_by_old", "newbob_relative_error_div_by_old"),  # published
        ("gradient_clp", "gradient_clip"),
        ("learning_rate_contorl", "learning_rate_control"),
        ("preload_form_files", "preload_from_files"),
        ("chunkin", "chunking"),
    ],
)
def test_misspelt_keys(tmp_path: Path, name: str, key: str) -> None:
    config = config_of(tmp_path / "c.py", f"{name} = 1")
    assert misspelt_keys(config) == [
        f"{tmp_path / 'c.py'}:2, key {name!r}: there is no such key, did you mean {key!r}?"
    ]


def _fewest_edits(first: str, second: str) -> int:
    """By trying all ways to take something off both ends."""
    if not first or not second:
        return len(first) + len(second)
    ways = [
        _fewest_edits(first[1:], second) + 1,
        _fewest_edits(first, second[1:]) + 1,
        _fewest_edits(first[1:], second[1:]) + (first[0] != second[0]),
    ]
    if len(first) > 1 and len(second) > 1 and first[:2] == second[1::-1]:
        ways.append(_fewest_edits(first[2:], second[2:]) + 1)
    return min(ways)


def test_edits_are_the_fewest() -> None:
    words = ["".join(word) for length in range(4) for word in itertools.product("ab", repeat=length)]
    words += ["abc", "bca", "acb", "cabb", "abcab"]
    for first, second in itertools.product(words, repeat=2):
        assert _edits(first, second) == _fewest_edits(first, second), (first, second)


def test_own_variables_are_silent(tmp_path: Path) -> None:
    own = """
import os, sys as chunkin
from math import log as modell
class Batching: pass
def get_networks(): pass
expert = Batching()
_chunk_size, _target, target2, ext_num_epochs, ext_learning_rate_file, bn_momentum = 1, "bpe", "a", 0, None, 0.9
lm_network, eval_data, prefix_train, kd_network, target_st, name_input = {}, {}, "", 1, "", "x"
mode, loads, epochs, brain, size, batches = 1, 2, 3, 4, 5, 6
"""
    assert misspelt_keys(config_of(tmp_path / "c.py", own)) == []
