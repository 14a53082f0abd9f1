"""Error rates of a search, and how they are reported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.decoding import Hypothesis, Vocabulary
from runtime.tasks.search.scores import SearchScores


def _hypothesis(labels: Sequence[int], score: float | None = None) -> Hypothesis:
    return Hypothesis(np.array(labels, np.int32), score)


def test_one_hypothesis_each() -> None:
    scores = SearchScores()
    scores.add("seq-0", [_hypothesis([1, 2, 3])], np.array([1, 2, 3]))
    assert scores.report() == ["label error rate 0.00% (0 of 3)", "sequences with an error: 0 of 1"]
    scores.add("seq-1", [_hypothesis([1])], np.array([1, 2, 3, 4, 5]))
    assert scores.line() == "label error rate 50.00%"
    assert scores.report() == [
        "label error rate 50.00% (4 of 8)",
        "sequences with an error: 1 of 2",
        "e.g. seq-1: '1' instead of '1 2 3 4 5'",
    ]


def test_a_beam_counts_its_best_score_and_its_fewest_errors() -> None:
    """A slot that is not used counts for neither, although its labels are right."""
    scores = SearchScores()
    beam = [_hypothesis([1, 9], -2.0), _hypothesis([1, 8], -1.0), _hypothesis([1, 2], -1.5), _hypothesis([3], -1e30)]
    scores.add("seq-0", beam, np.array([1, 2]))
    scores.add("seq-1", beam, np.array([3]))
    assert scores.report() == [
        "label error rate 100.00% (3 of 3)",
        "sequences with an error: 2 of 2",
        "label error rate of the best of 4 hypotheses 66.67% (2 of 3)",
        "e.g. seq-0: '1 8' instead of '1 2'",
        "e.g. seq-1: '1 8' instead of '3'",
    ]


def test_a_beam_without_used_slots_counts_its_first() -> None:
    scores = SearchScores()
    scores.add("seq-0", [_hypothesis([1], -1e30), _hypothesis([2], -1e30)], np.array([1]))
    assert scores.labels.errors == scores.nbest.errors == 0


def test_words_of_several_labels() -> None:
    """Two of three subwords wrong are one of two words."""
    vocabulary = Vocabulary.of_options({"class": "BytePairEncoding", "labels": ["wo@@", "od", "a", "ke"]}, "classes")
    scores = SearchScores(vocabulary)
    scores.add("seq-0", [_hypothesis([2, 0, 1])], np.array([2, 0, 3]))
    assert scores.report() == [
        "label error rate 33.33% (1 of 3)",
        "word error rate 50.00% (1 of 2)",
        "sequences with an error: 1 of 1",
        "e.g. seq-0: 'a wo@@ od' instead of 'a wo@@ ke'",
    ]


def test_names_and_a_few_examples() -> None:
    scores = SearchScores(Vocabulary.of_labels(["</s>", "one", "two"]))
    for i in range(9):
        scores.add(f"seq-{i}", [_hypothesis([1, 2])], np.array([2]))
    examples = [line for line in scores.report() if line.startswith("e.g. ")]
    assert examples == [f"e.g. seq-{i}: 'one two' instead of 'two'" for i in range(len(examples))]
    assert 0 < len(examples) < 9
    assert "word error rate" not in "".join(scores.report())
    assert SearchScores().line() == "label error rate 0.00%"
