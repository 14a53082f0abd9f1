"""Dims and tensors answer a config as RETURNN's do; what only a running network could answer is refused by name."""

from __future__ import annotations

import json
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import pytest

from returnn_ir.config.dim_tags import DIM_NAMES
from returnn_ir.config.vocabulary import ConfigVocabulary
from returnn_ir.errors import ConfigError
from returnn_ir.ir.dim_names import AT_RUN_TIME
from returnn_ir.ir.dims import Dim
from tests.config.dim_expressions import ANSWERS, FIELDS, MADE, PREAMBLE

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "dims.json").read_text(encoding="utf-8"))

#: Answers that differ from RETURNN's, and why.
OTHERWISE: dict[str, str] = {
    "t+1 == 1+t": "True",  # constants are collected: the length is the same
}
#: Derived dims forget how they were made, as far as their size does not depend on it.
DESCRIBED_OTHERWISE = {
    *("t*2", "t*2*3", "q*2", "t/2", "t.div_right(2)", "t.ceildiv_left(2)", "t.div_left(2)", "a/2", "a/4", "m*3"),
    *("a.div_left(2)", "a.div_right(h)", "a.div_left(h)", "a.ceildiv_left(4)", "(h*b)//h"),
    *("1+t", "t.sub_left(1)", "t.ceildiv_right(2)*2", "t*-1"),
}


def names() -> dict[str, Any]:
    found: dict[str, Any] = {**DIM_NAMES, "copy": copy, "deepcopy": deepcopy}
    exec(PREAMBLE, found)
    return found


def fields(dim: Any) -> dict[str, object]:
    found = {field: eval(f"dim.{field}", {"dim": dim}) for field in FIELDS}
    return {field: v if isinstance(v, (int, str, type(None))) else v.name for field, v in found.items()}


@pytest.mark.parametrize("text", MADE)
def test_dims_are_those_of_returnn(text: str) -> None:
    expected = dict(zip(FIELDS, RECORDED["made"][text], strict=True))
    ours = fields(eval(text, names()))
    if text in DESCRIBED_OTHERWISE:
        assert ours["description"] != expected["description"]
        for field in ("description", "short_repr()"):
            del ours[field], expected[field]
    assert ours == expected


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_those_of_returnn(text: str) -> None:
    assert repr(eval(text, names())) == OTHERWISE.get(text, RECORDED["answers"][text])


def test_every_name_of_a_dim_is_there_or_refused() -> None:
    dim = Dim("T")
    there = {name for name in RECORDED["Dim"] if name not in AT_RUN_TIME}
    offered = {*dir(Dim), *dir(DIM_NAMES["Dim"])}
    assert sorted(there - offered) == []
    assert sorted(set(AT_RUN_TIME) - set(RECORDED["Dim"])) == []
    for name in AT_RUN_TIME:
        with pytest.raises(ConfigError) as caught:
            getattr(dim, name)
        assert str(caught.value) == (
            f"{name} of a Dim is about tensors of a running network, and a config has none while it loads\n"
            "  received: T(dynamic)\n"
            "  try: a layer gives them: 'length', 'range_in_axis', 'seq_len_mask'"
        )


@pytest.mark.parametrize(
    ("vocab", "size"),
    [
        ({"class": "Vocabulary", "vocab_file": "{folder}/words"}, 3),
        ({"class": "Utf8ByteTargets"}, 256),
        (ConfigVocabulary(labels=["a", "b"], unknown_label=None), 2),
        ({}, None),
    ],
)
def test_labels_are_as_many_as_the_vocabulary_has(vocab: Any, size: int | None, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("a\nb\nc\n", encoding="utf-8")
    if isinstance(vocab, dict):
        vocab = {key: text.format(folder=tmp_path) for key, text in vocab.items()}
    assert DIM_NAMES["Dim"](None, name="labels", vocab=vocab).dimension == size  # type: ignore[operator]
    assert DIM_NAMES["Dim"](7, name="labels", vocab=vocab).dimension == 7  # type: ignore[operator]


def test_a_vocabulary_whose_size_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        DIM_NAMES["Dim"](None, name="labels", vocab={"class": "SentencePieces"})  # type: ignore[operator]
    assert str(caught.value) == (
        "the vocab of a Dim does not say how many labels it has\n"
        "  expected: a dict with 'vocab_file' or a list of 'labels', or a Vocabulary\n"
        "  received: {'class': 'SentencePieces'}\n"
        "  try: give the dimension"
    )
