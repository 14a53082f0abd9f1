"""The body of a searching loop, emitted with beams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from compiler.analysis.carried_dims import carried_dims
from compiler.passes.reemit import PendingLengths, Special, reemit
from compiler.passes.search.pick import UNUSED, pick
from compiler.passes.search.python_calls import call_over_hypotheses, call_types
from compiler.passes.search.symbolic_ops import BeamTable, Hypotheses, is_symbolic
from returnn_ir.errors import ConfigError, IRError
from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value
from returnn_ir.ir.loop import LoopView, OpenLoop, loop_params
from returnn_ir.ir.types import TensorType

__all__ = ["BeamBody", "Found"]


@dataclass(frozen=True)
class Found:
    """What a search gives, outside of its loop.

    Attributes:
        finals: final carries, over the last beam.
        stacked: stacked values of all steps, every final hypothesis along its own history.
        steps: the number of steps, where the loop found its end.
        scores: of the final hypotheses [..., beam].
        lengths: their numbers of labels.
    """

    finals: list[Value]
    stacked: list[Value]
    steps: Value | None
    scores: Value
    lengths: Value

    def decided(self, b: Builder, beam: Dim) -> Found:
        """The only hypothesis of a beam of size 1, without the beam."""

        def only(value: Value) -> Value:
            return b.op("squeeze", value, dim=beam) if beam in value.dims else value

        finals, stacked = ([only(v) for v in values] for values in (self.finals, self.stacked))
        return Found(finals, stacked, self.steps, only(self.scores), only(self.lengths))


@dataclass(frozen=True)
class _Step:
    """The body of a searching loop.

    Attributes:
        following: the next carries, the scores last.
        stacked: values to stack, the back-pointers last.
    """

    region: Region
    following: list[Value]
    stacked: list[Value]
    done: Value | None


class BeamBody:
    """One searching loop.

    Attributes:
        beam: the dim of the final hypotheses, that of the last choice of a step.
        start: the same hypotheses at the beginning of the next step.
        table: the beams of the program; those of a step are known while its body is emitted.
        own: the nodes of the body itself, not those of loops in it.
    """

    def __init__(
        self, b: Builder, node: Node, operands: Sequence[Value], env: dict[Value, Value], table: BeamTable
    ) -> None:
        self.b = b
        self.table = table
        self.env = env
        self.old = LoopView.of(node)
        self.starts, self.whole, self.limit = self.old.layout.split_operands(operands)
        self.dim = self.old.dim
        makers = [n for n in self.old.region.nodes if is_symbolic(n) and n.attrs.get("beam") is not None]
        if self.old.end is None and b.needs_mask(self.dim):
            self._run_all_frames(b, filled=any(n.attrs.get("independent") for n in makers))
        self.own = frozenset(self.old.region.nodes)
        self.special = Special(self._emit_symbolic, self._types)
        self.choices = [n for n in makers if n.op.name == "choice"]
        self.beam: Dim = makers[-1].attrs["beam"]
        self.start = Dim(f"{self.beam.name}.before", self.beam.size)
        #: the beam dims in the order of the choices, and the back-pointers from each to the one before it
        self.chain: list[Dim] = [self.start]
        self.back: list[Value] = []
        #: how each of these choices cheats, and whether a given value has been scored in this step
        self.cheats: list[str | None] = []
        self.followed = False
        #: with independent scores, the sequences that were over before this step
        self.over: Value | None = None
        self.batch = tuple(d for d in makers[0].result.dims if d.is_batch)

    # ---------------------------------------------------------------- the loop

    def _run_all_frames(self, b: Builder, *, filled: bool) -> None:
        """Every hypothesis takes part in all steps of the batch, as in RETURNN, those that have ended too.

        Args:
            filled: what these see does not count, so it is the same in every batch.
        """
        own = self.dim
        if filled:
            self.whole = [b.where(b.mask(own), v, b.const(0, v.dtype)) for v in self.whole]
        self.dim = Dim(f"{own.name}.steps")
        b.define(self.dim, b.extent(own))
        self.whole = [b.op("resize_axis", v, dim=own, out=self.dim) for v in self.whole]

    def run(self) -> Found:
        """Emit the loop, the back-trace and the final scores."""
        scores = self._first_scores()
        beams = zip(self.starts, self._with_beam(scores), strict=True)
        starts = [self.b.expand(v, self.start) if has else v for v, has in beams]
        options = replace(self.old.options, searches=True)
        loop = OpenLoop.begin(self.dim, [*starts, scores], self.whole, self.limit, options)
        return self._emit(loop, self._step(loop))

    def _with_beam(self, scores: Value) -> list[bool]:
        """Which carries depend on a choice, of this step or of one before it: their types, if a step had one beam only.

        It is known before anything is emitted, so that the body is emitted once.
        """
        loop = OpenLoop.begin(self.dim, self.starts, self.whole, self.limit)
        self._now(self.start, scores)
        gained = carried_dims(self.b, self.old.node, loop, self.env, self._types)
        return [self.start in dims for dims in gained]

    def _types(self, node: Node, operands: Sequence[TensorType]) -> list[TensorType] | None:
        """What is chosen has the beam of the step."""
        if not is_symbolic(node):
            return call_types(self.table, node, operands)
        chosen = node.op.name == "choice"
        if node.op.name == "follow" and node in self.own:
            chosen = node.attrs["beam"] is not None or any(self.start in t.dims for t in operands[1:])
        if not chosen:
            return self.table.types(node, operands)
        own = node.result.type
        return [own.with_dims(dict.fromkeys((*own.dims, self.start)))]

    def _first_scores(self) -> Value:
        """Only the first slot of the beam is there."""
        b = self.b
        first = b.binary("equal", b.iota(self.start), 0)
        return b.expand(b.where(first, 0.0, UNUSED), *self.batch)

    def _step(self, loop: OpenLoop) -> _Step:
        """The body over these carries, the last of which is the score."""
        old = self.old.region
        region = Region(loop.params, parent=self.b.region)
        *carries, score = loop.carries
        own = loop_params(loop.index, carries, loop.slices)
        inner = {**self.env, **dict(zip(old.params, own, strict=True))}
        self.chain, self.back, self.cheats, self.followed = [self.start], [], [], False
        self._now(self.start, score)
        lengths = PendingLengths(old, region, inner)
        with self.b.inside(region):
            for node in old.nodes:
                with self.b.at(node.origin):
                    inner.update(zip(node.results, self._node(loop.index, node, inner), strict=True))
                lengths.define(node.results)
            lengths.define(list(lengths.left))
            step = self._results(region, loop, inner)
        for dim in self.chain:
            del self.table.known[dim]
        return step

    def _node(self, index: Value, node: Node, inner: dict[Value, Value]) -> list[Value]:
        captured = [v for r in node.regions for v in r.captures({}) if v in inner]
        given = self._same_level([inner.get(v, v) for v in (*node.operands, *captured)])
        count = len(node.operands)
        operands, around = given[:count], {**inner, **dict(zip(captured, given[count:], strict=True))}
        if node.op.name == "choice":
            return [self._choose(node, operands, index, around)]
        if node.op.name == "follow":
            return [self._follow(node, operands, index)]
        return reemit(self.b, node, operands, around, self.special)

    def _emit_symbolic(self, b: Builder, node: Node, operands: Sequence[Value]) -> list[Value] | None:
        if not is_symbolic(node):
            return call_over_hypotheses(b, self.table, node, operands)
        if node.op.name == "choice":
            raise ConfigError("a choice cannot stand in a loop within a searching loop", where=node.origin)
        return self.table.expand(b, node, operands)

    def _now(self, beam: Dim, scores: Value, sources: Value | None = None) -> None:
        """The hypotheses of this step over a beam."""
        self.table.known[beam] = Hypotheses(scores, sources)

    @property
    def score(self) -> Value:
        """The scores of the hypotheses so far, over the last beam."""
        return self.table.known[self.chain[-1]].scores

    def _results(self, region: Region, loop: OpenLoop, inner: dict[Value, Value]) -> _Step:
        b, (*params, before) = self.b, loop.carries
        finals = [self._raise(inner.get(c.next, c.next), len(self.back)) for c in self.old.carries]
        carries = []
        for value, param in zip(finals, params, strict=True):
            renamed = b.rename(value, (self.beam, self.start)) if self.beam in value.dims else value
            if self.start in renamed.dims and self.start not in param.dims:
                raise IRError(f"a carry was to start without a beam, it goes on as {value.type}")
            carries.append(self._held(b.expand(renamed, *param.dims), param))
        stacked = [self._raise(inner.get(s.inner, s.inner), len(self.back)) for s in self.old.stacked]
        slots = self._raise(self.back[0] if self.back else b.iota(self.start), len(self.back))
        score = b.rename(self.score, (self.beam, self.start))
        if self.over is not None:
            slots = b.where(self.over, b.rename(b.iota(self.start), (self.start, self.beam)), slots)
            score = self._held(score, self._grown_score(before, loop.index))
        done = None
        if self.old.end is not None:
            done = inner.get(self.old.end.done, self.old.end.done)
            done = b.reduce("all", done, *done.dims) if done.dims else done
        return _Step(region, [*carries, score], [*stacked, slots], done)

    def _held(self, following: Value, before: Value) -> Value:
        """With independent scores the hypotheses of a sequence that is over wait for the rest of the batch.

        What grows with every step cannot: it has another size then. It is read for continuations only, of which a
        sequence that is over gets none.
        """
        grows = any(dim in self.b.region.dim_defs for dim in before.dims)
        if self.over is None or self.start not in following.dims or grows:
            return following
        held = self.b.where(self.over, before, following)
        return self.b.op("set_sparse", held, sparse_dim=following.type.sparse_dim)

    def _emit(self, loop: OpenLoop, step: _Step) -> Found:
        view = loop.close(self.b, step.region, step.following, step.stacked, step.done)
        steps = None if view.end is None else view.end.steps
        if steps is not None:
            self.b.define(self.dim, steps)
        finals = [self._public(carry.result) for carry in view.carries]
        *stacked, slots = (stack.outer for stack in view.stacked)
        scores, lengths = self._final_scores(finals)
        trace = self._trace(slots)
        shown = [self._shown(self._traced(y, trace)) for y in stacked]
        return Found(finals[:-1], shown, steps, scores, lengths)

    def _shown(self, y: Value) -> Value:
        own = self.old.dim
        return y if self.dim is own else self.b.op("resize_axis", y, dim=self.dim, out=own)

    def _traced(self, y: Value, trace: Value) -> Value:
        """A stacked output [steps, ..., beam], every hypothesis along its own history."""
        if self.beam not in y.dims:
            return y
        slots = Dim(f"{self.beam.name}.slots", self.beam.size)
        return self.b.op("gather", self.b.rename(y, (self.beam, slots)), trace, dim=slots)

    def _public(self, value: Value) -> Value:
        return self.b.rename(value, (self.start, self.beam)) if self.start in value.dims else value

    # ---------------------------------------------------------------- levels

    def _level(self, value: Value) -> int:
        return next((i for i, d in enumerate(self.chain) if d in value.dims), -1)

    def _same_level(self, values: list[Value]) -> list[Value]:
        """All values that have a beam over the furthest of their beams."""
        highest = max((self._level(v) for v in values), default=-1)
        return [self._raise(v, highest) for v in values]

    def _raise(self, value: Value, level: int) -> Value:
        """A value of an earlier beam, for the hypotheses of a later one."""
        own = self._level(value)
        if own < 0:
            return value
        for step in range(own, level):
            value = self.b.op("gather", value, self.back[step], dim=self.chain[step])
        return value

    # ---------------------------------------------------------------- one choice

    def _choose(self, node: Node, operands: Sequence[Value], step: Value, env: dict[Value, Value]) -> Value:
        """The labels of the best continuations, which are the hypotheses from now on."""
        b, before, level = self.b, self.chain[-1], len(self.back)
        scores, ended, *read = (self._raise(v, level) for v in operands)
        gold, origins = read.pop(0) if node.attrs["cheating"] else None, None
        if node.attrs["independent"] and not level:
            self.over = b.reduce("all", ended, before, mask=False) if before in ended.dims else ended
        starts = b.binary("equal", step, 0)
        first = starts if level == 0 and not self.followed else None
        total = self._total(node, b.expand(scores, before), ended, read, step, env)
        dead = node.attrs["base_scale"] != 1.0 or bool(node.regions)
        if first is not None and dead:  # the scores of slots that are not there may have come back to life
            total = b.where(b.binary("logical_and", first, b.binary("greater", b.iota(before), 0)), UNUSED, total)
        if gold is not None and level and self.cheats[-1] is None:
            origins = b.where(starts, b.const(0, "int64"), self.back[-1])
        picked = pick(b, node, total, before, gold=gold, origins=origins, first=first)
        self.cheats.append(node.attrs["cheating"])
        self._advance(node.attrs["beam"], picked.scores, picked.slots)
        return b.op("set_sparse", picked.labels, sparse_dim=node.attrs["classes"])

    def _total(
        self, node: Node, scores: Value, ended: Value, read: Sequence[Value], step: Value, env: dict[Value, Value]
    ) -> Value:
        """The scores of all continuations [..., before, classes]."""
        b, classes = self.b, node.attrs["classes"]
        base = self._carried_on(node, ended, step)
        held = b.where(b.binary("equal", b.iota(classes), 0), 0.0, UNUSED)
        scores = b.where(ended, held, scores)
        if node.regions:
            return self._combined(node, [scores, base, step, b.expand(ended, self.chain[-1]), *read], env)
        if node.attrs["base_scale"] != 1.0:
            base = b.mul(base, node.attrs["base_scale"])
        total = b.add(scores, base)
        if node.attrs["gumbel"]:
            noise = b.op("random", kind="uniform", path=node.attrs["path"], dims=tuple(total.dims))
            inner = b.maximum(noise, 1e-38)
            gumbel = b.unary("neg", b.unary("log", b.unary("neg", b.unary("log", inner))))
            total = b.add(total, b.mul(gumbel, node.attrs["gumbel"]))
        return total

    def _combined(self, node: Node, read: Sequence[Value], env: dict[Value, Value]) -> Value:
        """What the config's own function makes of both scores and of the layers that it reads."""
        b, region, before, own = self.b, node.regions[0], self.chain[-1], node.attrs["base"]
        if own.size != before.size:
            raise ConfigError(
                "custom_score_combine needs as many hypotheses before the choice as behind it",
                where=node.origin,
                expected=f"beam_size {before.size}",
                received=own.size,
            )
        given = [b.rename(v, (before, own)) if before in v.dims else v for v in read]
        given = [b.expand(v, *param.dims) for v, param in zip(given, region.params, strict=True)]
        inner = {**env, **dict(zip(region.params, given, strict=True))}
        for n in region.nodes:
            results = reemit(b, n, [inner.get(v, v) for v in n.operands], inner, self.special)
            inner.update(zip(n.results, results, strict=True))
        result = region.results[0]
        return b.rename(inner.get(result, result), (own, before))

    def _carried_on(self, node: Node, ended: Value, step: Value) -> Value:
        """The score so far; that of an ended hypothesis grows with the steps that it does not take part in."""
        # scores that are independent are divided by the steps in the end, and so grow once per step
        if node.attrs["independent"] and self.back:
            return self.score
        grown = self._grown_score(self.score, step, node)
        return self.score if grown is self.score else self.b.where(ended, grown, self.score)

    def _grown_score(self, score: Value, step: Value, node: Node | None = None) -> Value:
        """What keeps a score per label as it is when it is divided by one more step."""
        b = self.b
        node = self.choices[-1] if node is None or node.attrs["independent"] else node
        if not node.attrs["normalize"]:
            return score
        i = b.cast(step, "float32")
        factor = b.div(b.add(i, 1.0), b.maximum(i, 1.0))
        if node.attrs["exponent"] != 1.0:
            factor = b.binary("pow", factor, float(node.attrs["exponent"]))
        return b.mul(score, factor)  # in the first step by one

    def _advance(self, beam: Dim, scores: Value, slots: Value) -> None:
        self.back.append(slots)
        self.chain.append(beam)
        self._now(beam, scores, slots)

    def _follow(self, node: Node, operands: Sequence[Value], step: Value) -> Value:
        """A given value: its score counts, the hypotheses stay."""
        b, before, level = self.b, self.chain[-1], len(self.back)
        value, *score = (self._raise(v, level) for v in operands)
        beam = node.attrs["beam"]
        if score and before in score[0].dims:
            base = self.score
            if not level and not self.followed:
                # RETURNN's only hypothesis of the first step is all of them behind this
                base = b.where(b.binary("equal", step, 0), 0.0, base)
            self.followed = True
            base = b.mul(base, node.attrs["base_scale"]) if node.attrs["base_scale"] != 1.0 else base
            own = self.table.known[before]
            self.table.known[before] = Hypotheses(b.add(base, score[0]), own.sources)
        if beam is None:  # every hypothesis has it; a decision behind the loop is one between them
            return b.expand(value, before) if score and before in score[0].dims else value
        if before.size != beam.size:
            raise ConfigError("a choice of values that are given follows one hypothesis", where=node.origin)
        slots = b.expand(b.rename(b.iota(before), (before, beam)), *self.batch)
        self.cheats.append(None)
        self._advance(beam, b.rename(self.score, (before, beam)), slots)
        return b.rename(b.expand(value, before), (before, beam))

    # ---------------------------------------------------------------- behind the loop

    def _final_scores(self, finals: Sequence[Value]) -> tuple[Value, Value]:
        b, scores, index = self.b, finals[-1], self.old.options.length_carry
        lengths = finals[index] if index is not None else b.length(self.old.dim)
        last = self.choices[-1] if self.choices else None
        if last is not None and last.attrs["independent"]:
            if last.attrs["normalize"]:
                steps = b.maximum(b.cast(b.extent(self.dim), "float32"), 1.0)
                scores = b.div(scores, b.binary("pow", steps, last.attrs["exponent"]))
        elif last is not None and last.attrs["normalize"]:
            longest = b.reduce("max", lengths, *lengths.dims) if lengths.dims else lengths
            if not last.attrs["include_eos"]:
                longest = b.add(longest, 1)
            scores = b.div(scores, b.cast(longest, "float32"))
        return scores, lengths

    def _trace(self, slots: Value) -> Value:
        """Follow the back-pointers from the last step to the first."""
        b, dim, beam = self.b, self.dim, self.beam
        before = Dim(f"{beam.name}.slots", beam.size)
        backwards = b.op("reverse", b.rename(slots, (beam, before)), dim=dim, ragged=False)
        rest = [d for d in slots.dims if d not in (dim, beam)]
        final = b.expand(b.iota(beam), *rest)

        def step(i: Value, carries: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            earlier = b.op("gather", slices[0], carries[0], dim=before)
            return [b.op("set_sparse", earlier, sparse_dim=None)], [carries[0]]

        _, (trace,) = b.loop(dim, [final], [backwards], step)
        return b.op("reverse", trace, dim=dim, ragged=False)
