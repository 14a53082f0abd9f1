"""Calls of Python code that no IR op expresses: only the TensorFlow target runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.unify import Unified
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.construct.out_type import OutType
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.mode import Mode
from returnn_ir.ir.python_call import CallSource, PythonCall

__all__ = ["opaque_call"]


def opaque_call(
    b: LayerBuilder,
    code: str | Callable[..., Any],
    local_names: Mapping[str, Any],
    sources: Sequence[LayerOutput],
    placed: Sequence[tuple[Dim | None, ...]],
    result_type: OutType,
    reason: str,
) -> LayerOutput:
    """An ``opaque`` node that evaluates ``code`` on TensorFlow's tensors.

    ``placed`` are each source's axes as the expression counts them; ``reason`` says why it is not IR, for the targets
    that refuse it. In a loop, code on slices of whole sequences is evaluated once on these sequences, with their time
    axis, because RETURNN moves such a layer out of the loop.

    Raises:
        ConfigError: nothing tells the lengths of an axis of the result.
    """
    whole = _whole_sequences(b, sources)
    if whole is None:
        step = b.enclosing_loop.builder.index if b.in_loop else None
        return _call(b, code, local_names, sources, placed, result_type, reason, step)
    builder = b.enclosing_loop.builder
    axes = _known(_behind_batch(result_type.axes, builder.dim))
    outside = replace(result_type, axes=axes, time_dim=result_type.time_dim or builder.dim)
    moved = [_behind_batch(place, builder.dim) for place in placed]
    with b.outside_loop():
        result = _call(b, code, local_names, whole, moved, outside, reason)
    return result_type.output(b, builder.scan(result.value))


def _whole_sequences(b: LayerBuilder, sources: Sequence[LayerOutput]) -> list[LayerOutput] | None:
    """The sequences that all sources are this step's slices of; None where one of them is computed in the loop."""
    if not sources or not b.in_loop or not b.enclosing_loop.builder.hoist:
        return None
    builder = b.enclosing_loop.builder
    found: list[LayerOutput] = []
    for source in sources:
        value = builder.sequence_of(source.value)
        if value is None:
            return None
        time = source.time_dim or builder.dim
        found.append(LayerOutput(value, _known(_behind_batch(source.axes, builder.dim)), time, source.feature_dim))
    return found


def _known(axes: Sequence[Dim | None]) -> tuple[Dim, ...]:
    return tuple(d for d in axes if d is not None)


def _behind_batch(axes: Sequence[Dim | None], dim: Dim) -> tuple[Dim | None, ...]:
    front = 1 if axes and axes[0] is not None and axes[0].is_batch else 0
    return (*axes[:front], dim, *axes[front:])


def _call(
    b: LayerBuilder,
    code: str | Callable[..., Any],
    local_names: Mapping[str, Any],
    sources: Sequence[LayerOutput],
    placed: Sequence[tuple[Dim | None, ...]],
    result_type: OutType,
    reason: str,
    step: Value | None = None,
) -> LayerOutput:
    known = {d for s in sources for d in s.axes}
    unknown = [d for d in result_type.axes if d.is_dynamic and d not in known]
    if unknown:
        raise ConfigError(
            "the function's result has an axis of unknown lengths",
            where=b.place("out_type"),
            received=unknown[0],
            hint=f"it runs as Python code, because: {reason}",
        )
    unified = b.unify(sources, ignore_features=True) if sources else Unified.nothing()
    operands = _Operands(b)
    common = [
        operands.source(source, value, place, unified.time_dim, unified.feature_dim)
        for source, value, place in zip(sources, unified.values, placed, strict=True)
    ]
    own = [operands.source(x, x.value, x.axes, x.time_dim, x.feature_dim) for x in sources]
    call = PythonCall(
        code=code,
        names=dict(local_names),
        sources=tuple(common),
        own_sources=tuple(own),
        source_names=b.definition.sources,
        layer=b.definition.name,
        options=b.program.options,
        training=b.training,
        searching=b.program.searching,
        evaluating=b.mode != Mode.FORWARD,
        trusted=b.program.trusted,
        rec_step=operands.scalar(step) if step is not None else None,
    )
    dtype = result_type.dtype or (sources[0].dtype if sources else "float32")
    value = b.op(
        "opaque",
        *operands.values,
        function=call,
        axes=tuple(operands.axes),
        reason=reason,
        dtype=dtype,
        dims=result_type.axes,
    )
    return result_type.output(b, value)


class _Operands:
    """The operands of a call, each tensor in each layout once."""

    def __init__(self, b: LayerBuilder) -> None:
        self._b = b
        self.values: list[Value] = []
        self.axes: list[tuple[Dim, ...]] = []

    def _add(self, value: Value, axes: tuple[Dim, ...]) -> int:
        for number, known in enumerate(zip(self.values, self.axes, strict=True)):
            if known[0] is value and known[1] == axes:
                return number
        self.values.append(value)
        self.axes.append(axes)
        return len(self.values) - 1

    def scalar(self, value: Value) -> int:
        """A number."""
        return self._add(value, ())

    def source(
        self, source: LayerOutput, value: Value, place: Sequence[Dim | None], time: Dim | None, feature: Dim | None
    ) -> CallSource:
        """A source whose axes are counted as ``place`` has them, with their lengths."""
        operand = self._add(value, tuple(d for d in place if d is not None))
        lengths: dict[int, int] = {}
        for number, dim in enumerate(place):
            if dim is not None and dim.is_dynamic:
                length = self._b.length(dim)
                lengths[number] = self._add(length, length.dims)
        return _described(operand, source, place, lengths, time, feature)


def _described(
    operand: int,
    source: LayerOutput,
    place: Sequence[Dim | None],
    lengths: dict[int, int],
    time: Dim | None,
    feature: Dim | None,
) -> CallSource:
    def number(dim: Dim | None) -> int | None:
        return list(place).index(dim) if dim is not None and dim in place else None

    features = source.feature_or_sparse_dim
    return CallSource(
        operand=operand,
        present=tuple(d is not None for d in place),
        batch_axis=number(source.batch_dim),
        time_axis=number(time),
        feature_axis=number(feature) if source.sparse_dim is None else None,
        lengths=lengths,
        dim=features.size if features is not None else None,
        sparse=source.sparse_dim is not None,
        dtype=source.dtype,
    )
