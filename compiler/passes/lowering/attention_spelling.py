"""How networks spell attention: a walk from the product of weights and values back to that of queries and keys.

Dims say what is what. Between the two products and the softmax may stand what only scales, adds, masks, names or
repeats axes; each value on the way has to be of no use to anybody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView
from returnn_ir.ir.op import Trait
from returnn_ir.ir.uses import Uses

__all__ = ["Energies", "Further", "Places", "Spelling", "dropout_rate", "spelling_of"]

#: How far before a product a softmax is looked for; where not every step is understood, the journal says so.
_DEPTH = 8
#: How many steps may lie between a softmax and its product.
_STEPS = 16


@dataclass(frozen=True)
class Places:
    """The graph as it was: where nodes stand, who uses values."""

    regions: Mapping[Node, Region]
    uses: Uses

    def obstacle(self, value: Value, what: str, region: Region) -> str | None:
        """Why a value on the way cannot be swallowed."""
        if value.node is None or self.regions.get(value.node) is not region:
            return f"the {what} are computed outside of the loop"
        if value in self.uses.kept:
            return f"the {what} are a result, too"
        if self.uses.only_user(value) is None:
            return f"others need the {what}, too"
        return None


@dataclass(frozen=True)
class Further:
    """What becomes of the energies: a number that is added, or a mask with what stands where it is False.

    Attributes:
        names: how the dims of the value are called at the softmax.
        scale: factor of what is added.
        factors: values that it is multiplied by.
        negated: the mask keeps where it is False.
    """

    value: Value
    names: Mapping[Dim, Dim]
    scale: float = 1.0
    factors: tuple[tuple[Value, Mapping[Dim, Dim]], ...] = ()
    fill: float | None = None
    negated: bool = False


@dataclass(frozen=True)
class Energies:
    """The way from a softmax to a product, as far as it has been walked.

    Attributes:
        product: the node at its end.
        names: how the dims there are called at the softmax.
        scale: of the product.
        factors: values that it is multiplied by.
        further: what becomes of it, the last step first.
        operands: of the product, without numbers that scale them alone.
        expanded: axes that it is repeated along.
        squeezed: axes of size one that are dropped, as the product calls them.
        nodes: on the way.
    """

    product: Node | None = None
    names: Mapping[Dim, Dim] = field(default_factory=dict)
    scale: float = 1.0
    factors: tuple[tuple[Value, Mapping[Dim, Dim]], ...] = ()
    further: tuple[Further, ...] = ()
    operands: tuple[Value, ...] = ()
    expanded: tuple[Dim, ...] = ()
    squeezed: tuple[Dim, ...] = ()
    nodes: tuple[Node, ...] = ()
    obstacle: str | None = None


@dataclass(frozen=True)
class Draw:
    """Dropout of the weights.

    Attributes:
        value: the numbers that decide.
        own: the op that draws them, where nobody else needs them.
        kept: the share of weights that stay.
    """

    value: Value
    own: Node | None
    kept: float


@dataclass
class Spelling:
    """An attention written out.

    Attributes:
        node: the product of weights and values.
        value: its other operand.
        softmax: the node.
        moves: nodes behind it that name, repeat or drop axes of the weights, the last one first.
        scale: of the weights.
        draw: of dropout.
        zeroing: masks that set weights to zero.
        ways: to products that could be those of query and key.
        nodes: what is not needed any more, without those of the ways.
        obstacle: why this is not fused.
    """

    node: Node
    value: Value
    softmax: Node
    moves: list[Node] = field(default_factory=list)
    scale: float = 1.0
    draw: Draw | None = None
    zeroing: list[Value] = field(default_factory=list)
    ways: list[Energies] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    obstacle: str | None = None

    def hinder(self, obstacle: str | None) -> None:
        """Note the first obstacle."""
        self.obstacle = self.obstacle or obstacle


def spelling_of(node: Node, region: Region, places: Places) -> Spelling | None:
    """The attention that ends in a node, None where there is none; it may have an obstacle."""
    if node.op.name != "dot" or len(node.attrs["reduce"]) != 1:
        return None
    for weights, value in (node.operands, node.operands[::-1]):
        found = _Weights(node, value, region, places).walk(weights)
        if found is not None:
            return found
    return None


def scalar(value: Value) -> float | None:
    """The number that a constant without axes is."""
    node = value.node
    if node is None or node.op.name != "const" or value.dims or isinstance(node.attrs["value"], (str, complex)):
        return None
    return float(node.attrs["value"])


class _Weights:
    """The walk from the weights to their softmax."""

    def __init__(self, node: Node, value: Value, region: Region, places: Places) -> None:
        self._found = Spelling(node, value, node)
        self._keys: Dim = node.attrs["reduce"][0]
        self._region, self._places = region, places
        self._logarithm = False

    def walk(self, weights: Value) -> Spelling | None:
        """The spelling whose weights these are; None without a softmax over the keys."""
        if not any(_softmaxes(weights, self._keys, _DEPTH)):
            return None
        value: Value | None = weights
        while value is not None:
            self._found.hinder(self._places.obstacle(value, "weights", self._region))
            if value.node is None:
                return None
            self._found.nodes.append(value.node)
            value = self._step(value.node)
        return self._finished()

    def _finished(self) -> Spelling | None:
        found, node = self._found, self._found.nodes[-1]
        if node.op.name not in ("softmax", "log_softmax") or (node.op.name == "log_softmax") != self._logarithm:
            found.hinder(f"{node.op.name} stands between the softmax and the product with the values")
            return found
        found.softmax = node
        if len(node.attrs["dims"]) != 1:
            found.hinder("the softmax is over several axes")
            return found
        (keys,) = node.attrs["dims"]
        ragged = self._region.is_ragged(keys) or self._region.is_ragged(self._keys)
        if not node.attrs["mask"] and found.node.attrs["mask"] and ragged:
            found.hinder("the softmax counts padding, the product with the values does not")
        found.ways = list(_ways(node.operands[0], Energies(), keys, self._region, self._places))
        if not found.ways:
            found.hinder("the energies are no products of queries and keys")
        return found

    def _step(self, node: Node) -> Value | None:
        """What stands before a node, if it is one of the way."""
        if node.op.name in ("rename", "squeeze", "expand"):
            if node.op.name == "rename":
                self._keys = next((old for old, new in node.attrs["dims"] if new is self._keys), self._keys)
            self._found.moves.append(node)
            return node.operands[0]
        if node.op.name == "mul":
            return self._scaled(node)
        if node.op.name == "where" and scalar(node.operands[2]) == 0:
            self._found.zeroing.append(node.operands[0])
            return node.operands[1]
        if node.op.name == "exp" and not self._logarithm:
            self._logarithm = True
            return node.operands[0]
        return None

    def _scaled(self, node: Node) -> Value | None:
        for x, other in (node.operands, node.operands[::-1]):
            number = scalar(other)
            if number is not None:
                self._found.scale *= number
                return x
            draw = self._drawn(other)
            if draw is not None and self._found.draw is None:
                self._found.draw = draw
                return x
        return None

    def _drawn(self, value: Value) -> Draw | None:
        """Of ``floor(draw + kept)``, which is 1 with the probability ``kept``, else 0."""
        floor = value.node
        added = floor.operands[0] if floor is not None and floor.op.name == "floor" else None
        if floor is None or added is None or added.node is None or added.node.op.name != "add":
            return None
        draw, kept = added.node.operands[0], scalar(added.node.operands[1])
        if kept is None or not 0 < kept < 1 or not _is_draw(draw):
            return None
        own = draw.node if draw.node is not None and draw.node.op.name == "random" else None
        chain = [floor, added.node, *([own] if own is not None else [])]
        if any(self._places.obstacle(node.result, "draws", self._region) is not None for node in chain):
            return Draw(draw, None, kept)
        self._found.nodes.extend(chain)
        return Draw(draw, own, kept)


def _is_draw(value: Value) -> bool:
    """Whether all numbers are drawn from [0, 1), or 0."""
    node = value.node
    if node is None:
        return False
    if node.op.name == "random":
        return node.attrs["kind"] == "uniform" and node.attrs["state"] is None
    if node.op.name == "loop":
        stacked = {s.outer: s.inner for s in LoopView.of(node).stacked}
        return value in stacked and _is_draw(stacked[value])
    return node.op.has(Trait.MOVES) and _is_draw(node.operands[0])


def _softmaxes(value: Value, keys: Dim, depth: int) -> Iterator[Node]:
    """Softmaxes over an axis that a value seems to come from."""
    node = value.node
    if node is None or keys not in value.dims or depth < 0:
        return
    if node.op.name in ("softmax", "log_softmax"):
        if keys in node.attrs["dims"]:
            yield node
    elif node.op.name == "rename":
        before = next((old for old, new in node.attrs["dims"] if new is keys), keys)
        yield from _softmaxes(node.operands[0], before, depth - 1)
    elif node.op.has(Trait.ELEMENTWISE) or node.op.has(Trait.MOVES):
        for operand in node.operands:
            yield from _softmaxes(operand, keys, depth - 1)


def _ways(value: Value, way: Energies, keys: Dim, region: Region, places: Places) -> Iterator[Energies]:
    """All ways from the energies, or a part of them, to products of something that has the keys and something else.

    Args:
        keys: the dim of the keys, as it is called at ``value``.
    """
    node = value.node
    if node is None or keys not in value.dims or len(way.nodes) > _STEPS:
        return
    way = replace(way, nodes=(*way.nodes, node), obstacle=way.obstacle or places.obstacle(value, "energies", region))
    if node.op.name == "dot":
        if _is_product(node, keys):
            yield _with_own_scales(replace(way, product=node), region, places)
    elif node.op.name == "rename":
        pairs = dict(node.attrs["dims"])
        names = {old: way.names.get(new, new) for old, new in pairs.items()}
        names |= {d: outer for d, outer in way.names.items() if d not in pairs.values() and d not in names}
        before = next((old for old, new in pairs.items() if new is keys), keys)
        yield from _ways(node.operands[0], replace(way, names=names), before, region, places)
    elif node.op.name == "expand":
        repeated = (way.names.get(d, d) for d in node.attrs["dims"])
        way = replace(way, expanded=(*way.expanded, *repeated))
        yield from _ways(node.operands[0], way, keys, region, places)
    elif node.op.name == "squeeze":
        way = replace(way, squeezed=(*way.squeezed, node.attrs["dim"]))
        yield from _ways(node.operands[0], way, keys, region, places)
    else:
        for x, following in _computed(node, way):
            yield from _ways(x, following, keys, region, places)


def _with_own_scales(way: Energies, region: Region, places: Places) -> Energies:
    """The way to a product, numbers that only scale one of its operands counted to its scale."""
    operands: list[Value] = []
    for value in way.product.operands if way.product is not None else ():
        node = value.node
        number = scalar(node.operands[1]) if node is not None and node.op.name == "mul" else None
        if node is not None and number is not None and places.obstacle(value, "query", region) is None:
            way = replace(way, scale=way.scale * number, nodes=(*way.nodes, node))
            value = node.operands[0]
        operands.append(value)
    return replace(way, operands=tuple(operands))


def _is_product(node: Node, keys: Dim) -> bool:
    """Over fixed axes, of two operands one of which has the keys."""
    features = node.attrs["reduce"]
    both = [keys in v.dims for v in node.operands]
    return bool(features) and all(d.is_static for d in features) and sum(both) == 1


def _computed(node: Node, way: Energies) -> Iterator[tuple[Value, Energies]]:
    """Elementwise steps: the operand to go on with, and the way with what the node does to it."""
    name, operands = node.op.name, node.operands
    if name == "neg":
        yield operands[0], replace(way, scale=-way.scale)
    elif name in ("mul", "div"):
        yield from _multiplied(node, way)
    elif name in ("add", "sub"):
        sign = -1.0 if name == "sub" else 1.0
        x, y = operands
        for path, term, path_sign, term_sign in ((x, y, 1.0, sign), (y, x, sign, 1.0)):
            added = Further(term, way.names, way.scale * term_sign, way.factors)
            yield path, replace(way, scale=way.scale * path_sign, further=(*way.further, added))
    elif name == "where" and not way.factors:
        condition, x, y = operands
        for path, other, negated in ((x, y, False), (y, x, True)):
            fill = scalar(other)
            if fill is not None:
                mask = Further(condition, way.names, fill=fill * way.scale, negated=negated)
                yield path, replace(way, further=(*way.further, mask))


def _multiplied(node: Node, way: Energies) -> Iterator[tuple[Value, Energies]]:
    x, y = node.operands
    number = scalar(y)
    if node.op.name == "div":
        if number:
            yield x, replace(way, scale=way.scale / number)
        return
    for path, other in ((x, y), (y, x)):
        number = scalar(other)
        if number is not None:
            yield path, replace(way, scale=way.scale * number)
        else:
            yield path, replace(way, factors=(*way.factors, (other, way.names)))


def dropout_rate(kept: float) -> float:
    """The share that dropout takes away, as short as it can be written for the same float32 share that it keeps."""
    for digits in range(1, 9):
        rate = round(1.0 - kept, digits)
        if np.float32(1.0 - rate) == np.float32(kept):
            return rate
    return 1.0 - kept
