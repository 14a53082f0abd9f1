"""Python code of configs on TensorFlow's tensors: versions of TensorFlow, RETURNN's helpers, axes, loops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.program.program import Program, compile_net
from compiler.tensorflow.python_code.helpers import Helpers
from returnn_ir import load
from returnn_ir.errors import UserError

DATA = np.random.default_rng(1).standard_normal((2, 4, 3)).astype(np.float32)
FEED: dict[str, np.ndarray[Any, Any]] = {"data": DATA, "data/size1": np.asarray([4, 2], np.int64)}
HELPERS = Helpers(training=True)


def program(tmp_path: Path, text: str, mode: str = "forward") -> Program:
    """A config's network for TensorFlow."""
    path = tmp_path / "net.py"
    path.write_text(text)
    return compile_net(load(path), target="tf", mode=mode)


VERSIONS = """
extern_data = {"data": {"dim": 3}}
def chosen(source, **kwargs):
    import tensorflow as tf
    x = source(0)
    longest = tf.shape(x)[1]
    _, x = tf.while_loop(  # keeps it from being compiled
        lambda i, _: tf.less(i, 1), lambda i, x: (i + 1, tf.where(tf.equal(tf.range(2), 1), x, OTHER)), (0, x))
    return x
network = {"output": {"class": "eval", "from": "data", "eval": chosen}}
"""


def test_who_uses_names_of_version_1_means_version_1(tmp_path: Path) -> None:
    """There, ``where`` with a vector chooses rows."""
    code = VERSIONS.replace("OTHER", "tf.to_float(tf.zeros_like(x))")
    found = program(tmp_path, code).run(FEED, {})["output/output"]
    np.testing.assert_array_equal(found, DATA * [[[0]], [[1]]])


def test_others_mean_version_2(tmp_path: Path) -> None:
    code = VERSIONS.replace("OTHER", "tf.zeros_like(x)").replace("tf.range(2), 1", "tf.range(3), 1")
    found = program(tmp_path, code).run(FEED, {})["output/output"]
    np.testing.assert_array_equal(found, DATA * [0, 1, 0])


def test_sources_that_are_not_converted_have_their_own_axes(tmp_path: Path) -> None:
    code = """
extern_data = {"data": {"dim": 3}}
def summed(source, **kwargs):
    import tensorflow as tf
    own = source(1, auto_convert=False)
    assert own.shape.rank == 2 and source(1).shape.rank == 3
    return source(0) + tf.numpy_function(lambda x: x, [own], tf.float32)[:, None]
network = {"mean": {"class": "reduce", "mode": "max", "axis": "T", "from": "data"},
           "output": {"class": "eval", "from": ["data", "mean"], "eval": summed,
                      "out_type": {"shape": (None, 3), "dim": 3}}}
"""
    found = program(tmp_path, code).run(FEED, {})["output/output"]
    np.testing.assert_allclose(found[0], DATA[0] + DATA[0].max(0), rtol=1e-6)


LOOP = """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
def longest(self, source, **kwargs):
    import tensorflow as tf
    data = source(0, as_data=True)
    assert data.is_batch_major
    return data.placeholder * 0 + tf.numpy_function(
        lambda n: n, [tf.shape(data.placeholder)[data.time_dim_axis]], tf.int32)
network = {"output": {"class": "rec", "from": [], "target": "classes", "unit": {
    "prob": {"class": "softmax", "from": "prev:output", "target": "classes", "loss": "ce"},
    "label": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 1, "initial_output": 0},
    "output": {"class": "eval", "from": "label", "eval": longest, "initial_output": 0}}}}
"""


def test_in_a_loop_code_on_given_labels_sees_whole_sequences(tmp_path: Path) -> None:
    """RETURNN moves such a layer out of the loop; inside, there would be no time axis."""
    feed: dict[str, np.ndarray[Any, Any]] = {
        "classes": np.zeros((2, 4), np.int32),
        "classes/size1": np.asarray([4, 2], np.int64),
    }
    made = program(tmp_path, LOOP, "train")
    found = made.run(feed, made.initial_params())["output/output"]
    assert found.shape == (4, 2)
    assert (found == 4).all()


def test_failing_code_is_named(tmp_path: Path) -> None:
    code = VERSIONS.replace("OTHER", "tf.no_such_name")
    with pytest.raises(UserError, match=r"TensorFlow has no .*no_such_name"):
        program(tmp_path, code).run(FEED, {})


