"""The nodes of one ONNX graph, put right behind the rows that wrote them: each row knows its own op only.

Axes of size one that one row takes away and the next one inserts stay where they are, a reshaping of what was reshaped
is one, and what nobody reads goes. An inserted axis moves towards the operands, over what computes entry by entry and
over softmax, until it meets such a pair or a reshaping, which then gives the axis itself.
"""

from __future__ import annotations

import math
from collections import deque
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
#: What may change.
_LOOKED_AT = frozenset(("Reshape", "Unsqueeze"))


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
    return _Graph(live(nodes, outputs), outputs, constants, ints, fresh).tidied()


class _Graph:
    """The nodes of a graph while it is changed.

    What makes a name and what reads it is kept up to date, and only nodes beside a change are looked at again: each
    change takes a node away or moves one towards the operands, so the time grows with the nodes.
    """

    def __init__(
        self,
        nodes: list[Any],
        outputs: Sequence[str],
        constants: Mapping[str, Array],
        ints: Callable[..., str],
        fresh: Callable[[str], str],
    ) -> None:
        self._nodes = nodes
        self._constants, self._ints, self._fresh = constants, ints, fresh
        self._given = frozenset(outputs)
        self._makers = {name: node for node in nodes for name in node.output}
        self._users: dict[str, dict[int, Any]] = {}
        for node in nodes:
            self._add_user(node)
        #: what was inserted, by the node in front of which it stands
        self._in_front: dict[int, list[Any]] = {}
        self._waiting = deque(node for node in nodes if node.op_type in _LOOKED_AT)

    def tidied(self) -> list[Any]:
        """Change what can be, and give what is left."""
        while self._waiting:
            node = self._waiting.popleft()
            if not self._is_read(node):
                continue
            if node.op_type == "Reshape":
                self._reshape(node)
            elif node.op_type == "Unsqueeze":
                self._unsqueeze(node)
        placed = [held for node in self._nodes for held in (*self._in_front.get(id(node), ()), node)]
        return live(placed, self._given)

    # ---------------------------------------------------------------- who reads what

    def _add_user(self, node: Any) -> None:
        for name in _reads([node]):
            self._users.setdefault(name, {})[id(node)] = node

    def _users_of(self, node: Any) -> list[Any]:
        return [user for name in node.output for user in self._users.get(name, {}).values()]

    def _is_read(self, node: Any) -> bool:
        return any(self._users.get(name) or name in self._given for name in node.output)

    def _read_instead(self, node: Any, old: str, new: str) -> None:
        """The node reads another name; what nobody reads any more reads nothing."""
        _rename(node, old, new)
        self._users.setdefault(new, {})[id(node)] = node
        self._waiting.extend(user for user in (node, *self._users_of(node)) if user.op_type in _LOOKED_AT)
        self._forget(node, old)

    def _forget(self, node: Any, name: str) -> None:
        """The node reads a name no more."""
        users = self._users[name]
        users.pop(id(node), None)
        self._waiting.extend(user for user in users.values() if user.op_type in _LOOKED_AT)
        maker = self._makers.get(name)
        if maker is not None and not self._is_read(maker):
            for read in dict.fromkeys(_reads([maker])):
                self._forget(maker, read)

    def _replace(self, old: str, new: str) -> None:
        """All read ``new`` instead of ``old``, unless the graph gives that one."""
        if old in self._given:
            maker = self._makers[old]
            maker.op_type = "Identity"
            del maker.input[1:]
            self._read_instead(maker, maker.input[0], new)
            return
        for user in list(self._users.get(old, {}).values()):
            self._read_instead(user, old, new)

    # ---------------------------------------------------------------- reshaping

    def _ints_of(self, name: str) -> list[int] | None:
        held = self._constants.get(name)
        return None if held is None else [int(i) for i in np.reshape(held, -1)]

    def _reshape(self, node: Any) -> None:
        """Of what was reshaped before: of that one's operand."""
        before = self._makers.get(node.input[0])
        if before is None or before.op_type not in _RESHAPING:
            return
        if self._taken_over(node) <= self._kept_in_front(before):
            self._read_instead(node, node.input[0], before.input[0])

    def _taken_over(self, node: Any) -> float:
        """How many axes in front a reshaping looks at: a 0 in the shape stands for the operand's own axis."""
        if any(a.name == "allowzero" and a.i for a in node.attribute):
            return 0
        shape = self._ints_of(node.input[1])
        return math.inf if shape is None else max((i + 1 for i, size in enumerate(shape) if size == 0), default=0)

    def _kept_in_front(self, node: Any) -> int:
        """How many axes in front are the operand's own."""
        shape = self._ints_of(node.input[1]) if len(node.input) > 1 else None
        if shape is None or (node.op_type != "Reshape" and min(shape, default=-1) < 0):
            return 0
        if node.op_type != "Reshape":
            return min(shape)
        owned = [size == 0 and self._taken_over(node) > 0 for size in shape]
        return owned.index(False) if False in owned else len(owned)

    # ---------------------------------------------------------------- axes of size one

    def _unsqueeze(self, node: Any) -> None:
        before, axes = self._makers.get(node.input[0]), self._ints_of(node.input[1])
        if before is None or axes is None or len(axes) != 1 or axes[0] < 0:
            return
        axis = axes[0]
        if before.op_type == "Squeeze" and len(before.input) > 1 and self._ints_of(before.input[1]) == axes:
            self._replace(node.output[0], before.input[0])
        elif all(self._is_unsqueezed(name, axis) for name in before.output):
            if before.op_type == "Reshape":
                self._reshape_with(before, axis)
            else:
                self._insert_before(before, axis)

    def _is_unsqueezed(self, name: str, axis: int) -> bool:
        """Whether all that happens to an array is that it gets this axis."""
        users = self._users.get(name, {}).values()
        return name not in self._given and all(
            user.op_type == "Unsqueeze" and self._ints_of(user.input[1]) == [axis] for user in users
        )

    def _reshape_with(self, node: Any, axis: int) -> None:
        """The reshaping gives the axis itself."""
        shape = self._ints_of(node.input[1])
        if shape is None or self._taken_over(node) > axis:
            return
        node.input[1] = self._ints(*shape[:axis], 1, *shape[axis:])
        self._with_axis(node)

    def _insert_before(self, node: Any, axis: int) -> None:
        """The axis is inserted in front of the node, if it computes along other axes and has one operand with axes."""
        from onnx import helper

        along = [a for a in node.attribute if a.name == "axis" and node.op_type in _ALONG_AXIS]
        operands = node.input[:1]
        if node.op_type in _ENTRYWISE:
            operands = [x for x in node.input if x not in self._constants or self._constants[x].ndim]
        elif node.op_type not in _ALONG_AXIS or any(a.i < 0 for a in along):
            return
        if len(operands) != 1:
            return
        for attribute in along:
            attribute.i += attribute.i >= axis
        name = self._fresh(f"{node.name}/Unsqueeze")
        inserted = helper.make_node("Unsqueeze", [operands[0], self._ints(axis)], [f"{name}:0"], name=name)
        self._in_front.setdefault(id(node), []).append(inserted)
        self._makers[inserted.output[0]] = inserted
        self._add_user(inserted)
        self._waiting.append(inserted)
        self._read_instead(node, operands[0], inserted.output[0])
        self._with_axis(node)

    def _with_axis(self, node: Any) -> None:
        """What inserted the axis behind a node that now has it reads the node itself."""
        for name in node.output:
            for user in list(self._users.get(name, {}).values()):
                self._replace(user.output[0], name)


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
