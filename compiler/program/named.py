"""A network in the NAMED stage of a mode's pipeline: what a check builds, and what an export is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.passes.base import Context
from compiler.program.pipelines import MEANING, NAMED, PLAIN, run_pipeline
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Executable
from returnn_ir.construct.construct import Expanded, construct
from returnn_ir.network.net import Net
from returnn_ir.text.verify import verify

__all__ = ["build_named", "check_named", "named_reference"]


def build_named(
    net: Net, mode: str, fetch: Sequence[str] | None = None, *, everything: bool = False, losses: bool = True
) -> Expanded:
    """Build a network and run the passes that give it its meaning: searches included, and nothing of any target.

    The arguments are those of :func:`returnn_ir.construct.construct.construct`.

    Raises:
        UserError: everything that is wrong with the network in this mode.
    """
    expanded = construct(net, mode, fetch, everything=everything, losses=losses)
    verify(expanded.graph)
    run_pipeline(expanded.graph, NAMED, Context(ReferenceTarget()))
    verify(expanded.graph)
    return expanded


def check_named(net: Net, mode: str, *, losses: bool = True) -> Expanded:
    """As :func:`build_named`, without the passes that find nothing wrong: for networks of which nothing else is asked.

    Raises:
        UserError: everything that is wrong with the network in this mode.
    """
    expanded = construct(net, mode, losses=losses)
    run_pipeline(expanded.graph, MEANING, Context(ReferenceTarget()))
    verify(expanded.graph)
    return expanded


def named_reference(
    net: Net, mode: str, fetch: Sequence[str] | None = None, *, everything: bool = False, losses: bool = True
) -> Executable:
    """The network on NumPy: no pass had its hands on it but those that give it its meaning.

    Raises:
        TargetError: an op that only TensorFlow runs.
    """
    graph = construct(net, mode, fetch, everything=everything, losses=losses).graph
    target = ReferenceTarget()
    run_pipeline(graph, PLAIN, Context(target))
    return target.lower(graph)
