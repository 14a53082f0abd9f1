"""The IR as text: deterministic ASCII, which :mod:`returnn_ir.text.parser` reads back.

::

    graph named forward {
      dim B batch := %2
      dim T dynamic := %1
      dim F static 5 feature
      %0 = input() {name="data", dtype="float32", dims=[B, T, F]} : float32[B, T, F]
      %1 = input() {name="data/size1", dtype="int64", dims=[B]} : int64[B]
      %2 = size_of(%0) {dim=B} : int64[]
      %3 = reduce(%0) {kind="sum", dims=[T]} : float32[B, F]  # layer 'sum'
      output "sum" = %3 axes [B, F] feature F
    }

Dims with equal names are told apart by a suffix (``T~2``), names that are no words stand in single quotes (``'T+2'``),
``_`` is the inserted axis of size one. Attributes with their default value are left out. A nested region stands in
braces behind its owner, with its parameters, definitions of dims and ``yield``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import UNIT, Dim, Division, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value, attr_dims
from returnn_ir.ir.signature import REQUIRED
from returnn_ir.ir.types import ELEMENT_TYPES, TensorType
from returnn_ir.text.attributes import OBJECTS

__all__ = ["INLINE_ENTRIES", "KEYWORDS", "Line", "print_graph", "print_lines", "print_value"]

#: Arrays with more entries are printed as base64.
INLINE_ENTRIES = 16
#: Names that a dim cannot have unless quoted.
KEYWORDS = frozenset(
    {*ELEMENT_TYPES, "_", "none", "true", "false", "inf", "nan", "array", "complex", "ceildiv", "copy", "floordiv"}
)

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/]*")
Line = tuple[str, Node | None]


def print_graph(graph: Graph) -> str:
    """The graph as text, ending in a newline."""
    return "".join(f"{text}\n" for text, _ in print_lines(graph))


def print_lines(graph: Graph) -> list[Line]:
    """The lines of the text, each with the node that it is about."""
    return list(_Printer(graph).graph(graph))


def print_value(value: object) -> str:
    """An attribute's value that has no dims in it."""
    return _Printer(Graph()).attribute(value)


