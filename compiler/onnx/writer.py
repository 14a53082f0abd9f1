"""A thin builder of ONNX graphs: nodes in nested scopes, constants, initializers, deterministic names.

It knows nothing of dims or layers; :mod:`compiler.onnx.emitter` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compiler.onnx.dtypes import CODES, carrier
from compiler.onnx.profile import CONTRIB, Format, Profile
from compiler.onnx.tidy import tidied
from compiler.target.protocol import Array
from returnn_ir.errors import IRError
from returnn_ir.ir.types import TensorType

__all__ = ["GraphScope", "Writer"]

#: A value's name and its type.
Typed = tuple[str, TensorType]
#: The element type and the sizes of an output, None for a size that is not known; None for an output that is left out.
Made = tuple[str, Sequence[int | None]] | None

#: What extents are computed with: total functions, so that nothing fails where a loop makes no step.
_ARITHMETIC = frozenset(
    ("Add", "Sub", "Mul", "Max", "Min", "Concat", "Squeeze", "Unsqueeze", "Reshape", "Range", "Cast")
)
_COMPARISONS = frozenset(("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not"))
#: These are total where the divisor is a constant.
_DIVISION = frozenset(("Div", "Mod"))


@dataclass(eq=False)
class GraphScope:
    """One ONNX graph under construction: the model's, or a loop's body, which sees the names of those around it."""

    parent: GraphScope | None = None
    nodes: list[Any] = field(default_factory=list)
    infos: list[Any] = field(default_factory=list)
    memo: dict[object, str] = field(default_factory=dict)
    computed: dict[object, list[str]] = field(default_factory=dict)

    def chain(self) -> Iterator[GraphScope]:
        """This scope and those around it, innermost first."""
        scope: GraphScope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


class Writer:
    """Writes nodes into the current scope.

    Attributes:
        format: what the file is written in.
        prefix: what node names begin with: the path of the layer that they come from.
        initializers: constants and parameters by name; the unused ones are left out of the model.
    """

    def __init__(self, format_: Format) -> None:
        self.format = format_
        self.prefix = ""
        self.scope = GraphScope()
        self.initializers: dict[str, Array] = {}
        self._constants: dict[tuple[object, ...], str] = {}
        self._counts: dict[str, int] = {}
        #: where the outputs of nodes stand, and which of them follow from extents alone
        self._made: dict[str, GraphScope] = {}
        self._extents: set[str] = set()

    # ---------------------------------------------------------------- scopes and names

    def fresh(self, stem: str) -> str:
        """A name that no value or node has yet."""
        count = self._counts.get(stem, 0)
        self._counts[stem] = count + 1
        return f"{stem}_{count}" if count else stem

    @contextmanager
    def inside(self, scope: GraphScope) -> Iterator[GraphScope]:
        """Nodes written meanwhile go to ``scope``."""
        previous, self.scope = self.scope, scope
        try:
            yield scope
        finally:
            self.scope = previous

    # ---------------------------------------------------------------- nodes

    def multi(self, op_type: str, inputs: Sequence[str], count: int, **attrs: Any) -> list[str]:
        """Append a node with ``count`` outputs and return their names; of equal nodes in sight there is one.

        What follows from extents alone is computed in the outermost scope that knows them, not in each step of a loop.
        """
        from onnx import helper

        simple = op_type not in ("Loop", "If")
        key = (op_type, *inputs, count, repr(sorted(attrs.items()))) if simple else None
        for scope in self.scope.chain():
            if key is not None and key in scope.computed:
                return scope.computed[key]
        name = self.fresh(f"{self.prefix}{op_type}")
        outputs = [f"{name}:{i}" for i in range(count)] if count > 1 else [f"{name}:0"]
        home = self._extents_home(op_type, inputs)
        scope = self.scope if home is None else home
        scope.nodes.append(helper.make_node(op_type, list(inputs), outputs, name=name, **attrs))
        self._made.update(dict.fromkeys(outputs, scope))
        if home is not None:
            self._extents.update(outputs)
        if key is not None:
            scope.computed[key] = outputs
        return outputs

    def _extents_home(self, op_type: str, inputs: Sequence[str]) -> GraphScope | None:
        """The scope for a node that computes with extents; None for any other node."""
        if op_type == "Shape":
            return self._made.get(inputs[0], self.scope)
        if op_type not in _ARITHMETIC | _COMPARISONS and not (op_type in _DIVISION and inputs[-1] in self.initializers):
            return None
        computed = [name for name in inputs if not self._is_count(name)]
        if not computed or not self._extents.issuperset(computed):
            return None
        chain = list(self.scope.chain())
        return chain[min(chain.index(self._made[name]) for name in computed)]

    def _is_count(self, name: str) -> bool:
        """Whether it is a constant number, or a few, as extents are computed with."""
        held = self.initializers.get(name)
        return held is not None and held.dtype == np.int64 and held.ndim <= 1

    def op(self, op_type: str, *inputs: str, **attrs: Any) -> str:
        """Append a node with one output and return its name."""
        return self.multi(op_type, inputs, 1, **attrs)[0]

    def contrib(self, op_type: str, inputs: Sequence[str], made: Sequence[Made], **attrs: Any) -> list[str]:
        """Append one of onnxruntime's own ops and return the names of its outputs, empty for those that are left out.

        onnx knows nothing of these ops, so the file says the types of their outputs.

        Raises:
            IRError: the profile has none of them.
        """
        from onnx import helper

        if self.format.profile is not Profile.ONNXRUNTIME:
            raise IRError(f"onnx: {op_type} is no operator of the profile {self.format.profile}")
        key = (CONTRIB, op_type, *inputs, repr(made), repr(sorted(attrs.items())))
        for scope in self.scope.chain():
            if key in scope.computed:
                return scope.computed[key]
        name = self.fresh(f"{self.prefix}{op_type}")
        outputs = [f"{name}:{i}" if known is not None else "" for i, known in enumerate(made)]
        node = helper.make_node(op_type, list(inputs), outputs, name=name, domain=CONTRIB[0], **attrs)
        self.scope.nodes.append(node)
        self.scope.infos.extend(
            helper.make_tensor_value_info(output, CODES[known[0]], list(known[1]))
            for output, known in zip(outputs, made, strict=True)
            if known is not None
        )
        self.scope.computed[key] = outputs
        return outputs

    def typed(self, op_type: str, dtype: str, *inputs: str, result: str | None = None, **attrs: Any) -> str:
        """As :meth:`op` on inputs of ``dtype``, computed in a wider type where the kernels do not take it.

        ``result`` is the element type of the output if it is not that of the inputs.
        """
        wide = carrier(op_type, dtype)
        if wide is None:
            raise IRError(f"onnx: {op_type} has no kernel for {dtype}")
        output = self.op(op_type, *(self.cast(x, dtype, wide) for x in inputs), **attrs)
        return output if result is not None else self.cast(output, wide, dtype)

    def cast(self, x: str, old: str, new: str) -> str:
        """Another element type."""
        return x if old == new else self.op("Cast", x, to=CODES[new])

    def results(self, names: Sequence[str]) -> list[str]:
        """Names for the results of the graph that is being written: each its own, and made here.

        ONNX has no graph that gives one array twice, or one from outside, an input or an initializer as it is.
        """
        from onnx import helper

        made = {name for node in self.scope.nodes for name in node.output}
        given: list[str] = []
        for name in names:
            if name not in made or name in given:
                node = self.fresh(f"{self.prefix}Identity")
                self.scope.nodes.append(helper.make_node("Identity", [name], [f"{node}:0"], name=node))
                name = f"{node}:0"
            given.append(name)
        return given

    def graph_proto(self, scope: GraphScope, inputs: Sequence[Typed], outputs: Sequence[Typed]) -> Any:
        """The nodes of a scope as a ``GraphProto``; axes have no names."""
        from onnx import helper

        def info(name: str, type_: TensorType) -> Any:
            return helper.make_tensor_value_info(name, CODES[type_.dtype], [d.size for d in type_.dims])

        nodes = self.tidied(scope.nodes, [name for name, _ in outputs])
        written = {name for node in nodes for name in node.output}
        return helper.make_graph(
            nodes,
            self.fresh("graph"),
            [info(*held) for held in inputs],
            [info(*held) for held in outputs],
            value_info=[held for held in scope.infos if held.name in written],
        )

    def tidied(self, nodes: Sequence[Any], outputs: Sequence[str]) -> list[Any]:
        """The nodes of a complete graph with these outputs, see :mod:`compiler.onnx.tidy`."""
        return tidied(nodes, outputs, self.initializers, self.ints, self.fresh)

    # ---------------------------------------------------------------- constants

    def constant(self, value: Any, dtype: str) -> str:
        """A constant of any shape; equal ones are one initializer."""
        array = np.asarray(value, dtype=dtype)
        key = (dtype, array.shape, array.tobytes())
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = self.fresh("const")
            self.initializers[name] = array
        return name

    def ints(self, *values: int) -> str:
        """A vector of int64, as shapes and axes are given."""
        return self.constant(np.asarray(values, "int64"), "int64")

    # ---------------------------------------------------------------- small idioms

    def where(self, condition: str, a: str, b: str, dtype: str) -> str:
        """``Where``; on bools, for which it has no kernel, the same in logic."""
        if dtype != "bool":
            wide = carrier("Where", dtype)
            if wide is None:
                raise IRError(f"onnx: Where has no kernel for {dtype}")
            chosen = self.op("Where", condition, self.cast(a, dtype, wide), self.cast(b, dtype, wide))
            return self.cast(chosen, wide, dtype)
        return self.op("Or", self.op("And", condition, a), self.op("And", self.op("Not", condition), b))

    def floordiv(self, a: str, b: str) -> str:
        """Integers divided rounding down: ``Div`` truncates, and ``Mod`` has the divisor's sign."""
        return self.op("Div", self.op("Sub", a, self.op("Mod", a, b)), b)

    def reduce(self, op_type: str, x: str, axes: Sequence[int], *, keepdims: bool = False) -> str:
        """A reduction; its axes were an attribute up to opset 17, of ``ReduceSum`` up to 12."""
        if self.format.opset >= 18 or op_type == "ReduceSum":
            return self.op(op_type, x, self.ints(*axes), keepdims=int(keepdims))
        return self.op(op_type, x, axes=list(axes), keepdims=int(keepdims))

    def unsqueeze(self, x: str, axes: Sequence[int]) -> str:
        """New axes of size one."""
        return self.op("Unsqueeze", x, self.ints(*axes)) if axes else x

    def squeeze(self, x: str, axes: Sequence[int]) -> str:
        """Axes of size one gone."""
        return self.op("Squeeze", x, self.ints(*axes)) if axes else x

    def transpose(self, x: str, permutation: Sequence[int]) -> str:
        """The axes in another order."""
        same = list(permutation) == list(range(len(permutation)))
        return x if same else self.op("Transpose", x, perm=list(permutation))

    def concat(self, parts: Sequence[str], axis: int) -> str:
        """Arrays one behind the other."""
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=axis)

    def pad(self, x: str, dtype: str, rank: int, axis: int, left: str, right: str, value: object = 0) -> str:
        """Entries ``value`` in front of and behind an axis; their numbers are vectors of one, below zero to cut."""
        wide = carrier("Pad", dtype) or dtype
        held, filler = self.cast(x, dtype, wide), self.constant(value, wide)
        # numbers for every axis: onnxruntime's optimizer of transposes takes those of a Pad with axes for such
        zeros = [[0] * axis, [0] * (rank - 1), [0] * (rank - 1 - axis)]
        before, between, after = ([self.ints(*z)] if z else [] for z in zeros)
        sides = self.join([*before, left, *between, right, *after], 0)
        padded = self.op("Pad", held, sides, filler)
        return self.cast(padded, wide, dtype)

    def block(self, value: object, dtype: str, sides: Sequence[str]) -> str:
        """An array of one number, whose sizes are vectors of one, in the outermost scope that knows them."""
        shape = self.join(sides, 0)
        if shape in self.initializers:
            return self.constant(np.full(self.initializers[shape], value), dtype)
        with self.inside(self._made[shape]):
            return self.op("Expand", self.constant(value, dtype), shape)

    def join(self, parts: Sequence[str], axis: int) -> str:
        """As :meth:`concat`, now if all parts are initializers."""
        held = [self.initializers[name] for name in parts if name in self.initializers]
        if len(held) < len(parts):
            return self.concat(parts, axis)
        return self.constant(np.concatenate(held, axis), held[0].dtype.name)

    def halves(self, x: str, axis: int) -> list[str]:
        """The two entries of an axis, without it."""
        return [self.op("Gather", x, self.constant(i, "int64"), axis=axis) for i in range(2)]

    def scalar(self, vector: str) -> str:
        """The entry of a vector of one."""
        return self.op("Squeeze", vector, self.ints(0))

    def range(self, extent: str) -> str:
        """0, 1, ... as int64, up to an extent given as a vector of one."""
        return self.op("Range", self.constant(0, "int64"), self.scalar(extent), self.constant(1, "int64"))
