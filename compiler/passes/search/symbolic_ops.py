"""The symbolic ops of searches, given what is known of the beams where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from returnn_ir.errors import ConfigError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Value
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType

__all__ = ["BeamTable", "Hypotheses", "is_symbolic"]


def is_symbolic(node: Node) -> bool:
    """Whether this is one of the ops that the pass takes away."""
    return node.op.has(Trait.SEARCH)


@dataclass(frozen=True)
class Hypotheses:
    """What is known of the hypotheses along a beam dim, all [..., beam].

    Attributes:
        sources: the slots of the beam before their choice that they come from.
        lengths: how many labels each has.
    """

    scores: Value
    sources: Value | None = None
    lengths: Value | None = None


@dataclass
class BeamTable:
    """The beams of a program.

    Attributes:
        known: by beam dim.
        frozen: beams that are ordinary axes from their loop's step on (``step_beam``).
        decided: the scores of the hypotheses that were decided for, by the value that was decided.
    """

    known: dict[Dim, Hypotheses] = field(default_factory=dict)
    frozen: set[Dim] = field(default_factory=set)
    decided: dict[Value, Value] = field(default_factory=dict)

    def beam_of(self, value: Value | TensorType) -> Dim | None:
        """The beam that a value has."""
        return next((d for d in value.dims if d in self.known), None)

    def types(self, node: Node, operands: Sequence[TensorType]) -> list[TensorType]:
        """The types of what :meth:`expand` gives; a beam that it freezes for a step is left out."""
        x, *_ = operands
        beam = self.beam_of(x)
        known = [] if beam is None else list(self.known[beam].scores.dims)
        name = node.op.name
        if name == "step_beam":
            return [t.without(self.known) for t in operands]
        if name in ("beam_scores", "source_beams"):
            return [node.result.type if beam is None else node.result.type.with_dims(known)]
        if name == "decide":
            return [x.with_dims(d for d in dict.fromkeys((*x.dims, *known)) if d is not beam)]
        if name == "split_beam":
            return [x.with_dims((*x.without(self.known).dims, node.attrs["out"]))]
        if name == "like_beam":
            return [x.with_dims(dict.fromkeys((*x.dims, *(d for d in operands[1].dims if d in self.known))))]
        return [x.without(self.known) if name == "sum_beam" else x]

    def expand(self, b: Builder, node: Node, operands: Sequence[Value]) -> list[Value]:
        """What stands for a symbolic op (``choice`` apart)."""
        if node.op.name == "step_beam":
            return self._freeze(b, operands)
        rules: Mapping[str, Callable[[Builder, Node, Sequence[Value]], Value]] = {
            "follow": lambda b, node, x: x[0],
            "decide": self._decide,
            "beam_scores": self._beam_scores,
            "source_beams": self._source_beams,
            "split_beam": self._split,
            "like_beam": self._like,
            "sum_beam": self._sum,
        }
        return [rules[node.op.name](b, node, operands)]

    def _decide(self, b: Builder, node: Node, operands: Sequence[Value]) -> Value:
        x = operands[0]
        beam = self.beam_of(x)
        if beam is None:
            return x
        found = self.known[beam]
        scores = found.scores
        if node.attrs["normalize"] and found.lengths is not None:
            scores = b.div(scores, b.cast(found.lengths, scores.dtype))
        best = b.op("set_sparse", b.op("argmax", scores, dim=beam, mask=False), sparse_dim=None)
        result = b.op("gather", x, best, dim=beam)
        self.decided[node.result] = b.op("gather", scores, best, dim=beam)
        return result

    def _beam_scores(self, b: Builder, node: Node, operands: Sequence[Value]) -> Value:
        beam = self.beam_of(operands[0])
        if beam is not None:
            return self.known[beam].scores
        # every value that came from a decision belongs to the hypothesis that was decided for
        seen: set[Value] = set()
        pending = list(node.operands)
        while pending:
            value = pending.pop()
            if value in self.decided:
                return self.decided[value]
            if value not in seen and value.node is not None:
                seen.add(value)
                pending.extend(value.node.operands)
        raise ConfigError("there are no hypotheses that this has scores of", where=node.origin)

    def _source_beams(self, b: Builder, node: Node, operands: Sequence[Value]) -> Value:
        beam = self.beam_of(operands[0])
        sources = self.known[beam].sources if beam is not None else None
        if sources is None:
            raise ConfigError(
                "where hypotheses come from is known in the step of their choice only",
                where=node.origin,
                hint="use choice_get_src_beams in the loop, with 'is_output_layer': True",
            )
        return sources

    def _split(self, b: Builder, node: Node, operands: Sequence[Value]) -> Value:
        x, out = operands[0], node.attrs["out"]
        beam = self.beam_of(x)
        return b.expand(x, out) if beam is None else b.rename(x, (beam, out))

    def _like(self, b: Builder, node: Node, operands: Sequence[Value]) -> Value:
        beams = [d for d in operands[1].dims if d in self.known or d in self.frozen]
        return b.expand(operands[0], *beams)

    def _freeze(self, b: Builder, operands: Sequence[Value]) -> list[Value]:
        own: dict[Dim, Dim] = {}
        frozen = []
        for x in operands:
            beam = self.beam_of(x)
            if beam is not None:
                own.setdefault(beam, Dim(f"{beam.name}.step", beam.size))
                x = b.rename(x, (beam, own[beam]))
            frozen.append(x)
        self.frozen.update(own.values())
        return frozen

    def _sum(self, b: Builder, node: Node, operands: Sequence[Value]) -> Value:
        x = operands[0]
        beams = [d for d in x.dims if d in self.known or d in self.frozen]
        return b.reduce("sum", x, *beams, mask=False) if beams else x
