"""Recording without RETURNN: what is drawn and written, what counts as a difference, and all cases are complete."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.conformance.gaps import GOLDEN, all_cases
from tests.recording.archive import problems, read, write
from tests.recording.case import Case, RecordError, read_case, sequence_lengths
from tests.recording.compare import differences, identical
from tests.recording.dilation import extent
from tests.recording.draw import Array, Input, draw_inputs, draw_param

ROOT = Path(__file__).parents[2]


# ---------------------------------------------------------------- the project's cases


@pytest.mark.parametrize("case", all_cases())
def test_recorded_case(case: str) -> None:
    """Every case has its numbers, and they are complete by the format."""
    arrays = read(GOLDEN / f"{case}.npz")
    assert problems(arrays) == []
    assert read_case(json.loads(str(arrays["meta"]))["case"]).to_json() == json.loads(str(arrays["meta"]))["case"]


def test_no_numbers_without_a_case() -> None:
    recorded = {f"{path.parent.name}/{path.stem}" for path in GOLDEN.glob("*/*.npz")}
    assert recorded == set(all_cases())


@pytest.mark.parametrize("name", ["losses/ce_plain", "search/att_decoder"])
def test_what_is_drawn_is_what_was_recorded(name: str) -> None:
    """Parameters and inputs come from the seed alone, in the order of their names."""
    recorded = read(GOLDEN / f"{name}.npz")
    case = read_case(json.loads(str(recorded["meta"]))["case"])
    random = np.random.RandomState(case.seed)
    for key in sorted(k for k in recorded if k.startswith("param/")):
        shape = recorded[key].shape
        assert np.array_equal(draw_param(random, key, shape, case.param_scale), recorded[key])
    labels = 5 if name.startswith("search") else 4
    keys = [Input("data", "float32", ("batch", "dynamic", 3)), Input("classes", "int32", ("batch", "dynamic"), labels)]
    drawn = draw_inputs(random, case, keys)
    assert {k for k in recorded if k.startswith("input/")} == set(drawn)
    for key, value in drawn.items():
        assert value.dtype == recorded[key].dtype
        assert np.array_equal(value, recorded[key])


# ---------------------------------------------------------------- cases


def test_options_of_a_case() -> None:
    case = read_case({"time": {"data": 5}, "lens": {"img/2": [4, 1, 6]}, "fetch_extra": ["loop/s"]})
    assert case == Case(time={"data": 5}, lens={"img/2": [4, 1, 6]}, fetch_extra=("loop/s",))
    assert sequence_lengths(case, "data", 1) == [1, 5, 3]
    assert sequence_lengths(case, "img", 1) == [3, 7, 5]
    assert sequence_lengths(case, "img", 2) == [4, 1, 6]
    assert sequence_lengths(Case(batch=1), "data", 1) == [7]
    assert sequence_lengths(Case(batch=5, time=2), "data", 1) == [1, 2, 1, 1, 2]


def test_the_most_specific_name_gives_the_value() -> None:
    case = read_case({"params": {"": "init", "out/b": 1.0}})
    assert (case.initial("out/b"), case.initial("out/W"), Case().initial("out/b")) == (1.0, "init", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 3, "tim": 2}, f"case has no option beam, tim; it has: {', '.join(f.name for f in fields(Case))}"),
        ({"batch": True}, "case: batch must be an integer, not True"),
        ({"search": 1}, "case: search must be True or False, not 1"),
    ],
)
def test_wrong_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_case(options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case(lens={"x": [1, 2]}), "case: lens of 'x' are 2 numbers for a batch of 3"),
        (Case(inputs={"x": [[1, 2]]}), "case: inputs of 'x' have the shape (1, 2), expected (3, 7)"),
    ],
)
def test_inputs_that_do_not_fit(case: Case, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        draw_inputs(np.random.RandomState(1), case, [Input("x", "int32", ("batch", "dynamic"))])
    assert str(caught.value) == message


def test_drawn_inputs() -> None:
    keys = [
        Input("t", "float32", ("dynamic", "batch", 2)),
        Input("n", "int32", ("batch",)),
        Input("flag", "bool", ("batch", "dynamic")),
        Input("given", "int32", ("batch",)),
    ]
    case = Case(int_range={"n": [-1, 3]}, inputs={"given": [1, 2, 3]}, batch=3, time=4)
    drawn = draw_inputs(np.random.RandomState(1), case, keys)
    assert {k: (str(v.dtype), v.shape) for k, v in drawn.items()} == {
        "input/flag/size1": ("int32", (3,)),
        "input/flag": ("bool", (3, 4)),
        "input/given": ("int32", (3,)),
        "input/n": ("int32", (3,)),
        "input/t/size0": ("int32", (3,)),
        "input/t": ("float32", (4, 3, 2)),
    }
    assert drawn["input/given"].tolist() == [1, 2, 3]
    assert set(drawn["input/n"].tolist()) <= {-1, 0, 1, 2}
    with pytest.raises(RecordError, match=r"^data 's' of dtype string are not drawn; give them as inputs of the case$"):
        draw_inputs(np.random.RandomState(1), case, [Input("s", "string", ("batch",))])


def test_variances_are_positive() -> None:
    assert np.min(draw_param(np.random.RandomState(1), "bn/running_variance", (100,), 2.0)) >= 0.5
    assert np.min(draw_param(np.random.RandomState(1), "bn/mean", (100,), 2.0)) < 0


@pytest.mark.parametrize(("same", "expected"), [(True, 4), (False, 2)])
def test_extent_of_a_dilated_convolution(same: bool, expected: int) -> None:
    """11 frames, a filter of 3 that spans 7, every third position: 0, 3, 6, 9, or 0 and 3."""
    positions = [p for p in range(0, 11, 3) if same or p + 6 < 11]
    assert len(positions) == expected
    assert extent(11, 3, 3, 3, same=same) == expected


# ---------------------------------------------------------------- files


def _arrays() -> dict[str, Array]:
    layer = {"beam": None, "cls": "copy", "dtype": "float32", "feature_axis": 1, "sparse_dim": None, "time_axis": None}
    meta = {"case": {}, "layers": {"a": {**layer, "kinds": ["batch", "static:2"]}}, "trainable": ["W"], "versions": {}}
    return {
        "meta": np.array(json.dumps(meta)),
        "param/W": np.ones((2, 2), np.float32),
        "output/a": np.ones((3, 2), np.float32),
        "loss/a": np.array(1, np.float32),
        "objective": np.array(1, np.float32),
        "grad/W": np.ones((2, 2), np.float32),
    }


def test_a_complete_recording_is_written(tmp_path: Path) -> None:
    path = tmp_path / "case.npz"
    write(path, _arrays())
    assert identical(read(path), _arrays())
    assert [p.name for p in tmp_path.iterdir()] == ["case.npz"]
    with pytest.raises(RecordError, match=r"^no meta$"):
        write(path, {})
    assert identical(read(path), _arrays())


def test_a_file_that_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "case.npz"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(RecordError, match=r"case\.npz is not a recorded case: "):
        read(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"param/W": None, "grad/W": None}, "param/W: trained, but not there"),
        ({"grad/W": np.ones(2, np.float32)}, "grad/W: (2,), param/W (2, 2)"),
        ({"param_after/V": np.ones(2)}, "param_after/V: (2,), param/V is not there"),
        ({"output/a": None}, "output/a: described, but not there"),
        ({"output/a": np.ones((3, 2))}, "output/a: float64, described as float32"),
        ({"output/a": np.ones((2, 3), np.float32)}, "output/a: shape (2, 3), described as ['batch', 'static:2']"),
        ({"output/b": np.ones(3)}, "output/b: not described"),
        ({"output/a/size0": np.array([2, 4])}, "output/a/size0: lengths up to 4 of an array of shape (3, 2)"),
        ({"output/a/size0": np.array(2)}, "output/a/size0: int64(), expected one integer for each sequence"),
        ({"loss/a": np.ones(3)}, "loss/a: shape (3,), expected one number"),
        ({"objective": None, "grad/W": None}, "loss/a: there is no objective"),
        ({"losses/a": np.array(1)}, "losses/a: no such kind of array"),
        ({"meta": np.array("{}")}, "meta has no case, layers, trainable, versions"),
    ],
)
def test_incomplete_recordings(change: dict[str, Array | None], problem: str) -> None:
    arrays = {key: value for key, value in {**_arrays(), **change}.items() if value is not None}
    assert problems(arrays) == [problem]


# ---------------------------------------------------------------- differences


def test_the_same_twice() -> None:
    assert differences(_arrays(), _arrays()) == []
    close = {**_arrays(), "output/a": np.full((3, 2), 1.0001, np.float32)}
    assert differences(_arrays(), close) == []
    assert not identical(_arrays(), close)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"output/a": None}, "output/a: not recorded again"),
        ({"output/a/size0": np.zeros(3)}, "output/a/size0: not in the file"),
        (
            {"output/a": np.full((3, 2), 1.001, np.float32)},
            "output/a: 6 of 6 entries differ, by up to 0.001",
        ),
        ({"output/a": np.ones((3, 2))}, "output/a: float64(3, 2), in the file float32(3, 2)"),
        ({"output/a": np.full((3, 2), np.nan, np.float32)}, "output/a: 6 of 6 entries differ, by up to 0"),
        ({"grad/W": np.full((2, 2), 1.002, np.float32)}, "grad/W: 4 of 4 entries differ, by up to 0.002"),
    ],
)
def test_other_values(change: dict[str, Array | None], line: str) -> None:
    again = {key: value for key, value in {**_arrays(), **change}.items() if value is not None}
    assert differences(_arrays(), again) == [line]


def test_other_axes_and_trained_parameters() -> None:
    again = _arrays()
    meta = json.loads(str(again["meta"]))
    meta["trainable"], meta["versions"] = [], {"returnn": "2"}
    meta["layers"]["a"]["time_axis"] = 0
    again["meta"] = np.array(json.dumps(meta))
    assert differences(_arrays(), again) == [
        "meta/trainable: [], in the file ['W']",
        "meta/layers/a/time_axis: 0, in the file None",
    ]


def test_scores_of_unused_places() -> None:
    key = "output/a/beam_scores"
    assert differences({key: np.array([[1.0, -1e30]])}, {key: np.array([[1.0, -2e30]])}) == []
    assert differences({key: np.array([[1.0, -2.0]])}, {key: np.array([[1.0, -1e30]])}) != []


# ---------------------------------------------------------------- the command line


def _record(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(GOLDEN / "record.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_without_returnn() -> None:
    """The tests' own Python has none: one clear message, and no traceback."""
    result = _record("--check", "tests/golden/losses/ce_plain.py")
    assert result.returncode == 2
    assert result.stderr == (
        f"error: {sys.executable} has no package returnn: record with the Python of an environment that has RETURNN "
        "(python -m venv oracle && oracle/bin/pip install returnn dm-tree tensorflow)\n"
    )


def test_the_recorder_imports_nothing_of_the_compiler() -> None:
    others = "{'returnn_ir', 'compiler', 'runtime', 'tensorflow'}"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tests.recording.cli, tests.recording.run; "
        f"print(sorted({{m.partition('.')[0] for m in sys.modules}} & {others}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
