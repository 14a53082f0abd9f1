"""Writing a graph in the TARGET stage as ONNX: values and dims on top of :class:`compiler.onnx.writer.Writer`.

Extents (sizes in memory) are read off the first array that has the dim; lengths come from ``Region.dim_defs``. What
belongs to a scope around a loop's body is written there, once, and not in every step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from compiler.analysis.extents import derived_extent
from compiler.analysis.labels import Trace
from compiler.analysis.tails import has_common_length
from compiler.onnx.memory import Memory
from compiler.onnx.profile import Format
from compiler.onnx.registry import chosen
from compiler.onnx.writer import GraphScope, Writer
from compiler.target.protocol import Array
from returnn_ir.errors import IRError
from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import UNIT, Dim, Polynomial, leaves
from returnn_ir.ir.graph import Graph, Node, Region, Value

__all__ = ["JOINED_ROWS", "Emitter", "Lengths", "Longer"]

#: The lengths of dims.
Meaning = tuple[Value | None, ...]

#: An int64 array of lengths by its ONNX name, and the dims of its axes.
Lengths = tuple[str, tuple[Dim, ...]]


#: What onnxruntime makes one node with a convolution right before it, or with a product of matrices.
_JOINED = ("add", "batch_norm")
JOINED_ROWS = ("add", "relu", "sigmoid", "tanh")


@dataclass(frozen=True)
class Longer:
    """An array whose beginning is a value, or one that has the value's entries on a row for each of its last axes.

    Attributes:
        trim: cuts such an array, or gives it the value's axes.
        rows: it is a matrix.
    """

    array: str
    trim: Callable[[str], str]
    rows: bool = False

    def cut(self) -> str:
        """The value."""
        return self.trim(self.array)


class Emitter(Writer):
    """Writes the nodes of a region, row by row.

    Attributes:
        params: the values that become initializers, by RETURNN's variable name.
        memory: what is known of the extents of axes.
        region: the region being written.
        used: every value that somebody reads.
        trace: where numbers come from.
    """

    def __init__(
        self, format_: Format, graph: Graph, params: Mapping[str, Array], memory: Memory | None = None
    ) -> None:
        super().__init__(format_)
        self.memory = memory or Memory()
        self.graph = graph
        self.params = params
        self.region = graph.body
        self.used = graph.uses()
        self.trace = Trace(graph)
        self._names: dict[Value, tuple[str, GraphScope]] = {}
        self._arrays: dict[tuple[GraphScope, Dim], tuple[str, int]] = {}
        self._renamed: dict[tuple[GraphScope, Dim], tuple[Dim, Meaning]] = {}
        self._longer: dict[Value, Longer] = {}

    # ---------------------------------------------------------------- values

    def __getitem__(self, value: Value) -> str:
        """The ONNX name of a value."""
        return self._names[value][0]

    def bind(self, value: Value, name: str) -> None:
        """The value is that ONNX array; its axes give the extents of its dims from now on."""
        self._names[value] = (name, self.scope)
        self._made.setdefault(name, self.scope)
        for axis, dim in enumerate(value.dims):
            if not dim.is_static and (self.scope, dim) not in self._arrays:
                self._arrays[self.scope, dim] = (name, axis)

    def home(self, *values: Value) -> GraphScope:
        """The outermost scope that sees all of these values."""
        chain = list(self.scope.chain())
        return chain[min((chain.index(self._names[v][1]) for v in values), default=len(chain) - 1)]

    def is_made_here(self, value: Value) -> bool:
        """Whether the array is one of the graph that is being written, and not of one around it."""
        return self._names[value][1] is self.scope

    def operands(self, node: Node) -> list[str]:
        """The ONNX names of a node's operands."""
        return [self[v] for v in node.operands]

    def write_region(self, region: Region, written: Collection[Node] = ()) -> None:
        """Write all nodes of a region into the current scope, but those whose values are there already."""
        outer, self.region = self.region, region
        self.write_nodes([node for node in region.nodes if node not in written])
        self.region = outer

    def write_nodes(self, nodes: Iterable[Node]) -> None:
        """Write nodes into the current scope."""
        for node in nodes:
            self.prefix = f"{node.origin.layer}/" if node.origin.layer else ""
            names = self._emit_longer(node) or self._emit(node)
            for value, name in zip(node.results, names, strict=True):
                self.bind(value, name)

    def _emit(self, node: Node) -> list[str]:
        return chosen(node, self.region, self.format).emit(self, node)

    def cut_from(self, value: Value, longer: Longer) -> str:
        """What a value is the beginning of; the array that is the value itself."""
        self._longer[value] = longer
        return longer.cut()

    def rows_of(self, value: Value) -> str | None:
        """The matrix that has the value's entries, if one was made here."""
        longer = self._longer.get(value)
        return longer.array if longer is not None and longer.rows and self.is_made_here(value) else None

    def _emit_longer(self, node: Node) -> list[str] | None:
        """Cut behind what alone needs an array that is cut, where onnxruntime makes one node of both."""
        x = node.operands[0] if node.operands else None
        longer = self._longer.get(x) if x is not None else None
        if x is None or longer is None or node.op.name not in (JOINED_ROWS if longer.rows else _JOINED):
            return None
        name, scope = self._names[x]
        others = [d for v in node.operands[1:] for d in v.dims]
        if scope is not self.scope or self.used.only_user(x) is not node or node.result.dims != x.dims:
            return None
        if not all(d is x.dims[-1] if longer.rows else d.is_static for d in others):
            return None
        self._names[x] = (longer.array, scope)
        (joined,) = self._emit(node)
        self._names[x] = (name, scope)
        return [self.cut_from(node.result, replace(longer, array=joined))]

    # ---------------------------------------------------------------- extents

    def is_live(self, dim: Dim) -> bool:
        """Whether an array here has the dim."""
        return any((scope, dim) in self._arrays for scope in self.scope.chain())

    def rename(self, old: Dim, new: Dim) -> None:
        """From now on ``new`` stands for the axis ``old``: what one of them says of its extent, the other says too."""
        if not new.is_static and not self.is_live(new):
            self._renamed[self.scope, new] = old, self._meaning(new, old)

    def _meaning(self, *dims: Dim) -> Meaning:
        """The lengths of some dims here: in a loop's body a dim may have others than around it."""
        return tuple(self.region.lookup(leaf) for dim in dims for leaf in leaves(dim))

    def axis_of(self, dim: Dim) -> Dim:
        """The dim that an axis had first; where two dims have the same one, they have one extent in memory."""
        for scope in self.scope.chain():
            old, meaning = self._renamed.get((scope, dim), (None, ()))
            if old is not None and meaning == self._meaning(dim, old):
                return self.axis_of(old)
            if (scope, dim) in self._arrays:
                return dim
        return dim

    def empty_with(self, dim: Dim, others: Sequence[Dim]) -> bool:
        """Whether an axis without entries implies that one of ``others``, axes of one array, has none either."""
        expr = self.axis_of(dim).expr
        factors = [self.axis_of(dim)]
        if isinstance(expr, Polynomial) and len(expr.terms) == 1:
            factors = [self.axis_of(d) for d in expr.terms[0][0]]
        varying = [d for d in factors if d.size is None]
        own = {self.axis_of(d) for d in others}
        return bool(varying) and own.issuperset(varying)

    def has_extent(self, dim: Dim, extent: str) -> None:
        """The size in memory of ``dim`` is known before an array has to be asked; the first word counts."""
        self.scope.memo.setdefault(("extent", dim), extent)

    def extent(self, dim: Dim) -> str:
        """The size in memory of an axis, a vector of one int64."""
        dim = self.axis_of(dim)
        size = self.memory.size(dim)
        if size is not None:
            return self.ints(size)
        for scope in self._seeing(dim):
            if ("extent", dim) in scope.memo:
                return scope.memo["extent", dim]
            if (scope, dim) in self._arrays:
                name, axis = self._arrays[scope, dim]
                with self.inside(scope):
                    scope.memo["extent", dim] = self.axis_extent(name, axis)
                return scope.memo["extent", dim]
        scope = self._home(leaves(dim))
        with self.inside(scope):
            scope.memo["extent", dim] = self._computed_extent(dim)
        return scope.memo["extent", dim]

    def longest_extent(self, dim: Dim) -> str:
        """The extent of an axis that is no longer than the longest sequence, a vector of one int64."""
        if dim.size is not None or dim not in self.memory.sizes or dim.is_batch:
            return self.extent(dim)
        if dim.expr is None:
            return self._longest_of(dim)
        return derived_extent(dim, self.extent_algebra(), self.longest_extent, self._longest_of)

    def _seeing(self, dim: Dim) -> list[GraphScope]:
        """The scopes in which the dim has the extent that it has here, the outermost first."""
        known, region = leaves(dim), self.region
        while region.parent is not None and not any(map(region.redefines, known)):
            region = region.parent
        depth = 0
        while region.parent is not None:
            region, depth = region.parent, depth + 1
        return list(self.scope.chain())[::-1][depth:]

    def is_padded(self, dim: Dim) -> bool:
        """Whether an axis may have more frames than a sequence."""
        return self.region.is_ragged(dim) or (dim in self.memory.sizes and has_common_length(self.region, dim))

    def axis_extent(self, name: str, axis: int) -> str:
        """The size of one axis of an array, a vector of one int64."""
        if self.format.opset < 15:
            raise IRError("onnx: Shape has no range before opset 15")
        return self.op("Shape", name, start=axis, end=axis + 1)

    def _home(self, dims: Sequence[Dim]) -> GraphScope:
        """The innermost scope among those of the lengths of ``dims``: the outermost one that sees them all."""
        chain = list(self.scope.chain())
        depths = [len(chain) - 1]
        for dim in dims:
            value = self.region.lookup(dim)
            if value is not None:
                depths.append(chain.index(self._names[value][1]))
            live = [i for i, scope in enumerate(chain) if (scope, dim) in self._arrays]
            depths.extend(live[:1] if value is None else [])
        return chain[min(depths)]

    def _computed_extent(self, dim: Dim) -> str:
        """Of a dim that no array has: computed like the dim itself where that is exact, else the longest length."""
        value = self.region.lookup(dim)
        if dim.expr is None:
            if value is None:
                raise IRError(f"dim {dim} has no {'extent' if dim.is_batch else 'lengths'} here")
            return self.unsqueeze(self[value], [0]) if dim.is_batch else self.longest(self[value], len(value.dims))
        return derived_extent(dim, self.extent_algebra(), self.extent, self._longest_of)

    def extent_algebra(self) -> DimAlgebra[str]:
        """The arithmetic of extents, vectors of one."""
        return DimAlgebra(
            self.ints,
            lambda a, b: self.op("Add", a, b),
            lambda a, b: self.op("Mul", a, b),
            lambda a, divisor: self.floordiv(a, self.ints(divisor)),
            lambda a: self.op("Max", a, self.ints(0)),
        )

    def _longest_of(self, dim: Dim) -> str:
        length, dims = self.length(dim)
        return self.longest(length, len(dims))

    def longest(self, length: str, rank: int) -> str:
        """The largest of some lengths, a vector of one; zero for an empty batch."""
        if ("longest", length) in self.scope.memo:
            return self.scope.memo["longest", length]
        flat = self.op("Reshape", length, self.ints(-1)) if rank != 1 else length
        longest = self.reduce("ReduceMax", self.op("Concat", flat, self.ints(0), axis=0), [0], keepdims=True)
        self.scope.memo["longest", length] = longest
        return longest

    def is_longest(self, length: str, array: str, axis: int) -> None:
        """An axis of an array is as long as the longest of some lengths, and asking it costs no computation."""
        self.scope.memo["longest", length] = self.axis_extent(array, axis)

    def product(self, extents: Sequence[str], coefficient: int = 1) -> str:
        """The product of extents, a vector of one."""
        factors = list(extents)
        if coefficient != 1 or not factors:
            factors.append(self.ints(coefficient))
        result = factors[0]
        for factor in factors[1:]:
            result = self.op("Mul", result, factor)
        return result

    # ---------------------------------------------------------------- lengths

    def length(self, dim: Dim) -> Lengths:
        """The lengths of a dim, evaluated over those of the dims that it is derived from."""
        if dim.is_batch:
            return self.scalar(self.extent(dim)), ()

        def leaf(d: Dim) -> Lengths:
            value = self.region.lookup(d)
            if value is None:
                raise IRError(f"dim {d} has no lengths here")
            return self[value], value.dims

        return evaluate(dim, self._algebra(), leaf)

    def _algebra(self) -> DimAlgebra[Lengths]:
        zero = self.constant(0, "int64")
        return DimAlgebra(
            lambda number: (self.constant(number, "int64"), ()),
            lambda a, b: self._together("Add", a, b),
            lambda a, b: self._together("Mul", a, b),
            lambda a, divisor: (self.floordiv(a[0], self.constant(divisor, "int64")), a[1]),
            lambda a: (self.op("Max", a[0], zero), a[1]),
        )

    def _together(self, op_type: str, a: Lengths, b: Lengths) -> Lengths:
        dims = tuple(dict.fromkeys((*a[1], *b[1])))
        return self.op(op_type, self.align(*a, dims), self.align(*b, dims)), dims

    def add_lengths(self, a: Lengths, b: Lengths) -> Lengths:
        """The sum of two lengths."""
        return self._together("Add", a, b)

    def mask(self, dim: Dim) -> Lengths:
        """True on the valid frames: the dims of the lengths, then ``dim``."""
        length, dims = self.length(dim)
        at = (*dims, dim)
        return self.op("Less", self.range(self.extent(dim)), self.align(length, dims, at)), at

    # ---------------------------------------------------------------- shapes

    def align(self, name: str, dims: Sequence[Dim], target: Sequence[Dim]) -> str:
        """An array with axes ``dims`` put into the order ``target``, with axes of size one where it lacks them.

        Leading axes of size one are left out.
        """
        present = [d for d in target if d in dims]
        if len(present) != len(dims):
            raise IRError(f"onnx: cannot put {list(dims)} into {list(target)}")
        name = self.transpose(name, [list(dims).index(d) for d in present])
        first = next((i for i, d in enumerate(target) if d in dims), len(target))
        missing = [i - first for i, d in enumerate(target) if i > first and d not in dims]
        return self.unsqueeze(name, missing)

    def shape(self, dims: Sequence[Dim]) -> str:
        """The extents of ``dims`` as one vector."""
        known = [d.size for d in dims if d.size is not None]
        if len(known) == len(dims):
            return self.ints(*known)
        return self.concat([self.extent(d) for d in dims], 0)

    def reshape(
        self, name: str, new: Sequence[Dim], extents: Mapping[Dim, str] | None = None, *, old: Sequence[Dim] = ()
    ) -> str:
        """The entries of an array on other axes; ``extents`` for dims whose size is not known here yet.

        Nothing is computed where all dynamic axes stay at their places among the ``old`` ones (0 in the shape), or
        where but one size is unknown (-1): beside an axis that stays, and may have no entries, that is undefined.
        """
        if old and list(old) == list(new):
            return name
        known = extents or {}
        stays = [i < len(old) and old[i] is d and d.size is None for i, d in enumerate(new)]
        unknown = [d for d, kept in zip(new, stays, strict=True) if d.size is None and not kept]
        filled = all(d.size != 0 for d in new)
        if not unknown and any(stays) and filled:
            sizes = [0 if d.size is None else d.size for d in new]
            return self.op("Reshape", name, self.ints(*sizes))
        dynamic = [d for d in new if d.size is None]
        if not dynamic or (len(dynamic) == 1 and filled):
            return self.op("Reshape", name, self.ints(*(-1 if d.size is None else d.size for d in new)), allowzero=1)
        parts = [known[d] if d in known else self.extent(d) for d in new]
        return self.op("Reshape", name, self.concat(parts, 0), allowzero=1)

    def permute(self, name: str, old: Sequence[Dim], new: Sequence[Dim]) -> str:
        """The same axes in another order (without ``UNIT``)."""
        return self.transpose(name, [list(old).index(d) for d in new])

    def positional(self, name: str, old: Sequence[Dim], new: Sequence[Dim]) -> str:
        """As :meth:`permute`, where ``UNIT`` axes vanish and appear."""
        name = self.squeeze(name, [i for i, d in enumerate(old) if d is UNIT])
        real = [d for d in new if d is not UNIT]
        name = self.permute(name, [d for d in old if d is not UNIT], real)
        return self.unsqueeze(name, [i for i, d in enumerate(new) if d is UNIT])
