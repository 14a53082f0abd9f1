"""Parameters of layers that are built later: ``reuse_params`` may name a layer that needs the one that reuses them.

The layer works with a stand-in until everything is built; then the parameter takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from returnn_ir.construct.state import AwaitedParam, Param, axis_splits
from returnn_ir.errors import ConfigError, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.network.circles import Circles

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
    found: dict[Value, Value] = {}
    known = len(program.root.nodes)
    while program.awaited:
        path, name = next(iter(program.awaited))
        awaited = program.awaited.pop((path, name))
        try:
            param = awaited.find()
        except UserError as error:
            problems.append(error)
            continue
        maker = awaited.stand_in.node
        root = Builder(program.root, origin=maker.origin if maker is not None else None)
        found[awaited.stand_in] = root.rename(param.value, *zip(param.dims, awaited.stand_in.dims, strict=True))
        program.layer_params[path][name] = param
    problems.extend(_in_circles(program.root, found))
    if found and not problems:
        _replace(program, found, program.root.nodes[known:])
    return problems


def _in_circles(root: Region, found: Mapping[Value, Value]) -> list[ConfigError]:
    """An error for each parameter that is computed of its own stand-in, perhaps by way of others."""
    stand_ins = {str(v.node.attrs["name"]): v for v in found if v.node is not None}

    def needs(name: str) -> list[str]:
        maker = found[stand_ins[name]].node
        nodes = root.needed_for([maker] if maker is not None else [])
        return [node.attrs["name"] for node in nodes if any(v in found for v in node.results)]

    circle = Circles.of(stand_ins, needs).recurrent
    nodes = [stand_in.node for name, stand_in in stand_ins.items() if name in circle and stand_in.node is not None]
    what, hint = "the parameters of layers are to be those of each other", "let one of them have its own"
    return [ConfigError(what, where=node.origin.with_key("reuse_params"), hint=hint) for node in nodes]


def _replace(program: ProgramState, found: Mapping[Value, Value], new: Sequence[Node]) -> None:
    """Use the values for the stand-ins everywhere; what they are computed by goes in front of everything else."""
    root = program.root
    gone = {stand_in.node for stand_in in found}
    program.graph.substitute(found)
    first = root.needed_for([*new, *(value.node for value in found.values() if value.node is not None)])
    moved = {*first, *gone}
    root.nodes[:] = [*first, *(node for node in root.nodes if node not in moved)]
