"""From labels to text: the names of the classes, and how they are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.config.returnn_classes import not_known
from returnn_ir.config.vocabulary import read_labels
from returnn_ir.errors import ConfigError, DataError, did_you_mean

__all__ = ["Vocabulary"]

#: How the labels of RETURNN's vocabulary classes are joined; None: bytes of UTF-8.
_SEPARATORS: Mapping[str, str | None] = {
    "Vocabulary": " ",
    "BytePairEncoding": " ",
    "SamplingBytePairEncoding": " ",
    "CharacterTargets": "",
    "Utf8ByteTargets": None,
}
_BPE_MARK = "@@"
_MAX_CHARACTERS = 1000  # RETURNN takes no larger vocabulary for one of characters


@dataclass(frozen=True)
class Vocabulary:
    """Names of the classes.

    Attributes:
        labels: by class index.
        separator: what stands between them; None: the labels are bytes of UTF-8.
    """

    labels: tuple[str, ...]
    separator: str | None = " "

    @staticmethod
    def of_labels(labels: Sequence[str]) -> Vocabulary:
        """RETURNN's reading of a list of labels: words, or characters where every label is one; 256 of them bytes."""
        labels = tuple(labels)
        if len(labels) >= _MAX_CHARACTERS or any(len(label) != 1 for label in labels):
            return Vocabulary(labels)
        if labels == tuple(map(chr, range(256))):
            return Vocabulary(labels, None)
        return Vocabulary(labels, "")

    @staticmethod
    def of_options(options: object, where: str) -> Vocabulary:
        """The ``vocab`` of a data key in ``extern_data``.

        Raises:
            ConfigError: a class or a form that is not supported.
            DataError: the file cannot be read.
        """
        if not isinstance(options, Mapping):
            raise ConfigError("vocab is a dict", where=where, received=type(options).__name__)
        name = str(options.get("class", "Vocabulary"))
        if name not in _SEPARATORS:
            what, hint = not_known("vocabulary class", name), did_you_mean(name, _SEPARATORS)
            raise ConfigError(what, where=where, expected=", ".join(_SEPARATORS), hint=hint)
        separator = _SEPARATORS[name]
        if separator is None:
            return Vocabulary(tuple(map(chr, range(256))), None)
        if options.get("labels") is not None:
            return Vocabulary(tuple(map(str, options["labels"])), separator)
        if not isinstance(options.get("vocab_file"), str):
            raise ConfigError("the vocabulary has no labels", where=where, expected="vocab_file or labels")
        return Vocabulary(read_labels(options["vocab_file"]), separator)

    @property
    def has_words(self) -> bool:
        """Whether several labels can make one word: subwords, or characters and blanks."""
        return any(label.endswith(_BPE_MARK) for label in self.labels) or (self.separator != " " and " " in self.labels)

    def text(self, labels: Array) -> str:
        """The text of a sequence of labels ``[T]``, or the name of one label.

        Raises:
            DataError: a label without a name.
        """
        if labels.size and (int(labels.min()) < 0 or int(labels.max()) >= len(self.labels)):
            worst = int(labels.max()) if int(labels.min()) >= 0 else int(labels.min())
            raise DataError(f"label {worst} is not in the vocabulary", expected=f"0 to {len(self.labels) - 1}")
        if labels.ndim == 0:
            return self.labels[int(labels)]
        if self.separator is None:
            return labels.reshape(-1).astype(np.uint8).tobytes().decode("utf-8", errors="replace")
        return self.separator.join(self.labels[int(label)] for label in labels.reshape(-1))

    @staticmethod
    def words(text: str) -> list[str]:
        """The words of a text, subwords merged."""
        return text.replace(f"{_BPE_MARK} ", "").split()
