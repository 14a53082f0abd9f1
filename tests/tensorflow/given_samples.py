"""A case for ``tests/golden/record.py``: sampled losses in RETURNN, whose samplers here give labels that are known.

What it records is ``data/given_samples.npz`` (move it there); the test lets our sampler give the same labels. RETURNN
calls the sampled softmax with an argument that only TensorFlow 1 had: it gets that one.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

LABELS = 8
#: What is drawn, and in how many tries.
DRAWN, TRIES = [5, 1, 6], 7
PROBS = np.log1p(1 / (np.arange(LABELS) + 1.0)) / np.log1p(LABELS)

extern_data = {"data": {"dim": 3}, "classes": {"dim": LABELS, "sparse": True}}


def sampled(**opts: Any) -> dict[str, Any]:
    """An output layer."""
    return {
        "class": "softmax",
        "from": "hidden",
        "target": "classes",
        "use_transposed_weights": True,
        "loss": "sampling_loss",
        "loss_opts": {"num_sampled": len(DRAWN), **opts},
    }


network = {
    "hidden": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "softmax": sampled(),
    "with_hits": sampled(remove_accidental_hits=False),
    "output": sampled(nce_loss=True, nce_log_norm_term=0.4),
    "logistic": sampled(nce_loss=True, remove_accidental_hits=True, num_splits=2),
}
case = {"train": True, "inputs": {"classes": [[1, 5, 0, 7, 1, 2, 6], [6, 0, 0, 0, 0, 0, 0], [3, 5, 1, 6, 0, 0, 0]]}}
case["lens"] = {"data": [7, 1, 4], "classes": [7, 1, 4]}


def give_samples() -> None:
    """Put a sampler in place of TensorFlow's."""
    import tensorflow as tf
    from tensorflow.python.ops import candidate_sampling_ops

    def sampler(true_classes: Any, num_true: int, num_sampled: int, **opts: Any) -> Any:
        expected = tf.constant(-np.expm1(TRIES * np.log1p(-PROBS)), tf.float32)
        return tf.constant(DRAWN, tf.int64), tf.gather(expected, true_classes), tf.gather(expected, DRAWN)

    candidate_sampling_ops.log_uniform_candidate_sampler = sampler
    tf.nn.sampled_softmax_loss = tf.compat.v1.nn.sampled_softmax_loss


if importlib.util.find_spec("returnn") is not None:
    give_samples()
