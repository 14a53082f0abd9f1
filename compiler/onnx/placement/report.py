"""A placement as lines that read like a table: rows for what a layer has on the CPU, and for each cause of copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from compiler.onnx.placement.placement import Copy, HostNode, Placement, Why

__all__ = ["placement_lines"]

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def placement_lines(placement: Placement, file: str = "", *, coloured: bool = False) -> list[str]:
    """The counts, how much of it belongs on the CPU, and the table.

    Args:
        file: of several files the one that it is about.
        coloured: what does not belong on the CPU in red.
    """
    about = f"{file}, " if file else ""
    provider = f"CUDAExecutionProvider of onnxruntime {placement.onnxruntime}"
    lines = [f"placement ({about}{provider}): {_counts(placement)}"]
    if placement.optimizer != placement.onnxruntime:
        lines.append(f"  note: onnxruntime {placement.optimizer} is installed, which may have other kernels")
    lines += [_intended(placement)] if placement.on_host or placement.copies else []
    rows = [*_node_rows(placement.on_host), *_copy_rows(placement.copies)]
    order = {layer: place for place, layer in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: order[row[0]])
    wide = max((len(row[0]) for row in rows), default=0), max((len(row[1]) for row in rows), default=0)
    for layer, what, cause, fault in rows:
        line = f"  {layer:<{wide[0]}}  {what:<{wide[1]}}  {cause}"
        lines.append(f"{_RED}{line}{_PLAIN}" if fault and coloured else line)
    return lines


def _counts(placement: Placement) -> str:
    steps = placement.copies_in_loops()
    found = f"{_number(placement.on_device, 'node')} on CUDA, {len(placement.on_host)} on the CPU"
    found += f", {len(placement.copies)} Memcpy"
    return found + (f", {steps} of them in each step of a loop" if steps else "")


def _intended(placement: Placement) -> str:
    """How much of it belongs there, and how much does not."""
    nodes = sum(not node.intended for node in placement.on_host)
    copies = sum(not copy.intended for copy in placement.copies)
    kept = f"{_number(len(placement.on_host) - nodes, 'node')} and {len(placement.copies) - copies} Memcpy"
    return (
        f"  shape arithmetic and its like: {kept}; what belongs on CUDA: {_number(nodes, 'node')} and {copies} Memcpy"
    )


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


#: Layer, what is there, why, and whether it does not belong there.
_Row = tuple[str, str, str, bool]


def _node_rows(nodes: Iterable[HostNode]) -> list[_Row]:
    held: dict[tuple[str, str, str, bool], Counter[str]] = {}
    for node in nodes:
        key = (node.layer, _inside(node), _node_cause(node), not node.intended)
        held.setdefault(key, Counter())[node.op] += 1
    return [
        (_shown(layer), f"on the CPU: {_numbered(ops)}{inside}", cause, fault)
        for (layer, inside, cause, fault), ops in held.items()
    ]


def _shown(layer: str) -> str:
    return layer or "(no layer)"


def _node_cause(node: HostNode) -> str:
    if node.intended:
        return str(node.why)
    return f"{node.why}: {node.reason}" + (f"; try {node.hint}" if node.hint else "")


def _copy_rows(copies: Iterable[Copy]) -> list[_Row]:
    """Copies of a layer with one cause are one row."""
    held = Counter(
        (one.layer, "to the CPU" if one.to_host else "to CUDA", _inside(one), _copy_cause(one), not one.intended)
        for one in copies
    )
    return [
        (_shown(layer), f"Memcpy {way}{_times(number)}{inside}", cause, fault)
        for (layer, way, inside, cause, fault), number in held.items()
    ]


def _copy_cause(copy: Copy) -> str:
    return f"{'shape value' if copy.why is Why.SHAPE else copy.why}: {copy.reason}"


def _times(number: int) -> str:
    return f" {number}" if number > 1 else ""


def _inside(held: HostNode | Copy) -> str:
    if not held.body:
        return ""
    return f", each step of {held.body}" if held.repeated else f", in {held.body}"


def _numbered(ops: Counter[str]) -> str:
    return ", ".join(f"{op}{_times(number)}" for op, number in ops.most_common())
