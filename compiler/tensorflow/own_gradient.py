"""A function with a hand-written gradient that goes when its graph goes.

``tf.custom_gradient`` puts the backward function of each trace into TensorFlow's registry, where it stays as long as
the process, and with it the graph that its tensors belong to: a training whose network changes would keep every program
that it ever had. Here the graph itself keeps the function, and the registry has a name that finds it there. A
``tf.GradientTape`` inside of the same graph does not see it; ``tf.gradients`` does, and so does a tape around the call
of a ``tf.function``.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

__all__ = ["Backward", "own_gradient"]

#: Gradients of the results to those of the operands; None: there is none.
Backward = Callable[..., "Sequence[tf.Tensor | None] | tf.Tensor"]

_COUNT = itertools.count()


def own_gradient(function: Callable[..., tuple[Any, Backward]]) -> Callable[..., Any]:
    """As ``tf.custom_gradient``, of a function of tensors only; outside of a graph it is that.

    Args:
        function: from tensors to its result, a tensor or a sequence of them, and the backward function.

    Returns:
        The function that gives the result; a sequence comes as a list.
    """

    def differentiable(*operands: tf.Tensor) -> Any:
        if tf.executing_eagerly():
            return tf.custom_gradient(function)(*operands)
        operands = tuple(map(tf.convert_to_tensor, operands))
        result, backward = function(*operands)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        graph = tf.compat.v1.get_default_graph()
        with graph.gradient_override_map({"IdentityN": _registered(graph, backward, len(results))}):
            results = tf.identity_n([*results, *operands])[: len(results)]
        return results if isinstance(result, (list, tuple)) else results[0]

    return differentiable


def _registered(graph: tf.Graph, backward: Backward, num_results: int) -> str:
    """A name in TensorFlow's registry for the gradient of an ``IdentityN`` of results, then operands."""
    name = f"OwnGradient-{next(_COUNT)}"
    graph.add_to_collection(name, backward)
    owner = weakref.ref(graph)

    def gradient(_: tf.Operation, *upstream: tf.Tensor) -> list[tf.Tensor | None]:
        alive = owner()
        if alive is None:
            raise LookupError(f"the graph of {name} is gone")
        (kept,) = alive.get_collection(name)
        found = kept(*upstream[:num_results])
        return [None] * num_results + (list(found) if isinstance(found, (list, tuple)) else [found])

    tf.RegisterGradient(name)(gradient)
    return name
