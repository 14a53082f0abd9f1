"""Reads the IR's text form, see :mod:`returnn_ir.text.printer` for how it looks. Recursive descent, one token ahead.

Grammar (comments run from ``#`` to the end of the line; ``# layer 'x'`` behind a node is its origin)::

    graph    = "graph" name name "{" dim* statement* root* "}"
    dim      = "dim" dimname ("batch" | "dynamic" | "static" int | "=" expr) "feature"? "declared"? (":=" value)?
    expr     = ("ceildiv" | "floordiv" | "copy") "(" dimref "," int ")" | term ("+" term)*
    term     = (int | dimref) ("*" dimref)*
    node     = value ("," value)* "=" name "(" values ")" attrs? ":" type ("," type)* regions?
    regions  = "{" region ("}" "{" region)* "}"
    region   = "params" "(" (value ":" type),* ")" ("define" dimref ":=" value)* node* "yield" "(" values ")"
    type     = name "[" dimrefs "]" ("sparse" dimref)?
    dimref   = "_" | (name | quoted) ("~" int)?

Types are taken from the text; the verifier infers them again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from returnn_ir.errors import IRError, Origin
from returnn_ir.ir.dims import UNIT, Dim, Kind
from returnn_ir.ir.graph import Graph, Loss, Node, Output, Region, Value
from returnn_ir.ir.mode import Mode, Stage
from returnn_ir.ir.op import OpSpec, get_op
from returnn_ir.text.attributes import AttributeParser
from returnn_ir.text.tokens import ParseError, Token

__all__ = ["ParseError", "parse_graph"]

T = TypeVar("T")
_ROOTS = ("output", "loss", "constraints", "objective", "state", "trainable", "check")


def parse_graph(source: str) -> Graph:
    """The graph that a text describes.

    Raises:
        ParseError: with line, column and the line itself.
    """
    return _Parser(source).graph()


E = TypeVar("E", bound=StrEnum)


class _Parser(AttributeParser):
    """Statements; attributes, types and dims are the base class's business."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.values: dict[str, Value] = {}

    def graph(self) -> Graph:
        self.word("graph")
        graph = Graph(stage=self._one_of(Stage, "stage"), mode=self._one_of(Mode, "mode"))
        self.symbol("{")
        lengths: list[tuple[Dim, Token]] = []
        while self.accept_word("dim"):
            lengths.extend(self._dim())
        while self.peek.kind == "value":
            self._node(graph.body)
        for dim, token in lengths:
            graph.body.dim_defs[dim] = self._known(token)
        while not self.accept("}"):
            self._root(graph)
        self.expect("end")
        return graph

    def _one_of(self, kinds: type[E], what: str) -> E:
        token = self.expect("name")
        if token.text not in list(kinds):
            raise token.error(f"unknown {what}", expected=f"one of {', '.join(kinds)}")
        return kinds(token.text)

    # ---------------------------------------------------------------- dims

    def _dim(self) -> list[tuple[Dim, Token]]:
        name = self.dim_name()
        if name.key in self.dims:
            raise name.token.error(f"dim {name.key} is declared twice")
        dim = self._derived() if self.accept("=") else self._leaf(name.plain)
        while self.peek.text in ("feature", "declared"):
            setattr(dim, self.advance().text, True)
        self.dims[name.key] = dim
        return [(dim, self.expect("value"))] if self.accept(":=") else []

    def _leaf(self, name: str) -> Dim:
        token = self.expect("name")
        if token.text == "static":
            return Dim(name, self.integer())
        if token.text not in (Kind.BATCH.value, Kind.DYNAMIC.value):
            raise token.error("unknown kind of dim", expected="batch, dynamic, static or =")
        return Dim(name, kind=Kind(token.text))

    def _derived(self) -> Dim:
        if self.peek.text in ("ceildiv", "floordiv", "copy"):
            kind = self.advance().text
            self.symbol("(")
            base = self.dim()
            self.symbol(",")
            number = self.integer()
            self.symbol(")")
            if kind == "copy":
                return base.copy(match_priority=number)
            return base.ceildiv(number) if kind == "ceildiv" else base // number
        total: Dim = UNIT - UNIT  # the empty sum
        while True:
            total = total + self._term()
            if not self.accept("+"):
                return total

    def _term(self) -> Dim | int:
        coefficient = 1
        if self.peek.kind == "number":
            coefficient = self.integer()
            if not self.accept("*"):
                return coefficient
        term = self.dim()
        while self.accept("*"):
            term = term * self.dim()
        return coefficient * term

    # ---------------------------------------------------------------- nodes

    def _known(self, token: Token) -> Value:
        if token.text not in self.values:
            raise token.error("this value is not defined (before here)")
        return self.values[token.text]

    def _value(self) -> Value:
        return self._known(self.expect("value"))

    def _bind(self, token: Token, value: Value) -> None:
        if token.text in self.values:
            raise token.error("this value is defined twice")
        self.values[token.text] = value

    def _values(self) -> list[Value]:
        self.symbol("(")
        return self.until(")", self._value)

    def _node(self, region: Region) -> None:
        names = [self.expect("value")]
        while self.accept(","):
            names.append(self.expect("value"))
        self.symbol("=")
        op = self.expect("name")
        try:
            spec = get_op(op.text)
        except IRError as error:
            raise op.error(str(error)) from error
        operands = self._operands(spec)
        attrs = self._attributes(spec) if self.accept("{") else {}
        self.symbol(":")
        types = [self.type()]
        while self.accept(","):
            types.append(self.type())
        if len(types) != len(names):
            raise op.error(f"{len(names)} results, {len(types)} types")
        regions, layer = self._regions(region)
        try:
            full = spec.complete(operands, attrs)
        except IRError as error:
            raise op.problem(str(error)) from error
        node = Node(spec, operands, full, types, Origin(layer=layer), regions)
        region.nodes.append(node)
        for token, value in zip(names, node.results, strict=True):
            self._bind(token, value)

    def _operands(self, spec: OpSpec) -> list[Value]:
        found: list[Value] = []
        self.symbol("(")
        while not self.accept(")"):
            if found:
                self.symbol(",")
            token = self.expect("value")
            if token.text not in self.values:
                name = spec.signature.operand_name(len(found))
                raise token.problem(f"operand {name!r} of op {spec.name!r} is not defined (before here)")
            found.append(self.values[token.text])
        return found

    def _attributes(self, spec: OpSpec) -> dict[str, Any]:
        tokens: dict[str, Token] = {}

        def name() -> str:
            token = self.expect("name")
            return tokens.setdefault(token.text, token).text

        attrs = self.mapping("}", name, "=")
        for key, value in attrs.items():
            if (problem := spec.signature.wrong_value(key, value)) is not None:
                raise tokens[key].problem(f"op {spec.name!r} {problem}")
        return attrs

    def _regions(self, parent: Region) -> tuple[tuple[Region, ...], str | None]:
        found: list[Region] = []
        more = self.accept("{")
        layer = self.layer()
        while more:
            found.append(self._region(parent))
            self.symbol("}")
            more = self.accept("{")
        return tuple(found), layer

    def _region(self, parent: Region) -> Region:
        region = Region(parent=parent)
        self.word("params")
        self.symbol("(")
        region.params = self.until(")", self._param)
        lengths: list[tuple[Dim, Token]] = []
        while self.accept_word("define"):
            dim = self.dim()
            self.symbol(":=")
            lengths.append((dim, self.expect("value")))
        while self.peek.kind == "value":
            self._node(region)
        self.word("yield")
        region.results = self._values()
        region.dim_defs = {dim: self._known(token) for dim, token in lengths}
        return region

    def _param(self) -> Value:
        token = self.expect("value")
        self.symbol(":")
        value = Value(self.type())
        self._bind(token, value)
        return value

    # ---------------------------------------------------------------- roots

    def _root(self, graph: Graph) -> None:
        kind = self.expect("name")
        if kind.text not in _ROOTS:
            raise kind.error("unknown root", expected=f"one of {', '.join(_ROOTS)}")
        named = kind.text not in ("constraints", "objective")
        name = self.string() if named else ""
        if kind.text == "trainable":
            graph.trainable.append(name)
            return
        self.symbol("=")
        match kind.text:
            case "output":
                graph.outputs[name] = self._output()
            case "loss":
                graph.losses[name] = self._loss()
            case "state":
                graph.state_updates[name] = self._value()
            case "check":
                graph.checks.append((name, self._value()))
            case "constraints":
                graph.constraints = self._value()
            case _:
                graph.objective = self._value()

    def _output(self) -> Output:
        value = self._value()
        self.word("axes")
        self.symbol("[")
        axes = tuple(self.until("]", self.dim))
        time = self._optional("time", self.dim)
        feature = self._optional("feature", self.dim)
        lengths: dict[int, Value] = {}
        if self.accept_word("lengths"):
            self.symbol("[")
            lengths = dict(self.until("]", self._length))
        beam = self._optional("beam", self.dim)
        scores = None
        if beam is not None:
            self.word("scores")
            scores = self._value()
        return Output(value, axes, time, feature, lengths, beam, scores)

    def _length(self) -> tuple[int, Value]:
        axis = self.integer()
        self.symbol(":")
        return axis, self._value()

    def _loss(self) -> Loss:
        value = self._optional("value", self._value)
        error = self._optional("error", self._value)
        norm_factor = self._optional("norm_factor", self._value)
        self.word("scale")
        scale = self.number()
        return Loss(value, error, norm_factor, float(scale), normalized=self.accept_word("normalized"))

    def _optional(self, word: str, parse: Callable[[], T]) -> T | None:
        return parse() if self.accept_word(word) else None
