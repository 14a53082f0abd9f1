"""Loops that end by themselves, and dims of a loop's body, against the reference."""

from __future__ import annotations

import pytest

from tests.loops import BODY_DIMS, LENGTHS, REPEATED, UNTIL
from tests.onnx.graphs import agree

NETS = {**UNTIL, **BODY_DIMS, **REPEATED}


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", NETS)
def test_agrees_with_the_reference(name: str, lengths: tuple[int, ...]) -> None:
    agree(NETS[name], lengths)