class _Printer:
    """Numbers values in execution order and names dims in the order of their first appearance."""

    def __init__(self, graph: Graph) -> None:
        self.values: dict[Value, str] = {}
        self.dims: dict[Dim, str] = {}
        self._taken: dict[str, int] = {}
        self._number(graph.body)
        for output in graph.outputs.values():
            for dim in (*output.axes, output.time_dim, output.feature_dim):
                if dim is not None:
                    self._name(dim)

    def _number(self, region: Region) -> None:
        for value in region.params:
            self._add(value)
        for node in region.nodes:
            for dim in node.mentioned_dims():
                self._name(dim)
            for value in node.results:
                self._add(value)
            for attribute in node.attrs.values():
                self._name_sparse(attribute)
            for inner in node.regions:
                self._number(inner)
        for dim in region.dim_defs:
            self._name(dim)

    def _add(self, value: Value) -> None:
        self.values[value] = f"%{len(self.values)}"
        self._name_sparse(value.type)

    def _name_sparse(self, value: object) -> None:
        for dim in attr_dims(value):
            self._name(dim)
        if isinstance(value, TensorType) and value.sparse_dim is not None:
            self._name(value.sparse_dim)
        if isinstance(value, tuple):
            for part in value:
                self._name_sparse(part)

    def _name(self, dim: Dim) -> None:
        if dim in self.dims or dim is UNIT:
            return
        for operand in _operands(dim):
            self._name(operand)
        plain = _PLAIN.fullmatch(dim.name) and dim.name not in KEYWORDS
        base = dim.name if plain else _quoted(dim.name)
        self._taken[base] = count = self._taken.get(base, 0) + 1
        self.dims[dim] = base if count == 1 else f"{base}~{count}"

    # ---------------------------------------------------------------- parts

    def value(self, value: Value) -> str:
        """A reference; values that the graph does not define (a broken graph) are question marks."""
        return self.values.get(value, "%?")

    def dim(self, dim: Dim) -> str:
        return "_" if dim is UNIT else self.dims.get(dim, f"?{dim.name}")

    def type(self, type_: TensorType) -> str:
        sparse = f" sparse {self.dim(type_.sparse_dim)}" if type_.sparse_dim is not None else ""
        return f"{type_.dtype}[{', '.join(self.dim(d) for d in type_.dims)}]{sparse}"

    def attribute(self, value: object) -> str:
        """The text of one attribute's value."""
        if isinstance(value, Dim):
            return self.dim(value)
        if isinstance(value, TensorType):
            return self.type(value)
        if isinstance(value, tuple | list):
            return f"[{', '.join(self.attribute(v) for v in value)}]"
        if isinstance(value, np.ndarray):
            return _array(value)
        if isinstance(value, Mapping):
            return f"{{{', '.join(f'{json.dumps(k)}: {self.attribute(v)}' for k, v in value.items())}}}"
        if isinstance(value, OBJECTS):
            body = ", ".join(f"{f.name}={self.attribute(getattr(value, f.name))}" for f in fields(value) if f.repr)
            return f"!{type(value).__name__}({body})"
        if callable(value):
            return f"<function {json.dumps(getattr(value, '__qualname__', type(value).__name__))}>"
        return _scalar(value)

    # ---------------------------------------------------------------- lines

    def graph(self, graph: Graph) -> Iterator[Line]:
        yield f"graph {graph.stage} {graph.mode} {{", None
        for dim in self.dims:
            defined = graph.body.dim_defs.get(dim)
            length = f" := {self.value(defined)}" if defined is not None else ""
            yield f"  dim {self.dims[dim]} {self._kind(dim)}{length}", None
        yield from self._nodes(graph.body, "  ")
        for text in self._roots(graph):
            yield f"  {text}", None
        yield "}", None

    def _kind(self, dim: Dim) -> str:
        flags = " declared" if dim.declared else ""
        if dim.expr is not None:
            return f"= {self._expression(dim)}{flags}"
        flags = (" feature" if dim.feature else "") + flags
        return (f"static {dim.size}" if dim.size is not None else dim.axis_kind.value) + flags

    def _expression(self, dim: Dim) -> str:
        if dim.copy_of is not None:
            return f"copy({self.dim(dim.copy_of)}, {dim.match_priority})"
        if isinstance(dim.expr, Division):
            kind = "ceildiv" if dim.expr.round_up else "floordiv"
            return f"{kind}({self.dim(dim.expr.base)}, {dim.expr.divisor})"
        terms = dim.expr.terms if dim.expr is not None else ()
        return " + ".join("*".join([str(c)] * (c != 1 or not m) + [self.dim(d) for d in m]) for m, c in terms)

    def _nodes(self, region: Region, indent: str) -> Iterator[Line]:
        for node in region.nodes:
            head, comment = self._head(node), _comment(node)
            yield f"{indent}{head}{' {' if node.regions else ''}{comment}", node
            for number, inner in enumerate(node.regions):
                if number:
                    yield f"{indent}}} {{", None
                params = ", ".join(f"{self.value(p)}: {self.type(p.type)}" for p in inner.params)
                yield f"{indent}  params({params})", node
                for dim, length in inner.dim_defs.items():
                    yield f"{indent}  define {self.dim(dim)} := {self.value(length)}", None
                yield from self._nodes(inner, indent + "  ")
                yield f"{indent}  yield({', '.join(self.value(v) for v in inner.results)})", node
            if node.regions:
                yield f"{indent}}}", None

    def _head(self, node: Node) -> str:
        shown = [
            f"{k}={self.attribute(_precise(node, v))}" for k, v in node.attrs.items() if not _is_default(node, k, v)
        ]
        attrs = f" {{{', '.join(shown)}}}" if shown else ""
        results = ", ".join(self.value(v) for v in node.results)
        types = ", ".join(self.type(v.type) for v in node.results)
        operands = ", ".join(self.value(v) for v in node.operands)
        return f"{results} = {node.op.name}({operands}){attrs} : {types}"

    def _roots(self, graph: Graph) -> Iterator[str]:
        for name, output in graph.outputs.items():
            text = f"output {json.dumps(name)} = {self.value(output.value)}"
            text += f" axes [{', '.join(self.dim(d) for d in output.axes)}]"
            text += f" time {self.dim(output.time_dim)}" if output.time_dim is not None else ""
            text += f" feature {self.dim(output.feature_dim)}" if output.feature_dim is not None else ""
            lengths = ", ".join(f"{axis}: {self.value(v)}" for axis, v in output.lengths.items())
            text += f" lengths [{lengths}]" if lengths else ""
            if output.beam is not None and output.beam_scores is not None:
                text += f" beam {self.dim(output.beam)} scores {self.value(output.beam_scores)}"
            yield text
        for name, loss in graph.losses.items():
            parts = (("value", loss.value), ("error", loss.error), ("norm_factor", loss.norm_factor))
            shown = "".join(f" {key} {self.value(v)}" for key, v in parts if v is not None)
            normalized = " normalized" if loss.normalized else ""
            yield f"loss {json.dumps(name)} ={shown} scale {float(loss.scale)!r}{normalized}"
        if graph.constraints is not None:
            yield f"constraints = {self.value(graph.constraints)}"
        if graph.objective is not None:
            yield f"objective = {self.value(graph.objective)}"
        for name, value in graph.state_updates.items():
            yield f"state {json.dumps(name)} = {self.value(value)}"
        for name in graph.trainable:
            yield f"trainable {json.dumps(name)}"
        for message, value in graph.checks:
            yield f"check {json.dumps(message)} = {self.value(value)}"


