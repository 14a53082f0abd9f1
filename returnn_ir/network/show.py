"""The LAYERS stage as text: one line per layer with its class, sources and options."""

from __future__ import annotations

from dataclasses import fields

from returnn_ir.network.layer_options import LayerDict, NetDict
from returnn_ir.network.net import LayerDef, Net

__all__ = ["show_layers"]


def show_layers(net: Net) -> str:
    """The parsed network."""
    return "\n".join(_lines(net, ""))


def _lines(net: Net, indent: str) -> list[str]:
    lines: list[str] = []
    for definition in net.layers.values():
        lines.append(indent + _line(definition))
        lines.extend(_nested(definition, indent + "  "))
    return lines


def _nested(definition: LayerDef, indent: str) -> list[str]:
    lines = [line for child in definition.children.values() for line in _lines(child, indent)]
    for key, inner in definition.inner.items():
        lines.extend([f"{indent}{key}: {_line(inner)}", *_nested(inner, indent + "  ")])
    return lines


def _line(definition: LayerDef) -> str:
    options = definition.options
    given = [
        f"{f.name}={value!r}"
        for f in fields(options)
        if (value := getattr(options, f.name)) != f.default and not isinstance(value, (NetDict, LayerDict))
    ]
    place = f"{definition.origin.file}:{definition.origin.line}" if definition.origin.line else ""
    call = f"{definition.spec.name}({', '.join([*definition.sources, *given])})"
    return f"{definition.name} = {call}" + (f"  # {place}" if place else "")
