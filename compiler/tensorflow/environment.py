"""What is known while a region is lowered: the tensors of its values, the extents and the lengths of its dims."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import tensorflow as tf

from compiler.analysis.extents import derived_extent
from compiler.tensorflow.align import align
from compiler.tensorflow.device import Device
from compiler.tensorflow.entering import entering
from compiler.tensorflow.kernels.traced import TracedKernels
from compiler.tensorflow.sizes import Shape, Size, sizes
from returnn_ir.errors import IRError
from returnn_ir.ir.dim_values import DimAlgebra, evaluate
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Region, Value

__all__ = ["Environment", "Feed"]

#: Lengths with the dims that they vary over.
_Lengths = tuple[tf.Tensor, tuple[Dim, ...]]
#: The key's summand and the counter's upper half, uint64.
_Origin = tuple[tf.Tensor, tf.Tensor]


@dataclass(frozen=True)
class Feed:
    """What a program is fed: tensors by the names of its ``input`` and ``param`` nodes.

    Attributes:
        seed: the config's ``random_seed``, int64 scalar.
        step: the global train step, int64 scalar.
        used: the values that anything refers to; what nobody asks for need not be computed.
        differentiated: whether gradients of the results are going to be asked for.
        kernels: those traced so far.
        device: what the program runs on.
    """

    inputs: Mapping[str, tf.Tensor]
    params: Mapping[str, tf.Tensor]
    seed: tf.Tensor
    step: tf.Tensor
    used: Container[Value] = frozenset()
    differentiated: bool = False
    kernels: TracedKernels = field(default_factory=TracedKernels)
    device: Device = field(default_factory=Device)


@dataclass(eq=False)
class Environment:
    """The environment of one region. A nested region sees its parent's.

    Attributes:
        loop_index: the int64 step indices of the loops around, the outermost first.
    """

    region: Region
    feed: Feed
    parent: Environment | None = None
    loop_index: tuple[tf.Tensor, ...] = ()
    _values: dict[Value, tf.Tensor] = field(default_factory=dict)
    _arrays: dict[Dim, tuple[tf.Tensor, int]] = field(default_factory=dict)
    _extents: dict[Dim, Size] = field(default_factory=dict)
    _lengths: dict[Dim, _Lengths] = field(default_factory=dict)
    _draws: _Origin | None = None
    _instead: dict[Value, tf.Tensor] = field(default_factory=dict)
    _again: dict[Value, tf.Tensor] = field(default_factory=dict)
    _once: dict[Hashable, tf.Tensor] = field(default_factory=dict)

    def bind(self, value: Value, tensor: tf.Tensor) -> None:
        """Remember the tensor of a value; it tells the extents of dims not seen before."""
        if value in self._instead:
            self._again[value], tensor = tensor, self._instead[value]
        static = [dim.size for dim in value.dims]
        if tensor.shape.rank is None or any(
            s is not None and t is None for s, t in zip(static, tensor.shape, strict=False)
        ):
            tensor.set_shape(static)
        self._values[value] = tensor
        for axis, dim in enumerate(value.dims):
            if dim.size is None and dim not in self._arrays:
                self._arrays[dim] = (tensor, axis)

    def stand_in(self, value: Value, tensor: tf.Tensor) -> None:
        """Use another tensor here for a value of a region around; its extents are known there."""
        self._values[value] = tensor

    def use_instead(self, value: Value, tensor: tf.Tensor) -> None:
        """Use what was kept of a value of this region, when it is computed again."""
        self._instead[value] = tensor

    def again(self, value: Value) -> tf.Tensor:
        """What was computed for a value, although another tensor is used instead."""
        return self._again[value] if value in self._again else self.get(value)

    def get(self, value: Value) -> tf.Tensor:
        """The tensor of a value of this region or of one around it."""
        found = self._find(value)
        if found is None:
            raise IRError(f"a value of type {value.type} is used before it is computed")
        if value not in self._values:
            found = self._values[value] = _again_here(value, found)
        return found

    def _find(self, value: Value) -> tf.Tensor | None:
        env: Environment | None = self
        while env is not None:
            if value in env._values:
                return env._values[value]
            env = env.parent
        return None

    def draw_origin(self, make: Callable[[Environment], _Origin]) -> _Origin:
        """What ``make`` gives for this environment, made once: where the random draws of a region start."""
        if self._draws is None:
            self._draws = make(self)
        return self._draws

    def once(self, name: Hashable, make: Callable[[], tf.Tensor]) -> tf.Tensor:
        """What several layers need, made for the first of them."""
        if name not in self._once:
            self._once[name] = make()
        return self._once[name]

    # ---------------------------------------------------------------- extents

    def rename(self, old: Dim, new: Dim) -> None:
        """An axis by another name has the extent that it had, and what is made of that is made once."""
        if old in self._extents:
            self._extents.setdefault(new, self._extents[old])
        if old in self._arrays:
            self._arrays.setdefault(new, self._arrays[old])

    def extent(self, dim: Dim) -> Size:
        """The size in memory of an axis: a Python int, or an int32 scalar."""
        if dim.size is not None:
            return dim.size
        found = self._known_extent(dim)
        if found is None:
            found = self._extents[dim] = self._computed_extent(dim)
        return found

    def shape(self, dims: Iterable[Dim]) -> Shape:
        """The extents of several axes, as ``tf.reshape`` takes them."""
        return [self.extent(dim) for dim in dims]

    def knows(self, dim: Dim) -> bool:
        """Whether the extent can be told here."""
        if dim.size is not None or self._known_extent(dim) is not None:
            return True
        return all(leaf.size is not None or self._defines(leaf) for leaf in leaves(dim))

    def _defines(self, leaf: Dim) -> bool:
        value = self.region.lookup(leaf)
        return self._find(value) is not None if value is not None else self._known_extent(leaf) is not None

    def _known_extent(self, dim: Dim) -> Size | None:
        env: Environment | None = self
        while env is not None:
            if dim in env._extents:
                known = env._extents[dim]
                if env is not self and not isinstance(known, int):
                    known = self._extents[dim] = entering(known)
                return known
            if dim in env._arrays:
                tensor, axis = env._arrays[dim]
                extents = sizes(tensor)
                # an op made while a loop's body is traced belongs to that body
                self._extents |= {d: extents[k] for d, (x, k) in env._arrays.items() if x is tensor}
                return extents[axis]
            env = None if env.region.redefines(dim) else env.parent
        return None

    def _computed_extent(self, dim: Dim) -> tf.Tensor:
        if dim.is_batch and dim.expr is None:
            value = self.region.lookup(dim)
            if value is None:
                raise IRError(f"batch dim {dim} has no extent here")
            return tf.cast(self.get(value), tf.int32)
        return tf.convert_to_tensor(derived_extent(dim, _EXTENTS, self.extent, self._longest), tf.int32)

    def _longest(self, dim: Dim) -> tf.Tensor:
        lengths, dims = self._lengths_of(dim)
        return tf.cast(tf.maximum(tf.reduce_max(lengths), 0) if dims else lengths, tf.int32)

    # ---------------------------------------------------------------- lengths

    def lengths(self, dim: Dim, dims: Sequence[Dim] | None = None) -> tf.Tensor:
        """The lengths of a dim, int64.

        Args:
            dim: any dim; a static one has its size as length, a batch dim its extent.
            dims: the axes wanted, of size one where the lengths do not vary; without it, their own.
        """
        lengths, own = self._lengths_of(dim)
        return lengths if dims is None else align(lengths, own, dims)

    def valid(self, dim: Dim) -> tf.Tensor:
        """Which positions along a dim are there, [dim, *axes of its lengths] bool."""
        lengths, dims = self._lengths_of(dim)
        positions = tf.range(tf.cast(self.extent(dim), tf.int64))
        return tf.reshape(positions, [-1, *[1] * len(dims)]) < lengths

    def length_dims(self, dim: Dim) -> tuple[Dim, ...]:
        """The axes of :meth:`lengths`."""
        return self._lengths_of(dim)[1]

    def _lengths_of(self, dim: Dim) -> _Lengths:
        env: Environment | None = self
        while env is not None:
            if dim in env._lengths:
                lengths, dims = env._lengths[dim]
                if env is not self:
                    self._lengths[dim] = entering(lengths), dims
                return self._lengths[dim]
            env = env.parent
        found = self._lengths[dim] = evaluate(dim, _LENGTHS, self._leaf_lengths)
        return found

    def _leaf_lengths(self, dim: Dim) -> _Lengths:
        value = self.region.lookup(dim)
        if value is not None:
            return tf.cast(self.get(value), tf.int64), value.dims
        if dim.is_dynamic:
            raise IRError(f"dim {dim} has no lengths here")
        return tf.cast(self.extent(dim), tf.int64), ()


def _again_here(value: Value, tensor: tf.Tensor) -> tf.Tensor:
    """A tensor of a region around; a number once more, which takes less than to hand it to every step of a loop."""
    number = tf.get_static_value(tensor) if value.node is not None and value.node.op.name == "const" else None
    return entering(tensor) if number is None or number.size != 1 else tf.constant(number, tensor.dtype)


def _paired(op: str, a: _Lengths, b: _Lengths) -> _Lengths:
    dims = tuple(dict.fromkeys((*a[1], *b[1])))
    x, y = align(a[0], a[1], dims), align(b[0], b[1], dims)
    return (x + y if op == "add" else x * y), dims


_LENGTHS: DimAlgebra[_Lengths] = DimAlgebra(
    constant=lambda number: (tf.constant(number, tf.int64), ()),
    add=lambda a, b: _paired("add", a, b),
    mul=lambda a, b: _paired("mul", a, b),
    floordiv=lambda a, divisor: (a[0] // divisor, a[1]),
    clip_at_zero=lambda a: (tf.maximum(a[0], 0), a[1]),
)
_EXTENTS: DimAlgebra[Size] = DimAlgebra(
    constant=lambda number: number,
    add=lambda a, b: a + b,
    mul=lambda a, b: a * b,
    floordiv=lambda a, divisor: a // divisor,
    clip_at_zero=lambda a: max(a, 0) if isinstance(a, int) else tf.maximum(a, 0),
)
