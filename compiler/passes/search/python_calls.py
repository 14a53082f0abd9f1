"""Python code of the config over hypotheses: it sees them in its batch axis, as in RETURNN."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.passes.search.symbolic_ops import BeamTable
from returnn_ir.errors import ConfigError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value
from returnn_ir.ir.types import TensorType

__all__ = ["call_over_hypotheses", "call_types"]


def call_types(table: BeamTable, node: Node, operands: Sequence[TensorType]) -> list[TensorType] | None:
    """The types of a call of Python code whose operands have beams; None: it is something else."""
    beams = _beams(table, node, operands)
    return [r.type.with_dims((*r.dims, *beams)) for r in node.results] if beams else None


def call_over_hypotheses(b: Builder, table: BeamTable, node: Node, operands: Sequence[Value]) -> list[Value] | None:
    """The call over a batch with the hypotheses in it; None: the node does not call, or there are none.

    Raises:
        ConfigError: hypotheses of two searches, or a result that is not per sequence.
    """
    beams = _beams(table, node, [v.type for v in operands])
    if not beams:
        return None
    batches = dict.fromkeys(d for v in operands if beams[0] in v.dims for d in v.dims if d.is_batch)
    batch = next(iter(batches), None)
    if batch is None or len(beams) > 1 or batch not in node.attrs["dims"]:
        raise ConfigError(
            "the layer's Python code cannot be run on the hypotheses of a search",
            where=node.origin,
            expected="sources and a result per sequence, and hypotheses of one search",
            received=", ".join(str(v.type) for v in operands),
        )
    beam = beams[0]
    both = batch * beam

    def axes(dims: Sequence[Dim]) -> tuple[Dim, ...]:
        return tuple(both if d is batch else d for d in dims)

    given = [b.op("merge", b.expand(v, beam), dims=(batch, beam), out=both) if batch in v.dims else v for v in operands]
    attrs = {
        **node.attrs,
        "dims": axes(node.attrs["dims"]),
        "axes": tuple(own if own is None else axes(own) for own in node.attrs["axes"]),
    }
    return [b.op("split", v, dim=both, outs=(batch, beam)) for v in b.emit(node.op, given, attrs)]


def _beams(table: BeamTable, node: Node, operands: Sequence[TensorType]) -> list[Dim]:
    """The beams that the operands of such a call have."""
    if node.op.name != "opaque":
        return []
    return list(dict.fromkeys(d for t in operands for d in t.dims if d in table.known or d in table.frozen))