#: What RETURNN gives for targets 1, 2, 3, 4 and blank 7 behind which 9 is padding.
ALIGNED = [
    (4, 1, False, [7, 7, 1, 7, 7]),
    (3, 1, False, [7, 1, 7, 7]),
    (5, 3, False, [7, 1, 7, 2, 7, 7, 3, 7]),
    (0, 3, False, [1, 2, 3]),
    (2, 0, False, [7, 7]),
    (7, 4, False, [7, 1, 7, 7, 2, 7, 3, 7, 7, 4, 7]),
    (4, 3, True, [1, 2, 7, 3]),
    (8, 4, True, [7, 1, 7, 2, 3, 7, 4, 7]),
    (6, 1, True, [7, 7, 7, 1, 7, 7]),
]


@pytest.mark.parametrize("consume", [False, True])
def test_linear_alignments(consume: bool) -> None:
    rows = [row for row in ALIGNED if row[2] is consume]
    longest = max(t for _, t, _, _ in rows)
    output, lengths = HELPERS.get_rnnt_linear_aligned_output(
        [n for n, _, _, _ in rows],
        [[1, 2, 3, 4][:longest]] * len(rows),
        [t for _, t, _, _ in rows],
        blank_label_idx=7,
        pad_value=9,
        targets_consume_time=consume,
    )
    for row, length, (_, _, _, expected) in zip(output.numpy(), lengths.numpy(), rows, strict=True):
        assert length == len(expected)
        assert row.tolist() == expected + [9] * (len(row) - length)


def test_helpers() -> None:
    x = tf.constant(np.arange(24).reshape(2, 3, 4))
    frames = [[0, 1, 2, 3], [4, 5, 6, 7], [12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]
    lengths = tf.constant([2, 3])
    assert HELPERS.flatten_with_seq_len_mask(x, lengths, 0, 1).numpy().tolist() == frames
    moved = HELPERS.swapaxes(x, 0, 1)
    assert HELPERS.flatten_with_seq_len_mask(moved, lengths, time_major=True).numpy().tolist() == frames
    assert HELPERS.nd_indices(tf.constant([3, 1])).numpy().tolist() == [[0, 3], [1, 1]]
    in_columns = HELPERS.nd_indices(tf.constant([[3, 1], [4, 5]]), batch_axis=1)
    assert in_columns.numpy().tolist() == [[[3, 0], [1, 1]], [[4, 0], [5, 1]]]
    assert HELPERS.tile_transposed(tf.constant([1, 2]), 0, 2).numpy().tolist() == [1, 1, 2, 2]
    assert HELPERS.get_shape(x) == [2, 3, 4]
    assert HELPERS.dot(tf.ones([2, 3]), tf.ones([4, 3]), transpose_b=True).shape == (2, 4)
    dropped = HELPERS.dropout(tf.ones([64, 64]), 0.5, noise_shape=[None, 1]).numpy()
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert (dropped == dropped[:, :1]).all()
    one = tf.ones([2])
    assert Helpers(training=False).dropout(one, 0.5, cond_on_train=True) is one


COMBINED = """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
def combine(layer, scores_in, scores_base, t, end_flags, batch_dim, scores_beam_in, base_beam_in, **kwargs):
    import tensorflow as tf
    BODY
    result = scores_base * 0.5 + scores_in * 2.0 + tf.cast(t, tf.float32) * 0.25
    return tf.where(end_flags[:, :, None], scores_base + scores_in, result)
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
        "prob": {"class": "softmax", "from": ["data:source", "emb"], "target": "classes"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0,
                   "custom_score_combine": combine}}},
    "scores": {"class": "choice_get_beam_scores", "from": "output"}}
"""


def test_scores_that_only_python_can_combine(tmp_path: Path) -> None:
    """A function that cannot be compiled is called with RETURNN's shapes, and gives what a compiled one gives."""
    shapes = "tf.debugging.assert_equal(tf.shape(scores_in), [batch_dim, scores_beam_in, 4]); "
    shapes += "tf.debugging.assert_equal(tf.shape(scores_base), [batch_dim, base_beam_in, 1]); "
    opaque = shapes + "scores_in = tf.numpy_function(lambda x: x, [scores_in], tf.float32)"
    results = []
    for body in ("pass", opaque):
        path = tmp_path / "net.py"
        path.write_text(COMBINED.replace("BODY", body))
        made = compile_net(load(path), target="tf", mode="search", fetch=["output", "scores"])
        assert any(made.graph.nodes("opaque")) is (body == opaque)
        rng = np.random.default_rng(2)
        params = {k: rng.normal(size=v.shape).astype("float32") for k, v in made.initial_params().items()}
        results.append(made.run(FEED, params))
    assert len(np.unique(results[0]["output/scores"])) > 3
    for name, compiled in results[0].items():
        np.testing.assert_allclose(results[1][name], compiled, rtol=1e-5, err_msg=name)
