"""Loops that end by themselves, and dims of a loop's body: small nets that every target's tests compare."""

from __future__ import annotations

from typing import Protocol

from returnn_ir.ir.builder import Builder
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value

__all__ = ["BODY_DIMS", "LENGTHS", "REPEATED", "UNTIL", "BuiltNet"]

#: Of the sequences: ragged, with an empty one, without any step, all alike.
LENGTHS: list[tuple[int, ...]] = [(5, 1, 3), (2, 0), (0, 0), (3, 3)]

Stepped = tuple[list[Value], list[Value]]
SteppedUntil = tuple[list[Value], list[Value], Value]


class BuiltNet(Protocol):
    """What the nets of the targets' tests have in common: a ragged input ``x`` [B, T, F]."""

    b: Builder
    batch: Dim
    time: Dim
    feature: Dim
    x: Value

    def give(self, name: str, value: Value) -> None:
        """A result of the graph."""


def _counting(net: BuiltNet, limit: Value) -> Dim:
    """Sums of the captured ``x`` until every sequence has had as many steps as it has frames."""
    b, steps_dim = net.b, Dim("steps")
    start = b.expand(b.const(0.0), net.batch, net.feature)

    def step(i: Value, carries: list[Value]) -> SteppedUntil:
        total, ended = carries
        total = b.add(b.unary("tanh", total), b.add(b.reduce("sum", net.x, net.time), b.cast(i, "float32")))
        ended = b.op("logical_or", ended, b.binary("greater_equal", b.add(i, 1), b.length(net.time)))
        return [total, ended], [total, ended, i], b.reduce("all", ended, net.batch)

    never = b.expand(b.const(False), net.batch)
    finals, stacked, steps = b.loop_until(steps_dim, [start, never], limit, step)
    for number, value in enumerate((*finals, *stacked, steps)):
        net.give(f"y{number}", value)
    net.give("sum", b.reduce("mean", stacked[0], steps_dim))
    net.give("frames", b.add(b.iota(steps_dim), b.extent(steps_dim)))
    return steps_dim


def _ends_by_itself(net: BuiltNet) -> None:
    _counting(net, net.b.const(1 << 40))


def _limit_first(net: BuiltNet) -> None:
    _counting(net, net.b.const(2))


def _no_step(net: BuiltNet) -> None:
    _counting(net, net.b.const(0))


def _steps_alone(net: BuiltNet) -> None:
    """Nobody asks for a stacked value: the dim's extent is known from the number of steps."""
    b, dim = net.b, Dim("steps")
    _, _, steps = b.loop_until(dim, [], b.const(7), lambda i, _: ([], [], b.binary("greater_equal", i, 3)))
    net.give("frames", b.iota(dim))
    net.give("steps", steps)
    net.give("pad", b.op("resize_axis", net.x, dim=net.time, out=dim))


def _looped_over_again(net: BuiltNet) -> None:
    """The dim that the one loop has defined is what the next one runs over."""
    b = net.b
    dim = _counting(net, b.const(3))

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        total = b.add(carries[0], b.mul(slices[0], i))
        return [total], [total]

    (final,), (path,) = b.loop(dim, [b.const(0)], [b.iota(dim)], step)
    net.give("final", final)
    net.give("path", path)


