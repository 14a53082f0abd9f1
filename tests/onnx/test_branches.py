"""Branches as ``If``, against the reference."""

from __future__ import annotations

import pytest

from tests.branches import BRANCHES, PREDICATES
from tests.onnx.graphs import agree


@pytest.mark.parametrize("lengths", [(5, 1, 3), (2, 0)])
@pytest.mark.parametrize("limit", PREDICATES)
@pytest.mark.parametrize("name", BRANCHES)
def test_agrees_with_the_reference(name: str, limit: float, lengths: tuple[int, ...]) -> None:
    agree(lambda net: BRANCHES[name](net, limit), lengths)
