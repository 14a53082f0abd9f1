"""Nodes of a loop's body emitted outside of it, for all steps at once: types are inferred anew, one more dim comes out.

What a node computes in a step is what its lifted form computes at that step's place. Two things need care. A dim of the
body whose length changes from step to step becomes a dim whose lengths are all of these, and from then on has frames
behind its end. And the loop's own dim, where the body sees it as an axis, is another tag (of the same lengths).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from compiler.passes.reemit import reemit
from returnn_ir.errors import DimError, IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim, leaves, rebuild
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopCarry, LoopLayout, LoopView
from returnn_ir.ir.op import OpSpec, Trait, length_dims
from returnn_ir.ir.types import TensorType

__all__ = ["Lifter", "RefusedError", "labelled"]


class RefusedError(Exception):
    """A node that only has a meaning step by step."""

    def __init__(self, node: Node) -> None:
        self.node = node
        super().__init__(node.op.name)


class Lifter:
    """Emits into the region around one loop.

    Attributes:
        env: values of the body, lifted; a value without the loop's dim is the same in all steps.
        dims: what the body's own dims have become.
    """

    def __init__(self, b: Builder, loop: LoopView) -> None:
        self.b = b
        self.dim = loop.dim
        #: lengths of the body's dims, as they were when the loop was whole
        self.defs: dict[Dim, Value] = dict(loop.region.dim_defs)
        self.env: dict[Value, Value] = {}
        self.dims: dict[Dim, Dim] = {}
        #: dims of the body that have got frames behind their ends, with the dims that their lengths have in the body
        self._grown: dict[Dim, tuple[Dim, ...]] = {}
        self._whole: dict[Value, Value] = {}
        self._own_time: Dim | None = None
        self._joined: tuple[Dim, Dim] | None = None

    def copy(self) -> Lifter:
        """Another one that knows the same, for a trial."""
        other = Lifter.__new__(Lifter)
        other.b, other.dim, other.defs = self.b, self.dim, self.defs
        other.env, other.dims, other._grown = dict(self.env), dict(self.dims), dict(self._grown)
        other._whole, other._own_time, other._joined = dict(self._whole), self._own_time, self._joined
        return other

    # ---------------------------------------------------------------- values and dims

    def value(self, value: Value) -> Value:
        """A value of the body, or one from around it, as it is seen outside."""
        if value in self.env:
            return self.env[value]
        if self.dim not in value.dims:
            return value
        if value not in self._whole:
            self._whole[value] = self.b.rename(value, (self.dim, self.own_time))
        return self._whole[value]

    @property
    def own_time(self) -> Dim:
        """The loop's dim where it is an axis of the body."""
        if self._own_time is None:
            self._own_time = Dim(f"{self.dim.name}.whole", self.dim.size, feature=self.dim.feature)
            if self.dim.is_dynamic:
                self.b.define(self._own_time, self.b.length(self.dim))
        return self._own_time

    def outer_dim(self, dim: Dim, *, own: bool = False) -> Dim:
        """A dim of the body as it is called outside; ``own``: the loop's dim stands for an axis of the body."""
        changed = [d for d in leaves(dim) if d in self.defs or (own and d is self.dim)]
        return rebuild(dim, lambda d: self._outer_leaf(d) if d in changed else d) if changed else dim

    def _outer_leaf(self, dim: Dim) -> Dim:
        if dim not in self.defs:
            return self.own_time
        if dim not in self.dims:
            inner = self.defs[dim]
            length = self.value(inner)
            grown = set(length.dims) != set(self.outer_type_dims(inner))
            free = self.b.lookup(dim) is None
            new = dim if free and not grown else Dim(dim.name, feature=dim.feature, description=dim.description)
            self.b.define(new, length)
            self.dims[dim] = new
            if grown:
                self._grown[dim] = inner.dims
        return self.dims[dim]

    def outer_type_dims(self, value: Value) -> list[Dim]:
        """The axes of a value of the body as they are called outside."""
        return [self.outer_dim(d, own=True) for d in value.dims]

    def _grows(self, dim: Dim) -> bool:
        self.outer_dim(dim)
        return any(leaf in self._grown for leaf in leaves(dim))

    # ---------------------------------------------------------------- nodes

    def lift(self, node: Node) -> None:
        """Emit a node for all steps.

        Raises:
            RefusedError: it cannot take one more dim.
        """
        with self.b.at(node.origin):
            try:
                results = self._emit(node)
            except (IRError, DimError, KeyError) as error:
                raise RefusedError(node) from error
        for inner, outer in zip(node.results, results, strict=True):
            self._check(node, inner, outer)
            self.env[inner] = outer

    def _emit(self, node: Node) -> list[Value]:
        operands = [self.value(v) for v in node.operands]
        if node.op.name == "history":
            return [self._history(node, operands[0])]
        if node.regions:
            return self._emit_regions(node, operands)
        if node.op.name == "extent" and self._grows(node.attrs["dim"]):
            return [self._extent(node)]
        operands, attrs = self._without_tails(node, operands)
        own = any(self.dim in v.dims for v in (*node.operands, *node.results))
        attrs = {name: _map_dims(value, lambda d: self.outer_dim(d, own=own)) for name, value in attrs.items()}
        if node.op.body is not None and not node.op.has(Trait.MASKED) and not node.op.has(Trait.ELEMENTWISE):
            operands = self._accepted(node, operands, attrs)
        results = self.b.emit(node.op, operands, attrs)
        if not _is_generic(node.op, operands, attrs, self.dim):
            raise RefusedError(node)
        return results

    def _history(self, node: Node, x: Value) -> Value:
        """All steps so far are all steps, of which those so far are the valid ones."""
        past = self.outer_dim(node.attrs["dim"])
        if self.dim in x.dims:
            return self.b.rename(x, (self.dim, past))
        return self.b.expand(x, past)

    def _extent(self, node: Node) -> Value:
        """Of each step: the longest of its lengths."""
        dim = node.attrs["dim"]
        if dim.expr is not None:
            raise RefusedError(node)
        length, inner = self.b.length(self.outer_dim(dim)), self._grown[dim]
        dims = [self.outer_dim(d, own=True) for d in inner]
        return self.b.reduce("max", length, *dims, mask=False) if dims else length

    def _without_tails(self, node: Node, operands: list[Value]) -> tuple[list[Value], dict[str, Any]]:
        """In the body a dim without ragged lengths has valid frames only; that has to be said outside."""
        grown = [d for d in node.addressed_dims() if self._grows(d)]
        if not grown or node.op.has(Trait.ELEMENTWISE) or node.op.name == "rename":
            return operands, node.attrs
        if node.op.name == "resize_axis":
            x, dim = operands[0], self.outer_dim(node.attrs["dim"])
            return [self.b.where(self.b.mask(dim), x, self.b.const(0, x.dtype))], node.attrs
        ragged = any(self._grown.get(leaf) for d in grown for leaf in leaves(d))
        if not node.op.has(Trait.MASKED) or (ragged and not node.attrs["mask"]):
            raise RefusedError(node)
        return operands, {**node.attrs, "mask": True}

    def _emit_regions(self, node: Node, operands: list[Value]) -> list[Value]:
        """A nested loop over one more dim, or a whole node that is the same in all steps."""
        inner = [n for region in node.regions for n in region.walk()]
        mentioned = {leaf for n in (node, *inner) for d in n.mentioned_dims() for leaf in leaves(d)}
        if self.dim in mentioned or any(self._grows(d) for d in mentioned):
            raise RefusedError(node)
        captured = [v for region in node.regions for v in region.captures(self.defs)]
        same = not any(self.dim in self.value(v).dims for v in (*node.operands, *captured))
        if not same and (node.op.name != "loop" or LoopLayout.of(node.attrs).ends):
            raise RefusedError(node)
        env = {**{v: self.value(v) for v in captured}, **self.env}
        results = reemit(self.b, node, operands, env)
        made = results[0].node if results else self.b.region.nodes[-1]
        if not same and made is not None and not all(_is_generic_region(r, self.dim) for r in made.regions):
            raise RefusedError(node)
        return results

    def _accepted(self, node: Node, operands: list[Value], attrs: dict[str, Any]) -> list[Value]:
        """The operands, as a composite's body takes them: perhaps repeated along the loop's dim."""
        if not any(self.dim in v.dims for v in operands):
            return operands
        if self._body_fits(node, operands, attrs):
            return operands
        orders = node.op.order([v.type for v in operands], attrs) if node.op.order is not None else ()
        repeated = [
            self.b.expand(v, self.dim) if order is not None and self.dim in order else v
            for v, order in zip(operands, orders, strict=False)
        ]
        if len(repeated) < len(operands) or not self._body_fits(node, repeated, attrs):
            raise RefusedError(node)
        return repeated

    def _body_fits(self, node: Node, operands: Sequence[Value], attrs: dict[str, Any]) -> bool:
        """Whether the body in primitives, tried on the side, gives what the inference says."""
        if node.op.body is None:
            return False
        scratch = Builder(Region(parent=self.b.region))
        try:
            types = node.op.infer(scratch, [v.type for v in operands], attrs)
            found = node.op.body(scratch, [Value(v.type) for v in operands], attrs)
        except (IRError, DimError, KeyError):
            return False
        return all(v.type.same_as(t) for v, t in zip(found, types, strict=True))

    def _check(self, node: Node, inner: Value, outer: Value) -> None:
        """The same axes, and perhaps the loop's dim; a lifted operand does not lose it."""
        extra = set(outer.dims) ^ set(self.outer_type_dims(inner))
        lifted = any(self.dim in self.value(v).dims for v in node.operands)
        free = node.regions or node.op.name == "history"
        if extra - {self.dim} or (lifted and not free and self.dim not in outer.dims):
            raise RefusedError(node)

    # ---------------------------------------------------------------- carries

    def shift(self, carry: LoopCarry, *, final: bool) -> Value | None:
        """A carry that is a lifted value one step later; with ``final`` its last value, each sequence's own.

        In a sequence without frames the last value is the initial one.
        """
        b, dim = self.b, self.dim
        x, start = b.expand(self.value(carry.next), dim), self.value(carry.initial)
        x = labelled(b, x, start.type.sparse_dim)
        if set(x.dims) - {dim} != set(start.dims):
            raise IRError(f"a carry starts as {start.type} and goes on as {x.type}")
        one, all_steps = self._with_initial()
        joined = b.op("concat", b.expand(start, one), x, dims=(one, dim), out=all_steps)
        self.env[carry.param] = b.op("slice", joined, dim=all_steps, out=dim, start=0, end=-1)
        if not final:
            return None
        each = set(length_dims(b, [dim])) <= set(start.dims)
        return b.op("gather", joined, b.length(dim) if each else b.extent(dim), dim=all_steps)

    def _with_initial(self) -> tuple[Dim, Dim]:
        """An axis of one entry, and the loop's with that in front (no derived dim: an empty loop has one entry too)."""
        if self._joined is None:
            size = self.dim.size
            self._joined = Dim("initial", 1), Dim(f"1+{self.dim.name}", None if size is None else size + 1)
            if self.dim.is_dynamic:
                self.b.define(self._joined[1], self.b.add(self.b.length(self.dim), 1))
        return self._joined


