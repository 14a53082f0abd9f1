"""``docs/layers.md`` is current, and says something about every layer, loss, unit and option."""

from __future__ import annotations

from typing import Any

import pytest

from returnn_ir.network.layer_registry import layer_names
from returnn_ir.network.loss_registry import loss_names
from returnn_ir.options import option_fields
from tests.config.layers_page import PAGE, attribute_docs, layers_page, option_classes


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == layers_page(), "make options"


@pytest.mark.parametrize("cls", option_classes(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_option_has_a_line(cls: type[Any]) -> None:
    """And only options have one."""
    docs = attribute_docs(cls)
    assert set(docs) == {field.name for field in option_fields(cls)}
    assert all(text.endswith(".") for text in docs.values())


def test_every_layer_and_loss_is_there_once() -> None:
    page = layers_page()
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    for name in layer_names():
        assert sum(f"`{name}`" in line for line in headings if "Loss" not in line and "Unit" not in line) == 1, name
    for name in loss_names():
        assert headings.count(f"### Loss `{name}`") == 1
    assert "\n\n (" not in page  # a summary is never empty
