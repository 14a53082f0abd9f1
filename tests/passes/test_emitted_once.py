"""Passes that emit a loop's body over other operands do it once, however the layers read each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from compiler.passes.base import Context, run_pass
from compiler.program.pipelines import SEARCH
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Region, Value
from returnn_ir.ir.op import OpSpec
from tests.filecheck import RefusingTarget
from tests.layers.growing_loops import EXTERN_DATA, LOOPS, grown


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[OpSpec]:
    """The ops of all nodes that are emitted."""
    found: list[OpSpec] = []
    emit = Builder.emit

    def counted(
        self: Builder, op: OpSpec, operands: Sequence[Value], attrs: dict[str, Any], regions: tuple[Region, ...] = ()
    ) -> list[Value]:
        found.append(op)
        return emit(self, op, operands, attrs, regions)

    monkeypatch.setattr(Builder, "emit", counted)
    return found


def _behind(n: int) -> dict[str, dict[str, Any]]:
    """A loop over the hypotheses, in which what comes in reaches the next layer one step later."""
    unit: dict[str, Any] = {
        f"l{i}": {"class": "linear", "activation": "tanh", "n_out": 4, "from": f"prev:l{i - 1}" if i else "data:source"}
        for i in range(n)
    }
    unit["output"] = {"class": "copy", "from": f"l{n - 1}"}
    loop = {"class": "rec", "from": "output", "unit": unit}
    return {**grown(LOOPS["plain"](2)), "behind": loop, "final": {"class": "decide", "from": "behind"}}


def _graph(path: Path, network: dict[str, dict[str, Any]], fetch: list[str]) -> Graph:
    file = path / "net.py"
    file.write_text(f"network = {network!r}\nextern_data = {EXTERN_DATA!r}\nbehavior_version = 0\n")
    return construct(load(file), "search", fetch).graph


@pytest.mark.parametrize("kind", [*LOOPS, "behind"])
def test_nodes_per_layer_do_not_grow(kind: str, emitted: list[OpSpec], tmp_path: Path) -> None:
    """For a search with 48 layers in its loop no more nodes are emitted per layer than for one with 12."""
    counts: list[int] = []
    for n in (12, 48):
        layers = _behind(n) if kind == "behind" else grown(LOOPS[kind](n))
        graph = _graph(tmp_path, layers, ["final" if kind == "behind" else "output"])
        emitted.clear()
        for pass_ in SEARCH:
            run_pass(pass_, graph, Context(RefusingTarget()))
        assert len(emitted) > n
        counts.append(len(emitted))
    assert counts[1] / 48 <= counts[0] / 12
