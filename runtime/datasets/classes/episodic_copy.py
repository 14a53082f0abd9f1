"""The episodic copy task: symbols must be remembered over a gap and be repeated.

With lengths of its own: Arjovsky, Shah, Bengio, "Unitary Evolution Recurrent Neural Networks" (2016). Draws follow
RETURNN's TaskEpisodicCopyDataset.
"""

from __future__ import annotations

from runtime.datasets.generating import GeneratedOptions, Letters, Random, generated, random_letters

__all__ = ["EpisodicCopy", "EpisodicCopyOptions"]

_BLANK, _MARK, _SYMBOLS = " ", ".", "01234567"


class EpisodicCopyOptions(GeneratedOptions):
    """Options of ``TaskEpisodicCopyDataset``: those of generated data."""


@generated("TaskEpisodicCopyDataset", options=EpisodicCopyOptions)
class EpisodicCopy(Letters):
    """1 to 9 symbols, 1 to 99 blanks, and marks from the first of which on the symbols and a mark are asked for."""

    inputs = outputs = _BLANK + _MARK + _SYMBOLS

    def read(self, random: Random) -> str:
        """Symbols, blanks, marks."""
        count = int(random.randint(1, 10))
        symbols = random_letters(random, _SYMBOLS, count)
        return symbols + _BLANK * int(random.randint(1, 100)) + _MARK * (count + 2)

    def answer(self, letters: str) -> str:
        """Blanks up to the first mark, then the symbols and marks."""
        start = letters.index(_MARK)
        symbols = letters[:start].replace(_BLANK, "")
        return (_BLANK * (start + 1) + symbols).ljust(len(letters), _MARK)
