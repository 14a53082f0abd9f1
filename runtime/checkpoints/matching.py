"""Which variables of one checkpoint are which ones of the network: by name, by rule, or by functions of the config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from compiler.checkpoint.reader import CheckpointReader
from compiler.target.protocol import Array
from returnn_ir.errors import ConfigError, DataError, Origin, ProblemList, UserError, did_you_mean
from runtime.checkpoints.coverage import Coverage, shortened
from runtime.checkpoints.files import GLOBAL_STEP
from runtime.checkpoints.importers import Fit, Importer
from runtime.checkpoints.reader_view import ReaderView
from runtime.checkpoints.renames import Conversion, conversions
from runtime.checkpoints.sources import Source, Wanted

__all__ = ["FileRequest", "match_file"]

#: Not more missing variables than that are told one by one.
_SINGLE = 8


@dataclass(frozen=True)
class FileRequest:
    """What is asked of a file.

    Attributes:
        asked: variables that no file before gives a value, each with its name in this one.
        entry: its name in ``preload_from_files``; None: the run's own checkpoint.
        where: the entry in the config.
        mapping: other names in the file.
        function: gives values of variables that the file lacks.
    """

    file: str
    asked: Sequence[tuple[str, Wanted]]
    entry: str | None = None
    where: Origin | None = None
    ignore_missing: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    function: Callable[..., Any] | None = None
    importers: tuple[Importer, ...] = ()

    @property
    def place(self) -> Origin | str:
        """Where a problem is."""
        return self.where or self.file

    @property
    def checkpoint(self) -> str:
        """The file in a message, whose place may be the entry in the config."""
        return f"the checkpoint {self.file}" if self.where else "the checkpoint"


def match_file(request: FileRequest, fit: Fit) -> tuple[dict[str, Source], Coverage]:
    """The variables that a file gives values, by their names in the network.

    Raises:
        DataError: the file is missing or broken, or has nothing of what is asked for.
        ConfigError: a function of the config fails.
        ProblemList: variables that it lacks, or has with another shape or type.
    """
    return _Matching(request, _open(request)).run(fit)


def _open(request: FileRequest) -> CheckpointReader:
    try:
        return CheckpointReader.open(request.file)
    except DataError as error:
        if request.where:
            error.what, error.where = f"{error.what}: {request.file}", request.where
        raise


class _Matching:
    """The work on one file."""

    def __init__(self, request: FileRequest, reader: CheckpointReader) -> None:
        self.request, self.reader = request, reader
        self.found: dict[str, Source] = {}
        self.problems: list[UserError] = []

    def run(self, fit: Fit) -> tuple[dict[str, Source], Coverage]:
        request, stored = self.request, self._import_layers(fit)
        asked = [(inside, wanted) for inside, wanted in request.asked if self._importer(inside) is None]
        for inside, wanted in asked:
            if inside in stored:
                self._add(wanted, Conversion((inside,)))
        missing = sorted(
            ((i, w) for i, w in asked if i not in stored and not w.may_be_missing), key=lambda pair: pair[0]
        )
        unused = sorted(stored - {inside for inside, _ in asked})
        made = self._conversions([inside for inside, _ in missing], unused)
        left = []
        for inside, wanted in missing:
            if inside in made:
                self._add(wanted, made[inside])
            elif not self._ask_function(inside, wanted):
                left.append((inside, wanted))
        if not self.problems and self._found_nothing():
            raise self._nothing(sorted(stored))
        if not request.ignore_missing:
            self.problems += self._lacks(left, unused)
        if self.problems:
            raise ProblemList(self.problems)
        used = {name for source in self.found.values() for name in source.names}
        names = [wanted.name for _, wanted in left]
        return self.found, Coverage(
            request.file, request.entry, sorted(self.found), names, [name for name in unused if name not in used]
        )

    def _importer(self, name: str) -> Importer | None:
        """The layer that takes a variable in its own way, which may be not at all."""
        return next((importer for importer in self.request.importers if name.startswith(importer.prefix)), None)

    def _found_nothing(self) -> bool:
        parameters = [wanted.name for _, wanted in self.request.asked if wanted.name != GLOBAL_STEP]
        return bool(parameters) and not any(name in self.found or self._importer(name) for name in parameters)

    def _import_layers(self, fit: Fit) -> set[str]:
        """Let layers take what is theirs; returns the other variables of the file."""
        rest = set(self.reader.entries)
        for importer in self.request.importers:
            stored = sorted(name for name in rest if self._importer(name) is importer)
            wanted = [wanted for name, wanted in self.request.asked if self._importer(name) is importer]
            rest.difference_update(stored)
            try:
                self.found |= importer.sources(self.reader, stored, wanted, fit)
            except ProblemList as error:
                self.problems += error.problems
        return rest

    def _conversions(self, missing: Sequence[str], unused: Sequence[str]) -> dict[str, Conversion]:
        made = {inside: how for inside, how in conversions(missing, unused).items() if inside in missing}
        for inside in missing:
            if inside in self.request.mapping:
                made[inside] = Conversion((self.request.mapping[inside],))
        return made

    def _add(self, wanted: Wanted, conversion: Conversion) -> None:
        """Take a variable, if it fits as far as its entry in the file tells."""
        request, problem = self.request, None
        absent = [name for name in conversion.names if name not in self.reader.entries]
        entry = None if absent else self.reader.entries[conversion.names[0]]
        if absent:
            problem = DataError(
                f"{request.checkpoint} has no variable {absent[0]!r}, which var_name_mapping names",
                where=request.place,
                hint=did_you_mean(absent[0], self.reader.entries),
            )
        elif entry is not None and conversion.convert is None and entry.shape != wanted.shape:
            problem = DataError(
                f"variable {wanted.name!r} has another shape in {request.checkpoint}",
                where=request.place,
                expected=list(wanted.shape),
                received=list(entry.shape),
            )
        elif entry is not None and not self._takes_type(entry.dtype, wanted):
            problem = DataError(
                f"variable {wanted.name!r} has another type in {request.checkpoint}",
                where=request.place,
                expected=wanted.dtype,
                received=entry.dtype or "a type that NumPy does not have",
            )
        if problem is None:
            self.found[wanted.name] = Source(
                self.reader.prefix, conversion.names, partial(_read, self.reader, conversion)
            )
        else:
            self.problems.append(problem)

    def _takes_type(self, found: np.dtype[Any] | None, wanted: Wanted) -> bool:
        """A run's own checkpoint is what such a run wrote; other files may be more exact."""
        if found is None:
            return False
        return np.can_cast(found, wanted.dtype, "no" if self.request.entry is None else "same_kind")

    def _ask_function(self, inside: str, wanted: Wanted) -> bool:
        """Whether ``custom_missing_load_func`` knows a value."""
        request = self.request
        if request.function is None:
            return False
        try:
            value = request.function(name=inside, shape=wanted.shape, reader=ReaderView(self.reader))
        except UserError as error:
            error.where = error.where or request.place
            raise
        except Exception as error:  # the config's own code runs here
            what = f"custom_missing_load_func fails for {inside!r}: {type(error).__name__}: {error}"
            raise ConfigError(what, where=request.place) from error
        if value is None:
            return False
        if not isinstance(value, np.ndarray) or value.shape != wanted.shape:
            shape = list(value.shape) if isinstance(value, np.ndarray) else type(value).__name__
            self.problems.append(
                ConfigError(
                    f"custom_missing_load_func gave {inside!r} something that does not fit",
                    where=request.place,
                    expected=f"None, or an array of shape {list(wanted.shape)}",
                    received=shape,
                )
            )
        self.found[wanted.name] = Source(self.reader.prefix, (), partial(_given, value))
        return True

    # ---------------------------------------------------------------- messages

    def _lacks(self, left: Sequence[tuple[str, Wanted]], unused: Sequence[str]) -> list[DataError]:
        """Each variable by itself, unless there are many."""
        request = self.request
        option = "load_ignore_missing_vars = True" if request.entry is None else "'ignore_missing': True"
        part = f"{option}, if the file has only a part of the network"
        if len(left) > _SINGLE:
            names = shortened([inside for inside, _ in left])
            what = f"{request.checkpoint} lacks {len(left)} of {len(request.asked)} variables"
            received = shortened(unused) or "nothing else"
            return [DataError(what, where=request.place, expected=names, received=received, hint=part)]
        found = []
        for inside, wanted in left:
            alias = f" for {wanted.name!r}" if inside != wanted.name else ""
            what = f"{request.checkpoint} has no variable {inside!r}{alias}"
            found.append(DataError(what, where=request.place, hint=did_you_mean(inside, unused) or part))
        return found

    def _nothing(self, stored: Sequence[str]) -> DataError:
        return DataError(
            f"{self.request.checkpoint} has none of the network's variables",
            where=self.request.place,
            expected=shortened(sorted(inside for inside, wanted in self.request.asked if wanted.name != GLOBAL_STEP)),
            received=shortened(stored),
        )


def _read(reader: CheckpointReader, conversion: Conversion, initials: Mapping[str, Array]) -> Array:
    return conversion.value(*(reader.read(name) for name in conversion.names))


def _given(value: Array, initials: Mapping[str, Array]) -> Array:
    return value
