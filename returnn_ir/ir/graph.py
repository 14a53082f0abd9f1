"""The graph: values, nodes and regions.

Nodes stand in a region in execution order and are changed in place; a value keeps its identity over a pass. Lengths
are operands too, though implicit ones: a region maps every dynamic dim to the value that holds its lengths
(``dim_defs``), and ``Node.deps`` is what analyses have to use. A nested region may use the values of those around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from returnn_ir.errors import IRError, Origin
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.mode import Mode, Stage
from returnn_ir.ir.types import TensorType
from returnn_ir.ir.uses import Uses

if TYPE_CHECKING:
    from returnn_ir.ir.op import OpSpec

__all__ = ["Graph", "Loss", "Node", "Output", "Region", "Value", "attr_dims"]


class Value:
    """One tensor: the result of a node, or a parameter of a region."""

    __slots__ = ("index", "node", "type")

    def __init__(self, type_: TensorType, node: Node | None = None, index: int = 0) -> None:
        self.type = type_
        self.node = node
        self.index = index

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The axes of the type."""
        return self.type.dims

    @property
    def dtype(self) -> str:
        """The element type."""
        return self.type.dtype


class Node:
    """One operation with its operands, attributes, results and nested regions."""

    __slots__ = ("attrs", "op", "operands", "origin", "regions", "results")

    def __init__(
        self,
        op: OpSpec,
        operands: list[Value],
        attrs: dict[str, Any],
        types: list[TensorType],
        origin: Origin,
        regions: tuple[Region, ...] = (),
    ) -> None:
        self.op = op
        self.operands = operands
        self.attrs = attrs
        self.origin = origin
        self.regions = regions
        self.results = [Value(t, self, i) for i, t in enumerate(types)]

    @property
    def result(self) -> Value:
        """The only result of a node that has one."""
        return self.results[0]

    def operand(self, name: str) -> Value:
        """The operand that the op declares under a name."""
        number = self.op.signature.operand_number(name)
        if number is None or number >= len(self.operands):
            declared = ", ".join(self.op.operands)
            raise IRError(
                f"op {self.op.name!r} ({declared}) with {len(self.operands)} operands has none named {name!r}"
            )
        return self.operands[number]

    def named_dims(self) -> list[Dim]:
        """The dims in attributes, each once."""
        return list(dict.fromkeys(d for value in self.attrs.values() for d in attr_dims(value)))

    def addressed_dims(self) -> list[Dim]:
        """The axes of operands that the attributes name: what the op works over."""
        held = {d for v in self.operands for d in v.dims}
        return [d for d in self.named_dims() if d in held]

    def mentioned_dims(self) -> list[Dim]:
        """The dims in attributes and result types, each once."""
        dims = self.named_dims()
        for result in self.results:
            dims.extend(result.type.dims)
        return list(dict.fromkeys(dims))

    def deps(self, dim_defs: Mapping[Dim, Value]) -> list[Value]:
        """Operands, the lengths of every dim mentioned, and what nested regions capture."""
        found = list(self.operands)
        for dim in self.mentioned_dims():
            for d in (dim, *leaves(dim)):
                if d in dim_defs:
                    found.append(dim_defs[d])
        for region in self.regions:
            found.extend(region.captures(dim_defs))
        own = set(self.results)
        return [v for v in dict.fromkeys(found) if v not in own]


def attr_dims(value: object) -> Iterator[Dim]:
    """The dims inside an attribute's value (a dim, or nested tuples with dims)."""
    if isinstance(value, Dim):
        yield value
    elif isinstance(value, TensorType):
        yield from value.dims
    elif isinstance(value, tuple):
        for part in value:
            yield from attr_dims(part)


