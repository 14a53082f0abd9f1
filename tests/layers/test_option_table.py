"""Every option of every layer is read somewhere, or its row says why not."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from returnn_ir.config import Config, load_config
from returnn_ir.construct.common_options import APPLIED
from returnn_ir.construct.construct import construct
from returnn_ir.errors import ProblemList
from returnn_ir.network.layer_registry import find_layer, layer_names
from returnn_ir.network.net import load_net
from returnn_ir.network.option_table import OPTIONS, OptionVerdict, refused_in_run
from tests.config.test_keys import ROOT

SOURCES = {
    path: path.read_text(encoding="utf-8")
    for package in ("network", "construct", "losses", "loops", "layers")
    for path in (ROOT / "returnn_ir" / package).rglob("*.py")
    if path.name not in ("options.py", "option_table.py")
}
#: What is read as attribute of something that is called opt or options, or as an initialiser with its key.
ATTRIBUTES = {
    name
    for pattern in (r"\b(?:opt|options)\.(\w+)", r"\boption_init\(opts?, \"(\w+)\"\)")
    for name in re.findall(pattern, "\n".join(SOURCES.values()))
}


def options_of(name: str) -> set[str]:
    spec = find_layer(name)
    assert spec is not None
    return {field.name for field in fields(spec.options)}


def is_read(layer: str, option: str) -> bool:
    """As attribute, or by its name in the module of the layer."""
    spec = find_layer(layer)
    assert spec is not None
    own = SOURCES.get(ROOT / f"{spec.options.__module__.replace('.', '/')}.py", "")
    return option in ATTRIBUTES or option in APPLIED or f'"{option}"' in own


def test_every_option_is_read_or_has_a_row() -> None:
    rows = {(row.owner, row.name) for row in OPTIONS}
    unread = {
        f"{layer}.{option}"
        for layer in layer_names()
        for option in options_of(layer)
        if not rows & {(layer, option), ("", option)} and not is_read(layer, option)
    }
    assert not unread, sorted(unread)


def test_rows_are_of_options_that_nothing_reads() -> None:
    for row in OPTIONS:
        layers = [row.owner] if row.owner else layer_names()
        assert all(row.name in options_of(layer) for layer in layers), row
        if row.name not in SHARED and "a note says" not in row.text:  # who says it looks at the option
            assert not is_read(layers[0], row.name), row


#: Names of options that other layers, or other things called options, have too.
SHARED = {
    *("state", "debug", "filename", "extra", "labels", "sorted", "sprint_opts", "cheating", "search"),
    *("add_to_beam_scores", "sparse", "filter_perm", "bias_init"),
}


# ---------------------------------------------------------------- what is refused


NET = """#!rnn.py
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {
    "loop": {
        "class": "rec",
        "from": "data",
        "unit": {"output": {"class": "linear", "n_out": 2, "from": ["data:source", "prev:output"]}},
        %s
    },
    "output": {
        "class": "softmax",
        "from": "loop",
        %s
    },
}
"""


def config_of(path: Path, loop: str = "", output: str = "") -> Config:
    path.write_text(NET % (loop, output), encoding="utf-8")
    return load_config(path)


@pytest.mark.parametrize(
    ("loop", "output", "reason"),
    [
        ("", '"state": "loop"', "a layer in a loop keeps its own state"),
        ('"use_global_rec_step_offset": True', "", "a loop's steps are counted from 0"),
    ],
)
def test_what_the_check_refuses(tmp_path: Path, loop: str, output: str, reason: str) -> None:
    config = config_of(tmp_path / "net.py", loop, output)
    name, _, value = (loop or output).replace('"', "").partition(": ")
    layer, line = ("loop", 8) if loop else ("output", 13)
    with pytest.raises(ProblemList) as caught:
        load_net(config)
    place = f"layer {layer!r} ({tmp_path / 'net.py'}:{line}, key {name!r})"
    assert str(caught.value) == (
        f"{place}: the option {name!r} is not available: {reason}\n"
        f"  received: {value if value.isdigit() or value == 'True' else repr(value)}\n"
        f"  try: leave {name!r} out"
    )


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("", []),
        ('"updater_opts": {}, "param_device": "CPU"', []),
        ('"updater_opts": {"gradient_clip": 1.0}', []),
        ('"custom_param_importer": "subset"', []),
        ('}, "kept": {"class": "variable", "shape": (2,), "saveable": True', []),
        ('}, "kept": {"class": "variable", "shape": (2,), "saveable": False', ["saveable"]),
    ],
)
def test_what_a_run_refuses(tmp_path: Path, output: str, names: list[str]) -> None:
    net = load_net(config_of(tmp_path / "net.py", output=output))
    assert [getattr(problem.where, "key", None) for problem in refused_in_run(net)] == names


def test_operations_beside_an_output_are_not_run_and_a_note_says_so(tmp_path: Path) -> None:
    net = load_net(
        config_of(tmp_path / "net.py", output='"n_out": 4, "control_dependencies_on_output": lambda layer: 1 / 0')
    )
    assert construct(net, "train").graph.notes == [
        "layer 'output': the operations that control_dependencies_on_output gives, checks mostly, are not run"
    ]


def test_every_refusal_names_a_verdict() -> None:
    assert {row.verdict for row in OPTIONS} == set(OptionVerdict)
