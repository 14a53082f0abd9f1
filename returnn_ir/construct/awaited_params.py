"""Parameters of layers that are built later: ``reuse_params`` may name a layer that needs the one that reuses them.

The layer works with a stand-in until everything is built; then the parameter takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from returnn_ir.construct.state import AwaitedParam, Param, axis_splits
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder
    from returnn_ir.construct.scope import NetScope
    from returnn_ir.construct.state import ProgramState

__all__ = ["await_param", "settle_awaited", "waits_for"]


def waits_for(scope: NetScope, ref: str) -> bool:
    """Whether a layer cannot be built yet, because it needs one that is being built."""
    found: set[tuple[NetScope, str]] = set()
    open_refs = [(scope.owner, ref)]
    while open_refs:
        net, name = open_refs.pop()
        while name.startswith("base:") and net.parent is not None:
            net, name = net.parent.owner, name.removeprefix("base:")
        own = net.net.layer_of(name)
        if own is None or own in net.results or (net, own) in found:
            continue
        if own in net.unfinished:
            return True
        found.add((net, own))
        definition = net.net.layers[own]
        open_refs.extend((net, r) for r in definition.needed(definition.sources_in(searching=net.program.searching)))
    return False


def await_param(b: LayerBuilder, name: str, dims: tuple[Dim, ...], dtype: str, find: Callable[[], Param]) -> Param:
    """What stands for a parameter over these axes until ``find`` can give it."""
    path = b.definition.path
    root = Builder(b.program.root, origin=b.origin)
    stand_in = root.op("param", name=f"{path}/{name}", init=None, dtype=dtype, dims=dims)
    b.program.awaited[path, name] = AwaitedParam(stand_in, find)
    # a node of its own: what others keep stays when the stand-in goes
    value = root.op("rename", stand_in, dims=())
    return Param("", value, dims, None, False, path, axis_splits(dims, {}))


def settle_awaited(program: ProgramState) -> list[UserError]:
    """Put the parameters in the places of their stand-ins; what goes wrong is returned."""
    problems: list[UserError] = []
    while program.awaited:
        path, name = next(iter(program.awaited))
        awaited = program.awaited.pop((path, name))
        known = len(program.root.nodes)
        try:
            param = awaited.find()
        except UserError as error:
            problems.append(error)
            continue
        maker = awaited.stand_in.node
        root = Builder(program.root, origin=maker.origin if maker is not None else None)
        value = root.rename(param.value, *zip(param.dims, awaited.stand_in.dims, strict=True))
        program.layer_params[path][name] = param
        problems.extend(_replace(program, awaited.stand_in, value, program.root.nodes[known:]))
    return problems


def _replace(program: ProgramState, stand_in: Value, value: Value, new: list[Node]) -> list[UserError]:
    """Use ``value`` for the stand-in everywhere; what it is computed by goes in front of everything else."""
    root = program.root
    if stand_in.node is not None:
        root.nodes.remove(stand_in.node)
    first = root.needed_for([*new, *([value.node] if value.node is not None else [])])
    if any(stand_in in node.operands for node in first):
        where = stand_in.node.origin.with_key("reuse_params") if stand_in.node is not None else None
        hint = "let one of them have its own"
        return [ConfigError("the parameters of layers are to be those of each other", where=where, hint=hint)]
    root.nodes[:] = [*first, *(node for node in root.nodes if node not in set(first))]
    program.graph.substitute({stand_in: value})
    return []
