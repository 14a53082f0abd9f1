"""Vocabularies: the names of classes in a file, and RETURNN's ``Vocabulary`` as a config's code uses it."""

from __future__ import annotations

import ast
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from returnn_ir.config.restricted_pickle import load_pickle
from returnn_ir.config.returnn_classes import not_known
from returnn_ir.errors import ConfigError, DataError

__all__ = ["ConfigVocabulary", "number_of_labels", "read_labels"]

#: Those whose labels are in ``vocab_file``; the class decides how text is cut, not which labels there are.
_CLASSES = ("Vocabulary", "BytePairEncoding", "SamplingBytePairEncoding")


def read_labels(path: str) -> tuple[str, ...]:
    """The names by class index: one per line, or a dict from label to index as Python text or in a pickle (``.pkl``).

    Raises:
        DataError: the file cannot be read, holds something else, or leaves out an index.
    """
    table = _read(path)
    if isinstance(table, tuple):
        return table
    by_index = dict(sorted((index, label) for label, index in _entries(path, table)))
    if list(by_index) != list(range(len(by_index))):
        raise DataError("the vocabulary does not use all indices", where=path, expected=f"0 to {len(by_index) - 1}")
    return tuple(by_index.values())


def number_of_labels(options: Mapping[str, Any]) -> int | None:
    """How many labels the ``vocab`` of a data key has; None where that is not in a file or a list.

    Raises:
        DataError: the file cannot be read.
    """
    labels, path = options.get("labels"), options.get("vocab_file")
    if isinstance(labels, (list, tuple)):
        return len(labels)
    if options.get("class") == "Utf8ByteTargets":
        return 256
    return _number_in_file(path, _version(path)) if isinstance(path, str) else None


@lru_cache
def _number_in_file(path: str, version: tuple[int, ...]) -> int:
    """Of a file that is read once, however many networks of a training ask."""
    return len(read_labels(path))


def _version(path: str) -> tuple[int, ...]:
    """Another one after each change of the file; empty for one that cannot be read."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: str) -> object:
    """The labels of lines, or the dict."""
    try:
        raw = Path(path).read_bytes()
        if path.endswith(".pkl"):
            return load_pickle(raw, path, encoding="ascii")
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode("utf-8")
        table: object = ast.literal_eval(text.strip()) if text.startswith("{") else tuple(text.splitlines())
    except (OSError, EOFError, ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise DataError("cannot read the vocabulary", where=path, received=str(error)) from error
    return table


def _entries(path: str, table: object) -> Iterator[tuple[str, int]]:
    expected = "a dict from label to index"
    if not isinstance(table, dict):
        raise DataError("the vocabulary is no dict", where=path, expected=expected, received=type(table).__name__)
    for label, index in table.items():
        if not isinstance(index, (int, np.integer)):
            received = f"{label!r}: {index!r}"
            raise DataError("an index of the vocabulary is no number", where=path, expected=expected, received=received)
        yield str(label), int(index)


class ConfigVocabulary:
    """What ``returnn.datasets.generating.Vocabulary`` is to a config: labels and their indices.

    Args:
        vocab_file: see :func:`read_labels`.
        unknown_label: what a word without an index becomes; None: there is none.
        labels: instead of a file.
        bpe_file: how words are cut into labels, for text; it does not change which labels there are.
    """

    def __init__(
        self,
        vocab_file: str | None = None,
        *,
        unknown_label: str | int | None = "UNK",
        bos_label: str | int | None = None,
        eos_label: str | int | None = None,
        pad_label: str | int | None = None,
        num_labels: int | None = None,
        seq_postfix: Sequence[int] = (),
        labels: Sequence[str] | Callable[[], Sequence[str]] | None = None,
        bpe_file: str | None = None,
    ) -> None:
        if labels is None and vocab_file is None:
            raise ConfigError("the vocabulary has no labels", expected="vocab_file or labels")
        self.vocab_file = vocab_file
        given = labels() if callable(labels) else labels
        self.labels: list[str] = list(self.read(str(vocab_file), num_labels) if given is None else given)
        self.num_labels = len(self.labels)
        if num_labels not in (None, self.num_labels):
            raise DataError(
                "the vocabulary has another size", where=vocab_file, expected=num_labels, received=self.num_labels
            )
        self.unknown_label_id = self.to_id(unknown_label, None)
        self.bos_label_id, self.eos_label_id, self.pad_label_id = map(self.to_id, (bos_label, eos_label, pad_label))
        self.seq_postfix = list(seq_postfix)
        self.bpe_file = bpe_file

    @staticmethod
    def read(vocab_file: str, num_labels: int | None) -> Sequence[str]:
        """The labels in a file, of which there should be so many."""
        return read_labels(vocab_file)

    @classmethod
    def create_vocab(cls, **options: Any) -> ConfigVocabulary:
        """Of a dict of options.

        Raises:
            ConfigError: a class or an option whose meaning is not known here.
        """
        name = options.pop("class", "Vocabulary")
        if name not in _CLASSES:
            raise ConfigError(not_known("vocabulary class", str(name)), expected=", ".join(_CLASSES))
        try:
            return cls(**options)
        except TypeError as error:
            raise ConfigError(f"the vocabulary cannot be made: {error}") from error

    @staticmethod
    def create_vocab_dict_from_labels(labels: Iterable[str]) -> dict[str, int]:
        """From label to index."""
        return {label: index for index, label in enumerate(labels)}

    @cached_property
    def _indices(self) -> Mapping[str, int]:
        return self.create_vocab_dict_from_labels(self.labels)

    def to_id(self, label: str | int | None, default: int | type[KeyError] | None = KeyError) -> int | None:
        """The index of a label; an index stays as it is, None is None."""
        if isinstance(label, int) or label is None:
            return label
        return self.label_to_id(label, default)

    def label_to_id(self, label: str, default: int | type[KeyError] | None = KeyError) -> int | None:
        """The index of a label; one that is not there is a KeyError, or the default."""
        return self._indices[label] if default is KeyError else self._indices.get(label, default)  # type: ignore[arg-type]

    def id_to_label(self, index: int) -> str:
        """The label of an index."""
        if not self.is_id_valid(index):
            raise KeyError(f"label {index} is not in the vocabulary")
        return self.labels[index]

    def is_id_valid(self, index: int) -> bool:
        """Whether there is a label of that index."""
        return 0 <= index < self.num_labels

    def get_seq(self, sentence: str) -> list[int | None]:
        """The indices of a sentence whose labels are parted by blanks.

        Raises:
            ConfigError: the words would have to be cut into labels first.
        """
        if self.bpe_file is not None:
            raise ConfigError(
                "words are not cut into labels while a config loads", received=f"bpe_file {self.bpe_file!r}"
            )
        indices = [self.label_to_id(word, self._unknown) for word in sentence.split()]
        return [*indices, *self.seq_postfix]

    def get_seq_labels(self, seq: Iterable[int]) -> str:
        """The labels of indices, parted by blanks."""
        return " ".join(self.labels[index] for index in seq)

    @property
    def _unknown(self) -> int | type[KeyError]:
        return KeyError if self.unknown_label_id is None else self.unknown_label_id
