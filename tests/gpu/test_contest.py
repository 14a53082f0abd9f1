"""Processes that take turns: their answers, and what is said of those that fail."""

from __future__ import annotations

import sys
import time

import pytest

from tests.gpu.contest import Contestant, Crew, medians
from tests.gpu.part import Part
from tests.gpu.steps import Job
from tests.gpu.workers import TooSlow, Worker, WorkerError

SERVE = (
    "import os, sys, time; from tests.gpu.workers import serve; print('noise')\n"
    "def answer(request):\n"
    "    print('more noise')\n"
    "    if request == 'end': os._exit(7)\n"
    "    if request == 'sleep': time.sleep(60)\n"
    "    return {'twice': 2 * request}\n"
    "serve(answer)"
)
#: The first argument is how long a step takes.
STEPS = (
    "import sys, time; from tests.gpu.steps import serve_steps\n"
    "serve_steps(lambda job: lambda: time.sleep(float(sys.argv[1])))"
)
ONLY_TRANSFORMER = "from tests.gpu.steps import serve_steps\nserve_steps(lambda job: {'transformer': int}[job.model])"
JOB = Job("blstm", 8, tf32=True, small=True)


def _worker() -> Worker:
    return Worker([sys.executable, "-c", SERVE])


def test_requests_and_replies() -> None:
    worker = _worker()
    assert [worker.ask(n, 60.0)["twice"] for n in (1, 2)] == [2, 4]
    with pytest.raises(WorkerError, match=r"^TypeError: unsupported operand type\(s\) for \*: 'int' and 'NoneType'$"):
        worker.ask(None, 60.0)
    assert worker.ask(3, 60.0) == {"twice": 6}
    worker.close()


def test_a_worker_that_ends() -> None:
    worker = _worker()
    with pytest.raises(WorkerError, match=r"^the process ended with 7: more noise$"):
        worker.ask("end", 60.0)
    worker.close()


def test_a_worker_that_takes_too_long() -> None:
    worker = _worker()
    worker.ask(1, 60.0)
    with pytest.raises(TooSlow, match=r"^no answer in 0 s$"):
        worker.ask("sleep", 0.2)
    worker.close()


def test_no_time_is_no_failure() -> None:
    part = Part("loops", deadline=time.monotonic() - 60.0)
    crew = Crew({"slow": Contestant([sys.executable, "-c", STEPS, "60"])})
    crew.contest(part, JOB)
    (record,) = part.found
    assert (record["errors"], record["wrong"]) == ({"slow": "no time: no answer in 2 s"}, [])
    assert record["line"] == "blstm, 3 x 8 frames, TF32 on: nobody"


def test_turns(capsys: pytest.CaptureFixture[str]) -> None:
    def steps(code: str, *arguments: str, models: tuple[str, ...] = ("blstm",)) -> Contestant:
        return Contestant([sys.executable, "-c", code, *arguments], models)

    contestants = {"slow": steps(STEPS, "0.02"), "fast": steps(STEPS, "0.01"), "fails": steps(ONLY_TRANSFORMER)}
    crew, part = Crew({**contestants, "lacks": steps(STEPS, "0", models=("gru",))}), Part("training", rounds=2)
    crew.contest(part, JOB)
    crew.close()
    (record,) = part.found
    assert list(record["seconds"]) == ["slow", "fast"]
    assert all(len(seconds) == 2 and min(seconds) >= 0.01 for seconds in record["seconds"].values())
    assert all(first["first"] >= 0.01 and first["prepare"] >= 0 for first in record["first"].values())
    assert record["errors"] == {"fails": "KeyError: 'blstm'"}
    assert record["wrong"] == ["blstm, 3 x 8 frames, TF32 on: fails: KeyError: 'blstm'"]
    assert Job(**record["job"]) == JOB
    assert capsys.readouterr().out.startswith("training: blstm, 3 x 8 frames, TF32 on: slow 2")


def test_precisions() -> None:
    contestant = Contestant([], models=["blstm"], precisions=["bfloat16"])
    had = [contestant.has(Job("blstm", 8, precision=precision)) for precision in (None, "bfloat16", "float16")]
    assert had == [True, True, False]
    assert not contestant.has(Job("gru", 8))


def test_medians() -> None:
    assert medians({"a": [3.0, 1.0, 2.0], "b": []}) == {"a": 2.0}
