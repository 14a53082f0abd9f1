"""One training at a time writes to a path: a lock that ends with its process, however that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from returnn_ir.errors import ConfigError

__all__ = ["LockedError", "lock_paths"]

_ENDING = ".lock"


class LockedError(ConfigError):
    """Another process holds the lock of a path."""


@contextmanager
def lock_paths(paths: Sequence[str]) -> Iterator[None]:
    """Hold the locks of these paths; each is a file beside the path, which is gone afterwards.

    Raises:
        LockedError: another process holds one.
    """
    with ExitStack() as held:
        for path in dict.fromkeys(os.path.realpath(path) for path in paths):
            held.enter_context(_locked(Path(path + _ENDING), path))
        yield


@contextmanager
def _locked(file: Path, path: str) -> Iterator[None]:
    if os.name != "posix":
        yield  # other systems have no such locks
        return
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 100).decode()
            os.close(descriptor)
            raise LockedError(
                f"another training writes to {path}",
                where=str(file),
                received=f"process {holder}" if holder else None,
                hint="another model and learning_rate_file for one of the two, or wait",
            ) from error
        if _is_there(descriptor, file):
            break
        os.close(descriptor)  # whoever held it before has removed the file
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} on {os.uname().nodename}".encode())
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _is_there(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False
