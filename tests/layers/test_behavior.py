"""RETURNN's behaviour versions change here what they change there: a net on both sides of each, or golden cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.program.named import build_named
from returnn_ir import load
from returnn_ir.behavior import Behavior
from returnn_ir.errors import UserError
from tests.layers.behavior_versions import CHANGES, INPUTS

RECORDED: dict[str, list[dict[str, Any] | None]] = json.loads(
    (Path(__file__).parent / "data" / "behavior.json").read_text(encoding="utf-8")
)
GOLDEN = Path(__file__).parents[1] / "golden"
SHOWN = [version for version, change in CHANGES.items() if change.network is not None]


def outcome(folder: Path, version: int, network: str) -> dict[str, Any] | None:
    """The output's axes and the shapes of the parameters, None where the network is refused."""
    path = folder / "net.py"
    path.write_text(f"behavior_version = {version}\n{INPUTS}network = {{{network}}}\n", encoding="utf-8")
    try:
        named = build_named(load(path), mode="forward")
    except UserError:
        return None
    axes = named.graph.outputs["output"].axes
    params = {name: list(param.shape) for name, param in named.params.items()}
    return {"axes": ["batch" if d.is_batch else d.size for d in axes], "params": params}


@pytest.mark.parametrize("version", SHOWN)
def test_networks_on_both_sides(tmp_path: Path, version: int) -> None:
    network = CHANGES[version].network
    assert network is not None
    before, after = RECORDED[str(version)]
    assert before != after
    assert outcome(tmp_path, version - 1, network) == before
    assert outcome(tmp_path, version, network) == after


def test_every_version_is_shown() -> None:
    assert list(CHANGES) == list(range(1, 31))
    for version, change in CHANGES.items():
        assert change.network or change.golden or change.reason, version
        for case in change.golden:
            assert (GOLDEN / f"{case}.py").exists(), case


def test_rules_change_where_a_version_is_shown() -> None:
    """A rule of :class:`Behavior` belongs to a version of the table, and those without rules have reasons."""
    rules = [
        {name: value for name, value in vars(Behavior.of(version)).items() if name != "version"}
        for version in range(31)
    ]
    changing = [version for version in range(1, 31) if rules[version] != rules[version - 1]]
    assert changing == [version for version, change in CHANGES.items() if change.reason is None]
