"""``Param.splits`` of all golden networks is what RETURNN says of its variables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.construct.state import Splits
from tests.recording.case import read_case
from tests.recording.splits import FILE, GOLDEN

RECORDED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
FAMILIES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir() and not path.name.startswith("_"))


def splits(path: str) -> dict[str, Splits]:
    """By parameter of a golden case."""
    net = load(GOLDEN / f"{path}.py")
    options: Any = net.config["case"] if net.config is not None and "case" in net.config else {}
    case = read_case(options)
    fetch = None if case.fetch is None and not case.fetch_extra else [*(case.fetch or ()), *case.fetch_extra]
    mode = "train" if case.train else "search" if case.search else "eval"
    params = construct(net, mode, fetch, everything=case.fetch is None).params
    return {name: param.splits for name, param in params.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_are_those_of_returnn(family: str) -> None:
    """Of every parameter of every case of a family."""
    assert RECORDED[""] == []  # all were built
    for path in sorted((GOLDEN / family).glob("*.py")):
        case = f"{family}/{path.stem}"
        found = {name: own for name, own in splits(case).items() if any(len(sizes) > 1 for sizes in own)}
        recorded = {name: tuple(map(tuple, own)) for name, own in RECORDED.get(case, {}).items()}
        assert found == recorded, case
