"""A model as the count reads it: graphs inside of graphs, and the element type of every value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Any

from compiler.onnx.placement.kernels import Arguments, KernelTable

__all__ = ["GraphView", "NodeView", "view"]


@dataclass(eq=False)
class NodeView:
    """A node.

    Attributes:
        since: the version of its operator.
        captured: values from outside that its bodies read.
        bodies: its graphs.
    """

    proto: Any
    graph: GraphView
    since: int
    arguments: Arguments
    bodies: list[GraphView]
    captured: set[str]

    @property
    def op(self) -> str:
        """The operator."""
        return str(self.proto.op_type)

    def reads(self) -> Iterator[tuple[int, str]]:
        """Its inputs with their places."""
        return ((place, name) for place, name in enumerate(self.proto.input) if name)

    def makes(self) -> Iterator[tuple[int, str]]:
        """Its outputs with their places."""
        return ((place, name) for place, name in enumerate(self.proto.output) if name)


@dataclass(eq=False)
class GraphView:
    """A graph of the model, or the body of a node.

    Attributes:
        path: names of the nodes around it, outermost first.
        inputs: names of its inputs, without those that have a default.
        types: element types of the values that are made here.
        sizes: numbers of entries of its initializers.
        nodes: in an order in which each follows what it reads.
    """

    parent: GraphView | None
    path: tuple[str, ...]
    inputs: set[str]
    types: dict[str, str | None]
    sizes: dict[str, int]
    nodes: list[NodeView] = field(default_factory=list)

    def type_of(self, name: str) -> str | None:
        """The element type of a value, here or further out."""
        if name in self.types or self.parent is None:
            return self.types.get(name)
        return self.parent.type_of(name)

    def initializer_size(self, name: str) -> int | None:
        """How many entries an initializer has, here or further out; None if it is none."""
        if name in self.sizes or name in self.types or self.parent is None:
            return self.sizes.get(name)
        return self.parent.initializer_size(name)

    def walk(self) -> Iterator[GraphView]:
        """This graph and all inside, from the outside."""
        yield self
        for node in self.nodes:
            for body in node.bodies:
                yield from body.walk()


def view(model: Any, table: KernelTable) -> GraphView:
    """A view of an ``onnx.ModelProto``."""
    opsets = {held.domain: int(held.version) for held in model.opset_import}
    return _Reader(opsets, table).graph(model.graph, None, ())


class _Reader:
    """Reads graphs of one model."""

    def __init__(self, opsets: dict[str, int], table: KernelTable) -> None:
        self._opsets = opsets
        self._table = table

    def graph(self, proto: Any, parent: GraphView | None, path: tuple[str, ...]) -> GraphView:
        sizes = {held.name: prod(held.dims) for held in proto.initializer}
        types: dict[str, str | None] = {held.name: _name(held.data_type) for held in proto.initializer}
        types |= {held.name: _declared(held.type) for held in (*proto.value_info, *proto.input)}
        made = GraphView(parent, path, {held.name for held in proto.input} - sizes.keys(), types, sizes)
        for node in proto.node:
            made.nodes.append(self._node(node, made))
        return made

    def _node(self, proto: Any, graph: GraphView) -> NodeView:
        attributes = {held.name: held for held in proto.attribute}
        path = (*graph.path, proto.name or proto.op_type)
        graphs = [held.g for held in proto.attribute if held.HasField("g")]
        bodies = [self.graph(held, graph, path) for held in graphs]
        inputs = [graph.type_of(name) if name else None for name in proto.input]
        outputs = self._results(proto, attributes, inputs, graphs)
        for name, found in zip(proto.output, outputs, strict=True):
            if graph.types.get(name) is None:
                graph.types[name] = found
        outputs = [graph.types.get(name) for name in proto.output]
        captured = {name for body in graphs for name in _free(body)}
        since = _since(proto.domain, proto.op_type, self._opsets.get(proto.domain, 1))
        return NodeView(proto, graph, since, Arguments(inputs, outputs), bodies, captured)

    def _results(
        self, proto: Any, attributes: dict[str, Any], inputs: Sequence[str | None], graphs: Sequence[Any]
    ) -> list[str | None]:
        """Types of what a node makes."""
        count = len(proto.output)
        if graphs:
            skipped = 1 if proto.op_type == "Loop" else 0
            return [_declared(held.type) for held in graphs[0].output][skipped:][:count]
        if proto.op_type in ("Cast", "EyeLike", "RandomNormal", "RandomUniform") and (
            held := attributes.get("to") or attributes.get("dtype")
        ):
            return [_name(held.i)]
        if proto.op_type in ("Constant", "ConstantOfShape"):
            return [_name(attributes["value"].t.data_type) if "value" in attributes else "float"]
        found = self._table.contrib(proto.domain, proto.op_type)
        parameters = found or _parameters(proto.op_type, self._opsets.get("", 1)) if not proto.domain or found else None
        if parameters is None:
            return [None] * count
        read, made = parameters
        bound = {key: held for key, held in zip(_stretched(read, len(inputs)), inputs, strict=True) if held}
        return [bound.get(key, key if key in _TYPES else None) for key in _stretched(made, count)]


def _stretched(parameters: Sequence[str], count: int) -> list[str]:
    """The last parameter is the one that may come several times."""
    return [*parameters, *(parameters[-1:] * count)][:count]


@cache
def _parameters(name: str, opset: int) -> tuple[list[str], list[str]] | None:
    """Types of an operator's parameters: names of variables, or of types where there is no choice."""
    import onnx

    try:
        schema = onnx.defs.get_schema(name, opset, "")
    except onnx.defs.SchemaError:
        return None
    single = {
        c.type_param_str: _short(c.allowed_type_strs[0])
        for c in schema.type_constraints
        if len(c.allowed_type_strs) == 1
    }

    def text(parameter: Any) -> str:
        return single.get(parameter.type_str, _short(parameter.type_str))

    return [text(held) for held in schema.inputs], [text(held) for held in schema.outputs]


@cache
def _since(domain: str, name: str, opset: int) -> int:
    """The opset in which an operator changed last; operators of other domains have one version."""
    import onnx

    if domain:
        return 1
    try:
        return int(onnx.defs.get_schema(name, opset, domain).since_version)
    except onnx.defs.SchemaError:
        return 1


#: Element types as kernels.json calls them.
_TYPES = frozenset(
    "bfloat16 bool double float float16 int16 int32 int64 int8 string uint16 uint32 uint64 uint8".split()
)


def _short(text: str) -> str:
    return text.removeprefix("tensor(").removesuffix(")") if text.startswith("tensor(") else text


@cache
def _name(code: int) -> str:
    import onnx

    return str(onnx.TensorProto.DataType.Name(code)).lower()


def _declared(type_: Any) -> str | None:
    return _name(type_.tensor_type.elem_type) if type_.HasField("tensor_type") else None


def _free(proto: Any) -> set[str]:
    """Values that a graph reads and does not make."""
    made = {held.name for held in (*proto.input, *proto.initializer)}
    made.update(name for node in proto.node for name in node.output)
    read = {name for node in proto.node for name in node.input if name} | {held.name for held in proto.output}
    inner = {name for node in proto.node for held in node.attribute if held.HasField("g") for name in _free(held.g)}
    return (read | inner) - made
