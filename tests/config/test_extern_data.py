"""``extern_data`` and the old ``num_inputs``/``num_outputs`` give the same dicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from returnn_ir.config import load_config
from returnn_ir.config.data_options import DataOptions
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import BATCH, Dim

DENSE = DataOptions(dim=5, shape=(None, 5))
LABELS = DataOptions(dim=3, shape=(None,), sparse=True, available_for_inference=False)


def spec(folder: Path, text: str) -> dict[str, DataOptions]:
    path = folder / "net.config"
    path.write_text(text, encoding="utf-8")
    return load_config(path).extern_data_spec()


@pytest.mark.parametrize(
    "text",
    [
        "#!rnn.py\nnum_inputs = 5\nnum_outputs = 3\n",
        "#!rnn.py\nnum_inputs = 5\nnum_outputs = {'classes': 3}\n",
        "#!rnn.py\nnum_inputs = 5\nnum_outputs = {'classes': (3, 1)}\n",
        "#!rnn.py\nnum_outputs = {'classes': [3, 1], 'data': [5, 2]}\n",
        "#!rnn.py\nnum_outputs = {'classes': [3, 1], 'data': 5}\n",
        "#!rnn.py\nextern_data = {'classes': (3, 1), 'data': (5, 2)}\n",
        '{"num_inputs": 5, "num_outputs": {"classes": [3, 1]}}',
        "num_inputs 5\nnum_outputs 3\n",
    ],
)
def test_old_spellings(tmp_path: Path, text: str) -> None:
    assert spec(tmp_path, text) == {"data": DENSE, "classes": LABELS}


def test_other_keys(tmp_path: Path) -> None:
    assert spec(tmp_path, "num_inputs 5\nnum_outputs 3\ntarget phones\ndefault_input features\n") == {
        "features": DENSE,
        "phones": LABELS,
    }
    assert spec(tmp_path, "num_inputs 3\nnum_outputs 3\nsparse_input true\n")["data"] == DataOptions(
        dim=3, shape=(None,), sparse=True
    )
    text = "#!rnn.py\nnum_outputs = {'data': {'dim': 5}, 'image': (7, 3)}\n"
    assert spec(tmp_path, text) == {
        "data": DataOptions(dim=5),
        "image": DataOptions(dim=7, shape=(None, None, 7), available_for_inference=False),
    }


def test_extern_data_is_copied_and_wins(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("num_inputs = 9\nextern_data = {'data': {'dim': 5}, 'c': {'dim': 3, 'sparse': True}}\n")
    config = load_config(path)
    assert config.extern_data_spec() == {
        "data": DataOptions(dim=5),
        "c": DataOptions(dim=3, sparse=True, available_for_inference=False),
    }
    assert config["extern_data"] == {"data": {"dim": 5}, "c": {"dim": 3, "sparse": True}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#!rnn.py\nx = 1\n", "does not say what its inputs are"),
        ("#!rnn.py\nnum_inputs = 5\n", "does not say what its inputs are"),
        ("#!rnn.py\nextern_data = 5\n", "net.config:2"),
        ("#!rnn.py\nextern_data = {'data': 5}\n", "for 'data' a dict of options"),
        ("#!rnn.py\nnum_inputs = 5\nnum_outputs = {'classes': (3, 0)}\n", "for 'classes'"),
    ],
)
def test_errors(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        spec(tmp_path, text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "axes", "time", "feature"),
    [
        (DataOptions(dim=5), (BATCH, None, 5), 1, 2),
        (DataOptions(dim=5, sparse=True), (BATCH, None), 1, None),
        (DataOptions(dim=5, time_dim_axis=2), (BATCH, None, None, 5), 2, 3),
        (DataOptions(dim=5, time_dim_axis=None), (BATCH, 5), None, 1),
        (DataOptions(dim=5, batch_dim_axis=1), (None, BATCH, 5), 0, 2),
        (DataOptions(dim=5, batch_dim_axis=None, time_dim_axis=0), (None, 5), 0, 1),
        (DataOptions(dim=5, feature_dim_axis=1), (BATCH, 5, None), 2, 1),
        (DataOptions(dim=5, feature_dim_axis=3), (BATCH, None, None, 5), 1, 3),
        (DataOptions(dim=5, feature_dim_axis=-1), (BATCH, None, 5), 1, 2),
        (DataOptions(feature_dim_axis=None), (BATCH, None), 1, None),
        (DataOptions(shape=(None, 3, 5)), (BATCH, None, 3, 5), 1, 3),
        (DataOptions(shape=(None, 5), time_dim_axis=2), (BATCH, None, 5), 2, 1),
        (DataOptions(shape=(3, 5), batch_dim_axis=2), (3, 5, BATCH), None, 1),
        (DataOptions(shape=()), (BATCH,), None, None),
    ],
)
def test_axes_are_those_of_returnn(
    options: DataOptions, axes: tuple[Dim | int | None, ...], time: int | None, feature: int | None
) -> None:
    """The numbers count the batch; the golden case ``extern_axes`` compares some of these with RETURNN."""
    assert options.axes() == axes
    assert options.time_axis() == time
    assert options.feature_axis() == feature


#: The options of one data key in the third line of a config, and what is said about them.
WRONG = [
    ("{'dim': -3}", "3, key 'extern_data.data.dim': option 'dim' is out of range", "int from 1 to 2147483647 | None"),
    ("{'dim': 0.5}", "3, key 'extern_data.data.dim': option 'dim' has the wrong type", "0.5 (float)"),
    ("{'dim': True}", "option 'dim' has the wrong type", "True (bool)"),
    ("{'dim': 3, 'spare': True}", "key 'extern_data.data.spare': unknown option 'spare'", "did you mean 'sparse'?"),
    ("{'dim': 3, 'name': 'x'}", "unknown option 'name'", "one of available_for_inference, batch_dim_axis, dim, "),
    ("{'dim': 3, 5: 1}", "key 'extern_data.data': the name of an option must be a text", "5 (int)"),
    ("{'dim': 3, 'dtype': 'flot32'}", "option 'dtype' has an unknown value", "did you mean 'float32'?"),
    (
        "{'dim': 3, 'shape': 3}",
        "option 'shape' has the wrong type",
        "list or tuple of (int from 1 to 2147483647 | None)",
    ),
    ("{'dim': 3, 'shape': (None, 4)}", "dim is not the size of the feature axis", "expected: 4"),
    ("{'dim': 3, 'shape': (None,)}", "dim is not the size of the feature axis", "no axis has a fixed size"),
    ("{'dim': 3, 'sparse': True, 'dtype': 'float32'}", "labels are whole numbers", "received: float32"),
    ("{'dim': 3, 'sparse': True, 'dtype': 'bool'}", "labels are whole numbers", "bool where there are two"),
    ("{'sparse': True}", "key 'extern_data.data': the number of labels is missing", "expected: 'dim'"),
    ("{}", "the number of features is missing", "'dim', or 'shape'"),
    ("{'dim': 3, 'sparse': False, 'vocab': {}}", "data with a vocab are labels", "'sparse': True"),
    ("{'dim': 3, 'sparse': True, 'feature_dim_axis': 1}", "labels have no feature axis", "None"),
    ("{'dim': 3, 'time_dim_axis': '1'}", "option 'time_dim_axis' has the wrong type", "'1' (str)"),
    ("{'dim': 3, 'shape': (None, 3), 'time_dim_axis': 5}", "time_dim_axis is no axis of the data", "expected: 0 to 2"),
    ("{'dim': 3, 'time_dim_axis': 0}", "time_dim_axis is the batch axis", "received: 0"),
    ("{'dim': 3, 'feature_dim_axis': 0}", "feature_dim_axis is the batch axis", "received: 0"),
    ("{'dim': 3, 'feature_dim_axis': 1, 'time_dim_axis': 1}", "an axis is named twice", "time and as feature"),
    ("{'dim': 3, 'batch_dim_axis': 9}", "batch_dim_axis is no axis of the data", "expected: 0 to 2"),
    ("{'dim': 3, 'same_dim_tags_as': 'classes'}", "option 'same_dim_tags_as' has the wrong type", "'classes' (str)"),
    ("{'dim': 3, 'same_dim_tags_as': {'x': t}}", "there is no such axis", "'T', 'F' or a number"),
    ("{'dim': 3, 'same_dim_tags_as': {7: t}}", "there is no such axis", "expected: 0 to 2"),
    ("{'dim': 3, 'same_dim_tags_as': {2: f}}", "the axis has another size", "expected: f(4)"),
    ("{'dim': 3, 'same_dim_tags_as': {'F': f}}", "the axis has another size", "expected: f(4)"),
    ("{'dim_tags': [None, 3]}", "option 'dim_tags' has the wrong type", "[None, 3] (list)"),
    ("{'dim_tags': [batch_dim, t, batch_dim, f]}", "an axis is there twice", "one Dim object per axis"),
    ("{'dim_tags': [batch_dim, t, t, f]}", "an axis is there twice", "one Dim object per axis"),
    (
        "{'dim_tags': [batch_dim, t, f], 'shape': (None, 4)}",
        "the axes are given twice: dim_tags and shape",
        "leave one",
    ),
    ("{'dim_tags': [batch_dim, t, f], 'dim': 3}", "dim is not the size of the feature axis", "expected: 4"),
    ("{'dim_tags': [batch_dim, t], 'sparse_dim': f, 'dim': 3}", "dim is not the size of sparse_dim", "expected: f(4)"),
    ("{'dim_tags': [batch_dim, t, f], 'feature_dim': g}", "feature_dim is not one of the axes", "received: g(2)"),
    ("{'dims': [batch_dim, t, f]}", "data with 'dims' need a 'dtype'", "float32"),
    ("{'dim': 3, 'shape': (2,) * 40 + (3,)}", "the data have more axes than a tensor can have", "at most 32"),
]


TAGS = (
    "from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim; "
    "t, f, g = SpatialDim('t'), FeatureDim('f', 4), FeatureDim('g', 2)"
)


@pytest.mark.parametrize(("options", "told", "detail"), WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, options: str, told: str, detail: str) -> None:
    """One problem each, with the key and its line."""
    with pytest.raises(UserError) as caught:
        spec(tmp_path, f"#!rnn.py\n{TAGS}\nextern_data = {{'data': {options}}}\n")
    message = str(caught.value)
    assert not message.startswith("2 problems")
    assert told in message
    assert detail in message
    assert f"{tmp_path / 'net.config'}:3, key 'extern_data.data" in message


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Those of all data keys, each where it stands."""
    text = (
        "#!rnn.py\nextern_data = {\n  'data': {'dim': 0},\n  'a': {'dim': 3,\n    'sparse': 2, 'dtype': 1},\n  '': 5}\n"
    )
    with pytest.raises(UserError) as caught:
        spec(tmp_path, text)
    place = tmp_path / "net.config"
    names = "'bool' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'int64' | 'float16' | 'float32' | 'float64' | "
    assert str(caught.value) == (
        "4 problems:\n"
        f"[1] {place}:3, key 'extern_data.data.dim': option 'dim' is out of range\n"
        "  expected: int from 1 to 2147483647 | None\n"
        "  received: 0 (int)\n"
        f"[2] {place}:5, key 'extern_data.a.sparse': option 'sparse' has the wrong type\n"
        "  expected: True or False | None\n"
        "  received: 2 (int)\n"
        f"[3] {place}:5, key 'extern_data.a.dtype': option 'dtype' has the wrong type\n"
        f"  expected: {names}'complex64' | None\n"
        "  received: 1 (int)\n"
        f"[4] {place}:2, key 'extern_data': extern_data has the wrong form\n"
        "  expected: a name as data key\n"
        "  received: ''"
    )
