"""What a target refuses: composites expand to their bodies, anything else is the user's error."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import rewrite
from compiler.target.protocol import Accept, Reject
from returnn_ir.errors import ProblemList, TargetError, did_you_mean
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Region, Value
from returnn_ir.ir.mode import Stage
from returnn_ir.ir.op import Trait, all_ops

__all__ = ["FUSION_POLICIES", "CheckAccepted", "CheckEffects", "ExpandComposites", "check_fusion", "refusal"]

FUSION_POLICIES = ("require", "prefer", "never")

_Ask = Callable[[Node, Region], Accept | Reject]


@dataclass(frozen=True)
class CheckEffects(Pass):
    """Ask the target about what no pass takes away (Python functions, gradients) before anything is done for it."""

    name: ClassVar[str] = "check_effects"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)

    def run(self, graph: Graph, context: Context) -> bool:
        """Changes nothing; every refused node is a :class:`TargetError`, all of them at once."""
        refusals: dict[str, TargetError] = {}
        for node, verdict in _asked(graph, _has_lasting_effect, context.target.accepts):
            if isinstance(verdict, Reject):
                error = refusal(node, context, verdict.reason)
                refusals.setdefault(str(error), error)
        if refusals:
            problems = list(refusals.values())
            raise problems[0] if len(problems) == 1 else ProblemList(problems)
        return False


@dataclass(frozen=True)
class ExpandComposites(Pass):
    """Replace the composites that the target refuses by their bodies, again and again until none is left."""

    name: ClassVar[str] = "expand_composites"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.NAMED,)  # a body's masked ops and dim orders belong to this stage

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal learns every verdict; what has changed around a composite may change that about it."""
        check_fusion(context.fusion)
        changed = False
        while True:
            verdicts = _asked(graph, _is_composite, lambda node, region: _judge(node, region, context))
            refused = {node: verdict.reason for node, verdict in verdicts if isinstance(verdict, Reject)}
            for node, reason in refused.items():
                context.journal.add("expanded", node.op.name, node.origin, reason)
            if not _expand(graph, refused):
                break
            changed = True
        for node, verdict in verdicts:
            if isinstance(verdict, Accept):
                context.journal.add("fused", node.op.name, node.origin, verdict.kernel or "kernel of that name")
        return changed


@dataclass(frozen=True)
class CheckAccepted(Pass):
    """Ask the target about every node of the finished graph."""

    name: ClassVar[str] = "check_accepted"
    requires: ClassVar[tuple[Stage, ...]] = (Stage.TARGET,)

    def run(self, graph: Graph, context: Context) -> bool:
        """Changes nothing; a refused node is a :class:`TargetError`."""
        for node, verdict in _asked(graph, lambda node: True, context.target.accepts):
            if isinstance(verdict, Reject):
                raise refusal(node, context, verdict.reason)
        return False


def _has_lasting_effect(node: Node) -> bool:
    """Whether no pass takes the node away."""
    return node.op.has(Trait.DERIVATIVE) or (node.op.has(Trait.EFFECT) and not node.op.has(Trait.SEARCH))


def _is_composite(node: Node) -> bool:
    return node.op.body is not None


def _expand(graph: Graph, refused: Container[Node]) -> bool:
    """Put the bodies of composites in their places; returns whether there were any."""

    def body(b: Builder, node: Node) -> Sequence[Value] | None:
        meaning = node.op.body if node in refused else None
        return meaning(b, node.operands, node.attrs) if meaning is not None else None

    return rewrite(graph, body)


def _asked(graph: Graph, which: Callable[[Node], bool], ask: _Ask) -> list[tuple[Node, Accept | Reject]]:
    """The verdicts about some nodes of a graph, all about the same graph: nothing is changed before all are there."""
    with graph.frozen():
        return [(node, ask(node, region)) for node, region in graph.body.placed() if which(node)]


def _judge(node: Node, region: Region, context: Context) -> Accept | Reject:
    policy = context.fusion.get(node.op.name, "prefer")
    if policy == "never":
        return Reject(f'fusion = {{"{node.op.name}": "never"}}')
    verdict = context.target.accepts(node, region)
    if policy == "require" and isinstance(verdict, Reject):
        raise refusal(node, context, verdict.reason, policy="prefer")
    return verdict


def refusal(node: Node, context: Context, reason: str, *, policy: str | None = None) -> TargetError:
    """The error of a node that the target refuses; ``policy`` is the one in ``fusion`` under which it is none."""
    hint = f'fusion = {{"{node.op.name}": "{policy}"}} expands it' if policy is not None else None
    return TargetError(
        f"target {context.target.name!r} cannot run op {node.op.name!r}: {reason}", where=node.origin, hint=hint
    )


def check_fusion(fusion: Mapping[str, str]) -> None:
    """Refuse a ``fusion`` that names no composite, or does not say one of :data:`FUSION_POLICIES` about it."""
    names = [spec.name for spec in all_ops() if spec.has(Trait.COMPOSITE)]
    for name, policy in fusion.items():
        if name not in names:
            raise TargetError(
                f"config key 'fusion' names {name!r}, which is no composite",
                expected=f"one of {', '.join(names)}",
                received=repr(name),
                hint=did_you_mean(str(name), names),
            )
        if policy not in FUSION_POLICIES:
            raise TargetError(
                f"config key 'fusion' has an unknown policy for {name!r}",
                expected=f"one of {', '.join(FUSION_POLICIES)}",
                received=repr(policy),
                hint=did_you_mean(str(policy), FUSION_POLICIES),
            )