def _nested(net: BuiltNet) -> None:
    """The inner loop's end depends on the outer step."""
    b = net.b
    start = b.expand(b.const(0.0), net.batch)

    def outer(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        def inner(j: Value, held: list[Value]) -> SteppedUntil:
            total = b.add(held[0], b.mul(b.reduce("sum", slices[0], net.feature), b.cast(b.add(i, j), "float32")))
            return [total], [total], b.binary("greater_equal", j, i)

        dim = Dim("inner")
        (after,), (path,), steps = b.loop_until(dim, carries, b.const(3), inner)
        return [after], [b.reduce("max", path, dim), b.mul(steps, b.extent(dim))]

    (final,), (path, steps) = b.loop(net.time, [start], [net.x], outer)
    for name, value in {"final": final, "path": path, "steps": steps}.items():
        net.give(name, value)


def _loop_inside(net: BuiltNet) -> None:
    """In each step of a loop that ends by itself, a loop over a dim from outside."""
    b = net.b
    start = b.expand(b.const(0.5), net.batch, net.feature)

    def outer(i: Value, carries: list[Value]) -> SteppedUntil:
        def inner(j: Value, held: list[Value], slices: list[Value]) -> Stepped:
            after = b.unary("tanh", b.add(held[0], b.mul(slices[0], b.cast(b.add(i, j), "float32"))))
            return [after], [after]

        (after,), (path,) = b.loop(net.time, carries, [net.x], inner)
        return [after], [after, b.reduce("sum", path, net.time)], b.binary("equal", i, 2)

    (final,), stacked, steps = b.loop_until(Dim("steps"), [start], b.const(10), outer)
    for number, value in enumerate((final, *stacked, steps)):
        net.give(f"y{number}", value)


#: By name: nets with a loop that ends by itself.
UNTIL = {
    "ends_by_itself": _ends_by_itself,
    "limit_first": _limit_first,
    "no_step": _no_step,
    "steps_alone": _steps_alone,
    "looped_over_again": _looped_over_again,
    "nested": _nested,
    "loop_inside": _loop_inside,
}


def _past(net: BuiltNet) -> None:
    """Everything that asks for the extent, the length or the mask of a dim as long as the step's number plus one."""
    b = net.b

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        past = Dim("past")
        b.define(past, b.add(i, 1))
        seen = b.op("resize_axis", net.x, dim=net.time, out=past)
        numbers = b.cast(b.iota(past), "float32")
        weights = b.op("softmax", b.add(b.reduce("sum", seen, net.feature), numbers), dims=(past,))
        kept = b.where(b.mask(past), b.mul(numbers, seen), 0.0)
        values = [
            b.dot(weights, seen, past),
            *(b.reduce(kind, kept, past) for kind in ("sum", "mean", "max", "logsumexp")),
            b.reduce("sum", b.cast(b.mask(past), "int64"), past),
            b.add(b.length(past), b.extent(past)),
        ]
        return [b.add(carries[0], values[0])], values

    start = b.expand(b.const(0.0), net.batch, net.feature)
    (final,), stacked = b.loop(net.time, [start], [], step)
    for number, value in enumerate((final, *stacked)):
        net.give(f"y{number}", value)


def _ragged_past(net: BuiltNet) -> None:
    """The body's dim has a length for each sequence: reductions over it are masked."""
    b = net.b

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        past = Dim("past")
        b.define(past, b.minimum(b.add(i, 1), b.length(net.time)))
        seen = b.op("resize_axis", net.x, dim=net.time, out=past)
        weights = b.op("softmax", b.reduce("sum", seen, net.feature), dims=(past,))
        values = [b.reduce(kind, seen, past) for kind in ("sum", "mean", "max")]
        return [], [b.dot(weights, seen, past), b.length(past), *values]

    _, stacked = b.loop(net.time, [], [], step)
    for number, value in enumerate(stacked):
        net.give(f"y{number}", value)


def _loop_over_past(net: BuiltNet) -> None:
    """A loop over the body's dim, whose scanned value and captured one come from further outside."""
    b = net.b
    weight, one = b.reduce("sum", net.x, net.time), Dim("one", 1)

    def outer(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        past = Dim("past")
        b.define(past, b.add(i, 1))
        joined = past + one
        parts = (b.op("resize_axis", net.x, dim=net.time, out=past), b.expand(weight, one))

        def inner(j: Value, held: list[Value], rows: list[Value]) -> Stepped:
            after = b.unary("tanh", b.add(held[0], b.mul(rows[0], weight)))
            return [after], [b.add(after, b.cast(j, "float32"))]

        more = b.op("concat", *parts, dims=(past, one), out=joined)
        (after,), (path,) = b.loop(past, carries, [parts[0]], inner)
        (other,), _ = b.loop(joined, [after], [more], inner)
        (last,), _ = b.loop(past, [other], [b.expand(slices[0], past)], inner)
        return [after], [b.reduce("mean", path, past), other, last]

    start = b.expand(b.const(0.0), net.batch, net.feature)
    (final,), stacked = b.loop(net.time, [start], [net.x], outer)
    for number, value in enumerate((final, *stacked)):
        net.give(f"y{number}", value)


def _within_until(net: BuiltNet) -> None:
    """A dim of the body of a loop that ends by itself."""
    b = net.b

    def step(i: Value, carries: list[Value]) -> SteppedUntil:
        past = Dim("past")
        b.define(past, b.add(i, 1))
        seen = b.op("resize_axis", net.x, dim=net.time, out=past)
        total = b.reduce("sum", b.mul(seen, b.cast(b.iota(past), "float32")), past)
        return [b.add(carries[0], total)], [total], b.binary("equal", b.extent(past), 4)

    start = b.expand(b.const(0.0), net.batch, net.feature)
    (final,), (path,), steps = b.loop_until(Dim("steps"), [start], b.const(9), step)
    for name, value in {"final": final, "path": path, "steps": steps}.items():
        net.give(name, value)


def _concat_with_outer(net: BuiltNet) -> None:
    """A value from outside is repeated along a dim that only the body knows."""
    b, extra = net.b, Dim("extra", 2)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        past = Dim("past")
        b.define(past, b.add(i, 1))
        both = net.feature + extra
        seen = b.op("resize_axis", net.x, dim=net.time, out=past)
        joined = b.op("concat", seen, outer, dims=(net.feature, extra), out=both)
        return [], [b.reduce("sum", joined, past)]

    outer = b.cast(b.iota(extra), "float32")
    _, (stacked,) = b.loop(net.time, [], [], step)
    net.give("stacked", stacked)


#: By name: nets whose loops have dims of their own.
BODY_DIMS = {
    "past": _past,
    "ragged_past": _ragged_past,
    "loop_over_past": _loop_over_past,
    "within_until": _within_until,
    "concat_with_outer": _concat_with_outer,
}


def _same_results(net: BuiltNet) -> None:
    """A step gives one value as several results, and values from outside, of the step before and of no step."""
    b = net.b
    outside = b.reduce("max", net.x, net.time)
    start = b.expand(b.const(0.5), net.batch, net.feature)

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        first, second, _, kept, _ = carries
        y = b.add(first, slices[0])
        following = [y, y, outside, kept, i]
        return following, [y, y, first, second, slices[0], slices[0], outside, outside, i, i, b.const(2.0)]

    starts = [start, start, start, start, b.const(0)]
    finals, stacked = b.loop(net.time, starts, [net.x], step)
    for number, value in enumerate((*finals, *stacked)):
        net.give(f"y{number}", value)


def _exchanged(net: BuiltNet) -> None:
    """The carries change places, in a loop and in one inside of it."""
    b = net.b
    a, c = b.expand(b.const(0.5), net.batch), b.reduce("sum", net.x, net.time, net.feature)

    def exchange(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        return [carries[1], carries[0]], [carries[0]]

    def step(i: Value, carries: list[Value], slices: list[Value]) -> Stepped:
        inner, (path,) = b.loop(net.feature, [carries[1], carries[0]], [], exchange)
        return inner, [path, path, inner[0]]

    finals, stacked = b.loop(net.time, [a, c], [], step)
    for number, value in enumerate((*finals, *stacked)):
        net.give(f"y{number}", value)


def _same_results_until(net: BuiltNet) -> None:
    """As above in a loop that ends by itself, where one value is both the end and a result."""
    b = net.b
    outside = b.reduce("max", net.x, net.time)

    def step(i: Value, carries: list[Value]) -> SteppedUntil:
        done = b.binary("greater_equal", i, 2)
        return [done, carries[2], carries[1]], [done, done, outside, outside, carries[2], i, i, b.const(2)], done

    starts = [b.const(False), outside, b.unary("neg", outside)]
    finals, stacked, steps = b.loop_until(Dim("steps"), starts, b.const(5), step)
    for number, value in enumerate((*finals, *stacked, steps)):
        net.give(f"y{number}", value)


#: By name: nets whose loops give values that they did not compute, or one value several times.
REPEATED = {"same_results": _same_results, "exchanged": _exchanged, "same_results_until": _same_results_until}
