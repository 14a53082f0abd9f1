"""The gradient of a loop: its steps in the opposite order, each computed again from what was kept of it.

That is reverse-mode differentiation with a checkpoint at every step (Griewank and Walther 2000). Kept are the carries
before the step and what its matrix products made, where TensorFlow keeps every intermediate value of every step: an
attention energy [batch, time, features], say. And what a step multiplies with a matrix from outside of the loop gives
that matrix its gradient as one product over all steps behind the loop, instead of a small product and a sum as large as
the matrix in each. What it looks up in a table from outside gives that table the rows of all steps with their indices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import tensorflow as tf

from compiler.tensorflow.entering import entering
from compiler.tensorflow.environment import Environment
from compiler.tensorflow.loops.loop import (
    Loop,
    Tape,
    element_shape,
    item,
    reserve,
    run,
    stack,
)
from compiler.tensorflow.loops.plan import Gradient, Plan, Source, has_gradient
from compiler.tensorflow.own_gradient import Backward, own_gradient
from compiler.tensorflow.position import Position
from compiler.tensorflow.repeat import repeat
from returnn_ir.ir.graph import Region, Value
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType

__all__ = ["can_compute_again", "run_with_gradient"]

_Gradient: TypeAlias = "tf.Tensor | None"


def can_compute_again(region: Region) -> bool:
    """Whether a second run of a step does nothing but compute the same values."""
    return not any({Trait.EFFECT, Trait.DERIVATIVE} & node.op.traits for node in region.walk())


def run_with_gradient(loop: Loop, operands: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The results of the loop's node, with the gradient of this module.

    Args:
        loop: a loop whose steps can be computed again.
        operands: initial carries, then what is scanned.
    """
    plan = Plan.of(loop.view)
    captured = [*plan.summed, *plan.uses]
    outer = [loop.call.env.get(value) for value in captured]

    @own_gradient
    def differentiable(*args: tf.Tensor) -> tuple[list[tf.Tensor], Backward]:
        given = args[: len(operands)]
        tape = run(loop, given, keep=plan.kept)

        def grad(*upstream: _Gradient) -> list[_Gradient]:
            return _Backward(loop, plan, given, tape).gradients(upstream)

        return tape.results, grad

    results: list[tf.Tensor] = differentiable(*operands, *outer)
    return results


@dataclass
class _Found:
    """The gradients that a step has found so far, by tensor."""

    of: dict[int, tf.Tensor] = field(default_factory=dict)

    def add(self, tensors: Sequence[tf.Tensor], gradients: Sequence[_Gradient]) -> None:
        """Join gradients of tensors to those that there are."""
        for x, d in zip(tensors, gradients, strict=True):
            if d is not None:
                d = tf.convert_to_tensor(d)
                self.of[id(x)] = self.of[id(x)] + d if id(x) in self.of else d

    def put(self, tensors: Sequence[tf.Tensor], gradients: Sequence[_Gradient]) -> None:
        """Gradients that include those that there are."""
        self.of.update(
            {id(x): tf.convert_to_tensor(d) for x, d in zip(tensors, gradients, strict=True) if d is not None}
        )

    def get(self, x: tf.Tensor) -> _Gradient:
        """That of a tensor."""
        return self.of.get(id(x))


