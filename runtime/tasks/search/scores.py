"""How good the hypotheses of a search are: label errors, word errors, wrong sequences, and the best of the beam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler.target.protocol import Array
from runtime.decoding import Hypothesis, Vocabulary, edit_distance

__all__ = ["SearchScores"]

_EXAMPLES = 3
_UNUSED = -1e20  # slots of a beam that no hypothesis has taken have scores below


@dataclass
class _Errors:
    errors: int = 0
    total: int = 0

    def add(self, hypothesis: Sequence[object], reference: Sequence[object]) -> int:
        errors = edit_distance(hypothesis, reference)
        self.errors += errors
        self.total += len(reference)
        return errors

    @property
    def rate(self) -> float:
        return self.errors / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.rate:.2%} ({self.errors} of {self.total})"


@dataclass
class SearchScores:
    """Errors of one layer's hypotheses, summed over sequences.

    Attributes:
        vocabulary: names of the labels, where there are any.
        labels: edits of the hypotheses with the best score, by number of reference labels.
        words: the same for words, where several labels can make one.
        nbest: the same as ``labels`` for the hypothesis of each beam that has the fewest errors.
    """

    vocabulary: Vocabulary | None = None
    labels: _Errors = field(default_factory=_Errors)
    words: _Errors = field(default_factory=_Errors)
    nbest: _Errors = field(default_factory=_Errors)
    num_seqs: int = 0
    wrong_seqs: int = 0
    beam_size: int = 1
    examples: list[str] = field(default_factory=list)

    def add(self, tag: str, hypotheses: Sequence[Hypothesis], reference: Array) -> None:
        """Take one sequence in."""
        right = reference.reshape(-1).tolist()
        used = [h for h in hypotheses if h.score is None or h.score > _UNUSED] or list(hypotheses[:1])
        best = max(used, key=lambda h: h.score if h.score is not None else 0.0)
        errors = self.labels.add(best.value.reshape(-1).tolist(), right)
        self.num_seqs += 1
        self.wrong_seqs += errors > 0
        self.beam_size = max(self.beam_size, len(hypotheses))
        if len(hypotheses) > 1:
            self.nbest.total += len(right)
            self.nbest.errors += min(edit_distance(h.value.reshape(-1).tolist(), right) for h in used)
        if self.vocabulary is not None and self.vocabulary.has_words:
            texts = self.vocabulary.text(best.value), self.vocabulary.text(reference)
            self.words.add(*map(Vocabulary.words, texts))
        if errors and len(self.examples) < _EXAMPLES:
            self.examples.append(f"{tag}: {self._shown(best.value)!r} instead of {self._shown(reference)!r}")

    def _shown(self, value: Array) -> str:
        return self.vocabulary.text(value) if self.vocabulary is not None else " ".join(map(str, value.reshape(-1)))

    def line(self) -> str:
        """``label error rate 1.23%``."""
        return f"label error rate {self.labels.rate:.2%}"

    def report(self) -> list[str]:
        """The lines of the summary."""
        lines = [f"label error rate {self.labels}"]
        if self.words.total:
            lines.append(f"word error rate {self.words}")
        lines.append(f"sequences with an error: {self.wrong_seqs} of {self.num_seqs}")
        if self.beam_size > 1:
            lines.append(f"label error rate of the best of {self.beam_size} hypotheses {self.nbest}")
        return [*lines, *(f"e.g. {example}" for example in self.examples)]