@dataclass(eq=False)
class Region:
    """A sequence of nodes with parameters and results.

    Attributes:
        dim_defs: lengths of the dynamic dims (int64, with dims of their own), extents of the batch dims (scalars).
        graph: of the root region, the program that it is.
    """

    params: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    results: list[Value] = field(default_factory=list)
    dim_defs: dict[Dim, Value] = field(default_factory=dict)
    parent: Region | None = None
    graph: Graph | None = field(default=None, repr=False)

    def lookup(self, dim: Dim) -> Value | None:
        """The lengths of ``dim`` as seen from here."""
        region: Region | None = self
        while region is not None:
            if dim in region.dim_defs:
                return region.dim_defs[dim]
            region = region.parent
        return None

    def owner(self) -> Node | None:
        """The node whose region this is; of the root, and of what no node has yet, there is none."""
        around = [] if self.parent is None else self.parent.nodes
        return next((node for node in around if self in node.regions), None)

    def redefines(self, dim: Dim) -> bool:
        """Whether ``dim`` has other lengths here than around, as an axis has that grows from step to step of a loop."""
        own = self.dim_defs.get(dim)
        around = self.parent.lookup(dim) if own is not None and self.parent is not None else None
        return around is not None and around is not own

    def is_ragged(self, dim: Dim) -> bool:
        """Whether the lengths of ``dim``, as seen from here, have dims of their own: frames stand behind some ends."""
        if not dim.is_dynamic:
            return False
        lengths = [self.lookup(leaf) for leaf in leaves(dim) if leaf.is_dynamic]
        return any(length is not None and length.type.dims for length in lengths)

    def all_dim_defs(self) -> dict[Dim, Value]:
        """Every definition visible here, the innermost winning."""
        outer = self.parent.all_dim_defs() if self.parent is not None else {}
        return {**outer, **self.dim_defs}

    def captures(self, outer_defs: Mapping[Dim, Value]) -> list[Value]:
        """Values of enclosing regions that this one uses."""
        inner: set[Value] = set(self.params)
        used: list[Value] = []
        defs = {**outer_defs, **self.dim_defs}
        for node in self.nodes:
            used.extend(node.deps(defs))
            inner.update(node.results)
        used.extend(self.results)
        used.extend(self.dim_defs.values())
        return [v for v in dict.fromkeys(used) if v not in inner]

    def walk(self) -> Iterator[Node]:
        """All nodes, those of nested regions after their owner."""
        for node in self.nodes:
            yield node
            for region in node.regions:
                yield from region.walk()

    def regions(self) -> Iterator[Region]:
        """This region and all nested ones, each before those in it."""
        yield self
        for node in self.nodes:
            for region in node.regions:
                yield from region.regions()

    def needed_for(self, nodes: Iterable[Node]) -> list[Node]:
        """These nodes of the region and all that they need there, each behind what it needs.

        An input whose extent is a dim's needs itself by way of the dim; it comes as it was found.
        """
        found: dict[Node, None] = {}
        entered: set[Node] = set()
        stack = [(node, False) for node in nodes]
        while stack:
            node, complete = stack.pop()
            if complete:
                found[node] = None
            elif node not in entered:
                entered.add(node)
                stack.append((node, True))
                stack.extend((v.node, False) for v in node.deps(self.dim_defs) if v.node is not None)
        return list(found)

    def placed(self) -> Iterator[tuple[Node, Region]]:
        """All nodes with the regions that hold them, those of nested regions before their owner."""
        for node in self.nodes:
            for region in node.regions:
                yield from region.placed()
            yield node, self

    def program(self) -> Graph:
        """The graph that this region belongs to."""
        root = self
        while root.parent is not None:
            root = root.parent
        if root.graph is None:
            raise IRError("the region belongs to no graph")
        return root.graph

    def uses(self) -> Uses:
        """Who needs which value of the program that this region belongs to, see :meth:`Graph.uses`."""
        return self.program().uses()

    def substitute(self, env: Mapping[Value, Value]) -> None:
        """Replace values everywhere in this region and in nested ones."""
        if not env:
            return
        for node in self.nodes:
            node.operands = [_follow(env, v) for v in node.operands]
            for region in node.regions:
                region.substitute(env)
        self.results = [_follow(env, v) for v in self.results]
        self.dim_defs = {d: _follow(env, v) for d, v in self.dim_defs.items()}


def _follow(env: Mapping[Value, Value], value: Value) -> Value:
    while value in env:
        value = env[value]
    return value


@dataclass
class Output:
    """A result with its axes in RETURNN's order."""

    value: Value
    axes: tuple[Dim, ...]
    time_dim: Dim | None = None
    feature_dim: Dim | None = None
    #: the lengths of the dynamic axes, by axis number
    lengths: dict[int, Value] = field(default_factory=dict)
    #: the axis of hypotheses, and their scores [..., beam]
    beam: Dim | None = None
    beam_scores: Value | None = None


