"""The files of a config's author: where they are here, and what stands for those that are not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from returnn_ir.config.vocabulary import read_labels
from returnn_ir.errors import ConfigError

if TYPE_CHECKING:
    from returnn_ir.config.options import Config

__all__ = ["AssumedArray", "AuthorFiles"]

_NOT_READ = "--assume-files takes files for given, but not what is in them: --map-path OLD=NEW says where a copy is"


class AuthorFiles:
    """What the code of one config finds at the paths that it names.

    Args:
        config: ``config.assume`` says where paths are and whether the others count as there; what was assumed is added
            to ``config.assumed``.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._kinds: dict[str, str] = {}

    def here(self, path: Any) -> Any:
        """Where a path is; what is no path stays."""
        if not isinstance(path, str | PurePath):
            return path
        name = str(path)
        moved = self._config.assume.path(name)
        return path if moved == name else type(path)(moved)

    def assumes(self, path: Any) -> bool:
        """Whether a path is not there and counts as there."""
        return self._config.assume.files and isinstance(path, str | PurePath) and not os.path.lexists(path)

    def note(self, path: object, what: str) -> None:
        """Adds to what was assumed; of each path the first that was said."""
        self._config.note_assumed(str(path), what)

    def is_there(self, path: Any, kind: str) -> bool:
        """Whether an assumed path is what it is asked to be, ``""`` for anything: the first question decides."""
        name = str(path)
        if kind:
            self._kinds.setdefault(name, kind)
        self.note(path, f"a {kind or 'file or folder'} that exists")
        return kind in ("", self._kinds.get(name, kind))

    def unknown_content(self, path: object) -> ConfigError:
        """The error of code that reads what is not there."""
        return ConfigError(
            f"the config reads {str(path)!r}, which is not here, and what is in it cannot be assumed", hint=_NOT_READ
        )

    # --- what the config's code calls in place of functions that take a path first

    def question(self, real: Callable[..., Any], kind: str) -> Callable[..., Any]:
        """``os.path.exists`` and its like."""

        def asked(path: Any) -> Any:
            path = self.here(path)
            return self.is_there(path, kind) if self.assumes(path) else real(path)

        return asked

    def reading(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """A function that wants what is in a file or folder."""

        def read(path: Any = ".", *args: Any, **options: Any) -> Any:
            path = self.here(path)
            if self.assumes(path):
                raise self.unknown_content(path)
            return real(path, *args, **options)

        return read

    def opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """``open`` and its like. What is written into a folder that is not there is lost."""

        def open_(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            file = self.here(file)
            if not self.assumes(file):
                return real(file, mode, *args, **options)
            if "r" in mode:
                raise self.unknown_content(file)
            if Path(file).parent.is_dir():
                return real(file, mode, *args, **options)
            self.note(file, "a file that can be written; nothing is")
            return real(os.devnull, mode.replace("x", "w"), *args, **options)

        return open_

    def making(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """``os.makedirs`` and its like, which make nothing."""

        def make(path: Any, *args: Any, **options: Any) -> Any:
            path = self.here(path)
            if self.assumes(path):
                self.is_there(path, "folder")
                return None
            return real(path, *args, **options)

        return make

    def finding(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """``glob.glob`` and its like: what fits is not assumed, and that nothing does is listed."""

        def find(pattern: Any, *args: Any, **options: Any) -> Any:
            pattern = self.here(pattern)
            result = real(pattern, *args, **options)
            found = list(result)
            if not found and self._config.assume.files:
                self.note(pattern, "a pattern that no file fits")
            return found if isinstance(result, list) else iter(found)

        return find

    def array(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """``numpy.loadtxt``: a vector that has the length of what it is first combined with."""

        def load(fname: Any, *args: Any, **options: Any) -> Any:
            fname = self.here(fname)
            if not self.assumes(fname):
                return real(fname, *args, **options)
            self.note(fname, "a vector of ones, as long as what it is combined with")
            return AssumedArray.of(str(fname), np.dtype(options.get("dtype", args[0] if args else np.float64)))

        return load

    def command(self, real: Callable[..., Any], answer: Callable[[str, Mapping[str, Any]], Any]) -> Callable[..., Any]:
        """A function that runs a command. The cluster's ``cf FILE`` says where FILE is: here, without a cluster."""

        def run(command: Any, *args: Any, **options: Any) -> Any:
            words = command.split() if isinstance(command, str) else command
            if not (isinstance(words, Sequence) and len(words) > 1 and PurePath(str(words[0])).name == "cf"):
                return real(command, *args, **options)
            path = self.here(words[-1])
            if self.assumes(path):
                self.is_there(path, "file")
            return answer(f"{path}\n", options)

        return run

    def labels(self, path: str, num_labels: int | None) -> Sequence[str]:
        """The labels of a vocabulary; of an assumed one as many as are asked for."""
        path = self.here(path)
        if not self.assumes(path):
            return read_labels(path)
        count = num_labels or self._declared_labels(path)
        if count is None:
            raise ConfigError(
                f"the config wants the labels of {path!r}, which is not here, and nothing says how many there are",
                expected="'num_labels' beside 'vocab_file', or extern_data with this file as 'vocab' and a 'dim'",
                hint=_NOT_READ,
            )
        self.note(path, f"a vocabulary of {count} labels")
        return [f"label{index}" for index in range(count)]

    def _declared_labels(self, path: str) -> int | None:
        """The ``dim`` of the data whose vocabulary this is."""
        declared = self._config.get("extern_data")
        for options in declared.values() if isinstance(declared, Mapping) else ():
            vocab = options.get("vocab") if isinstance(options, Mapping) else None
            file = vocab.get("vocab_file") if isinstance(vocab, Mapping) else vocab
            if isinstance(file, str) and self.here(file) == path and isinstance(options.get("dim"), int):
                return int(options["dim"])
        return None


class AssumedArray(np.ndarray[Any, np.dtype[Any]]):
    """A vector of one 1, which numpy and layers take for one of any length; who asks for its length is refused."""

    _name = ""

    @classmethod
    def of(cls, name: str, dtype: np.dtype[Any]) -> AssumedArray:
        """That of a file."""
        array = np.ones((1,), dtype).view(cls)
        array._name = name
        return array

    def __array_finalize__(self, obj: Any) -> None:
        self._name = getattr(obj, "_name", "")

    def __repr__(self) -> str:
        return f"<what is in {self._name}>" if super().shape == (1,) else super().__repr__()

    __str__ = __repr__

    @property  # type: ignore[misc]  # it is not set
    def shape(self) -> Any:
        """The sizes, once it is combined with something that has a length."""
        self._need_length()
        return super().shape

    @property
    def size(self) -> int:
        """The number of entries, once it is combined with something that has a length."""
        self._need_length()
        return super().size

    def _need_length(self) -> None:
        if super().shape == (1,):
            what = f"the config wants to know how much is in {self._name!r}, which is not here"
            raise ConfigError(what, hint=_NOT_READ)

    def __len__(self) -> int:
        self._need_length()
        return super().__len__()

    def __getitem__(self, index: Any) -> Any:
        self._need_length()
        return super().__getitem__(index)

    def __iter__(self) -> Any:
        self._need_length()
        return super().__iter__()
