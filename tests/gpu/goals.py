"""The goals for a GPU beside what was measured. Standard library only."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.gpu.part import Record

__all__ = ["AGREEMENT", "KERNELS", "MEMCPY", "Goal", "goal_lines", "goals"]

#: Memcpy nodes that a model may have.
MEMCPY: Mapping[str, int] = {
    "transformer": 4,
    "conformer": 4,
    "blstm": 2,
    "attention search": 4,
    "transformer search": 4,
}


@dataclass(frozen=True)
class Goal:
    """One row.

    Attributes:
        what: was measured.
        wanted: the limit; empty where there is none, and the figure is for information.
        figure: empty if it was not measured.
        reached: None without a limit or a figure.
    """

    what: str
    wanted: str
    figure: str = ""
    reached: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return asdict(self)


@dataclass(frozen=True)
class _Ratio:
    """The time of one contestant is at most so many times that of another one."""

    what: str
    part: str
    model: str
    how: str
    over: tuple[str, str]
    limit: float | None = None

    def rows(self, records: Sequence[Record]) -> Iterator[Goal]:
        own, peer = self.over
        wanted = f"<= {self.limit:g} x {peer}" if self.limit is not None else ""
        held = [r for r in records if r["part"] == self.part and _is_of(r, self.model, self.how)]
        found = [(r["name"], times) for r in held if {own, peer} <= (times := _medians(r)).keys()]
        for name, times in found:
            ratio = times[own] / times[peer]
            figure = f"{ratio:.2f} ({times[own] * 1e3:.2f} / {times[peer] * 1e3:.2f} ms)"
            reached = ratio <= self.limit if self.limit is not None else None
            yield Goal(f"{self.what}, {name}: {own} / {peer}", wanted, figure, reached)
        if not found:
            yield Goal(f"{self.what}, {self.model}, {self.how}: {own} / {peer}", wanted)


_OVER_TORCH, _OVER_BEFORE = ("ours", "PyTorch"), ("ours", "before")

_RATIOS = (
    _Ratio("training step", "training", "blstm", "TF32 on", _OVER_TORCH, 1.0),
    _Ratio("training step", "training", "blstm", "TF32 off", _OVER_TORCH),
    _Ratio("training step", "training", "blstm", "bfloat16", _OVER_TORCH),
    _Ratio("training step", "training", "transformer", "TF32 on", _OVER_TORCH, 1.1),
    _Ratio("training step", "training", "transformer", "bfloat16", _OVER_TORCH, 1.2),
    _Ratio("training step", "training", "conformer", "TF32 on", _OVER_TORCH),
    _Ratio("training step", "training", "conformer", "bfloat16", _OVER_TORCH),
    _Ratio("training step", "training", "attention", "TF32 off", _OVER_BEFORE, 0.5),
    _Ratio("training step", "training", "attention", "TF32 on", _OVER_BEFORE, 0.5),
    _Ratio("training step", "training", "gru", "TF32 off", _OVER_BEFORE),
    _Ratio("training step", "training", "transformer", "TF32 on", _OVER_BEFORE),
    _Ratio("training step", "training", "conformer", "TF32 on", _OVER_BEFORE),
    *(
        _Ratio("forward", "forward", model, how, (profile, "PyTorch"))
        for model in ("transformer", "conformer", "blstm")
        for how in ("float16", "TF32 on", "TF32 off")
        for profile in ("onnxruntime", "portable")
    ),
)
SEARCH_TIMES = 3.0
AGREEMENT, KERNELS = 1e-4, 1e-5


def goals(records: Sequence[Record]) -> list[Goal]:
    """All of them, measured or not."""
    made = [goal for ratio in _RATIOS for goal in ratio.rows(records)]
    return [*made, *_searches(records), *_turns(records), *_copies(records), *_agreement(records), *_cases(records)]


def goal_lines(found: Sequence[Goal]) -> list[str]:
    """A table: the goal, the figure, whether it is reached. Without a limit only where there is a figure."""
    shown = [goal for goal in found if goal.wanted or goal.figure]
    said = {True: "yes", False: "NO", None: ""}
    rows = [("goal", "limit", "figure", "reached")]
    rows += [(g.what, g.wanted, g.figure or "not measured", said[g.reached]) for g in shown]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _searches(records: Sequence[Record]) -> Iterator[Goal]:
    wanted = f">= {SEARCH_TIMES:g} x fewer ms per step"
    times = [(r["name"], r["ms_per_step"]) for r in records if r["part"] == "search" and "ms_per_step" in r]
    found = [(name, held) for name, held in times if {"loop", "fixed sizes"} <= held.keys()]
    for name, held in found:
        factor = held["loop"] / held["fixed sizes"]
        figure = f"{factor:.2f} ({held['loop']:.3f} / {held['fixed sizes']:.3f} ms)"
        yield Goal(f"search, {name}: loop / fixed sizes", wanted, figure, factor >= SEARCH_TIMES)
    if not found:
        yield Goal("search: loop / fixed sizes", wanted)


def _turns(records: Sequence[Record]) -> Iterator[Goal]:
    """Steps that are one turn of a loop: no goal, but which number is the best."""
    for record in (r for r in records if r["part"] == "loops" and "seconds" in r):
        times, first = _medians(record), record["first"]
        figure = ", ".join(
            f"{name} {seconds * 1e3:.1f} ms (first {first[name]['first']:.1f} s)" for name, seconds in times.items()
        )
        yield Goal(f"steps of a loop that are one turn, {record['name']}", "", figure)


def _copies(records: Sequence[Record]) -> Iterator[Goal]:
    for model, limit in MEMCPY.items():
        search = model.endswith("search")
        wanted = f"<= {limit} Memcpy" + (", none in the loop" if search else "")
        found = [r for r in records if r["part"] == "borders" and r.get("model") == model and "memcpy" in r]
        for record in found:
            figure = f"{record['memcpy']}" + (f", {record['in_bodies']} in the loop" if search else "")
            figure += "" if record["real"] else " (counted)"
            reached = record["memcpy"] <= limit and not (search and record["in_bodies"])
            yield Goal(f"copies, {model}, {record['profile']}", wanted, figure, reached)
        if not found:
            yield Goal(f"copies, {model}", wanted)
    real = [r for r in records if r["part"] == "borders" and r.get("real")]
    borders = [r["borders"] for r in records if r["part"] == "cases" and r.get("borders") is not None]
    borders += [[text for text in r["wrong"] if "not as counted" in text] for r in real]
    yield _all("placement as counted", "every model", borders, lambda held: not held)


def _agreement(records: Sequence[Record]) -> Iterator[Goal]:
    mine = [r for r in records if r["part"] == "agreement"]
    for what, key, limit in (
        ("loss and gradients beside the CPU's", "differences", AGREEMENT),
        ("cuDNN's LSTM beside the loops", "kernels", KERNELS),
    ):
        held = [r for r in mine if r.get(key)]
        for record in held:
            worst = max(record[key].values(), key=lambda d: d if d == d else float("inf"))
            name = f"{what}, {record['model']}" if "model" in record else what
            yield Goal(name, f"< {limit:g}", f"{worst:.1e}", worst < limit)
        if not held:
            yield Goal(what, f"< {limit:g}")


def _cases(records: Sequence[Record]) -> Iterator[Goal]:
    for profile in ("portable", "onnxruntime"):
        mine = [r for r in records if r["part"] == "cases" and r.get("profile") == profile and not r["refused"]]
        yield _all(f"golden cases, {profile}", "all right", mine, lambda held: bool(held["ok"]))


def _all(what: str, wanted: str, held: Sequence[Any], is_right: Callable[[Any], bool]) -> Goal:
    right = sum(map(is_right, held))
    return Goal(what, wanted, f"{right} of {len(held)}", right == len(held)) if held else Goal(what, wanted)


def _is_of(record: Record, model: str, how: str) -> bool:
    job = record.get("job")
    return job is not None and job["model"] == model and record["name"].endswith(how)


def _medians(record: Record) -> dict[str, float]:
    return {name: statistics.median(held) for name, held in record["seconds"].items() if held}
