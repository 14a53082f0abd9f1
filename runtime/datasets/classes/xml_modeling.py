"""The XML task: opening tags are random, closing ones follow from a stack that must be remembered.

Jozefowicz, Zaremba, Sutskever, "An Empirical Exploration of Recurrent Network Architectures" (2015). Draws follow
RETURNN's TaskXmlModelingDataset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from returnn_ir.options import Size
from runtime.datasets.generating import GeneratedOptions, Letters, Random, generated, random_letters

__all__ = ["XmlModeling", "XmlModelingOptions"]

_NAMES = "abcdefgh"


@dataclass(frozen=True, kw_only=True)
class XmlModelingOptions(GeneratedOptions):
    """Options of ``TaskXmlModelingDataset``.

    Attributes:
        limit_stack_depth: tags that are open at the same time, at most.
    """

    limit_stack_depth: Size = 4


@generated("TaskXmlModelingDataset", options=XmlModelingOptions)
class XmlModeling(Letters):
    """A blank, then opening and closing tags; asked for is the next letter where it is known, a blank elsewhere."""

    inputs = outputs = " <>/" + _NAMES

    def __init__(self, options: XmlModelingOptions) -> None:
        super().__init__(options)
        self._max_depth = options.limit_stack_depth

    def read(self, random: Random) -> str:
        """Tags, until none is open and a draw says so."""
        text, names = " ", list[str]()
        while True:
            if not names or (len(names) < self._max_depth and random.uniform() > 0.6):
                names.append(random_letters(random, _NAMES, int(random.randint(1, 10))))
                text += f"<{names[-1]}>"
            else:
                text += f"</{names.pop()}>"
            if not names and random.uniform() > 0.2:
                return text

    def answer(self, letters: str) -> str:
        """A tag begins behind a blank or a tag; from the slash on, a closing tag is that of the last one open."""
        answer, names = "<", list[str]()
        for slash, name in re.findall("<(/?)([^>]+)>", letters):
            if slash:
                answer += f" {names.pop()}><"
            else:
                names.append(name)
                answer += " " * (1 + len(name)) + "<"
        return answer
