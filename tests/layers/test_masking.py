"""masked_computation and unmask outside of loops, where RETURNN has no unmask: against a loop over frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.layers.nets import refusal, run_net

EXTERN = {"data": {"dim": 2}, "labels": {"dim": 5, "sparse": True}, "emit": {"dim": 2, "sparse": True}}
MASK = {"class": "compare", "kind": "equal", "value": 1, "from": "data:emit"}
LENGTHS = [5, 1, 3]
EMIT = np.array([[0, 1, 0, 0, 1], [0, 9, 9, 9, 9], [1, 0, 1, 9, 9]], np.int32) % 9


def _inputs() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    sizes = {f"{key}/size1": np.array(LENGTHS) for key in EXTERN}
    frames = rng.normal(size=(3, 5, 2)).astype(np.float32)
    return {"data": frames, "labels": rng.integers(0, 5, (3, 5)).astype(np.int32), "emit": EMIT, **sizes}


def _masked(source: str, **unit: Any) -> dict[str, Any]:
    return {"class": "masked_computation", "mask": "mask", "from": source, "unit": {"from": "data", **unit}}


def _held(frames: Any, initial: Any) -> list[list[Any]]:
    """By sequence and frame: what the last frame with a mark has, ``initial`` in front of the first one."""
    found = []
    for row, length in enumerate(LENGTHS):
        last, held = initial, []
        for t in range(length):
            last = frames[row, t] if EMIT[row, t] == 1 else last
            held.append(last)
        found.append(held)
    return found


@pytest.mark.parametrize("source", ["data", "data:labels"])
def test_unmask_holds_the_last_chosen_frame(tmp_path: Path, source: str) -> None:
    network = {
        "mask": MASK,
        "chosen": _masked(source, **{"class": "copy", "initial_output": 1}),
        "back": {"class": "unmask", "mask": "mask", "from": "chosen"},
    }
    inputs = _inputs()
    result = run_net(tmp_path, network, EXTERN, inputs)
    frames = inputs[source.removeprefix("data:")]
    initial = np.ones_like(frames[0, 0])
    assert result["output/back/size0"].tolist() == LENGTHS
    assert result["output/chosen/size0"].tolist() == [2, 0, 2]
    for row, held in enumerate(_held(frames, initial)):
        np.testing.assert_array_equal(result["output/back"][: len(held), row], held)


def test_unmask_of_a_source_with_a_frame_in_front(tmp_path: Path) -> None:
    """With ``skip_initial`` that frame stands for those in front of the first one that was chosen."""
    network = {
        "mask": MASK,
        "chosen": _masked("data", **{"class": "copy"}),
        "more": {"class": "prefix_in_time", "prefix": 7.0, "from": "chosen"},
        "back": {"class": "unmask", "mask": "mask", "skip_initial": True, "from": "more"},
    }
    inputs = _inputs()
    back = run_net(tmp_path, network, EXTERN, inputs)["output/back"]
    for row, held in enumerate(_held(inputs["data"], np.full(2, 7.0))):
        np.testing.assert_array_equal(back[: len(held), row], held)


def test_one_name_scope_for_a_unit(tmp_path: Path) -> None:
    unit = _masked("data", **{"class": "linear", "n_out": 3, "activation": None, "name_scope": "b"})
    network = {"mask": MASK, "x": {**unit, "name_scope": "a"}}
    assert "name_scope is given twice" in refusal(tmp_path, network, EXTERN)
    del unit["unit"]["name_scope"]
    run_net(tmp_path, network, EXTERN, _inputs(), params={"a/W": np.ones((2, 3), np.float32)})


def test_unmask_of_what_has_the_frames_of_the_mask(tmp_path: Path) -> None:
    """Nothing is to be undone, the time axis comes to the front."""
    network = {"mask": MASK, "same": {"class": "unmask", "mask": "mask", "from": "doubled"}}
    network["doubled"] = {"class": "eval", "eval": "source(0) * 2", "from": "data:emit"}
    result = run_net(tmp_path, network, EXTERN, _inputs())
    np.testing.assert_array_equal(result["output/same"], 2 * EMIT.T)


def test_unmask_needs_frames(tmp_path: Path) -> None:
    last = {"class": "unmask", "mask": "mask", "from": "sum"}
    network = {"mask": MASK, "sum": {"class": "reduce", "mode": "sum", "axis": "T", "from": "data"}, "x": last}
    assert "the source has no time axis" in refusal(tmp_path, network, EXTERN)
