"""Shapes that do not depend on the inputs become numbers: where all axes have a size, nothing is left of them.

Such a model asks no array for its shape, computes no shape and has no branch for an empty axis, so each node of it is a
kernel that a CUDA graph can hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from compiler.onnx.dtypes import CODES
from compiler.target.protocol import Array

__all__ = ["settle_shapes"]

#: More entries than any shape has, or the numbers of the entries of an axis: what is larger is no arithmetic on shapes.
_SMALL = 1 << 16

_Attributes = Mapping[str, Any]
_NAMES = {code: name for name, code in CODES.items()}


def settle_shapes(model: Any) -> Any:
    """The model with all that follows from known shapes as constants, and without the nodes that did nothing then."""
    while (settled := _round(model)) is not None:
        model = settled
    return model


def _round(model: Any) -> Any | None:
    """One pass over the nodes; None if nothing changed. A shape that is known now may make others known."""
    import onnx

    graph = model.graph
    held = _Constants(graph, _shapes(onnx.shape_inference.infer_shapes(_light(model), data_prop=True).graph))
    kept = [node for node in graph.node if not held.settle(node)]
    if len(kept) == len(graph.node):
        return None
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:], made.graph.initializer[:]
    for node in kept:
        copy = made.graph.node.add()
        copy.CopyFrom(node)
        copy.input[:] = [held.renamed(name) for name in node.input]
    read = {name for node in made.graph.node for name in _read(node)}
    declared = {i.name for i in graph.input}
    made.graph.initializer.extend(i for i in graph.initializer if i.name in read or i.name in declared)
    made.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in held.made.items() if name in read
    )
    return made


def _light(model: Any) -> Any:
    """The model without its parameters, which are inputs of their shapes: inference copies all of a model."""
    import onnx

    light = onnx.ModelProto()
    light.CopyFrom(model)
    del light.graph.initializer[:]
    declared = {i.name for i in model.graph.input}
    for held in model.graph.initializer:
        if math.prod(held.dims) <= _SMALL:
            light.graph.initializer.append(held)
        elif held.name not in declared:
            light.graph.input.append(onnx.helper.make_tensor_value_info(held.name, held.data_type, list(held.dims)))
    return light


def _read(node: Any) -> Iterable[str]:
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    """The arrays whose every axis has a size."""
    found = {}
    for info in (*graph.input, *graph.value_info, *graph.output):
        if not info.type.HasField("tensor_type"):
            continue
        held = info.type.tensor_type
        if held.HasField("shape") and all(d.HasField("dim_value") for d in held.shape.dim):
            found[info.name] = tuple(d.dim_value for d in held.shape.dim)
    found.update({i.name: tuple(i.dims) for i in graph.initializer})
    return found


class _Constants:
    """What is known while the nodes of a graph are read in order.

    Attributes:
        made: constants that were computed, by name.
    """

    def __init__(self, graph: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
        import onnx

        self.made: dict[str, Array] = {}
        self._shapes = shapes
        inputs = {i.name for i in graph.input}
        self._outputs = {o.name for o in graph.output}
        #: names that a loop's body reads stay what they are
        self._captured = {n for node in graph.node for a in node.attribute for i in a.g.node for n in _read(i)}
        small = [i for i in graph.initializer if i.name not in inputs and math.prod(i.dims) <= _SMALL]
        self._values: dict[str, Array] = {i.name: onnx.numpy_helper.to_array(i) for i in small}
        self._same: dict[str, str] = {}

    def renamed(self, name: str) -> str:
        """What stands for an array whose node is gone."""
        while name in self._same:
            name = self._same[name]
        return name

    def settle(self, node: Any) -> bool:
        """Whether the node is not needed: its result is a constant now, or the array that it was given."""
        if len(node.output) != 1 or node.output[0] in self._outputs or node.output[0] in self._captured:
            return False
        name = node.output[0]
        attributes = {a.name: _attribute(a) for a in node.attribute}
        value = self._computed(node, attributes)
        if value is not None:
            self.made[name] = self._values[name] = value
            return True
        same = self._unchanged(node)
        if same is None or not self._is_alike(same, name):
            return False
        self._same[name] = same
        return True

    def _value(self, name: str) -> Array | None:
        return self._values.get(self.renamed(name))

    def _computed(self, node: Any, attributes: _Attributes) -> Array | None:
        if node.op_type == "Shape":
            shape = self._shapes.get(node.input[0])
            return None if shape is None else _shape_of(shape, attributes)
        values = [self._value(name) for name in node.input if name]
        rule = _RULES.get(node.op_type)
        if rule is None or not values or any(v is None or v.dtype.kind not in "bi" for v in values):
            return None
        computed = rule([v for v in values if v is not None], attributes)
        return computed if computed.size <= _SMALL else None

    def _unchanged(self, node: Any) -> str | None:
        """The input that the node gives as it is."""
        if node.op_type == "Where":
            condition = self._value(node.input[0])
            if condition is not None and condition.size:
                return str(node.input[1]) if condition.all() else str(node.input[2]) if not condition.any() else None
        if node.op_type in ("Slice", "Pad", "Reshape", "Expand"):
            idle = node.op_type != "Slice" or not self._reorders(node)
            return str(node.input[0]) if idle else None
        return None

    def _reorders(self, node: Any) -> bool:
        steps = self._value(node.input[4]) if len(node.input) > 4 else np.ones(1)
        return steps is None or bool((steps != 1).any())

    def _is_alike(self, source: str, result: str) -> bool:
        shape = self._shapes.get(source)
        return shape is not None and shape == self._shapes.get(result) and source not in self._outputs


def _shape_of(shape: tuple[int, ...], attributes: _Attributes) -> Array:
    return np.asarray(shape[attributes.get("start", 0) : attributes.get("end", len(shape))], np.int64)


def _attribute(attribute: Any) -> Any:
    import onnx

    return onnx.helper.get_attribute_value(attribute)


# -------------------------------------------------------------------- integers

_Rule = Callable[[list[Array], _Attributes], Array]


def _pairs(function: Callable[[Array, Array], Any]) -> _Rule:
    def rule(values: list[Array], attributes: _Attributes) -> Array:
        result = values[0]
        for value in values[1:]:
            result = np.asarray(function(result, value))
        return result

    return rule


def _div(a: Array, b: Array) -> Array:
    """Integers divided as ONNX does it, towards zero."""
    quotient: Array = np.sign(a) * np.sign(b) * (np.abs(a) // np.maximum(np.abs(b), 1))
    return quotient.astype(a.dtype)


def _unsqueeze(values: list[Array], attributes: _Attributes) -> Array:
    return np.expand_dims(values[0], tuple(int(axis) for axis in values[1]))


def _squeeze(values: list[Array], attributes: _Attributes) -> Array:
    return np.squeeze(values[0], tuple(int(axis) for axis in values[1]) if len(values) > 1 else None)


def _reshape(values: list[Array], attributes: _Attributes) -> Array:
    wanted = [int(size) for size in values[1]]
    if not attributes.get("allowzero", 0):
        wanted = [values[0].shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    return values[0].reshape(wanted)


def _gather(values: list[Array], attributes: _Attributes) -> Array:
    return np.asarray(np.take(values[0], values[1], attributes.get("axis", 0)))


def _reduced(function: Callable[..., Any]) -> _Rule:
    def rule(values: list[Array], attributes: _Attributes) -> Array:
        given = values[1] if len(values) > 1 else attributes.get("axes")
        axes = tuple(int(axis) for axis in given) if given is not None else None
        return np.asarray(function(values[0], axis=axes, keepdims=bool(attributes.get("keepdims", 1))))

    return rule


def _expand(values: list[Array], attributes: _Attributes) -> Array:
    shape = np.broadcast_shapes(values[0].shape, tuple(int(size) for size in values[1]))
    return np.broadcast_to(values[0], shape)


def _concat(values: list[Array], attributes: _Attributes) -> Array:
    return np.concatenate(values, attributes["axis"])


def _cast(values: list[Array], attributes: _Attributes) -> Array:
    return values[0].astype(_NAMES[attributes["to"]])


def _transpose(values: list[Array], attributes: _Attributes) -> Array:
    return np.transpose(values[0], attributes.get("perm"))


_RULES: dict[str, _Rule] = {
    "Identity": lambda values, attributes: values[0],
    "Add": _pairs(np.add),
    "Sub": _pairs(np.subtract),
    "Mul": _pairs(np.multiply),
    "Div": _pairs(_div),
    "Mod": _pairs(np.mod),
    "Max": _pairs(np.maximum),
    "Min": _pairs(np.minimum),
    "And": _pairs(np.logical_and),
    "Or": _pairs(np.logical_or),
    "Not": lambda values, attributes: np.logical_not(values[0]),
    "Equal": _pairs(np.equal),
    "Less": _pairs(np.less),
    "LessOrEqual": _pairs(np.less_equal),
    "Greater": _pairs(np.greater),
    "GreaterOrEqual": _pairs(np.greater_equal),
    "Where": lambda values, attributes: np.where(*values),
    "Range": lambda values, attributes: np.arange(*(int(v) for v in values), dtype=values[0].dtype),
    "Cast": _cast,
    "Concat": _concat,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Expand": _expand,
    "Gather": _gather,
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "ReduceProd": _reduced(np.prod),
}
