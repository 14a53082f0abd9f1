"""Graphs of whole networks: nodes take what their ops declare in every stage, and what is printed parses back."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.program.pipelines import lower_to
from compiler.program.program import make_target
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.text.parser import parse_graph
from returnn_ir.text.printer import print_graph
from returnn_ir.text.verify import verify

GOLDEN = Path(__file__).parents[1] / "golden"
#: One of each family is enough: the conformance tests verify all of them.
CASES = sorted(min(family.glob("*.py")) for family in GOLDEN.iterdir() if any(family.glob("*.py")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_round_trip(case: Path) -> None:
    graph = construct(load(case), "train", everything=True).graph
    for _ in range(2):
        text = print_graph(graph)
        parsed = parse_graph(text)
        verify(parsed)
        assert print_graph(parsed) == text
        if graph.stage == "named":
            lower_to(graph, make_target("reference"))
