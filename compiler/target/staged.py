"""Writing files that belong together: all of them are the new ones, or none is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

__all__ = ["staged"]


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write into, whose entries go to ``folder`` when the block ends well; what else is in there stays.

    A block that fails leaves ``folder`` as it was. One file is replaced at once. Of several the old ones go first, so
    that an end in between leaves some of the new ones alone, never a mix of both.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(mkdtemp(prefix=".part-", dir=folder))
    try:
        yield part
        _move(part, folder, sorted(entry.name for entry in part.iterdir()))
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if made:
            with suppress(OSError):  # not empty: the files are there
                folder.rmdir()


def _move(part: Path, folder: Path, names: Sequence[str]) -> None:
    if len(names) == 1 and (part / names[0]).is_file():
        (part / names[0]).replace(folder / names[0])
        return
    for name in names:
        _remove(folder / name)
    try:
        for name in names:
            (part / name).replace(folder / name)
    except BaseException:
        for name in names:
            _remove(folder / name)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
