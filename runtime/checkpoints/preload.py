"""``preload_from_files``: further files that parameters come from, before those of the run's own checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError
from returnn_ir.options import Described, Form, option_class, read_options

__all__ = ["Preload", "PreloadOptions", "preloads_of"]

_KEY = "preload_from_files"


def _names(given: object) -> object:
    """Any collection of names as a set."""
    return frozenset(given) if isinstance(given, (list, tuple, set)) else given


def _path(given: object) -> object:
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    return path.removesuffix(".index").removesuffix(".meta") if isinstance(path, str) else path


Names = Annotated[frozenset[str], Form(_names), Described("a list of names")]


@option_class
class PreloadOptions:
    """Options of one file.

    Attributes:
        filename: the checkpoint, as path up to the endings of its files.
        prefix: only variables with this text in their name, which the file has without it.
        init_for_train: it is for the beginning of a training, otherwise for the tasks that do not train.
        ignore_missing: variables that the file lacks are left to the files behind it.
        ignore_params: variables that are not loaded, named without the prefix.
        ignore_params_prefixes: how names of such variables begin.
        var_name_mapping: other names in the file, of variables that it does not have under their own.
        custom_missing_load_func: called for each variable that the file lacks, gives an array or None.
    """

    filename: Annotated[str, Form(_path)]
    prefix: str = ""
    init_for_train: bool | Literal["always"] = False
    ignore_missing: bool = False
    ignore_params: Names = frozenset()
    ignore_params_prefixes: Names = frozenset()
    var_name_mapping: Mapping[str, str] | None = None
    custom_missing_load_func: Annotated[Callable[..., Any] | None, Described("a function")] = None

    def name_in_file(self, name: str) -> str | None:
        """What the file calls a variable of the network; None where the prefix leaves it out."""
        return name.replace(self.prefix, "") if self.prefix in name else None

    def ignores(self, name: str) -> bool:
        """Whether a variable, by its name in the file, is not loaded."""
        return name in self.ignore_params or any(name.startswith(p) for p in self.ignore_params_prefixes)


@dataclass(frozen=True)
class Preload:
    """One entry.

    Attributes:
        name: the key in the dict, which only says in which order files are taken.
        where: the entry in the config.
    """

    name: str
    options: PreloadOptions
    where: Origin

    def is_used(self, task: str, *, first: bool) -> bool:
        """Whether a run takes it.

        Args:
            first: a training begins that does not go on behind an epoch.
        """
        return (task == "train" and first) if self.options.init_for_train else task != "train"


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's option."""

    preload_from_files: Annotated[Mapping[str, Any] | None, Described("a dict from names to dicts of options")] = None


def preloads_of(config: Config) -> tuple[Preload, ...]:
    """The entries, in the order in which they are taken.

    Raises:
        ProblemList: everything that is wrong in them.
    """
    problems: list[UserError] = []
    found = []
    for name, given in sorted((read_config(_Keys, config).preload_from_files or {}).items()):
        where = config.place(_KEY, name)
        if not isinstance(given, Mapping):
            problems.append(_no_dict(name, given, where))
            continue
        place = partial(config.place, _KEY, name)
        options, wrong = read_options(PreloadOptions, given, place, owner=f"{_KEY}[{name!r}]", unset=True)
        problems += wrong
        if options is not None:
            found.append(Preload(name, options, where))
    if problems:
        raise ProblemList(problems)
    return tuple(found)


def _no_dict(name: str, given: object, where: Origin) -> ConfigError:
    return ConfigError(
        f"the entry {name!r} has the wrong type",
        where=where,
        expected="a dict with 'filename', the path of a checkpoint",
        received=f"{given!r} ({type(given).__name__})",
    )
