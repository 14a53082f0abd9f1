"""Benchmark worker: nothing but the matrix products of the training step, as our kernels call them.

No LSTM in TensorFlow can be faster than this. The products of a step depend on each other, as in the LSTM: that is what
keeps them small.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

from dataclasses import dataclass

import tensorflow as tf

from tests.benchmarks.protocol import Step, serve
from tests.benchmarks.workload import NUM_THREADS, Workload

WORK = Workload()


@dataclass(frozen=True)
class _Direction:
    """Operands of one direction of one layer; only their shapes matter.

    Attributes:
        x: frames [T * B, I].
        w: [I, 4n].
        w_re: [n, 4n].
        y: outputs [T * B, n].
        dz: gradients of the gates [T * B, 4n].
    """

    x: tf.Tensor
    w: tf.Tensor
    w_re: tf.Tensor
    y: tf.Tensor
    dz: tf.Tensor

    def loop(self, rows: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
        """One product [B, ...] per frame, each after the one before; returns the last."""
        frames = tf.reshape(rows, [WORK.frames, WORK.batch, -1])
        out = tf.zeros([WORK.batch, matrix.shape[1]])

        def body(t: tf.Tensor, last: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.control_dependencies([last]):
                return t + 1, tf.matmul(frames[t], matrix)

        result: tf.Tensor = tf.while_loop(lambda t, _: t < WORK.frames, body, (0, out), parallel_iterations=1)[1]
        return result

    def forward(self) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The recurrence's last product, which the next layer waits for, and all products."""
        projected = tf.matmul(self.x, self.w)
        with tf.control_dependencies([projected]):
            last = self.loop(self.y, self.w_re)
        return last, [projected, last]

    def backward(self, *, to_input: bool) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The product that the layer before waits for, and all: the recurrence's, the weights' and the input's."""
        last = self.loop(self.dz, tf.transpose(self.w_re))
        with tf.control_dependencies([last]):
            products = [last, *(tf.matmul(rows, self.dz, transpose_a=True) for rows in (self.x, self.y))]
            if to_input:
                products.append(tf.matmul(self.dz, tf.transpose(self.w)))
        return products[-1], products


def _directions() -> list[list[_Direction]]:
    rows, n = WORK.batch * WORK.frames, WORK.units

    def random(*shape: int) -> tf.Variable:
        return tf.Variable(tf.random.normal(shape, stddev=0.05))

    return [
        [
            _Direction(random(rows, size), random(size, 4 * n), random(n, 4 * n), random(rows, n), random(rows, 4 * n))
            for _ in range(2)
        ]
        for size in [WORK.inputs] + [2 * n] * (WORK.layers - 1)
    ]


def _train() -> Step:
    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    layers = _directions()
    features, weights, errors = (
        tf.Variable(tf.random.normal(shape))
        for shape in (
            (WORK.batch * WORK.frames, 2 * WORK.units),
            (2 * WORK.units, WORK.classes),
            (WORK.batch * WORK.frames, WORK.classes),
        )
    )

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def products() -> tf.Tensor:
        done: list[tf.Tensor] = []
        before: list[tf.Tensor] = []
        for layer in layers:
            with tf.control_dependencies(before):
                results = [direction.forward() for direction in layer]
            before = [last for last, _ in results]
            done += [product for _, products in results for product in products]
        with tf.control_dependencies(before):
            before = [tf.matmul(features, weights)]
        with tf.control_dependencies(before):
            done += [*before, tf.matmul(features, errors, transpose_a=True)]
            before = [tf.matmul(errors, weights, transpose_b=True)]
            done += before
        for i, layer in reversed(list(enumerate(layers))):
            with tf.control_dependencies(before):
                results = [direction.backward(to_input=i > 0) for direction in layer]
            before = [last for last, _ in results]
            done += [product for _, products in results for product in products]
        # One number of each, or TensorFlow would leave the product out.
        return tf.add_n([product[0, 0] for product in done])

    def step() -> None:
        products().numpy()

    return step


if __name__ == "__main__":
    serve({"train": _train})
