"""The nodes of one ONNX graph, put right behind the rows that wrote them: each row knows its own op only.

Axes of size one that one row takes away and the next one inserts stay where they are, a reshaping of what was reshaped
is one, and what nobody reads goes. An inserted axis moves towards the operands, over what computes entry by entry and
over softmax, until it meets such a pair or a reshaping, which then gives the axis itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from compiler.target.protocol import Array

__all__ = ["live", "read_by", "tidied"]

#: Entry by entry, with one operand that has axes.
_ENTRYWISE = frozenset(
    ("Mul", "Add", "Sub", "Div", "Neg", "Exp", "Log", "Sqrt", "Abs", "Tanh", "Sigmoid", "Relu", "Erf", "Cast")
)
#: With an attribute ``axis``.
_ALONG_AXIS = frozenset(("Softmax", "LogSoftmax", "Split"))
_RESHAPING = frozenset(("Reshape", "Squeeze", "Unsqueeze"))


def read_by(nodes: Iterable[Any]) -> set[str]:
    """The names that nodes read, those of nested graphs included."""
    return set(_reads(nodes))


def _reads(nodes: Iterable[Any]) -> Iterator[str]:
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _reads(attribute.g.node)
                yield from (output.name for output in attribute.g.output)


def live(nodes: Sequence[Any], outputs: Iterable[str]) -> list[Any]:
    """The nodes that the outputs need."""
    needed = set(outputs)
    kept: list[Any] = []
    for node in reversed(nodes):
        if not needed.isdisjoint(node.output):
            needed |= read_by([node])
            kept.append(node)
    return kept[::-1]


def tidied(
    nodes: Sequence[Any],
    outputs: Sequence[str],
    constants: Mapping[str, Array],
    ints: Callable[..., str],
    fresh: Callable[[str], str],
) -> list[Any]:
    """The nodes of a graph, fewer of them.

    Args:
        outputs: the names that the graph gives.
        constants: the values of initializers.
        ints: gives the name of a constant vector.
        fresh: gives a name that nothing has.
    """
    graph = _Graph(live(nodes, outputs), outputs, constants, ints, fresh)
    while graph.step():
        graph = _Graph(live(graph.nodes, outputs), outputs, constants, ints, fresh)
    return graph.nodes


class _Graph:
    """The nodes of a graph while it is changed in some places, none of which sees another one."""

    def __init__(
        self,
        nodes: list[Any],
        outputs: Sequence[str],
        constants: Mapping[str, Array],
        ints: Callable[..., str],
        fresh: Callable[[str], str],
    ) -> None:
        self.nodes = nodes
        self._constants, self._ints, self._fresh = constants, ints, fresh
        self._makers = {name: node for node in nodes for name in node.output}
        self._users: dict[str, list[Any]] = {}
        for node in nodes:
            for name in dict.fromkeys(_reads([node])):
                self._users.setdefault(name, []).append(node)
        self._given = frozenset(outputs)
        self._touched: set[str] = set()

    def step(self) -> bool:
        """Change what can be; whether there was anything to change."""
        changed = False
        for node in list(self.nodes):
            if node.op_type == "Reshape":
                changed |= self._reshape(node)
            elif node.op_type == "Unsqueeze":
                changed |= self._unsqueeze(node)
        return changed

    def _is_free(self, *nodes: Any) -> bool:
        """Whether nothing around these nodes has changed; from now on it has."""
        names = {name for node in nodes for name in (*node.input, *node.output)} - self._constants.keys()
        if not names.isdisjoint(self._touched):
            return False
        self._touched |= names
        return True

    def _ints_of(self, name: str) -> list[int] | None:
        held = self._constants.get(name)
        return None if held is None else [int(i) for i in np.reshape(held, -1)]

    def _reshape(self, node: Any) -> bool:
        """Of what was reshaped before: of that one's operand. A 0 in the shape stands for the operand's own axis."""
        before = self._makers.get(node.input[0])
        if before is None or before.op_type not in _RESHAPING or not self._is_whole(node):
            return False
        if not self._is_free(node, before):
            return False
        node.input[0] = before.input[0]
        return True

    def _is_whole(self, node: Any) -> bool:
        if any(a.name == "allowzero" and a.i for a in node.attribute):
            return True
        shape = self._ints_of(node.input[1])
        return shape is not None and 0 not in shape

    def _unsqueeze(self, node: Any) -> bool:
        before, axes = self._makers.get(node.input[0]), self._ints_of(node.input[1])
        if before is None or axes is None or len(axes) != 1 or axes[0] < 0:
            return False
        axis = axes[0]
        if before.op_type == "Squeeze" and self._ints_of(before.input[1]) == axes:
            return self._is_free(node, before) and self._replace(node.output[0], before.input[0])
        if not all(self._is_unsqueezed(name, axis) for name in before.output):
            return False
        if before.op_type == "Reshape":
            return self._reshape_with(before, axis)
        with_axes = before.input[:1]
        if before.op_type in _ENTRYWISE:
            with_axes = [x for x in before.input if not (x in self._constants and self._constants[x].ndim == 0)]
        elif before.op_type not in _ALONG_AXIS:
            return False
        return len(with_axes) == 1 and self._above(before, axis, with_axes[0])

    def _is_unsqueezed(self, name: str, axis: int) -> bool:
        """Whether all that happens to an array is that it gets this axis."""
        users = self._users.get(name, [])
        return name not in self._given and all(
            user.op_type == "Unsqueeze" and self._ints_of(user.input[1]) == [axis] for user in users
        )

    def _reshape_with(self, node: Any, axis: int) -> bool:
        """The reshaping gives the axis itself."""
        shape = self._ints_of(node.input[1])
        if shape is None or (not self._is_whole(node) and 0 in shape[axis:]) or not self._is_free(*self._around(node)):
            return False
        node.input[1] = self._ints(*shape[:axis], 1, *shape[axis:])
        return self._with_axis(node)

    def _above(self, node: Any, axis: int, operand: str) -> bool:
        """The axis is inserted in front of the node."""
        from onnx import helper

        along = [a for a in node.attribute if a.name == "axis" and node.op_type in _ALONG_AXIS]
        if any(a.i < 0 for a in along) or not self._is_free(*self._around(node)):
            return False
        for attribute in along:
            attribute.i += attribute.i >= axis
        name = self._fresh(f"{node.name}/Unsqueeze")
        inserted = helper.make_node("Unsqueeze", [operand, self._ints(axis)], [f"{name}:0"], name=name)
        at = next(i for i, other in enumerate(self.nodes) if other is node)
        self.nodes.insert(at, inserted)
        node.input[list(node.input).index(operand)] = inserted.output[0]
        return self._with_axis(node)

    def _around(self, node: Any) -> list[Any]:
        """The node and those that read what it gives."""
        return [node, *(user for name in node.output for user in self._users.get(name, []))]

    def _with_axis(self, node: Any) -> bool:
        """What inserted the axis behind a node that now has it reads the node itself."""
        for name in node.output:
            for user in self._users.get(name, []):
                self._replace(user.output[0], name)
        return True

    def _replace(self, old: str, new: str) -> bool:
        """All read ``new`` instead of ``old``, unless the graph gives that one."""
        if old in self._given:
            maker = self._makers[old]
            maker.op_type = "Identity"
            del maker.input[1:]
            maker.input[0] = new
            return True
        for user in self._users.get(old, []):
            _rename(user, old, new)
        return True


def _rename(node: Any, old: str, new: str) -> None:
    for i, name in enumerate(node.input):
        if name == old:
            node.input[i] = new
    for attribute in node.attribute:
        for inner in attribute.g.node:
            _rename(inner, old, new)
        for output in attribute.g.output:
            if output.name == old:
                output.name = new
