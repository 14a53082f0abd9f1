"""The log of a run: lines of a verbosity from 1 to 5, on the console and in the files that ``log`` names.

Targets, verbosities, formats and most lines are RETURNN's, since people's scripts read them.
"""

from __future__ import annotations

import logging
import string
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TextIO, TypeVar

from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError
from returnn_ir.options import Described, Form, Range

__all__ = ["LogOptions", "epoch_name", "hms", "hms_fraction", "log", "log_step", "logs", "open_log"]

Verbosity = Annotated[int, Range(0, 5)]
LineFormat = Literal["default", "timed", "raw", "verbose"]

T = TypeVar("T")

_CONSOLE = "stdout"
_DEFAULT: Verbosity = 3
#: A line of a verbosity has the level that RETURNN gives it; ``verbose`` shows its name.
_LEVELS = (logging.ERROR, logging.INFO + 1, logging.INFO, logging.DEBUG + 2, logging.DEBUG + 1, logging.DEBUG)
_FORMATS: dict[str, logging.Formatter] = {
    "default": logging.Formatter("%(message)s"),
    "raw": logging.Formatter("%(message)s"),
    "timed": logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d,%H:%M:%S.%MS"),
    "verbose": logging.Formatter("%(levelname)s - %(asctime)s %(message)s", "%Y-%m-%d,%H:%M:%S.%MS"),
}
_STARTED = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S")

_logger = logging.getLogger("returnn-run")
_targets: list[logging.Handler] = []  # of the run; somebody else may add handlers of their own
for _level in _LEVELS[1:]:
    logging.addLevelName(_level, "INFO" if _level >= logging.INFO else "DEBUG")


def log(line: str, verbosity: Verbosity = _DEFAULT) -> None:
    """One line, for those targets that show its verbosity."""
    if _targets:
        _logger.log(_LEVELS[verbosity], line)
    elif verbosity <= _DEFAULT:
        print(line, flush=True)


def log_step(line: str) -> None:
    """A line of one step, of verbosity 5; a terminal has a progress bar instead."""
    _logger.log(_LEVELS[5], line, extra={"is_step": True})


def logs(verbosity: Verbosity) -> bool:
    """Whether there is a target that shows lines of a verbosity."""
    return any(handler.level <= _LEVELS[verbosity] for handler in _targets)


def hms(seconds: float) -> str:
    """``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def hms_fraction(seconds: float) -> str:
    """``1:02:03.0405``."""
    return f"{hms(seconds)}.{int(seconds % 1 * 10_000):04d}"


def epoch_name(epoch: int, *, pretrain: bool) -> str:
    """``epoch 3``, or ``pretrain epoch 3``."""
    return f"{'pretrain ' if pretrain else ''}epoch {epoch}"


def _several(given: object) -> tuple[object, ...]:
    """One value, or values parted by commas, as a tuple."""
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return tuple(given) if isinstance(given, (list, tuple)) else () if given is None else (given,)


def _numbers(given: object) -> object:
    texts = _several(given)
    return tuple(int(v) if isinstance(v, str) and v.isdigit() else v for v in texts)


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """Where lines go.

    Attributes:
        log: ``stdout`` (which is there in any case), files, ``$date`` in a name being the time of the start, and
            ``|command``, whose input they become.
        log_verbosity: of each target; a single one is that of all, others are 3.
        log_format: of each target likewise.
    """

    log: Annotated[tuple[str, ...], Form(_several), Described("a file, or a list of files")] = ()
    log_verbosity: Annotated[
        tuple[Verbosity, ...], Form(_numbers), Described("a number from 0 to 5, or a list of them")
    ] = ()
    log_format: Annotated[
        tuple[LineFormat, ...], Form(_several), Described("default, timed, raw or verbose, or a list of them")
    ] = ()

    @property
    def targets(self) -> list[tuple[str, Verbosity, LineFormat]]:
        """Each with its verbosity and format; the console last, unless its place is given."""
        names = [*self.log, *([] if _CONSOLE in self.log else [_CONSOLE])]
        return [
            (name, _of(self.log_verbosity, index, _DEFAULT), _of(self.log_format, index, "default"))
            for index, name in enumerate(names)
        ]


def _of(values: tuple[T, ...], index: int, default: T) -> T:
    return values[index] if index < len(values) else values[0] if len(values) == 1 else default


@contextmanager
def open_log(config: Config) -> Iterator[None]:
    """Log to the config's targets while the block runs; to the console only where it is a dry run.

    Raises:
        ConfigError: a target that cannot be written.
    """
    options = read_config(LogOptions, config)
    with ExitStack() as opened:
        for name, verbosity, line_format in options.targets:
            if name != _CONSOLE and config.get("dry_run"):
                continue
            handler = _handler(name, config, opened)
            handler.setLevel(_LEVELS[verbosity])
            handler.setFormatter(_FORMATS[line_format])
            _logger.addHandler(handler)
            _targets.append(handler)
            opened.callback(_logger.removeHandler, handler)
            opened.callback(_targets.remove, handler)
        _logger.propagate = False
        _logger.setLevel(logging.DEBUG)
        yield


class _Console(logging.StreamHandler[TextIO]):
    """Standard output as it is when a line comes; a progress bar stands in for it for a while."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        if not (getattr(record, "is_step", False) and self.stream.isatty()):
            super().emit(record)


def _handler(name: str, config: Config, opened: ExitStack) -> logging.Handler:
    if name == _CONSOLE:
        return _Console()
    try:
        if name.startswith("|"):
            return _command(name[1:].strip(), config, opened)
        path = Path(string.Template(name).safe_substitute(date=_STARTED))
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"the log {name!r} cannot be written",
            where=config.origin(None, "log"),
            received=error.strerror or str(error),
            hint="its folder must exist",
        ) from error
    opened.callback(handler.close)
    return handler


def _command(command: str, config: Config, opened: ExitStack) -> logging.Handler:
    """The input of a shell command, which only a config that is code may ask for."""
    if not config.executed:
        raise ConfigError("a config that is data starts no command", where=config.origin(None, "log"), received=command)
    process = opened.enter_context(subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, text=True))
    if process.stdin is None:
        raise ConfigError(f"the log {command!r} takes no input", where=config.origin(None, "log"))
    return logging.StreamHandler(process.stdin)
