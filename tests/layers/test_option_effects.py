"""Every option does something: without it, or with another value, a network is another one or is refused.

What is compared is the printed IR, so that an option that nothing reads is found, whatever its name.
"""

from __future__ import annotations

import inspect
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from returnn_ir.network.layer_registry import find_layer, layer_names
from returnn_ir.network.option_table import OPTIONS
from returnn_ir.options import option_fields
from tests.layers.nets import refusal
from tests.layers.option_nets import UNUSED, unused_option
from tests.layers.option_uses import NOT_READ, Use, golden_uses

#: Options that all layers have, where they have an effect elsewhere only.
COMMON = {
    "trainable": "the layer has no parameters",
    "L2": "the layer has no parameters",
    "is_output_layer": "the layer is needed anyway",
    "loss_opts": "it is empty",
    "out_shape": "it is checked (tests/layers/test_out_shape.py)",
    "loss_only_on_non_search": "it is False, which is the default",
}
#: (owner, option): why it has no effect.
EXCUSED = {
    ("copy", "n_out"): "RETURNN gives the sources on as they are",
    ("linear", "updater_opts"): "the optimizer reads it (tests/runtime/test_updates.py)",
    ("eval", "size_target"): "only loops take their size from a target",
    ("loss ce", "use_flatten_frames"): "it changes how frames are laid out, not what comes out",
    ("rec", "unroll"): "how a loop runs is up to the target",
}
#: (class that declares it, option) that no golden case uses and no network here shows, with the reason.
UNSHOWN = {
    ("SourceOptions", "mask"): "RETURNN only compares it with dropout",
    ("UnmaskOptions", "skip_initial"): "of a RETURNN that is not published (tests/layers/test_masking.py)",
    ("VariableOptions", "non_critical_for_restore"): "it is for loading (tests/runtime/starting)",
}


@cache
def uses() -> dict[tuple[str, str], list[Use]]:
    return golden_uses()


def without_effect() -> set[tuple[str, str]]:
    """What the tables say."""
    return {*EXCUSED, *((row.owner, row.name) for row in OPTIONS)}


def common_rows() -> set[str]:
    return {row.name for row in OPTIONS if not row.owner}


def test_every_used_option_has_an_effect() -> None:
    shown = {(name, option) for name, option, *_ in UNUSED}
    asked = {
        key: found
        for key, found in uses().items()
        if key not in without_effect() and key not in shown and key[1] not in common_rows()
    }
    silent = {key for key, found in asked.items() if not any(use.has_effect() for use in found)}
    assert {key for key in silent if key[1] not in COMMON} == set()
    for option in {option for _, option in silent}:
        elsewhere = {key for key in asked if key[1] == option} - silent
        assert elsewhere or option in {name for _, name, *_ in UNUSED}, option


def test_excused_options_have_no_effect() -> None:
    """An excuse that no longer holds is to be taken away."""
    for key in EXCUSED:
        assert not any(use.has_effect() for use in uses()[key][:3]), key


@pytest.mark.parametrize("key", UNUSED, ids=" ".join)
def test_options_that_no_case_uses_have_an_effect(key: tuple[str, ...]) -> None:
    use = unused_option(key)
    assert use.case.base(use.case.mode, everything=True) != NOT_READ
    assert use.has_effect()


def test_no_option_is_left_out() -> None:
    """Each option of each options class is used by a case, has a network above, or has a row."""
    known = {declared(name, option) for name, option in uses() if find_layer(name) is not None}
    known |= {declared(name, option) for name, option, *_ in UNUSED}
    rows = {(row.owner, row.name) for row in OPTIONS}
    missing = {
        declared(name, option)
        for name in layer_names()
        for option in options_of(name)
        if option not in common_rows() and (name, option) not in rows and declared(name, option) not in known
    }
    assert missing == set(UNSHOWN)


def options_of(name: str) -> list[str]:
    spec = find_layer(name)
    assert spec is not None
    return [field.name for field in fields(spec.options)]


def declared(name: str, option: str) -> tuple[str, str]:
    """An option with the class that has it first: layers that share it count once."""
    spec = find_layer(name)
    assert spec is not None
    name = next((field.name for field in option_fields(spec.options) if option in field.keys), option)
    owner = next(cls for cls in reversed(spec.options.__mro__) if name in inspect.get_annotations(cls))
    return owner.__name__, name


def test_another_size_than_the_output_has(tmp_path: Path) -> None:
    """RETURNN asserts that the output's size is what the options say."""
    layer = {"class": "reduce", "mode": "sum", "axes": "T", "from": "data", "n_out": 7}
    assert refusal(tmp_path, {"x": layer}, {"data": {"dim": 3}}) == (
        f"layer 'x' ({tmp_path / 'net.py'}:2, key 'n_out'): the output has another size\n"
        "  expected: data.F(3)\n"
        "  received: 7"
    )
    out_type = {**layer, "n_out": 3, "out_type": {"dim": 4}}
    assert "key 'out_type'): the output has another size" in refusal(tmp_path, {"x": out_type}, {"data": {"dim": 3}})
