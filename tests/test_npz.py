"""Archives of NumPy that somebody names: what is none is told, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compiler.checkpoint.npz import read_npz
from compiler.cli import main
from returnn_ir.errors import DataError

NET = 'extern_data = {"data": {"dim": 3}}\nnetwork = {"output": {"class": "linear", "n_out": 2, "from": "data"}}\n'
NO_ARCHIVE = "{path}: not an .npz archive\n  try: numpy.savez writes one"


def _single(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _cut(path: Path) -> None:
    np.savez(path, a=np.zeros(1000))
    path.write_bytes(path.read_bytes()[:300])


SINGLE = (
    "{path}: not an .npz archive\n  received: a single array, as numpy.save writes it\n  try: numpy.savez writes one"
)
OBJECTS = "{path}: an .npz archive that cannot be read: Object arrays cannot be loaded when allow_pickle=False"
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), NO_ARCHIVE),
    "text": (lambda path: path.write_text("no archive at all"), NO_ARCHIVE),
    "cut": (_cut, NO_ARCHIVE),
    "objects": (lambda path: np.savez(path, a=np.array([None])), OBJECTS),
    "single": (_single, SINGLE),
    "missing": (lambda path: None, "no such file: {path}"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_archive(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, message = BROKEN[kind]
    path, net = tmp_path / "weights.npz", tmp_path / "net.py"
    make(path)
    net.write_text(NET, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_npz(path)
    assert str(caught.value).startswith(message.replace("{path}", str(path)))
    assert main([str(net), "--target", "reference", "--params", str(path), "-o", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "internal error" not in told


def test_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", a=np.arange(3), b=np.ones(2, np.float32))
    found = read_npz(tmp_path / "weights.npz")
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], [0, 1, 2])