@dataclass
class Loss:
    """One loss: its sum over frames without scale, the error's sum, and the factor that makes a mean of them."""

    value: Value | None
    error: Value | None
    norm_factor: Value | None
    scale: float
    #: The value is used normalised in the objective (``use_normalized_loss``).
    normalized: bool = False


@dataclass(eq=False)
class Graph:
    """A whole program.

    Attributes:
        body: the root region; its params are empty, inputs and parameters are nodes.
        stage: where in the pipeline it is.
        outputs: by layer name.
        losses: by loss name.
        objective: sum of scaled losses and constraints, a scalar, or None without losses.
        state_updates: new values of variables, by parameter name.
        label_keys: the data keys whose labels dims number: what names the one names the other.
    """

    body: Region = field(default_factory=Region)
    stage: Stage = Stage.NAMED
    mode: Mode = Mode.FORWARD
    outputs: dict[str, Output] = field(default_factory=dict)
    losses: dict[str, Loss] = field(default_factory=dict)
    constraints: Value | None = None
    objective: Value | None = None
    state_updates: dict[str, Value] = field(default_factory=dict)
    label_keys: dict[Dim, str] = field(default_factory=dict)
    trainable: list[str] = field(default_factory=list)
    #: Run-time checks that the program makes before it answers: message and the scalar bool that must hold.
    checks: list[tuple[str, Value]] = field(default_factory=list)
    #: What somebody who knows the network from RETURNN should be told, with the layer's path.
    notes: list[str] = field(default_factory=list)
    #: Whether a layer or a loss of the network looks at more than one frame, by RETURNN's count (``LayerSpec``).
    recurrent: bool = False
    _frozen: bool = field(default=False, init=False, repr=False)
    _uses: Uses | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.body.graph = self

    def uses(self) -> Uses:
        """Who needs which value, as the graph is now: nodes, and what regions yield, lengths are and a run gives."""
        uses = self._uses or Uses.of(self)
        self._uses = uses if self._frozen else None
        return uses

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing changes the graph meanwhile, so that :meth:`uses` finds out once."""
        self._frozen = True
        try:
            yield
        finally:
            self._frozen, self._uses = False, None

    def nodes(self, op: str) -> Iterator[Node]:
        """All nodes of one op, in execution order."""
        return (n for n in self.body.walk() if n.op.name == op)

    def fetches(self) -> dict[str, Value]:
        """Everything that is asked of the program, by the names that a run returns them under."""
        found: dict[str, Value | None] = {}
        for name, output in self.outputs.items():
            found[f"output/{name}"] = output.value
            for axis, length in output.lengths.items():
                found[f"output/{name}/size{axis}"] = length
            found[f"output/{name}/beam_scores"] = output.beam_scores
        for name, loss in self.losses.items():
            found[f"loss/{name}"] = loss.value
            found[f"loss/{name}/error"] = loss.error
            found[f"loss/{name}/norm_factor"] = loss.norm_factor
        found["objective"] = self.objective
        found["constraints"] = self.constraints
        for name, value in self.state_updates.items():
            found[f"state/{name}"] = value
        for index, (_, value) in enumerate(self.checks):
            found[f"check/{index}"] = value
        return {name: value for name, value in found.items() if value is not None}

    def replace_roots(self, f: Callable[[Value], Value]) -> None:
        """Map every root value by ``f``."""
        for output in self.outputs.values():
            output.value = f(output.value)
            output.lengths = {axis: f(length) for axis, length in output.lengths.items()}
            output.beam_scores = f(output.beam_scores) if output.beam_scores is not None else None
        for loss in self.losses.values():
            loss.value = f(loss.value) if loss.value is not None else None
            loss.error = f(loss.error) if loss.error is not None else None
            loss.norm_factor = f(loss.norm_factor) if loss.norm_factor is not None else None
        self.constraints = f(self.constraints) if self.constraints is not None else None
        self.objective = f(self.objective) if self.objective is not None else None
        self.state_updates = {k: f(v) for k, v in self.state_updates.items()}
        self.checks = [(m, f(v)) for m, v in self.checks]

    def substitute(self, env: Mapping[Value, Value]) -> None:
        """Replace values everywhere, the roots included."""
        self.body.substitute(env)
        self.replace_roots(lambda v: _follow(env, v))
