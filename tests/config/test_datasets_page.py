"""``docs/datasets.md`` is current, and says something about every class and option."""

from __future__ import annotations

import pytest

from returnn_ir.options import option_fields
from runtime.datasets.registry import DatasetClass, dataset_names
from tests.config.datasets_page import PAGE, dataset_classes, datasets_page
from tests.config.layers_page import attribute_docs


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == datasets_page(), "make options"


@pytest.mark.parametrize("found", dataset_classes(), ids=lambda found: found.name)
def test_every_option_has_a_line(found: DatasetClass) -> None:
    """And only options have one."""
    docs = attribute_docs(found.options)
    assert set(docs) == {field.name for field in option_fields(found.options)}
    assert all(text.endswith(".") for text in docs.values())


def test_every_class_is_there_once() -> None:
    headings = [line for line in datasets_page().splitlines() if line.startswith("## `")]
    assert headings == [f"## `{name}`" for name in dataset_names()]
    assert "\n\n\n" not in datasets_page()  # a summary is never empty
