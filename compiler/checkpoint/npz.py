"""Reading NumPy's archives: files that somebody names on a command line, so whatever may be in them is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from returnn_ir.errors import DataError

__all__ = ["read_npz"]

_SINGLE = b"\x93NUMPY"


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz`` file.

    Raises:
        DataError: the file is missing, broken, or no such archive.
    """
    if not path.exists():
        raise DataError(f"no such file: {path}")
    try:
        if not is_zipfile(path):
            with path.open("rb") as file:
                single = file.read(len(_SINGLE)) == _SINGLE
            received = "a single array, as numpy.save writes it" if single else None
            raise DataError("not an .npz archive", where=str(path), received=received, hint="numpy.savez writes one")
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        what = f"an .npz archive that cannot be read: {error}"
        raise DataError(what, where=str(path), hint="numpy.savez writes one, of numbers only") from error
