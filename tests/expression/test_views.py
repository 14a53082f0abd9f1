"""What RETURNN's objects answer to an expression: compiled, and on TensorFlow's tensors, where others stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.errors import UserError

X = np.random.default_rng(1).standard_normal((2, 4, 3)).astype(np.float32)
LENGTHS = np.array([4, 2])
FEED: dict[str, np.ndarray[Any, Any]] = {"data": X, "data/size1": LENGTHS.astype(np.int64)}
MASK = (np.arange(4) < LENGTHS[:, None])[:, :, None]
#: What the IR has no op for, without an effect on the result.
UNCOMPILED = " + tf.math.lgamma(source(0) * 0.0 + 1.0)"
D = "source(0, as_data=True)"
OWN = "source(0, auto_convert=False, as_data=True)"


def result(tmp_path: Path, code: str, target: str, **layer: Any) -> Any:
    path = tmp_path / "net.py"
    network = {"output": {"class": "eval", "eval": code, "from": "data", **layer}}
    path.write_text(f"option = 7\nflag = True\nextern_data = {{'data': {{'dim': 3}}}}\nnetwork = {network!r}\n")
    program = compile_net(load(path), target=target, mode="forward")
    return program.run(FEED, {})["output/output"]


@pytest.mark.parametrize("target", ["reference", "tf"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"source(0) * tf.cast({D}.get_sequence_mask_broadcast(), tf.float32)", X * MASK),
        (f"source(0) * tf.cast({D}.get_sequence_mask(), tf.float32)[:, :, None]", X * MASK),
        (f"source(0) + tf.cast({D}.get_sequence_lengths(), tf.float32)[:, None, None]", X + LENGTHS[:, None, None]),
        (f"source(0) + tf.cast({D}.size_placeholder[0], tf.float32)[:, None, None]", X + LENGTHS[:, None, None]),
        (f"source(0) + tf.cast({D}.get_dynamic_size(1), tf.float32)[:, None, None]", X + LENGTHS[:, None, None]),
        (f"source(0) * tf.cast({D}.get_batch_dim(), tf.float32)", X * 2),
        (f"source(0) * tf.cast({D}.time_dimension(), tf.float32)", X * 4),
        (f"source(0) + {D}.batch_dim_axis * 100 + {D}.time_dim_axis * 10 + {D}.feature_dim_axis", X + 12),
        (f"source(0) + {D}.time_dim_axis_excluding_batch * 10 + {D}.dim", X + 3),
        (f"source(0) + {D}.batch_ndim + len({D}.batch_shape) * 10 + len({D}.shape) * 100", X + 233),
        (f"source(0) + sum({D}.get_dynamic_axes()) * 10 + sum({D}.get_static_axes())", X + 12),
        (f"source(0) + float({D}.is_batch_major) + 2 * float({D}.is_time_major)", X + 1),
        (f"source(0) + float({D}.have_time_axis()) + 2 * float({D}.sparse)", X + 1),
        (f"source(0) + {D}.get_axis_from_description('T') + 10 * {D}.get_axis_from_description(-1)", X + 21),
        (f"source(0) if {D}.dtype == 'float32' else 0", X),
        (f"tf.transpose({D}.copy_as_time_major().placeholder, [1, 0, 2])", X),
        (f"tf.transpose({D}.get_placeholder_as_time_major(), [1, 0, 2])", X),
        (f"source(0) + {D}.copy_as_time_major().batch_dim_axis", X + 1),
        (f"source(0) * tf.to_float(tf.transpose({D}.copy_as_time_major().get_sequence_mask())[..., None])", X * MASK),
        (f"{D}.copy().copy_as_batch_major().get_placeholder_as_batch_major()", X),
        (f"{OWN}.placeholder + source(0, as_layer=True).output.batch_dim_axis", X),
        ("source(0, enforce_batch_major=True)", X),
        ("self.sources[0].output.placeholder + source(0) + (1 if self.name == 'output' else 0)", X * 2 + 1),
        ("source(0) + (1 if self.sources[0].name == 'data' else 0)", X + 1),
        ("self.network.cond_on_train(lambda: source(0) * 0, lambda: source(0))", X),
        ("source(0) * tf.cast(self.network.global_train_step + 1, tf.float32)", X),
        ("source(0) + (5 if self.network.search_flag else 1)", X + 1),
        ("source(0) + self.network.get_config().typed_value('option')", X + 7),
        ("source(0) + self.network.get_config().value('missing', [3, 4], index=1)", X + 4),
        ("source(0) + self.network._config.int('option', 0) + self.network._config.float('option')", X + 14),
        ("source(0) + float(self.network.get_config().bool('flag'))", X + 1),
        ("source(0) + self.network.get_config().typed_dict['option']", X + 7),
    ],
)  # fmt: skip
def test_answers(tmp_path: Path, code: str, expected: Any, target: str) -> None:
    """On TensorFlow the same code once more, made such that it is not compiled."""
    np.testing.assert_allclose(result(tmp_path, code, target), expected, rtol=1e-6)
    if target == "tf":
        np.testing.assert_allclose(result(tmp_path, f"({code}){UNCOMPILED}", target), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"source(0) + {D}.ndim + 10 * float({D}.have_batch_axis()) + 100 * float({D}.have_feature_axis())", X + 112),
        (f"source(0) + {D}.get_axes_from_description(['B', 'F'])[1] + len({D}.dim_tags)", X + 5),
        (f"source(0) + {D}.get_dim_tag('F').size + (1 if {D}.sparse_dim is None else 0)", X + 4),
        (f"{D}.copy_as_time_major().copy_as_bt_or_tb_major().copy_as_batch_major().placeholder", X),
        (f"{D}.copy_with_feature_last().placeholder", X),
        ("source(0) + (1 if self.network.get_config().has('flag') else 0)", X + 1),
        ("source(0) + (1 if self.network.eval_flag or self.network.train_flag else 0)", X),
    ],
)  # fmt: skip
def test_answers_of_compiled_code(tmp_path: Path, code: str, expected: Any) -> None:
    np.testing.assert_allclose(result(tmp_path, code, "reference"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (f"source(0) + {D}.feature", "data.feature"),
        ("source(0) + self.network.get_seq_tags()", "network.get_seq_tags"),
        ("source(0) + self.params", "layer.params"),
        (f"source(0) + {D}.get_dynamic_size(2)", "the lengths of axis 2"),
        (f"{D}.get_dim_tag('F').nothing + source(0)", "the attribute 'nothing' of a Dim"),
    ],
)
def test_what_is_not_known_is_told(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        result(tmp_path, code, "reference")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (f"tf.math.lgamma(source(0)) * {D}.get_axis_from_description('nope')", "ValueError: no axis 'nope'"),
        ("tf.reshape(source(0), [-1])", "the layer's Python code gives 1 axes, the layer has 3"),
        ("tf.math.lgamma", "the layer's Python code"),
    ],
)
def test_what_fails_on_tensorflow_is_told(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        result(tmp_path, code, "tf")
    assert message in str(caught.value)
