"""What programs that use ours are told: a Python call, and the whole message of its error.

``calls.txt`` has ``$ CALL`` and lines to run before it, in a folder of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import Program, compile_net
from compiler.target.split_driver import drive
from returnn_ir import load
from returnn_ir.errors import UserError
from runtime.datasets import HDFWriter
from runtime.decoding import Vocabulary
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession
from runtime.learning_rate.literals import parse_literal
from tests.refused.transcripts import Entry, read

NET = """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {"output": {"class": "softmax", "from": "data", "loss": "ce"}}
"""


def names(folder: Path) -> dict[str, Any]:
    """What a call may use: a program of the reference target, its inputs and parameters, and further classes."""
    net = folder / "net.py"
    net.write_text(NET, encoding="utf-8")
    program = compile_net(load(net), target="reference", mode="eval")
    return {
        **{made.__name__: made for made in (HDFWriter, OnnxSession, Path, SearchDriver, Vocabulary, compile_net, load)},
        **{made.__name__: made for made in (drive, parse_literal)},
        "np": np,
        "program": program,
        "run": lambda **changes: _run(program, changes),
        "params": program.initial_params(),
    }


def _run(program: Program, changes: Mapping[str, Any]) -> None:
    """Run on a batch of two with some inputs changed; None: it is left away."""
    inputs = {
        "data": np.zeros((2, 3, 3), "float32"),
        "data/size1": np.array([3, 2], "int32"),
        "classes": np.zeros((2, 3), "int32"),
        "classes/size1": np.array([3, 2], "int32"),
        **changes,
    }
    program.run({k: v for k, v in inputs.items() if v is not None}, program.initial_params())


def refusal(entry: Entry, folder: Path) -> str:
    """The message of the error that a call ends with."""
    known = names(folder)
    for line in entry.lines:
        exec(line, known)
    with pytest.raises(UserError) as caught:
        eval(entry.command, known)
    return str(caught.value)


@pytest.mark.parametrize("entry", read("calls.txt"), ids=str)
def test_the_whole_message(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(entry, Path()) == entry.message
