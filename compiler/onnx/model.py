"""From a graph in the TARGET stage to a ``ModelProto``: signature, initializers, versions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from compiler.onnx.dtypes import CODES
from compiler.onnx.emitter import Emitter
from compiler.onnx.memory import Memory
from compiler.onnx.profile import CONTRIB, Format
from compiler.onnx.settle_shapes import settle_shapes
from compiler.onnx.state import state_input
from compiler.onnx.tidy import read_by
from compiler.target.fixed_batch import FIXED
from compiler.target.inputs import CHECKS, INPUTS, PROFILE, input_specs
from compiler.target.protocol import Array
from returnn_ir.errors import TargetError
from returnn_ir.ir.dims import UNIT, Dim, leaves
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.types import TensorType

__all__ = ["Signature", "batch_axes", "build_model", "contrib_nodes", "signature"]

_PRODUCER = "returnn-ir"


@dataclass(frozen=True)
class Signature:
    """What goes in and out of a model.

    Attributes:
        inputs: types by name; the model has those of them that something depends on.
        states: types of the variables that are inputs with a default, by input name.
        outputs: types by name; the axes are those that the graph's ``Output`` asks for.
        fetches: the output's name by that of the graph's fetch.
        axis_names: what a dynamic axis is called in the model.
    """

    inputs: dict[str, TensorType]
    states: dict[str, TensorType]
    outputs: dict[str, TensorType]
    fetches: dict[str, str]
    axis_names: dict[Dim, str]


def signature(graph: Graph) -> Signature:
    """Names and types of inputs and outputs; ``output/NAME`` is called ``NAME`` unless an input is called so."""
    inputs = {n.attrs["name"]: n.result.type for n in graph.nodes("input")}
    states = {
        state_input(n.attrs["name"]): n.result.type
        for n in graph.nodes("param")
        if n.attrs["name"] in graph.state_updates
    }
    fetches: dict[str, str] = {}
    outputs: dict[str, TensorType] = {}
    for fetch, value in graph.fetches().items():
        layer = fetch.removeprefix("output/")
        name = layer if layer not in inputs and layer not in outputs else fetch
        if fetch.startswith("state/"):
            name = f"{fetch}/next"
        fetches[fetch] = name
        own = graph.outputs.get(layer) if fetch.startswith("output/") else None
        outputs[name] = value.type.with_dims(own.axes) if own is not None else value.type
    names = _axis_names([*inputs.values(), *states.values(), *outputs.values()])
    return Signature(inputs, states, outputs, fetches, names)


def _axis_names(types: list[TensorType]) -> dict[Dim, str]:
    names: dict[Dim, str] = {}
    for dim in (d for t in types for d in t.dims if d.size is None):
        name, number = dim.name, 1
        while names.get(dim, name) == name and name in [n for d, n in names.items() if d is not dim]:
            number += 1
            name = f"{dim.name}_{number}"
        names.setdefault(dim, name)
    return names


def build_model(graph: Graph, params: Mapping[str, Array], format_: Format, memory: Memory | None = None) -> Any:
    """The model with the parameters inside, as ``onnx.ModelProto``."""
    from onnx import helper, numpy_helper

    sign = signature(graph)
    e = Emitter(format_, graph, params, memory)
    for name in (*sign.inputs, *sign.states, *sign.outputs):
        e.fresh(name)
    e.write_region(graph.body)
    e.prefix = ""
    for fetch, value in graph.fetches().items():
        name = sign.fetches[fetch]
        held = e.positional(e[value], value.dims, sign.outputs[name].dims)
        e.scope.nodes.append(helper.make_node("Identity", [held], [name], name=e.fresh(f"{name}/result")))
    nodes = e.tidied(e.scope.nodes, list(sign.outputs))
    read = read_by(nodes)
    written = {name for node in nodes for name in node.output}
    inputs = {name: type_ for name, type_ in sign.inputs.items() if name in read} | sign.states
    proto = helper.make_graph(
        nodes,
        "returnn",
        [_info(name, type_, sign, e.memory) for name, type_ in inputs.items()],
        [_info(name, type_, sign, e.memory) for name, type_ in sign.outputs.items()],
        [numpy_helper.from_array(v, name) for name, v in e.initializers.items() if name in read or name in sign.states],
        value_info=[info for info in e.scope.infos if info.name in written],
    )
    contrib = contrib_nodes(nodes)
    opsets = [helper.make_opsetid(*domain) for domain in (("", format_.opset), *([CONTRIB] if contrib else []))]
    model = helper.make_model(proto, producer_name=_PRODUCER, ir_version=format_.ir_version, opset_imports=opsets)
    # what a host has to know of the inputs: a session checks them before anything runs
    specs = {spec.name: spec.to_json() for spec in input_specs(graph)}
    checks = {sign.fetches[f"check/{index}"]: message for index, (message, _) in enumerate(graph.checks)}
    described = {INPUTS: specs, CHECKS: checks, PROFILE: _needed(format_, contrib)}
    if e.memory.fixed is not None:
        described[FIXED] = {**e.memory.fixed.to_json(), "batch_axes": batch_axes(sign.outputs)}
    helper.set_model_props(model, {key: json.dumps(value) for key, value in described.items()})
    return settle_shapes(model) if e.memory.sizes else model


def batch_axes(types: Mapping[str, TensorType]) -> dict[str, int]:
    """Where the sequences of a batch stand, for what has such an axis.

    Raises:
        TargetError: something has them merged with another axis.
    """
    found: dict[str, int] = {}
    for name, type_ in types.items():
        for axis, dim in enumerate(type_.dims):
            if dim.size is None and any(leaf.is_batch for leaf in leaves(dim)):
                if dim.expr is not None:
                    raise TargetError(
                        f"fixed sizes fill every batch up, and {name} has it merged with another axis", received=type_
                    )
                found[name] = axis
    return found


def _needed(format_: Format, contrib: Mapping[str, int]) -> dict[str, object]:
    """The profile, and of what only onnxruntime has, how much there is and which version it was written with."""
    versions = {"contrib": dict(contrib), "onnxruntime": _runtime_version()} if contrib else {}
    return {"name": format_.profile, **versions}


def _runtime_version() -> str | None:
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def contrib_nodes(nodes: Iterable[Any]) -> dict[str, int]:
    """How many there are of each of onnxruntime's own ops, those of nested graphs included."""
    counts: Counter[str] = Counter()
    for node in nodes:
        counts.update([node.op_type] if node.domain == CONTRIB[0] else [])
        for attribute in node.attribute:
            counts.update(contrib_nodes(attribute.g.node))
    return dict(sorted(counts.items()))


def _info(name: str, type_: TensorType, sign: Signature, memory: Memory) -> Any:
    from onnx import helper

    sizes = [memory.size(d) for d in type_.dims]
    shape = [size if size is not None else sign.axis_names[d] for size, d in zip(sizes, type_.dims, strict=True)]
    described = ", ".join("1" if d is UNIT else d.name for d in type_.dims)
    return helper.make_tensor_value_info(name, CODES[type_.dtype], shape, doc_string=f"[{described}]")
