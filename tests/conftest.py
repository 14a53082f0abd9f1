"""Options and environment of all tests."""

from __future__ import annotations

import os

import pytest

collect_ignore = ["faults"]  # configs and scripts that tests read

# before anything imports TensorFlow: no log of devices, one result whatever the machine
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--write-support`` writes docs/support.md instead of comparing it."""
    parser.addoption("--write-support", action="store_true", help="write docs/support.md")
