"""What an export for inference may ask for: the data keys that are available then."""

from __future__ import annotations

from returnn_ir.errors import ProblemList, TargetError, UserError
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.ir.mode import Mode
from returnn_ir.network.net import Net

__all__ = ["INFERENCE_MODES", "require_inference_inputs"]

#: Modes whose programs run where nobody knows the targets.
INFERENCE_MODES = (Mode.FORWARD, Mode.SEARCH)


def require_inference_inputs(graph: Graph, net: Net) -> None:
    """Every input of a program of mode ``forward`` or ``search`` is one that ``available_for_inference`` says is there.

    A program of another mode is there to compute losses, and may ask for anything. So may the check of recorded cases,
    which asks for every layer that was recorded.

    Args:
        graph: lowered, without inputs that nothing reads.

    Raises:
        TargetError: an input is not available for inference; names the layers that read it.
        ProblemList: several are not.
    """
    if graph.mode not in INFERENCE_MODES or net.config is None:
        return
    spec = net.config.extern_data_spec()
    missing: dict[str, list[Node]] = {}
    for node in graph.nodes("input"):
        key = _data_key(str(node.attrs["name"]))
        if key in spec and not spec[key].available_for_inference:
            missing.setdefault(key, []).append(node)
    available = ", ".join(key for key, options in spec.items() if options.available_for_inference)
    problems = [_problem(graph, key, nodes, available) for key, nodes in missing.items()]
    if problems:
        raise problems[0] if len(problems) == 1 else ProblemList(problems)


def _data_key(name: str) -> str:
    """``classes`` of ``classes`` and of ``classes/size1``."""
    head, slash, tail = name.rpartition("/")
    return head if slash and tail.startswith("size") else name


def _problem(graph: Graph, key: str, inputs: list[Node], available: str) -> UserError:
    values = {node.result for node in inputs}
    region = graph.body
    readers = [n for n in region.walk() if n.origin.layer and n not in inputs and values & set(n.deps(region.dim_defs))]
    layers = list(dict.fromkeys(str(n.origin.layer) for n in readers if n.origin.layer != f"data:{key}"))
    where = next((n.origin for n in readers if layers and n.origin.layer == layers[0]), None)
    return TargetError(
        f"the {graph.mode} program needs the data key {key!r}, which is not available for inference",
        where=where,
        expected=f"only {available}",
        received=f"{key}, read by {', '.join(layers)}" if layers else key,
        hint=f'--fetch layers that do without it, or extern_data["{key}"]["available_for_inference"] = True',
    )
