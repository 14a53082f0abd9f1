"""A searching program in parts for deployment: encoder, init, step and finish.

The loop of the search is cut open. ``encoder`` computes from the inputs what every step reads, ``init`` the states
before the first step, ``step`` one step of the loop (score combination, top-k and the gathering of states included),
and ``finish`` everything behind the loop (the back-trace above all). The host (``compiler/target/split_driver.py``)
feeds states, tests ``done`` and collects what the steps leave; it does no arithmetic: both layouts give the same bits.

Names: ``encoder/K`` what other parts read, ``state/K`` carries, ``state/K/next`` carries behind a step, ``stack/K``
what a step leaves, ``i`` and ``i/next`` the number of this step and of the next one, ``limit`` the largest number of
steps, ``done`` after the last one. All that a step is given is what a part before has made, so it may stay where it was
made. What init needs and the encoder computes anyway crosses, too, so no part does another one's work again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from returnn_ir.errors import TargetError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node, Output, Region, Value
from returnn_ir.ir.loop import LoopOptions, LoopView
from returnn_ir.ir.mode import Mode, Stage
from returnn_ir.ir.op import Trait, get_op
from returnn_ir.ir.types import TensorType

__all__ = ["SplitSearch", "split_search"]


@dataclass(frozen=True)
class SplitSearch:
    """The parts of a search, graphs in the TARGET stage, and what the driver must know.

    Attributes:
        loop: of the whole program: the search.
        behind: the nodes of the whole program that need what the search gives.
        ends: the search finds its own end; otherwise it takes as many steps as ``limit`` says.
        states, stacks: how many carries and stacked values there are.
    """

    graphs: Mapping[str, Graph]
    loop: LoopView
    behind: tuple[Node, ...]
    ends: bool
    states: int
    stacks: int


def split_search(graph: Graph) -> SplitSearch:
    """Cut a searching graph into its parts.

    Args:
        graph: in the TARGET stage, mode ``search``.

    Raises:
        TargetError: there is no search, or more than one.
    """
    loops = [LoopView.of(n) for n in graph.body.nodes if n.op.name == "loop" and LoopOptions.of(n.attrs).searches]
    if len(loops) != 1:
        hint = "--layout single" if loops else "--mode search"
        raise TargetError("the split layout needs exactly one search", received=f"{len(loops)} searches", hint=hint)
    return _Splitter(graph, loops[0]).split()


class _Splitter:
    def __init__(self, graph: Graph, loop: LoopView) -> None:
        self.graph = graph
        self.loop = loop
        self.defs = graph.body.all_dim_defs()
        self._own: dict[Value, bool] = {}

    def split(self) -> SplitSearch:
        """All parts."""
        behind = self._behind()
        read = list(dict.fromkeys([*self._read_by_steps(), *self._read_behind(behind)]))
        read += self._read_by_init(read)
        named = {v: f"encoder/{k}" for k, v in enumerate(read)}
        graphs = {
            "encoder": self._part({name: v for v, name in named.items()}, {}),
            "init": self._init(named),
            "step": self._step(named),
            "finish": self._finish(named),
        }
        return SplitSearch(
            graphs,
            self.loop,
            tuple(behind),
            self.loop.end is not None,
            len(self.loop.carries),
            len(self.loop.stacked),
        )

    # ---------------------------------------------------------------- what crosses the cut

    def _read_by_steps(self) -> list[Value]:
        """What the body captures, and scanned values whole; what parameters and constants give belongs to each part."""
        read = (*self.loop.captured(), *(part.whole for part in self.loop.slices))
        return [v for v in read if not self._is_own(v)]

    def _is_own(self, value: Value) -> bool:
        """Whether it follows from parameters and constants alone: every part has it itself.

        So no matrix crosses the cut with every step, and a runtime packs it for its kernels in either layout: others
        round differently.
        """
        if value not in self._own:
            self._own[value] = False  # what comes back to itself is the extent of an input
            node = value.node
            if node is not None and node.op.name in ("param", "const"):
                self._own[value] = True
            elif (
                node is not None
                and not node.regions
                and not any(map(node.op.has, (Trait.RANDOM, Trait.EFFECT, Trait.DERIVATIVE)))
            ):
                needed = node.deps(self.defs)
                self._own[value] = bool(needed) and all(self._is_own(v) for v in needed)
        return self._own[value]

    def _behind(self) -> list[Node]:
        """The nodes that depend on the loop."""
        tainted: set[Value] = set(self.loop.node.results)
        found = []
        for node in self.graph.body.nodes:
            if node is not self.loop.node and any(v in tainted for v in node.deps(self.defs)):
                tainted.update(node.results)
                found.append(node)
        return found

    def _read_behind(self, behind: Iterable[Node]) -> list[Value]:
        nodes = list(behind)
        made = {v for n in nodes for v in n.results} | set(self.loop.node.results)
        used = [v for n in nodes for v in n.deps(self.defs)]
        used.extend(self.graph.fetches().values())
        return [v for v in dict.fromkeys(used) if v not in made and not self._is_own(v)]

    def _read_by_init(self, read: Sequence[Value]) -> list[Value]:
        """What the first states need, and the encoder computes anyway."""
        encoder = self._nodes_of(read)
        given, seen, found = set(read), set[Value](), list[Value]()
        stack = self._beginning()
        while stack:
            value = stack.pop()
            if value in seen or self._is_own(value):
                continue
            seen.add(value)
            is_made = value.node in encoder
            if value not in given and is_made and not _is_input(value):
                found.append(value)
            if value in given or is_made or value.node is None:
                stack.extend(self.defs[d] for d in value.dims if d in self.defs)
            else:
                stack.extend(value.node.deps(self.defs))
        return found

    def _beginning(self) -> list[Value]:
        """The states before the first step, and how many steps there may be."""
        end, dim = self.loop.end, self.loop.dim
        limit = [end.limit] if end is not None else [self.defs[d] for d in (dim,) if d in self.defs]
        return [*(carry.initial for carry in self.loop.carries), *limit]

    def _nodes_of(self, values: Iterable[Value]) -> set[Node | None]:
        """The nodes that compute some values."""
        found, stack = set[Node | None](), [value.node for value in values]
        while stack:
            node = stack.pop()
            if node is not None and node not in found:
                found.add(node)
                stack.extend(value.node for value in node.deps(self.defs))
        return found

    # ---------------------------------------------------------------- parts

    def _part(self, outputs: Mapping[str, Value], given: Mapping[Value, str]) -> Graph:
        """A graph that computes ``outputs`` from the inputs ``given``."""
        part = _Copier(given, self.defs)
        part.copy(self.graph.body.nodes, list(outputs.values()))
        return part.graph({name: part.env[v] for name, v in outputs.items()})

    def _init(self, named: Mapping[Value, str]) -> Graph:
        states = {f"state/{k}": carry.initial for k, carry in enumerate(self.loop.carries)}
        end = self.loop.end
        part = _Copier(named, self.defs)
        wanted = [*states.values(), *([end.limit] if end is not None else [])]
        part.copy(self.graph.body.nodes, wanted, dims=[] if end is not None else [self.loop.dim])
        limit = part.env[end.limit] if end is not None else part.builder.extent(self.loop.dim)
        first = part.builder.const(0, "int64")
        return part.graph({**{name: part.env[v] for name, v in states.items()}, "limit": limit, "i": first})

    def _step(self, named: Mapping[Value, str]) -> Graph:
        loop, region = self.loop, self.loop.region
        given = {**named, loop.index: "i", **{carry.param: f"state/{k}" for k, carry in enumerate(loop.carries)}}
        part = _Copier(given, {**self.defs, **region.dim_defs})
        part.copy(self.graph.body.nodes, [s.whole for s in loop.slices])
        index = part.given("i", TensorType("int64"))
        for s in loop.slices:
            part.env[s.param] = part.builder.op("gather", part.env[s.whole], index, dim=loop.dim)
        part.copy([*self.graph.body.nodes, *region.nodes], region.results)
        outputs = {f"state/{k}/next": part.env[carry.next] for k, carry in enumerate(loop.carries)}
        outputs["i/next"] = part.builder.op("add", index, part.builder.const(1, "int64"))
        outputs.update({f"stack/{k}": part.env[stack.inner] for k, stack in enumerate(loop.stacked)})
        if loop.end is not None:
            outputs["done"] = part.env[loop.end.done]
        return part.graph(outputs)

    def _finish(self, named: Mapping[Value, str]) -> Graph:
        loop = self.loop
        given = {**named, **{carry.result: f"state/{k}" for k, carry in enumerate(loop.carries)}}
        given.update({stack.outer: f"stack/{k}" for k, stack in enumerate(loop.stacked)})
        if loop.end is not None:
            given[loop.end.steps] = "steps"
        part = _Copier(given, self.defs)
        part.copy([n for n in self.graph.body.nodes if n is not loop.node], list(self.graph.fetches().values()))
        copy = Graph(part.body, Stage.TARGET, self.graph.mode)
        copy.checks = [(message, part.env[value]) for message, value in self.graph.checks]
        for name, output in self.graph.outputs.items():
            lengths = {axis: part.env[v] for axis, v in output.lengths.items()}
            scores = part.env[output.beam_scores] if output.beam_scores is not None else None
            copy.outputs[name] = Output(
                part.env[output.value], output.axes, output.time_dim, output.feature_dim, lengths, output.beam, scores
            )
        return copy


def _is_input(value: Value) -> bool:
    return value.node is not None and value.node.op.name == "input"


class _Copier:
    """Copies the nodes that some values need into a new region."""

    def __init__(self, given: Mapping[Value, str], defs: Mapping[Dim, Value]) -> None:
        self._given = given
        self._defs = defs
        self.body = Region()
        self.builder = Builder(self.body, positional=True)
        self.env: dict[Value, Value] = {}
        self._inputs: dict[str, Value] = {}

    def given(self, name: str, type_: TensorType) -> Value:
        """The input of that name."""
        if name not in self._inputs:
            value = self.builder.op("input", name=name, dtype=type_.dtype, dims=type_.dims, sparse_dim=type_.sparse_dim)
            self._inputs[name] = value
        return self._inputs[name]

    def copy(self, nodes: Iterable[Node], wanted: Iterable[Value], dims: Iterable[Dim] = ()) -> None:
        """Copy what ``wanted`` and the lengths of ``dims`` need, in the order of ``nodes``."""
        needed: dict[Value, None] = {}
        stack = [*wanted, *(self._defs[d] for d in dims if d in self._defs)]
        while stack:
            value = stack.pop()
            if value in needed or value in self.env:
                continue
            needed[value] = None
            if value not in self._given and value.node is not None:
                stack.extend(value.node.deps(self._defs))
            else:
                stack.extend(self._lengths(value.type))
        for value in needed:
            if value in self._given:
                self.env[value] = self.given(self._given[value], value.type)
        self._define()
        for node in nodes:
            if any(v in needed and v not in self._given for v in node.results) and node.results[0] not in self.env:
                self._emit(node)

    def _lengths(self, type_: TensorType) -> list[Value]:
        return [self._defs[d] for d in type_.dims if d in self._defs]

    def _emit(self, node: Node) -> None:
        with self.builder.at(node.origin):
            regions = tuple(self._region(r) for r in node.regions)
            results = self.builder.emit(
                get_op(node.op.name), [self.env[v] for v in node.operands], dict(node.attrs), regions
            )
        self.env.update(zip(node.results, results, strict=True))
        self._define()

    def _region(self, old: Region) -> Region:
        region = Region(parent=self.builder.region)
        region.params = [Value(p.type) for p in old.params]
        self.env.update(zip(old.params, region.params, strict=True))
        with self.builder.inside(region):
            pending = dict(old.dim_defs)
            for node in old.nodes:
                _define_into(region, pending, self.env)
                self._emit(node)
            _define_into(region, pending, self.env)
        region.results = [self.env[v] for v in old.results]
        return region

    def _define(self) -> None:
        for dim, length in self._defs.items():
            if length in self.env and dim not in self.body.dim_defs:
                self.body.dim_defs[dim] = self.env[length]

    def graph(self, outputs: Mapping[str, Value]) -> Graph:
        """The copy as a graph with these outputs."""
        made = Graph(self.body, Stage.TARGET, Mode.SEARCH)
        for name, value in outputs.items():
            made.outputs[name] = Output(value, value.dims)
        return made


def _define_into(region: Region, pending: dict[Dim, Value], env: Mapping[Value, Value]) -> None:
    for dim, length in list(pending.items()):
        if length in env:
            region.dim_defs[dim] = env[length]
            del pending[dim]
