"""A picture of a network: its layers in the order of their dependencies, as SVG. The layout is networkx's."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from returnn_ir.network.net import LayerDef, Net

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["draw_network"]

_COLUMN, _ROW, _WIDTH, _HEIGHT, _MARGIN = 190, 70, 150, 40, 30
_FILL = {"source": "#e8f0fe", "layer": "#ffffff", "loss": "#fde8e8"}


def draw_network(net: Net) -> str:
    """The layers of the root network and of those nested in it; a dashed arrow reads the previous step.

    Layers stand below everything they need (longest path), so that every solid arrow points down.
    """
    import networkx as nx

    graph = nx.DiGraph()
    _add(graph, net)
    needed = nx.DiGraph((a, b) for a, b, previous in graph.edges(data="previous") if not previous)
    needed.add_nodes_from(graph.nodes)
    while not nx.is_directed_acyclic_graph(needed):  # a broken net is drawn, too
        needed.remove_edge(*nx.find_cycle(needed)[0])
    for row, names in enumerate(nx.topological_generations(needed)):
        for name in names:
            graph.nodes[name]["row"] = row
    places = nx.multipartite_layout(graph, subset_key="row", align="horizontal")
    return _svg(graph, _pixels(graph, places))


def _add(graph: nx.DiGraph, net: Net) -> None:
    for definition in net.layers.values():
        kind = "loss" if definition.options.loss is not None else "layer"
        graph.add_node(definition.path, label=definition.name, detail=definition.spec.name, kind=kind)
        for child in definition.children.values():
            _add(graph, child)
            if "output" in child.layers:
                graph.add_edge(child.layers["output"].path, definition.path, previous=False)
        for source, previous in _edges(net, definition):
            if source not in graph:
                graph.add_node(source, label=source.rpartition("/")[2], detail="", kind="source")
            graph.add_edge(source, definition.path, previous=previous)


def _edges(net: Net, definition: LayerDef) -> Iterator[tuple[str, bool]]:
    """The layers and data that a layer names, and whether it means their previous step."""
    outer = net.path.rpartition("/")[0]
    for ref in definition.refs():
        previous = ref.startswith("prev:")
        name = ref.removeprefix("prev:")
        path = net.path
        if name.startswith("base:"):
            path, name = outer, name.removeprefix("base:")
        if name == "data" or name.startswith("data:"):
            yield f"{path}/{name}" if path else name, previous
            continue
        yield f"{path}/{name}" if path else name, previous


def _pixels(graph: nx.DiGraph, places: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Columns and rows of fixed size; within a row in the order that the layout found."""
    rows: dict[int, list[str]] = {}
    for name in graph.nodes:
        rows.setdefault(graph.nodes[name].get("row", 0), []).append(name)
    widest = max(len(names) for names in rows.values())
    found: dict[str, tuple[float, float]] = {}
    for row, names in rows.items():
        names.sort(key=lambda n: places[n][0])
        left = _MARGIN + (widest - len(names)) * _COLUMN / 2
        for column, name in enumerate(names):
            found[name] = (left + column * _COLUMN, _MARGIN + row * _ROW)
    return found


def _svg(graph: nx.DiGraph, places: dict[str, tuple[float, float]]) -> str:
    width = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        'font-family="sans-serif" font-size="12">',
        '<defs><marker id="a" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
    ]
    for source, target, previous in graph.edges(data="previous"):
        (x0, y0), (x1, y1) = places[source], places[target]
        dash = ' stroke-dasharray="5,4"' if previous else ""
        lines.append(
            f'<line x1="{x0 + _WIDTH / 2:.0f}" y1="{y0 + _HEIGHT:.0f}" x2="{x1 + _WIDTH / 2:.0f}" y2="{y1:.0f}" '
            f'stroke="#555"{dash} marker-end="url(#a)"/>'
        )
    for name, (x, y) in places.items():
        node = graph.nodes[name]
        lines.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
            f'fill="{_FILL[node["kind"]]}" stroke="#333"><title>{escape(name)}</title></rect>'
            f'<text x="{x + _WIDTH / 2:.0f}" y="{y + 17:.0f}" text-anchor="middle">{escape(node["label"][:20])}</text>'
            f'<text x="{x + _WIDTH / 2:.0f}" y="{y + 32:.0f}" text-anchor="middle" fill="#777">{escape(node["detail"])}'
            "</text>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"