def _operands(dim: Dim) -> list[Dim]:
    if dim.expr is None:
        return []
    if isinstance(dim.expr, Division):
        return [dim.expr.base]
    return [d for monomial, _ in dim.expr.terms for d in (*monomial, *(x for m in monomial for x in leaves(m)))]


def _quoted(name: str) -> str:
    inner = json.dumps(name)[1:-1].replace("'", "\\u0027")
    return f"'{inner}'"


def _precise(node: Node, value: object) -> object:
    """A float attribute in the precision that the node declares, which makes 0.1 of 0.10000000149011612."""
    dtype = node.attrs.get("dtype")
    return np.dtype(dtype).type(value) if isinstance(value, float) and dtype in ("float16", "float32") else value


def _is_default(node: Node, name: str, value: object) -> bool:
    attr = node.op.attrs.get(name)  # a broken graph, which a message shows, may have others
    default = REQUIRED if attr is None else attr.default
    return type(default) is type(value) and not isinstance(value, np.ndarray) and default == value


def _comment(node: Node) -> str:
    layer = node.origin.layer
    return f"  # layer '{layer.encode('ascii', 'backslashreplace').decode()}'" if layer else ""


def _scalar(value: object) -> str:
    if isinstance(value, np.floating):
        return str(value)  # as short as its own precision allows
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, complex):
        return f"complex({value.real!r}, {value.imag!r})"
    if isinstance(value, str):
        return json.dumps(value)
    raise IRError(f"an attribute cannot be a {type(value).__name__}: {value!r}")


def _array(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    shape = f"[{', '.join(str(n) for n in array.shape)}]"
    if array.size <= INLINE_ENTRIES and array.dtype.kind in "bif":
        entries = f"[{', '.join(_scalar(v) for v in array.reshape(-1))}]"
    else:
        entries = json.dumps(base64.b64encode(np.ascontiguousarray(array).tobytes()).decode())
    return f"array({array.dtype.name}, {shape}, {entries})"
