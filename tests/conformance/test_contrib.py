"""A file of the profile onnxruntime that has none of its ops is the portable one, so it is not run twice.

A few that differ for CUDA are listed, and run twice, too.
"""

from __future__ import annotations

from typing import Any

import pytest

from compiler.check.recorded import Recorded, read_recorded
from compiler.program.parameters import unstarted_states
from compiler.program.program import compile_net
from returnn_ir import load
from tests.conformance.contrib import BY_DEVICE, DEVICE, PROFILE, contrib_cases
from tests.conformance.gaps import GOLDEN, all_cases, gap

FAMILIES = sorted({case.partition("/")[0] for case in all_cases()})


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_files_without_such_ops_are_equal(family: str) -> None:
    for case in all_cases():
        if case.startswith(f"{family}/") and gap(case, "onnx") is None and case not in contrib_cases():
            recorded = read_recorded(GOLDEN / f"{case}.npz")
            same = _graph(case, recorded, profile=PROFILE, device=DEVICE) == _graph(case, recorded)
            assert same == (case not in BY_DEVICE), case


def _graph(case: str, recorded: Recorded, **options: Any) -> bytes:
    net = load(GOLDEN / f"{case}.py", mode=recorded.mode)
    fetch = list(recorded.outputs)
    program = compile_net(net, target="onnx", mode=recorded.mode, fetch=fetch, everything=True, **options)
    executable: Any = program.executable
    model = executable.model({**unstarted_states(program), **recorded.params})
    content: bytes = model.graph.SerializeToString(deterministic=True)
    return content
