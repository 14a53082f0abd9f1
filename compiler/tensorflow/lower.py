"""Walks a region and emits TensorFlow ops, each under the name scope of the layer that it came from."""

from __future__ import annotations

import re
from collections.abc import Sequence

import tensorflow as tf

from compiler.tensorflow.call import Call
from compiler.tensorflow.environment import Environment, Feed
from compiler.tensorflow.table import ROWS
from returnn_ir.errors import IRError
from returnn_ir.ir.graph import Graph, Node, Region

__all__ = ["lower_graph", "lower_region", "scope_of"]


def lower_graph(graph: Graph, feed: Feed) -> dict[str, tf.Tensor]:
    """Emit a whole graph into the current TensorFlow graph.

    Args:
        graph: in the TARGET stage.
        feed: tensors for its inputs and parameters.

    Returns:
        the graph's fetches by name.
    """
    env = Environment(graph.body, feed)
    lower_region(graph.body, env, [])
    return {name: env.get(value) for name, value in graph.fetches().items()}


def lower_region(region: Region, env: Environment, arguments: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Emit the nodes of a region.

    Args:
        region: what to emit.
        env: its own, fresh environment.
        arguments: the tensors of the region's params.

    Returns:
        the tensors of the region's results.
    """
    for param, tensor in zip(region.params, arguments, strict=True):
        env.bind(param, tensor)
    for layer, nodes in _by_layer(region.nodes):
        if layer is None:
            _lower_nodes(nodes, env)
        else:
            # a scope that ends in a slash is entered again as it is, instead of under a new name
            with tf.name_scope(scope_of(layer)):
                _lower_nodes(nodes, env)
    return [env.get(value) for value in region.results]


def _by_layer(nodes: Sequence[Node]) -> list[tuple[str | None, list[Node]]]:
    """Runs of nodes that came from the same layer."""
    runs: list[tuple[str | None, list[Node]]] = []
    for node in nodes:
        if not runs or runs[-1][0] != node.origin.layer:
            runs.append((node.origin.layer, []))
        runs[-1][1].append(node)
    return runs


def scope_of(layer: str) -> str:
    """TensorFlow's name scope of a layer."""
    name = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", layer).strip("/")
    # the first character of a scope must be a letter, a digit or a dot
    return (name if re.match(r"[A-Za-z0-9.]", name) else f"layer.{name}") + "/"


def _lower_nodes(nodes: Sequence[Node], env: Environment) -> None:
    for node in nodes:
        row = ROWS.get(node.op.name)
        if row is None:
            raise IRError(f"op {node.op.name!r} cannot be lowered to TensorFlow; legalize should have refused it")
        result = row(Call(node, env, lower_region), [env.get(v) for v in node.operands])
        tensors = list(result) if isinstance(result, list | tuple) else [result]
        for value, tensor in zip(node.results, tensors, strict=True):
            env.bind(value, tensor)
