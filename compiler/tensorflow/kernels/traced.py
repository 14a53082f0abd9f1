"""Kernels as TensorFlow functions that are traced once for all layers of the same sizes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence

import tensorflow as tf

__all__ = ["Kernel", "TracedKernels"]

#: From tensors to tensors, which it gets all that it needs in.
Kernel = Callable[..., Sequence[tf.Tensor]]


class TracedKernels:
    """The kernels of one TensorFlow graph.

    A recurrent layer's loops are some hundred ops, and a deep encoder has a dozen of them with the same sizes. Such a
    function stays one: TensorFlow prepares its loops once, where it would otherwise do so for each layer whose call it
    replaces by the function's ops. A call costs some 0.5 ms of a step.
    """

    def __init__(self) -> None:
        self._traced: dict[Hashable, tf.types.experimental.ConcreteFunction] = {}

    def call(self, kernel: Kernel, *operands: tf.Tensor, **options: Hashable) -> Sequence[tf.Tensor]:
        """`kernel(*operands, **options)`.

        Args:
            kernel: a function that uses no tensor but its operands.
            operands: tensors of known rank.
            options: what is the same whenever the traced function runs.
        """
        specs = [tf.TensorSpec(x.shape, x.dtype) for x in operands]
        key = (kernel, tuple(options.items()), tuple(specs))
        if key not in self._traced:
            function = tf.function(
                functools.partial(kernel, **options),
                input_signature=specs,
                autograph=False,
                experimental_attributes={"_noinline": True},
            )
            self._traced[key] = function.get_concrete_function()
        results: Sequence[tf.Tensor] = self._traced[key](*operands)
        return results