class _Backward:
    """The loop in the opposite order."""

    def __init__(self, loop: Loop, plan: Plan, operands: Sequence[tf.Tensor], tape: Tape) -> None:
        self._loop, self._plan, self._tape = loop, plan, tape
        self._carries = [k for k, t in enumerate(loop.carry_types) if has_gradient(t)]
        self._stacked = [k for k, t in enumerate(loop.stacked_types) if has_gradient(t)]
        #: slices whose gradients no error is
        self._scanned = [k for k, t in enumerate(loop.scanned_types) if has_gradient(t) and k not in plan.sliced]
        _, self._whole, _ = loop.view.layout.split_operands(operands)
        # what no gradient gets to: known when the step has been emitted
        self._reached: set[Value | int] = set()

    def gradients(self, upstream: Sequence[_Gradient]) -> list[_Gradient]:
        """Of the operands, then of the captured values; None where the results do not depend on one.

        Args:
            upstream: gradients of the node's results.
        """
        loop, plan, env = self._loop, self._plan, self._loop.call.env
        of_finals, of_stacks, _ = loop.view.layout.split_results(upstream)
        after = {k: of_finals[k] for k in self._carries}
        kept = [after[k] for k in loop.kept if k in after]
        running = [tf.zeros_like(d) if k in loop.kept else d for k, d in after.items()]
        made = [of_stacks[k] for k in self._stacked]
        slices = [self._list(loop.scanned_types[k]) for k in self._scanned]
        errors = [self._list(value.type) for value in plan.errors]
        pushed = [self._list(value.type) for value in plan.pushed]
        sums = [_empty_sum(env.get(value)) for value in plan.summed]
        invariants = [tf.TensorShape([d.size for d in loop.carry_types[k].dims]) for k in self._carries]
        scalar = tf.TensorShape([])
        last = loop.count - 1
        running, kept, slices, errors, pushed, sums = repeat(
            lambda i, *state: self._step(last - i, made, *state),
            (running, kept, slices, errors, pushed, sums),
            loop.count,
            (
                invariants,
                [s for k, s in zip(self._carries, invariants, strict=True) if k in loop.kept],
                [scalar for _ in slices],
                [scalar for _ in errors],
                [scalar for _ in pushed],
                [x.shape for x in sums],
            ),
            at_once=loop.at_once,
        )
        initial = self._initial(running, kept)
        of_slices = {
            k: self._stack(handle, loop.scanned_types[k])
            for k, handle in zip(self._scanned, slices, strict=True)
            if k in self._reached
        }
        of_errors = {
            value: self._stack(handle, value.type)
            for value, handle in zip(plan.errors, errors, strict=True)
            if value in self._reached
        }
        of_slices |= {k: of_errors[value] for k, value in plan.sliced.items() if value in of_errors}
        found = {v: tf.cast(total, v.dtype) for v, total in zip(plan.summed, sums, strict=True) if v in self._reached}
        found |= self._behind(of_errors, dict(zip(plan.pushed, pushed, strict=True)))
        return [
            *(initial.get(k) for k in range(len(loop.view.carries))),
            *(of_slices.get(k) for k in range(len(loop.view.slices))),
            *(found.get(value) for value in (*plan.summed, *plan.uses)),
        ]

    def _step(
        self,
        i: tf.Tensor,
        made: Sequence[tf.Tensor],
        running: list[tf.Tensor],
        kept: list[tf.Tensor],
        slices: list[tf.Tensor],
        errors: list[tf.Tensor],
        pushed: list[tf.Tensor],
        sums: list[tf.Tensor],
    ) -> tuple[tf.Tensor, ...]:
        """Step `i`: gradients of the carries after it become those of the carries before it, and so on."""
        loop, plan, at = self._loop, self._plan, Position.of(i)
        before = [item(handle, at, t) for handle, t in zip(self._tape.before, loop.carry_types, strict=True)]
        scanned = [at.frame(x) for x in self._whole]
        local = {value: entering(loop.call.env.get(value)) for value in plan.summed}
        instead = {v: item(handle, at, v.type) for v, handle in zip(plan.kept, self._tape.kept, strict=True)}
        following, stacked, env = loop.step(at, before, scanned, local, instead)
        running, kept = self._joined(at, [entering(d) for d in running], [entering(d) for d in kept])
        ends = [
            *((loop.view.carries[k].next, following[k], d) for k, d in zip(self._carries, running, strict=True)),
            *((loop.view.stacked[k].inner, stacked[k], at.frame(d)) for k, d in zip(self._stacked, made, strict=True)),
        ]
        carries, parts = [before[k] for k in self._carries], [scanned[k] for k in self._scanned]
        found = self._differentiated(env, ends, [*carries, *parts, *local.values()])
        return (
            [_or_zero(found.get(x), x) for x in carries],
            kept,
            [at.write(h, self._reach(k, found, x)) for h, k, x in zip(slices, self._scanned, parts, strict=True)],
            [at.write(h, self._reach(v, found, env.get(v))) for h, v in zip(errors, plan.errors, strict=True)],
            [at.write(h, env.get(v)) for h, v in zip(pushed, plan.pushed, strict=True)],
            [self._added(total, v, found.get(x)) for total, (v, x) in zip(sums, local.items(), strict=True)],
        )

    def _differentiated(
        self, env: Environment, ends: Sequence[tuple[Value, tf.Tensor, tf.Tensor]], sources: Sequence[tf.Tensor]
    ) -> _Found:
        """The gradients of the sources and of the errors, level by level: a kept value stands between two levels.

        Args:
            env: of the step.
            ends: values that the step yields, as they leave it, with their gradients.
            sources: where a step begins.
        """
        plan, found = self._plan, _Found()
        crossing = plan.crossing(self._loop.region)
        passed = dict.fromkeys(v for values in crossing for v in values)
        end = {value: plan.level.get(value, 0) + (value in plan.kept) for value, *_ in ends}
        for level in reversed(range(plan.top + 1)):
            pairs = [(x, d) for value, x, d in ends if end[value] == level]
            # a value may be another name of one from below
            stops = _distinct([*sources, *(env.get(v) for v in crossing[level])])
            counted = set(map(id, stops))
            here = {id(env.get(v)): v for v in passed if plan.level[v] == level and id(env.get(v)) not in counted}
            pairs += [(env.again(v), d) for v in here.values() if (d := found.get(env.get(v))) is not None]
            if pairs:
                inner = [env.get(v) for v in plan.errors if plan.level[v] == level and v not in plan.kept]
                results, upstream = zip(*pairs, strict=True)
                gradients = tf.gradients(list(results), [*stops, *inner], list(upstream), stop_gradients=stops)
                found.add(stops, gradients[: len(stops)])
                found.put(inner, gradients[len(stops) :])
        return found

    def _joined(
        self, at: Position, running: Sequence[tf.Tensor], kept: Sequence[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """At each sequence's own last step, the gradient of the value that it ends with joins that of the carry."""
        joined, waiting, ended = [], [], iter(kept)
        for k, d in zip(self._carries, running, strict=True):
            if k in self._loop.kept:
                here, last = self._loop.running(at, k), next(ended)
                waiting.append(tf.where(here, tf.zeros_like(last), last))
                d = d + tf.where(here, last, tf.zeros_like(last))
            joined.append(d)
        return joined, waiting

    def _initial(self, running: Sequence[tf.Tensor], kept: Sequence[tf.Tensor]) -> dict[int, tf.Tensor]:
        """Gradients of the initial carries; a sequence without frames ends with these."""
        ended = iter(kept)
        pairs = zip(self._carries, running, strict=True)
        return {k: d + next(ended) if k in self._loop.kept else d for k, d in pairs}

    def _behind(self, errors: Mapping[Value, tf.Tensor], pushed: Mapping[Value, tf.Tensor]) -> dict[Value, Gradient]:
        """Gradients of the captured values that have theirs behind the loop, where there is one.

        Args:
            errors: gradients of all steps.
            pushed: lists of first factors.
        """
        found: dict[Value, Gradient] = {}
        firsts: dict[Source, tf.Tensor] = {}
        env, count = self._loop.call.env, self._loop.count
        for value, uses in self._plan.uses.items():
            for use in uses:
                if use.error in errors:
                    first = None
                    if use.first is not None:
                        source = self._plan.sources[use.first]
                        if source not in firsts:
                            firsts[source] = self._all_steps(source, pushed)
                        first = firsts[source]
                    gradient = use.gradient(env, count, first, errors[use.error])
                    found[value] = _joined(found[value], gradient) if value in found else gradient
        return found

    def _all_steps(self, source: Source, pushed: Mapping[Value, tf.Tensor]) -> tf.Tensor:
        """A value of all steps, [step, *dims]."""
        loop, k = self._loop, source.number
        if source.kind == "slice":
            return self._whole[k]
        if source.kind == "stack":
            return loop.view.layout.split_results(self._tape.results)[1][k]
        if source.kind == "carry":
            return self._stack(self._tape.before[k], loop.carry_types[k])
        handle = self._tape.kept[k] if source.kind == "kept" else pushed[source.value]
        return self._stack(handle, source.value.type)

    def _list(self, type_: TensorType) -> tf.Tensor:
        return reserve(type_, element_shape(self._loop.call.env, type_), self._loop.count)

    def _stack(self, handle: tf.Tensor, type_: TensorType) -> tf.Tensor:
        return stack(handle, element_shape(self._loop.call.env, type_), type_)

    def _reach(self, what: Value | int, found: _Found, x: tf.Tensor) -> tf.Tensor:
        gradient = found.get(x)
        if gradient is None:
            return tf.zeros_like(x)
        self._reached.add(what)
        return gradient

    def _added(self, total: tf.Tensor, value: Value, gradient: _Gradient) -> tf.Tensor:
        if gradient is None:
            return total
        self._reached.add(value)
        return total + tf.cast(gradient, total.dtype)


def _joined(first: Gradient, second: Gradient) -> Gradient:
    """The sum of two gradients of a matrix, both dense or both rows."""
    if not isinstance(first, tf.IndexedSlices):
        return first + second
    values = tf.concat([first.values, second.values], 0)
    return tf.IndexedSlices(values, tf.concat([first.indices, second.indices], 0), first.dense_shape)


def _empty_sum(value: tf.Tensor) -> tf.Tensor:
    """What the gradients of all steps are added to: in 16 bits, a step's would be less than half of the last place."""
    return tf.zeros_like(value, tf.float32 if value.dtype.size == 2 else value.dtype)


def _distinct(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Each tensor once."""
    return list({id(x): x for x in tensors}.values())


def _or_zero(gradient: _Gradient, like: tf.Tensor) -> tf.Tensor:
    return tf.zeros_like(like) if gradient is None else gradient