def labelled(b: Builder, x: Value, sparse_dim: Dim | None) -> Value:
    """The same numbers as labels of ``sparse_dim``."""
    return x if x.type.sparse_dim is sparse_dim else b.op("set_sparse", x, sparse_dim=sparse_dim)


def _map_dims(value: Any, f: Callable[[Dim], Dim]) -> Any:
    """An attribute with other dims."""
    if isinstance(value, Dim):
        return f(value)
    if isinstance(value, TensorType):
        return value.with_dims(f(d) for d in value.dims)
    return tuple(_map_dims(part, f) for part in value) if isinstance(value, tuple) else value


def _is_generic(op: OpSpec, operands: Sequence[Value], attrs: dict[str, Any], dim: Dim) -> bool:
    """Whether the op knows what to do with ``dim`` in each of its operands."""
    if op.order is None:
        return True
    orders = op.order([v.type for v in operands], attrs)
    return all(o is None or dim in o for v, o in zip(operands, orders, strict=True) if dim in v.dims)


def _is_generic_region(region: Region, dim: Dim) -> bool:
    """As :func:`_is_generic` for what a nested loop computes; none of its own dims may depend on the outer step."""
    lengths = region.dim_defs.values()
    return not any(dim in v.dims for v in lengths) and all(
        _is_generic(n.op, n.operands, n.attrs, dim) and all(_is_generic_region(r, dim) for r in n.regions)
        for n in region.nodes
    )
