"""The variable assignment task: values of keys are told, then one of them is asked for.

Danihelka et al., "Associative Long Short-Term Memory" (2016). Draws follow RETURNN's TaskVariableAssignmentDataset.
"""

from __future__ import annotations

from runtime.datasets.generating import GeneratedOptions, Letters, Random, generated, random_letters

__all__ = ["VariableAssignment", "VariableAssignmentOptions"]

_LETTERS = "abcdefgh"


class VariableAssignmentOptions(GeneratedOptions):
    """Options of ``TaskVariableAssignmentDataset``: those of generated data."""


@generated("TaskVariableAssignmentDataset", options=VariableAssignmentOptions)
class VariableAssignment(Letters):
    """``S(key,value),S(key,value),Q(key)value.``; asked for is the next letter within the value and the end of it."""

    inputs = outputs = " ,.SQ()" + _LETTERS

    def read(self, random: Random) -> str:
        """1 to 4 assignments and the query of one of them."""
        values: dict[str, str] = {}
        for _ in range(int(random.randint(1, 5))):
            size = int(random.randint(2, 5))
            key = random_letters(random, _LETTERS, size)
            while key in values:
                key = random_letters(random, _LETTERS, size)
            values[key] = random_letters(random, _LETTERS, int(random.randint(1, 2)))
        key = list(values)[random.randint(len(values))]
        assignments = ",".join(f"S({name},{value})" for name, value in values.items())
        return f"{assignments},Q({key}){values[key]}."

    def answer(self, letters: str) -> str:
        """Blanks, but for the value and the full stop, each one letter before."""
        value = letters[letters.rindex(")") + 1 :]
        return " " * (len(letters) - len(value) - 1) + value + " "
