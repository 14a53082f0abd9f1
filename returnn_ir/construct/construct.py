"""LAYERS to NAMED: call the layer functions and collect outputs, losses and state into a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from returnn_ir.axes.output import LayerOutput
from returnn_ir.config.read import read_config
from returnn_ir.construct.attach_losses import has_loss
from returnn_ir.construct.awaited_params import settle_awaited
from returnn_ir.construct.completeness import missing
from returnn_ir.construct.inputs import ExternData
from returnn_ir.construct.network_keys import NetworkKeys
from returnn_ir.construct.scope import NetScope, UnbuildableError
from returnn_ir.construct.state import Param, ProgramState
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Output, Value
from returnn_ir.ir.mode import Mode
from returnn_ir.network.naming import extra_prefix
from returnn_ir.network.net import LayerDef, Net

__all__ = ["Expanded", "construct"]


class Expanded:
    """A network in the NAMED stage: the graph, and its parameters by variable name."""

    def __init__(self, graph: Graph, params: dict[str, Param]) -> None:
        self.graph = graph
        self.params = params


def construct(
    net: Net, mode: str, fetch: Sequence[str] | None = None, *, everything: bool = False, losses: bool = True
) -> Expanded:
    """Build a network.

    Args:
        mode: ``train``, ``eval``, ``search`` or ``forward``.
        fetch: layers to give as outputs; None: the network's output layers.
        losses: whether losses are wanted, and so the targets that they need (never in mode ``forward``).
        everything: build (and give) every layer of the root network, as the oracle does.

    Raises:
        ProblemList: everything that is wrong, at once.
    """
    mode = Mode(mode)
    graph = Graph(mode=mode)
    options = net.config.options if net.config is not None else {}
    keys = read_config(NetworkKeys, options if net.config is None else net.config)
    spec = net.config.extern_data_spec() if net.config is not None else {}
    extern = ExternData(spec, graph.body, inference=mode in (Mode.FORWARD, Mode.SEARCH))
    trusted = net.config is not None and net.config.network_is_code
    program = ProgramState(
        graph, mode, net.behavior, extern, keys, options, trusted, requested=_requested(net, fetch), losses=losses
    )
    problems: list[UserError] = []
    scope = NetScope(net, program, graph.body, problems=problems)
    wanted = [n for n, d in net.layers.items() if _is_active(d, mode)] if everything else _roots(net, program)
    outputs: dict[str, LayerOutput] = {}
    registered = [n for n, d in net.layers.items() if d.options.register_as_extern_data and _is_active(d, mode)]
    # by name, as in RETURNN: one of them may read what another one registers
    for name in dict.fromkeys([*sorted(registered), *wanted, *(fetch or ())]):
        try:
            outputs[name] = scope.get(name)
        except UnbuildableError as error:
            problems.append(error.cause)  # most often known already, but then it is not told twice
        except UserError as error:
            problems.append(error)
    problems.extend(missing(scope, (*wanted, *(fetch or ())), outputs) if not problems else ())
    problems.extend(settle_awaited(program) if not problems else ())
    if problems:
        raise ProblemList(problems)
    b = Builder(graph.body)
    shown = fetch if fetch is not None else [n for n in wanted if everything or _is_output(net.layers[n])]
    for name in shown:
        x = _assigned(program, outputs[name])
        with b.at(_origin(net, name, x)):
            graph.outputs[name] = _output(b, x)
    _name_losses(graph)
    _objective(b, program)
    return Expanded(graph, _with_updates(program))


def _origin(net: Net, name: str, x: LayerOutput) -> Origin:
    """Where an output was written; that of a layer inside of others is where its value was."""
    if name in net.layers:
        return net.layers[name].origin
    return x.value.node.origin if x.value.node is not None else Origin()


def _with_updates(program: ProgramState) -> dict[str, Param]:
    """The parameters, with what their layers say about updating them; the layers around them have been built now."""
    opts, decays = program.updater_opts, program.decays
    return {
        name: replace(param, updater_opts=opts.get(name, {}), decay=decays.get(name, 0.0))
        for name, param in program.params.items()
    }


def _assigned(program: ProgramState, x: LayerOutput) -> LayerOutput:
    """A variable is a reference in RETURNN: who fetches it gets what was assigned to it in this run."""
    if not x.variable or x.value is not program.params[x.variable].value:
        return x
    return replace(x, value=program.graph.state_updates.get(x.variable, x.value))


def _requested(net: Net, fetch: Sequence[str] | None) -> frozenset[str]:
    """Full paths of layers in loops that are named from outside of the loop (``loop/sub``)."""
    found = {name for name in fetch or () if "/" in name}
    loops = [definition.path for definition in net.all_layers() if "unit" in definition.children]

    def visit(inner: Net) -> None:
        for definition in inner.layers.values():
            for ref in definition.refs():
                path = _full_path(inner.path, ref)
                own = max((loop for loop in loops if path.startswith(f"{loop}/")), key=len, default=None)
                if "/" in path and not (own is not None and f"{inner.path}/".startswith(f"{own}/")):
                    found.add(path)
            for child in definition.children.values():
                visit(child)

    visit(net)
    return frozenset(found)


def _full_path(network: str, ref: str) -> str:
    """The path of a layer that the network of that path knows by this name."""
    while ref.startswith("base:"):
        network, ref = network.rpartition("/")[0], ref.removeprefix("base:")
    ref = ref.removeprefix("prev:")
    return f"{network}/{ref}" if network else ref


def _is_active(definition: LayerDef, mode: Mode) -> bool:
    options = definition.options
    if options.only_on_search and mode != Mode.SEARCH:
        return False
    return not (options.only_on_eval and mode in (Mode.TRAIN, Mode.FORWARD))


def _is_output(definition: LayerDef) -> bool:
    return definition.name == "output" or bool(definition.options.is_output_layer)


def _roots(net: Net, program: ProgramState) -> list[str]:
    found = [
        name
        for name, d in net.layers.items()
        if _is_active(d, program.mode) and (_is_output(d) or has_loss(d.options, program.loss_mode))
    ]
    if not found:
        idle = [name for name, d in net.layers.items() if not _is_active(d, program.mode)]
        raise ConfigError(
            "the network has no output",
            expected="a layer named 'output', or one with is_output_layer or loss",
            received=", ".join(name for name in net.layers if name not in idle) or "no layers",
            hint=f"without only_on_search or only_on_eval: {', '.join(idle)}" if idle else None,
        )
    return found


def _output(b: Builder, output: LayerOutput) -> Output:
    lengths: dict[int, Value] = {
        axis: b.length(dim) for axis, dim in enumerate(output.axes) if dim.is_dynamic and _has_length(b, dim)
    }
    return Output(output.value, output.axes, output.time_dim, output.feature_dim, lengths)


def _has_length(b: Builder, dim: Dim) -> bool:
    return bool(b.length(dim).dims)


def _name_losses(graph: Graph) -> None:
    """A loss of an extra network has its prefix only where the network itself has one of that name, as in RETURNN."""
    names = [name.partition(":")[2] if extra_prefix(name) is not None else name for name in graph.losses]
    plain = {full: own if names.count(own) == 1 else full for full, own in zip(graph.losses, names, strict=True)}
    graph.losses = {plain[full]: loss for full, loss in graph.losses.items()}


def _objective(b: Builder, program: ProgramState) -> None:
    """Sum of scaled losses and constraints; these nodes belong to no single layer."""
    graph = program.graph
    total: Value | None = None
    for loss in graph.losses.values():
        if loss.value is None or not loss.scale:
            continue
        value = loss.value
        if loss.normalized and loss.norm_factor is not None:
            value = b.mul(value, loss.norm_factor)
        scaled = b.mul(value, loss.scale)
        total = scaled if total is None else b.add(total, scaled)
    if program.constraints and program.loss_mode != Mode.FORWARD:
        constraints = program.constraints[0]
        for further in program.constraints[1:]:
            constraints = b.add(constraints, further)
        graph.constraints = constraints
        total = constraints if total is None else b.add(total, constraints)
    if total is None and graph.losses:  # errors only, or all scales zero
        total = b.const(0.0)
    graph.objective = total
