"""Every ``.ir`` file here is a test, see :mod:`tests.filecheck`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.filecheck import check_file

FILES = sorted(Path(__file__).parent.glob("*.ir"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    check_file(path)
