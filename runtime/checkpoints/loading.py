"""What a run loads, as a plan: for each variable the file that gives it a value. TensorFlow is not needed.

As in RETURNN, files are taken one after the other, those of ``preload_from_files`` before the run's checkpoint, and the
first that gives a variable a value wins; what ``load_on_init`` has set stays, too. (Not in a training that is resumed:
its own checkpoint has what was trained; RETURNN sets it back.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.errors import ConfigError, DataError, ProblemList, UserError
from runtime.checkpoints.coverage import Coverage, shortened
from runtime.checkpoints.files import GLOBAL_STEP
from runtime.checkpoints.importers import Fit, Importer
from runtime.checkpoints.matching import FileRequest, match_file
from runtime.checkpoints.preload import Preload
from runtime.checkpoints.sources import Source, Wanted

__all__ = ["LoadPlan", "Loading", "plan_loading"]


@dataclass(frozen=True)
class Loading:
    """What a run loads.

    Attributes:
        checkpoint: that of the run, with the step that it has come to; None: there is none.
        preloads: files that come before it, in their order.
        ignore_missing: variables that the checkpoint lacks keep their initial values.
        importers: layers that take the checkpoint's values in their own way.
        resumed: it is the training's own checkpoint.
    """

    checkpoint: str | None = None
    preloads: tuple[Preload, ...] = ()
    ignore_missing: bool = False
    importers: tuple[Importer, ...] = ()
    resumed: bool = False

    def __bool__(self) -> bool:
        return self.checkpoint is not None or bool(self.preloads)


@dataclass
class LoadPlan:
    """Where values come from.

    Attributes:
        sources: by variable; the others keep their initial values.
        coverage: of each file, in their order.
    """

    wanted: Mapping[str, Wanted]
    sources: dict[str, Source] = field(default_factory=dict)
    coverage: list[Coverage] = field(default_factory=list)

    @property
    def initial(self) -> set[str]:
        """The variables whose initial values are asked for."""
        return {name for name in self.wanted if name not in self.sources or self.sources[name].needs_initial}

    def values(self, initials: Mapping[str, Array]) -> dict[str, Array]:
        """The values of all variables, in their types.

        Args:
            initials: those of :attr:`initial`.

        Raises:
            UserError: a file that is broken, or a value that does not fit.
        """
        found = {}
        for name, wanted in self.wanted.items():
            value = self.sources[name].read(initials) if name in self.sources else initials[name]
            if value.shape != wanted.shape:
                raise _other_shape(wanted, self.sources[name].file if name in self.sources else "initial values", value)
            found[name] = np.asarray(value, wanted.dtype)
        return found


def plan_loading(loading: Loading, wanted: Iterable[Wanted], *, fit: Fit) -> LoadPlan:
    """Where the values of variables come from.

    Args:
        wanted: the network's variables, and ``global_step``.
        fit: how a value of another shape is taken over by ``custom_param_importer = "subset"``.

    Raises:
        DataError: a file that is missing or broken, or in which there is nothing of the network.
        ProblemList: whatever does not fit, of all files.
    """
    plan = LoadPlan({variable.name: variable for variable in wanted})
    closed = {name for name, variable in plan.wanted.items() if variable.is_preset and not loading.resumed}
    problems: list[UserError] = []
    parts: list[Preload | Loading] = [*loading.preloads, *([loading] if loading.checkpoint is not None else [])]
    for part in parts:
        try:
            found, coverage = match_file(_request(part, plan.wanted, closed), fit)
        except UserError as error:
            problems.append(error)
            continue
        plan.sources.update(found)
        plan.coverage.append(coverage)
        closed |= found.keys()
    if problems:
        raise problems[0] if len(problems) == 1 else ProblemList(problems)
    return plan


def _request(part: Preload | Loading, wanted: Mapping[str, Wanted], closed: Collection[str]) -> FileRequest:
    """What is asked of a further file, or of the run's own checkpoint."""
    if isinstance(part, Preload):
        return _preload(part, wanted, closed)
    return FileRequest(
        str(part.checkpoint),
        [(name, variable) for name, variable in wanted.items() if name not in closed],
        ignore_missing=part.ignore_missing,
        importers=part.importers,
    )


def _preload(preload: Preload, wanted: Mapping[str, Wanted], closed: Collection[str]) -> FileRequest:
    """What is asked of a further file.

    Raises:
        ConfigError: its options leave nothing.
    """
    options = preload.options
    named = [(options.name_in_file(name), variable) for name, variable in wanted.items() if name != GLOBAL_STEP]
    fitting = [(inside, variable) for inside, variable in named if inside is not None]
    asked = [(inside, variable) for inside, variable in fitting if not options.ignores(inside)]
    if not asked:
        raise ConfigError(
            "ignore_params and ignore_params_prefixes leave out every variable"
            if fitting
            else f"no variable of the network has {options.prefix!r} in its name",
            where=preload.where,
            received=shortened(sorted(variable.name for _, variable in fitting or named)),
        )
    return FileRequest(
        options.filename,
        [(inside, variable) for inside, variable in asked if variable.name not in closed],
        entry=preload.name,
        where=preload.where,
        ignore_missing=options.ignore_missing,
        mapping=options.var_name_mapping or {},
        function=options.custom_missing_load_func,
    )


def _other_shape(wanted: Wanted, file: str, value: Array) -> DataError:
    return DataError(
        f"variable {wanted.name!r} gets a value of another shape",
        where=file,
        expected=list(wanted.shape),
        received=list(value.shape),
    )
