"""The composite ``attention``: axes brought into the order of the kernel, masks and lengths into one addend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from compiler.analysis.attention import AttentionAxes, AttentionParts
from compiler.tensorflow.align import align, permute
from compiler.tensorflow.call import Call
from compiler.tensorflow.kernels.attention import Addend, Attention, Factor, drop_threshold
from compiler.tensorflow.random import drawn
from compiler.tensorflow.sizes import reshape
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Node, Region, Value

__all__ = ["attention_row", "why_not_attention"]


def why_not_attention(node: Node, region: Region) -> str | None:
    """Why the kernel does not fit a node, or None."""
    dtypes = {v.dtype for v in node.operands} - {"bool", *_DTYPES}
    if dtypes:
        return f"the kernel computes in {' or '.join(_DTYPES)}, not in {', '.join(sorted(dtypes))}"
    if _is_in_loop(region):
        return "in a loop what does not change from step to step is computed once, before it"
    axes = AttentionAxes.of(node, region)
    return axes if isinstance(axes, str) else None


def _is_in_loop(region: Region) -> bool:
    """Whether the region, or one around it, is the body of a loop: that has parameters, a branch has none."""
    return bool(region.params) or (region.parent is not None and _is_in_loop(region.parent))


def attention_row(call: Call, operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The row of ``attention``."""
    axes = AttentionAxes.of(call.node, call.env.region)
    if isinstance(axes, str):
        raise IRError(f"attention was accepted, and cannot be lowered: {axes}")
    return _Attention(call, axes, AttentionParts.of(call.node)).lower()


