"""The table of demos: what is read from runs, what is compared, and one demo by a RETURNN of the test's own."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from runtime.learning_rate.history import EpochData
from tests.published.demo_runs import Run, failure_of
from tests.published.demos import Demo, main, table

BROKEN = """Traceback
\x1b[31mKeyError\x1b[0m: 1
returnn.tf.util.basic.CannotHandle: no
AssertionError
Quitting
"""


def _run(*dev_scores: float, seconds: float = 10.0, failure: str = "") -> Run:
    epochs = {n + 1: EpochData(0.1, {"dev_score": s, "dev_error": s / 4}) for n, s in enumerate(dev_scores)}
    return Run(epochs, seconds, failure)


@pytest.mark.parametrize(
    "log, failure",
    [
        (BROKEN, "AssertionError"),
        ("start\n\x1b[31mKeyError\x1b[0m: 1\n\n", "KeyError: 1"),
        ("a.b.MyError: is named\nmore\n", "a.b.MyError: is named"),
        ("returnn-run: n.py: no net\n  expected: `network`\n", "returnn-run: n.py: no net"),
        ("", "it said nothing"),
    ],
)
def test_why_a_run_failed(log: str, failure: str) -> None:
    assert failure_of(log) == failure


def test_the_last_epoch_that_both_have_is_compared() -> None:
    demo = Demo("slow", _run(0.5, 0.25, failure="not done after 300 s"), _run(0.5, 0.2, 0.1))
    assert demo.compared == 2
    assert table([demo])[2:] == ["| slow | 2 | 0.25 | 0.0625 | 0.2 | 0.05 | 10 | 10 |"]


@pytest.mark.parametrize(
    "theirs, ours, as_good",
    [
        (_run(0.2), _run(0.4), True),
        (_run(0.2), _run(0.41), False),
        (_run(0.2), _run(failure="refused"), False),
        (_run(failure="SyntaxError"), _run(failure="refused"), True),
        (None, _run(failure="refused"), False),
        (None, _run(0.4), True),
    ],
)
def test_as_good_as_in_returnn(theirs: Run | None, ours: Run, as_good: bool) -> None:
    assert Demo("d", theirs, ours).as_good is as_good


def test_reasons_are_a_table_of_their_own() -> None:
    asked = Demo("a", _run(failure="E: a | b"), _run(failure="no such layer"))
    alone = Demo("b", None, _run(failure="refused"))
    assert table([asked, alone, Demo("c", None, _run(1 / 3))]) == [
        "| demo | epochs | RETURNN: dev score | error | here: dev score | error | RETURNN: processor s | here |",
        "|---|---|---|---|---|---|---|---|",
        "| c | 1 |  |  | 0.3333333 | 0.08333333 |  | 10 |",
        "",
        "| demo | RETURNN | here |",
        "|---|---|---|",
        "| a | E: a \\| b | no such layer |",
        "| b | not asked | refused |",
    ]


#: Stands for a Python with RETURNN: checks what it is asked, and writes the learning-rate file of one epoch.
RETURNN = """#!{python}
import os, sys
assert sys.argv[1:4] == ["-m", "returnn", {config!r}], sys.argv
os.getlogin()
options = dict(zip(sys.argv[4::2], sys.argv[5::2]))
assert options.pop("++save_epoch1_initial_model") == "1" and options["++gradient_noise"] == "0.0", options
with open(options["++learning_rate_file"], "w") as file:
    file.write("{{1: EpochData(learningRate=0.1, error={{'dev_score': 0.5, 'dev_error': 0.25}})}}")
"""


def test_a_demo_that_is_refused_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "demos" / "demo-x.config"
    config.parent.mkdir()
    config.write_text("#!rnn.py\nuse_tensorflow = True\n", encoding="utf-8")
    python = tmp_path / "python"
    python.write_text(RETURNN.format(python=sys.executable, config=str(config)), encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    words = [str(tmp_path), "--returnn-python", str(python), "--folder", str(tmp_path / "runs"), "--same-start"]
    assert main([*words, "--epochs", "1", "++gradient_noise", "0.0"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "[1/1] demo-x\n"
    refusal = f"returnn-run: {config}: there is no training data"
    assert captured.out.splitlines()[-1] == f"| demo-x | 1 epochs | {refusal} |"
    assert (tmp_path / "runs" / "demo-x" / "here" / "log").exists()
