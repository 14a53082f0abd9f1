"""The example's data: lines of real digits."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from runtime.datasets import HDFDataset, HDFOptions

SCRIPT = Path(__file__).parents[2] / "examples" / "digits_data.py"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("digits_data", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["digits_data"] = module
    spec.loader.exec_module(module)
    return module


def run(out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(out_dir)])
    load_script().main()


def scans(path: Path) -> set[bytes]:
    """The distinct scans of a file, cut out of its lines."""
    with HDFDataset(HDFOptions(files=[str(path)], cache_byte_size=-1)) as dataset:
        lines = [dataset.get_seq(i).data["data"] for i in range(dataset.num_seqs)]
    return {scan.tobytes() for line in lines for scan in line.reshape(-1, 8, 8)}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out_dir = tmp_path_factory.mktemp("digits")
    with pytest.MonkeyPatch.context() as monkeypatch:
        run(out_dir, monkeypatch)
    return out_dir


@pytest.mark.parametrize(("name", "num_lines"), [("train", 3000), ("dev", 300), ("test", 500)])
def test_files(digits: Path, name: str, num_lines: int) -> None:
    with HDFDataset(HDFOptions(files=[str(digits / f"{name}.hdf")], cache_byte_size=-1)) as dataset:
        assert dataset.num_seqs == num_lines
        assert (dataset.specs["data"].dim, dataset.specs["data"].dtype) == (8, "float32")
        assert (dataset.specs["classes"].dim, dataset.specs["classes"].sparse) == (10, True)
        num_digits = dataset.lengths("classes")
        assert set(num_digits.tolist()) == {3, 4, 5, 6}
        np.testing.assert_array_equal(dataset.lengths("data"), 8 * num_digits)
        line = dataset.get_seq(0).data["data"]
        assert line.min() == 0
        assert 0.8 < line.max() <= 1


def test_no_scan_is_in_two_files(digits: Path) -> None:
    train, dev, test = (scans(digits / f"{name}.hdf") for name in ("train", "dev", "test"))
    assert len(train | dev | test) == len(train) + len(dev) + len(test)
    assert len(train) > 1200


def test_second_run_keeps_complete_files_and_repairs_others(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.hdf").write_bytes((digits / f"{name}.hdf").read_bytes())
    (tmp_path / "dev.hdf").write_bytes((digits / "dev.hdf").read_bytes()[:1000])
    run(tmp_path, monkeypatch)
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'train.hdf'}: exists, kept",
        f"{tmp_path / 'dev.hdf'}: 300 lines",
        f"{tmp_path / 'test.hdf'}: exists, kept",
    ]
    with (
        HDFDataset(HDFOptions(files=[str(digits / "dev.hdf")])) as first,
        HDFDataset(HDFOptions(files=[str(tmp_path / "dev.hdf")])) as second,
    ):
        for index in range(0, 300, 50):
            np.testing.assert_array_equal(first.get_seq(index).data["data"], second.get_seq(index).data["data"])
            np.testing.assert_array_equal(first.get_seq(index).data["classes"], second.get_seq(index).data["classes"])
