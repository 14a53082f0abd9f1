"""The pages themselves: links lead somewhere, and the glossary keeps its promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PLURALS = {"axes": "axis", "hypotheses": "hypothesis"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert not [link for link in links if not (page.parent / link.partition("#")[0]).exists()]


def _entries() -> list[str]:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    return rows[1:]


def test_the_glossary_is_in_order() -> None:
    assert _entries() == sorted(_entries(), key=str.lower)


def test_words_in_italics_have_an_entry() -> None:
    known = {word.strip().lower() for entry in _entries() for word in entry.split(",")}
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    used = {word.lower().removesuffix("'s").removesuffix("'") for word in re.findall(r"\*([^*\n]+)\*", text)}
    assert not {
        w for w in used - {"italics"} if not {w, w.removesuffix("s"), w.removesuffix("es"), _PLURALS.get(w)} & known
    }
