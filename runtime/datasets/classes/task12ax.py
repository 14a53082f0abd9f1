"""The 12AX task: a long-term memory (the last digit) and a short-term one (the last letter) are needed.

O'Reilly and Frank, "Making Working Memory Work", Neural Computation 18 (2006). Draws and seeds follow RETURNN's
Task12AXDataset, so that an epoch has the same sequences.
"""

from __future__ import annotations

from collections.abc import Mapping

from runtime.datasets.generating import GeneratedOptions, Letters, Random, generated

__all__ = ["Task12AX", "Task12AXOptions"]


class Task12AXOptions(GeneratedOptions):
    """Options of ``Task12AXDataset``: those of generated data."""


@generated("Task12AXDataset", options=Task12AXOptions)
class Task12AX(Letters):
    """Sequences of 10 to 99 symbols; "data" is one-hot ``[T, 9]``, "classes" says where a target sequence ends."""

    inputs, outputs, targets_dtype = "123ABCXYZ", "LR", "int32"

    def read(self, random: Random) -> str:
        """Draw symbols; "AX" and "BY" are frequent, so that targets are not too rare.

        Repeats: perhaps a digit (half of the time), mostly one of the two pairs (9 of 10), then any symbols while a
        coin says so.
        """
        length = int(random.randint(10, 100))
        symbols = ("", "1", "2")[random.randint(3)]
        while len(symbols) < length:
            if random.uniform() < 0.5:
                symbols += "12"[random.randint(2)]
            if random.uniform() < 0.9:
                symbols += ("AX", "BY")[random.randint(2)]
            while random.uniform() < 0.5:
                symbols += self.inputs[random.randint(len(self.inputs))]
        return symbols[:length]

    def lengths(self, random: Random, index: int, epoch: int) -> Mapping[str, int]:
        """The first draw."""
        return dict.fromkeys(self.specs, int(random.randint(10, 100)))

    def answer(self, letters: str) -> str:
        """R where "1 .. A X" or "2 .. B Y" is complete, L elsewhere."""
        digit, letter, result = "", "", ""
        for char in letters:
            found = False
            if char in "12":
                digit = char
            elif char in "AB":
                letter = char
            elif char in "XY":
                found = digit + letter + char in ("1AX", "2BY")
                letter = ""
            result += "LR"[found]
        return result
