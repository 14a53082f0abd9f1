"""A recurrent subnetwork: the ``unit`` of a rec layer as a network dict, run once per frame in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.scope import UnbuildableError
from returnn_ir.errors import ConfigError, ProblemList
from returnn_ir.loops.axis import find_axis
from returnn_ir.loops.body import Body
from returnn_ir.loops.options import RecOptions
from returnn_ir.loops.sequence_limit import sequence_limit
from returnn_ir.loops.types import find_types

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["rec_subnet"]


def rec_subnet(b: LayerBuilder, opt: RecOptions, source: LayerOutput | None) -> LayerOutput:
    """Run the subnetwork over the frames of the source, of the target, or until its layer ``end`` says so.

    ``direction`` has no effect on a subnetwork in RETURNN, and so none here.
    """
    net = b.definition.children["unit"]
    if "output" not in net.layers:
        raise ConfigError("a recurrent subnetwork needs a layer 'output'", where=b.place("unit"))
    axis = find_axis(b, opt, source, net)
    limit = sequence_limit(b, opt.max_seq_len, opt.max_seq_len_via) if axis.ends else None
    body = Body(b, opt, source, net, axis, limit)
    previous = find_types(body)
    loop, scope = body.open(b.program, previous, body.problems())
    loop.trial = b.scope.loop is not None and b.scope.loop.trial  # of the loop around this one
    body.look_ahead(loop, previous)
    names = body.build(scope)
    cause = scope.failure(names)
    # a layer that is only read one step later is needed, too; in a trial it may have no type yet
    if body.found and (cause is not None or not loop.trial):
        raise ProblemList(body.found)
    if cause is not None:  # it is outside of the loop
        raise UnbuildableError(b.definition.name, cause, b.place("unit"))
    return body.close(loop, scope, names)
