"""Labels to text, how far hypotheses are from references, and hypotheses out of padded outputs."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from returnn_ir.errors import ConfigError, DataError
from runtime.decoding import Vocabulary, edit_distance, label_error_rate
from runtime.tasks.search.file import Scored, write_search_file


def test_words_characters_and_bytes() -> None:
    words = Vocabulary.of_labels(["</s>", "a", "tree"])
    assert words.text(np.array([1, 2])) == "a tree"
    assert words.text(np.array(2)) == "tree"
    assert words.text(np.zeros(0, np.int64)) == ""
    characters = Vocabulary.of_labels(["a", "b", " "])
    assert characters.text(np.array([0, 2, 1])) == "a b"
    assert characters.has_words
    assert not words.has_words
    raw = Vocabulary.of_labels([chr(i) for i in range(256)])
    assert raw.text(np.frombuffer("größe".encode(), np.uint8)) == "größe"


def test_subwords() -> None:
    subwords = Vocabulary.of_options({"class": "BytePairEncoding", "labels": ["wo@@", "od", "a"]}, "classes")
    text = subwords.text(np.array([2, 0, 1]))
    assert text == "a wo@@ od"
    assert subwords.has_words
    assert Vocabulary.words(text) == ["a", "wood"]


def test_vocabulary_files(tmp_path: Path) -> None:
    lines, table, holes = tmp_path / "lines.txt", tmp_path / "table.txt", tmp_path / "holes.txt"
    lines.write_text("a\nb\n", encoding="utf-8")
    table.write_text("{'b': 1, 'a': 0}\n", encoding="utf-8")
    holes.write_text("{'b': 2, 'a': 0}\n", encoding="utf-8")
    for path in (lines, table):
        assert Vocabulary.of_options({"vocab_file": str(path)}, "classes").labels == ("a", "b")
    with pytest.raises(DataError, match="does not use all indices"):
        Vocabulary.of_options({"vocab_file": str(holes)}, "classes")
    with pytest.raises(ConfigError, match="unknown vocabulary class"):
        Vocabulary.of_options({"class": "Vocabulari"}, "classes")
    with pytest.raises(DataError, match="label 2 is not in the vocabulary"):
        Vocabulary(("a", "b")).text(np.array([0, 2]))


def test_pickled_vocabularies(tmp_path: Path) -> None:
    """Read as data; of labels that share an index RETURNN takes the last one by name."""
    path = tmp_path / "vocab.pkl"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps({"grün": np.int32(1), "z": 0, "a": 0}, protocol))
        assert Vocabulary.of_options({"vocab_file": str(path)}, "classes").labels == ("z", "grün")
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(DataError, match=r"the pickle file is refused: it names builtins\.print"):
        Vocabulary.of_options({"vocab_file": str(path)}, "classes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'a', 'b'}", "the vocabulary is no dict\n  expected: a dict from label to index\n  received: set"),
        (
            "{'a': 0, 'b': 'x'}",
            "an index of the vocabulary is no number\n  expected: a dict from label to index\n  received: 'b': 'x'",
        ),
        ("{[]: 0}", "cannot read the vocabulary\n  received: unhashable type: 'list'"),
    ],
)
def test_files_that_are_no_vocabulary(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Vocabulary.of_options({"vocab_file": str(path)}, "classes")
    assert str(caught.value) == f"{path}: {message}"


@cache
def _distance(hypothesis: str, reference: str) -> int:
    """By definition: the cheapest way to remove, to insert, or to match the first label."""
    if not hypothesis or not reference:
        return len(hypothesis) + len(reference)
    removed = 1 + _distance(hypothesis[1:], reference)
    inserted = 1 + _distance(hypothesis, reference[1:])
    return min(removed, inserted, (hypothesis[0] != reference[0]) + _distance(hypothesis[1:], reference[1:]))


@pytest.mark.parametrize(
    ("hypothesis", "reference", "distance"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("", "abc", 3),
        ("abc", "abc", 0),
        ("xxabc", "abc", 2),
        ("abcxx", "abc", 2),
        ("c", "abc", 2),
        ("a", "abc", 2),
        ("axc", "abc", 1),
        ("ba", "ab", 2),
        ("kitten", "sitting", 3),
    ],
)
def test_edit_distance(hypothesis: str, reference: str, distance: int) -> None:
    assert edit_distance(hypothesis, reference) == distance
    assert edit_distance(reference, hypothesis) == distance


def test_edit_distance_of_all_short_sequences() -> None:
    words = ["".join(letters) for length in range(5) for letters in product("ab", repeat=length)]
    for hypothesis, reference in product(words, words):
        assert edit_distance(hypothesis, reference) == _distance(hypothesis, reference), (hypothesis, reference)


def test_label_error_rate() -> None:
    """Errors of all pairs by labels of all references, not a mean of rates; insertions count, too."""
    pairs: list[tuple[Sequence[int], Sequence[int]]] = [([1, 2, 3], [1, 2, 3]), ([9, 5], [5]), ([], [7, 7])]
    assert label_error_rate(pairs) == 3 / 6
    assert label_error_rate([([1, 2, 3], [4])]) == 3.0
    assert label_error_rate(iter(pairs[:1])) == 0.0
    assert label_error_rate([]) == 0.0
    assert label_error_rate([([1], [])]) == 0.0


def test_files_as_returnn_writes_them(tmp_path: Path) -> None:
    """The expected texts are RETURNN's, apart from NumPy 2's way to show a float32."""
    beam: Scored = [(-9.025753e-06, "748529"), (float("-inf"), "")]
    path = tmp_path / "a.py"
    write_search_file(path, "py", [("line-0", beam), ("it's", "606")])
    assert (
        path.read_text()
        == "{\n'line-0': [\n(-9.025753e-06, '748529'),\n(float('-inf'), ''),\n],\n\"it's\": '606',\n}\n"
    )
    write_search_file(path, "py", [("line-0", {"b": [(-0.5, "1")], "a": "1"})])
    assert path.read_text() == "{\n'line-0': {'a': '1', 'b': [\n(-0.5, '1'),\n]},\n}\n"
    write_search_file(path, "py", [("line-0", {"nbest": beam, "decision": "748529"})])
    assert path.read_text().startswith(
        "{\n'line-0': {\n'decision': '748529',\n'nbest': [\n(-9.025753e-06, '748529'),\n"
    )
    text = tmp_path / "b.txt"
    write_search_file(text, "txt", [("line-0", [(-0.5, "1"), (-1.5, "2")]), ("line-1", "3")])
    assert text.read_text() == "[(-0.5, '1'), (-1.5, '2')]\n3\n"
