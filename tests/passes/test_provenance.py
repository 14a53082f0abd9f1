"""Every node says which layer of the network, or which data key, it comes from; where it was written is in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.network.net import Net
from tests.conformance.gaps import GOLDEN, all_cases, gap
from tests.layers.option_uses import recorded_mode

#: Every third case is lowered; that all are built takes less time.
LOWERED = all_cases()[::3]


def families() -> list[str]:
    return sorted({case.partition("/")[0] for case in all_cases()})


@pytest.mark.parametrize("family", families())
def test_every_node_has_a_place_in_the_network(family: str) -> None:
    for case in (name for name in all_cases() if name.startswith(f"{family}/")):
        mode = recorded_mode(case)
        path = GOLDEN / f"{case}.py"
        net = load(path, mode=mode)
        graph = construct(net, mode, everything=True).graph
        assert wrong_origins(graph, net, case) == [], (case, "named")
        if case in LOWERED and gap(case, "reference") is None:
            lower_to(graph, ReferenceTarget())
            assert wrong_origins(graph, net, case) == [], (case, "target")


def wrong_origins(graph: Graph, net: Net, case: str) -> list[str]:
    """The nodes without a right origin."""
    summed = objective_sum(graph)
    lines = (GOLDEN / f"{case}.py").read_text(encoding="utf-8").splitlines()
    paths = {definition.path for definition in net.all_layers()}
    keys = {definition.options.register_as_extern_data for definition in net.all_layers()}
    assert net.config is not None
    keys |= set(net.config.extern_data_spec())
    return [
        f"{node.op.name}: {node.origin}"
        for node in graph.body.walk()
        if node not in summed and not is_right(node, case, paths, keys, lines)
    ]


def is_right(node: Node, case: str, paths: set[str], keys: set[str | None], lines: list[str]) -> bool:
    """Whether a node's origin is a data key, or a layer that stands in that line of the file."""
    layer, file, line = node.origin.layer, node.origin.file, node.origin.line
    if layer is None:
        return False
    if layer.startswith("data:"):
        return layer.removeprefix("data:") in keys
    name = layer.rpartition("/")[2]
    if layer not in paths or file is None or Path(file) != GOLDEN / f"{case}.py":
        return False
    key = re.compile(rf"""["']{re.escape(name)}["'](: *[\w{{]|\] *=)""")
    written = [number for number, text in enumerate(lines, 1) if key.search(text)]
    return line in written if written else line is None or line <= len(lines)  # a name that the config computes


def objective_sum(graph: Graph) -> set[Node]:
    """The nodes without a layer that add up losses and constraints: what all layers have in common is of none."""
    found: set[Node] = set()
    waiting = [value for value in (graph.objective, graph.constraints) if value is not None]
    while waiting:
        node = waiting.pop().node
        if node is not None and node.origin.layer is None and node.op.name in ("add", "mul", "const"):
            found.add(node)
            waiting.extend(node.operands)
    return found
