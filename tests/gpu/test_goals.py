"""The goals beside the figures."""

from __future__ import annotations

from typing import Any

from tests.gpu.goals import Goal, goal_lines, goals
from tests.gpu.part import Record


def _goal(what: str, *records: Record) -> Goal:
    (found,) = [goal for goal in goals(records) if goal.what == what]
    return found


def _times(part: str, model: str, name: str, **seconds: float) -> Record:
    first = {"prepare": 1.0, "first": 2.0}
    times = {contestant: [s, 3 * s, s] for contestant, s in seconds.items()}
    return {
        "part": part,
        "job": {"model": model},
        "name": name,
        "seconds": times,
        "first": dict.fromkeys(times, first),
    }


def test_nothing_was_measured() -> None:
    found = goals([])
    assert all(not goal.figure and goal.reached is None for goal in found)
    assert goal_lines(found)[1].split("  ")[0] == "training step, blstm, TF32 on: ours / PyTorch"
    assert all(line.endswith("not measured") for line in goal_lines(found)[1:])


def test_steps() -> None:
    name = "transformer, 20 x 500 frames, TF32 on"
    what = f"training step, {name}: ours / PyTorch"
    missed = _goal(what, _times("training", "transformer", name, ours=0.05, PyTorch=0.04))
    assert missed == Goal(what, "<= 1.1 x PyTorch", "1.25 (50.00 / 40.00 ms)", False)
    assert _goal(what, _times("training", "transformer", name, ours=0.044, PyTorch=0.0401)).reached
    alone = _times("training", "transformer", name, ours=0.05)
    assert not _goal("training step, transformer, TF32 on: ours / PyTorch", alone).figure


def test_before() -> None:
    name = "attention, 20 x 30 frames, TF32 off"
    record = _times("training", "attention", name, ours=0.03, before=0.06)
    goal = _goal(f"training step, {name}: ours / before", record)
    assert (goal.wanted, goal.reached) == ("<= 0.5 x before", True)


def test_figures_without_a_limit() -> None:
    name = "conformer, 40 x 500 frames, float16"
    goal = _goal(
        f"forward, {name}: portable / PyTorch", _times("forward", "conformer", name, portable=0.05, PyTorch=0.1)
    )
    assert (goal.wanted, goal.figure, goal.reached) == ("", "0.50 (50.00 / 100.00 ms)", None)
    loops = _times("loops", "gru", "gru, 40 x 100 frames, TF32 on", **{"1 at once": 0.1, "4 at once": 0.05})
    goal = _goal("steps of a loop that are one turn, gru, 40 x 100 frames, TF32 on", loops)
    assert goal.figure == "1 at once 100.0 ms (first 2.0 s), 4 at once 50.0 ms (first 2.0 s)"


def test_searches() -> None:
    def record(name: str, **ms: float) -> Record:
        return {"part": "search", "name": name, "ms_per_step": {key.replace("_", " "): t for key, t in ms.items()}}

    records = [record("a", loop=1.2, fixed_sizes=0.3), record("b", loop=1.2, fixed_sizes=0.6), record("c", loop=1.0)]
    found = [goal for goal in goals(records) if goal.what.startswith("search")]
    assert [(goal.what, goal.figure, goal.reached) for goal in found] == [
        ("search, a: loop / fixed sizes", "4.00 (1.200 / 0.300 ms)", True),
        ("search, b: loop / fixed sizes", "2.00 (1.200 / 0.600 ms)", False),
    ]


def _borders(model: str, memcpy: int, in_bodies: int, **more: Any) -> Record:
    held = {"model": model, "profile": "portable", "memcpy": memcpy, "in_bodies": in_bodies}
    return {"part": "borders", **held, "real": True, "wrong": [], **more}


def test_copies() -> None:
    assert _goal("copies, blstm, portable", _borders("blstm", 2, 0)).reached
    assert not _goal("copies, blstm, portable", _borders("blstm", 3, 0)).reached
    search = _goal("copies, attention search, portable", _borders("attention search", 3, 1, real=False))
    assert (search.figure, search.reached) == ("3, 1 in the loop (counted)", False)


def test_placement_as_counted() -> None:
    differs = _borders("blstm", 2, 0, wrong=["blstm, portable: not as counted: a"])
    case: Record = {"part": "cases", "case": "a", "profile": "portable", "ok": True, "refused": False}
    goal = _goal("placement as counted", differs, {**case, "borders": []}, {**case, "borders": None})
    assert (goal.figure, goal.reached) == ("1 of 2", False)


def test_agreement() -> None:
    mine = {"part": "agreement", "model": "gru", "differences": {"objective": 1e-6, "W": float("nan")}}
    goal = _goal("loss and gradients beside the CPU's, gru", mine)
    assert (goal.wanted, goal.figure, goal.reached) == ("< 0.0001", "nan", False)
    assert _goal("cuDNN's LSTM beside the loops", {"part": "agreement", "kernels": {"a": 1e-6, "b": 2e-6}}).reached


def test_golden_cases() -> None:
    def record(ok: bool, refused: bool = False) -> Record:
        return {"part": "cases", "case": "a", "profile": "onnxruntime", "ok": ok, "refused": refused, "borders": None}

    goal = _goal("golden cases, onnxruntime", record(True), record(False), record(False, refused=True))
    assert (goal.figure, goal.reached) == ("1 of 2", False)