@dataclass(frozen=True)
class _Attention:
    """One node being lowered."""

    call: Call
    axes: AttentionAxes
    parts: AttentionParts

    def lower(self) -> tf.Tensor:
        """The result with the axes of the node's."""
        axes, attrs, feed = self.axes, self.call.attrs, self.call.env.feed
        query, key, value = self._of_one_array() or (
            self._tensor(self.parts.query, axes.rows, axes.features),
            self._tensor(self.parts.key, (axes.keys,), axes.features),
            self._tensor(self.parts.value, (axes.keys,), axes.values),
        )
        # where masks leave no key, weights depend on nothing
        some = self._some_key() if self.parts.masks and not attrs["zeroed"] else None
        query = query if some is None else _where(some, query)
        attention = Attention(
            of_keys=self._factor(attrs["scale"]),
            of_values=self._factor(1.0 / (1.0 - attrs["dropout"])),
            addends=self._addends(some),
            kept=self._kept(),
            on_gpu=feed.device.kind == "gpu",
            differentiated=feed.differentiated,
        )
        result = self._of_some_key(attention(query, key, value))
        order = (*axes.shared, *axes.rows, *axes.values)
        result = reshape(result, self.call.env.shape(order)) if self._is_merged(axes.rows, axes.values) else result
        return permute(result, [order.index(d) for d in self.call.dims])

    # ---------------------------------------------------------------- axes

    @staticmethod
    def _is_merged(*groups: Sequence[Dim]) -> bool:
        return any(len(group) != 1 for group in groups)

    def _of_one_array(self) -> list[tf.Tensor] | None:
        """Query, key and value that are parts of one array's last axis: one transposition instead of cuts and three."""
        axes, env = self.axes, self.call.env
        if self._is_merged(axes.rows, axes.features, axes.values):
            return None
        query, key, value = self.parts.query, self.parts.key, self.parts.value
        wanted = [(query, axes.rows + axes.features), (key, (axes.keys, *axes.features))]
        wanted.append((value, (axes.keys, *axes.values)))
        orders = [[v.dims.index(d) for d in (*axes.shared, *own)] for v, own in wanted]
        parts = [env.get(v) for v, _ in wanted]
        (*order, last), whole = orders[0], _cut_in_three(parts)
        if whole is None or orders != [[*order, last]] * 3 or last != len(order) or order == sorted(order):
            return None
        apart = reshape(whole, [*env.shape(query.dims[:-1]), 3, query.dims[-1].size or -1])
        found = tf.unstack(tf.transpose(apart, [last, *order, last + 1]))  # along the first axis nothing is copied
        return [found[part.value_index] for part in parts]

    def _tensor(self, value: Value, rows: Sequence[Dim], columns: Sequence[Dim]) -> tf.Tensor:
        """An operand as [*shared, rows, columns]."""
        x = align(self.call.env.get(value), value.dims, (*self.axes.shared, *rows, *columns))
        if not self._is_merged(rows, columns):
            return x
        shape = self.call.env.shape
        return reshape(x, [*shape(self.axes.shared), shape(rows), shape(columns)])

    def _as_energies(self, x: tf.Tensor, own: Sequence[Dim]) -> tf.Tensor:
        """A tensor as [*shared, rows, keys], of size one where it does not vary."""
        rows = self.axes.rows
        x = align(x, own, self.axes.energies)
        if len(rows) == 1:
            return x
        first = len(self.axes.shared)
        shape, front = self.call.env.shape, tf.shape(x)[:first]
        if any(d in own for d in rows):
            whole = tf.concat([front, tf.stack(shape(rows)), tf.shape(x)[-1:]], 0)
            return tf.reshape(tf.broadcast_to(x, whole), tf.concat([front, [-1], tf.shape(x)[-1:]], 0))
        return tf.reshape(x, tf.concat([front, [1], tf.shape(x)[-1:]], 0))

    def _repeated(self, dims: Sequence[Dim]) -> tuple[int, ...]:
        """Axes of the energies along which something with these dims is repeated."""
        shared, last = self.axes.shared, len(self.axes.shared) + 1
        rows = [] if any(d in dims for d in self.axes.rows) or not self.axes.rows else [last - 1]
        keys = [] if self.axes.keys in dims else [last]
        return (*(k for k, d in enumerate(shared) if d not in dims), *rows, *keys)

    # ---------------------------------------------------------------- masks

    def _addends(self, some: tf.Tensor | None) -> list[Addend]:
        """All that is added to the energies: what is as large as they are by itself, the rest and masks as one.

        Args:
            some: the queries that add what is large; None: all.
        """
        env = self.call.env
        addends: list[Addend] = []
        small: tf.Tensor | None = None
        dims: tuple[Dim, ...] = ()
        for term in self.parts.terms:
            x = self._as_energies(env.get(term), term.dims)
            if len(term.dims) == len(self.axes.energies):
                addends.append(Addend(x if some is None else _where(some, x), ()))
            else:
                x = tf.cast(x, tf.float32)
                small, dims = x if small is None else small + x, (*dims, *term.dims)
        differs = small is not None
        for allowed, own, fill in self._given_masks():
            none = tf.zeros([], tf.float32) if small is None else small
            small, dims = tf.where(allowed, none, tf.constant(fill, tf.float32)), (*dims, *own)
        if self.axes.lengths is not None:
            valid, own = self._valid_keys()
            if small is None:  # the same for every layer
                added = env.once(("added", valid.ref()), lambda: tf.where(valid, tf.zeros([]), tf.constant(_LOWEST)))
                small = self._as_energies(added, own)
            else:
                small = tf.where(self._as_energies(valid, own), small, tf.constant(_LOWEST))
            dims = (*dims, *own)
        if small is None:
            return addends
        return [Addend(small, self._repeated(dims) if differs else None), *addends]

    def _given_masks(self) -> list[tuple[tf.Tensor, tuple[Dim, ...], float]]:
        """Where keys are allowed, what that varies over, and what others have as energy: the last one wins."""
        zeroed = self.call.attrs["zeroed"]
        return [
            (self._as_energies(self.call.env.get(mask), mask.dims), mask.dims, _LOW if zeroed else min(fill, _LOW))
            for mask, fill in self.parts.masks
        ]

    def _valid_keys(self) -> tuple[tf.Tensor, tuple[Dim, ...]]:
        """Which keys are valid, and the axes of that: once for all layers whose keys have the same lengths."""
        env, keys = self.call.env, self.axes.keys
        lengths, extent = env.lengths(keys), env.extent(keys)
        known = ("valid", lengths.ref(), extent if isinstance(extent, int) else extent.ref())
        valid = env.once(known, lambda: tf.range(tf.cast(extent, tf.int64)) < lengths[..., tf.newaxis])
        return valid, (*env.length_dims(keys), keys)

    def _factor(self, number: float) -> Factor:
        """That of keys or values, zero behind the end.

        What is no number there would be none in the sums, and without any key before the end the result is zero.
        """
        lengths = self.axes.lengths
        if lengths is None or any(d not in self.axes.shared for d in lengths):
            return Factor(number, None, None)
        valid, dims = self._valid_keys()
        dtype = tf.as_dtype(self.parts.value.dtype)
        by_key = self.call.env.once(
            ("by key", valid.ref(), number, dtype), lambda: tf.cast(valid, dtype) * tf.constant(number, dtype)
        )
        wanted = (*self.axes.shared, self.axes.keys)
        return Factor(number, *(align(x, dims, wanted)[..., tf.newaxis] for x in (valid, by_key)))

    def _of_some_key(self, result: tf.Tensor) -> tf.Tensor:
        """Zero where lengths that differ among the queries, or masks of weights, leave no key."""
        if self.call.attrs["zeroed"]:
            result = _where(self._some_key(), result)
        lengths = self.axes.lengths
        if lengths is None or all(d in self.axes.shared for d in lengths):
            return result
        axis_of_keys = (*lengths, self.axes.keys)
        some = self._as_energies(self.call.env.lengths(self.axes.keys, axis_of_keys) > 0, axis_of_keys)
        return _where(some, result)

    def _some_key(self) -> tf.Tensor:
        """The queries that masks and lengths leave a key, [*shared, rows, 1]."""
        every: tf.Tensor | None = None
        masks = [allowed for allowed, _, _ in self._given_masks()]
        if self.axes.lengths is not None:
            masks.append(self._as_energies(*self._valid_keys()))
        for allowed in masks:
            every = allowed if every is None else tf.logical_and(every, allowed)
        return tf.reduce_any(every, -1, keepdims=True)

    # ---------------------------------------------------------------- dropout

    def _kept(self) -> tf.Tensor | None:
        """The weights that dropout leaves."""
        attrs = self.call.attrs
        if not attrs["dropout"]:
            return None
        if self.parts.draw is not None:
            draw, dims = self.call.env.get(self.parts.draw), self.parts.draw.dims
        else:
            dims = attrs["drawn"]
            draw = drawn(self.call.env, attrs["path"], dims)
        return self._as_energies(tf.cast(draw, tf.float32) >= drop_threshold(1.0 - attrs["dropout"]), dims)


def _cut_in_three(parts: Sequence[tf.Tensor]) -> tf.Tensor | None:
    """The array whose last axis three tensors are all parts of, each of a third."""
    cut, sizes = parts[0].op, {part.shape[-1] for part in parts}
    if cut.type != "Split" or len(cut.outputs) != 3 or any(part.op is not cut for part in parts) or len(sizes) > 1:
        return None
    (size,), whole = sizes, cut.inputs[1]
    return whole if size and whole.shape[-1] == 3 * size else None


def _where(condition: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Zero where the condition does not hold."""
    return tf.where(condition, x, tf.zeros([], x.dtype))


#: An energy whose weight is zero beside any other one's, and that is not yet the lowest number.
_LOW = -1e30
#: That of a key that is not valid, below all of these.
_LOWEST = float(np.finfo(np.float32).min)
#: What the kernel computes products in.
_DTYPES = ("float32", "bfloat16", "float16")
