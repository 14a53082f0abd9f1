"""What a target refuses: composites expand to their bodies, anything else is the user's error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.passes.base import Context, Pass
from compiler.passes.rewrite import rewrite
from compiler.target.protocol import Accept, Reject
from returnn_ir.errors import ProblemList, TargetError, did_you_mean
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.graph import Graph, Node, Stage, Value
from returnn_ir.ir.op import Trait, all_ops

__all__ = ["FUSION_POLICIES", "CheckAccepted", "CheckEffects", "ExpandComposites"]

FUSION_POLICIES = ("require", "prefer", "never")


@dataclass(frozen=True)
class CheckEffects(Pass):
    """Ask the target about what no pass takes away (Python functions, gradients) before anything is done for it."""

    name: ClassVar[str] = "check_effects"
    requires: ClassVar[tuple[Stage, ...]] = ("named",)

    def run(self, graph: Graph, context: Context) -> bool:
        """Changes nothing; every refused node is a :class:`TargetError`, all of them at once."""
        refusals: dict[str, TargetError] = {}
        for node in graph.body.walk():
            if node.op.has(Trait.EFFECT) and not node.op.has(Trait.SYMBOLIC):
                verdict = context.target.accepts(node)
                if isinstance(verdict, Reject):
                    refusal = _refusal(node, context, verdict.reason)
                    refusals.setdefault(str(refusal), refusal)
        if refusals:
            problems = list(refusals.values())
            raise problems[0] if len(problems) == 1 else ProblemList(problems)
        return False


@dataclass(frozen=True)
class ExpandComposites(Pass):
    """Replace the composites that the target refuses by their bodies, again and again until none is left."""

    name: ClassVar[str] = "expand_composites"
    requires: ClassVar[tuple[Stage, ...]] = ("named",)  # a body's masked ops and dim orders belong to this stage

    def run(self, graph: Graph, context: Context) -> bool:
        """The journal learns every verdict."""
        _check_policies(context)
        known: set[Node] = set()

        def expand(b: Builder, node: Node) -> Sequence[Value] | None:
            body = node.op.body
            if body is None or node in known:
                return None
            verdict = _judge(node, context)
            if isinstance(verdict, Accept):
                known.add(node)
                context.journal.add("fused", node.op.name, node.origin, verdict.kernel or "kernel of that name")
                return None
            context.journal.add("expanded", node.op.name, node.origin, verdict.reason)
            return body(b, node.operands, node.attrs)

        changed = False
        while rewrite(graph, expand):
            changed = True
        return changed


@dataclass(frozen=True)
class CheckAccepted(Pass):
    """Ask the target about every node of the finished graph."""

    name: ClassVar[str] = "check_accepted"
    requires: ClassVar[tuple[Stage, ...]] = ("target",)

    def run(self, graph: Graph, context: Context) -> bool:
        """Changes nothing; a refused node is a :class:`TargetError`."""
        for node in graph.body.walk():
            verdict = context.target.accepts(node)
            if isinstance(verdict, Reject):
                raise _refusal(node, context, verdict.reason)
        return False


def _judge(node: Node, context: Context) -> Accept | Reject:
    policy = context.fusion.get(node.op.name, "prefer")
    if policy == "never":
        return Reject(f'fusion = {{"{node.op.name}": "never"}}')
    verdict = context.target.accepts(node)
    if policy == "require" and isinstance(verdict, Reject):
        raise _refusal(node, context, verdict.reason, hint=f'fusion = {{"{node.op.name}": "prefer"}} expands it')
    return verdict


def _refusal(node: Node, context: Context, reason: str, hint: str | None = None) -> TargetError:
    return TargetError(
        f"target {context.target.name!r} cannot run op {node.op.name!r}: {reason}", where=node.origin, hint=hint
    )


def _check_policies(context: Context) -> None:
    names = [spec.name for spec in all_ops() if spec.has(Trait.COMPOSITE)]
    for name, policy in context.fusion.items():
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
