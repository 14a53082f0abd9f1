"""Lines of scanned handwritten digits as HDF files.

Real scans: the UCI optical digits (8x8 pixels, 0 to 16) that come with scikit-learn. A line is 3 to 6 digits side by
side; its pixel columns are the time frames, the 8 pixels of a column the features. Train, dev and test lines use
different scans. The digits are there twice: as "classes" with 10 labels, and as "text" with a label for the end of the
line behind these, which does not stand in the data.

Usage: python examples/digits_data.py OUT_DIR
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from returnn_ir.errors import DataError
from runtime.datasets import HDFDataset, HDFOptions, HDFWriter

SEED = 42
NUM_CLASSES = 10
END = "."
MIN_DIGITS, MAX_DIGITS = 3, 6


@dataclass(frozen=True)
class Split:
    """One file: how many lines, made of which share of the scans (from, to)."""

    name: str
    num_lines: int
    start: float
    end: float


SPLITS = (Split("train", 3000, 0.0, 0.7), Split("dev", 300, 0.7, 0.8), Split("test", 500, 0.8, 1.0))


def is_complete(path: Path, split: Split) -> bool:
    """Whether an earlier run has written the file."""
    if not path.exists():
        return False
    try:
        with HDFDataset(HDFOptions(files=[str(path)])) as dataset:
            return dataset.num_seqs == split.num_lines and "text" in dataset.specs
    except DataError:
        return False


def write_split(path: Path, split: Split, scans: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
    """Write the lines of one split; the same scans and lines each time."""
    order = np.random.default_rng(SEED).permutation(len(scans))
    chosen = order[int(split.start * len(order)) : int(split.end * len(order))]
    rng = np.random.default_rng([SEED, split.num_lines])
    names = [str(digit) for digit in range(NUM_CLASSES)]
    extra_labels = {"classes": names, "text": [*names, END]}
    extra_type = {"classes": (NUM_CLASSES, 1, "int32"), "text": (NUM_CLASSES + 1, 1, "int32")}
    features = scans.shape[1]
    with HDFWriter(path, dim=features, extra_type=extra_type, extra_labels=extra_labels, overwrite=True) as writer:
        for line in range(split.num_lines):
            digits = rng.choice(chosen, size=rng.integers(MIN_DIGITS, MAX_DIGITS, endpoint=True))
            # A scan is [row, column]; frames are columns: [column, row], then all digits one after the other.
            frames = np.concatenate([scans[digit].T for digit in digits]).astype(np.float32) / 16
            writer.insert_seq(
                f"{split.name}/line-{line:04}", frames, {"classes": labels[digits], "text": labels[digits]}
            )


def main() -> None:
    """Write the files that are not there yet."""
    parser = argparse.ArgumentParser(description="Write lines of handwritten digits as HDF files.")
    parser.add_argument("out_dir", type=Path)
    out_dir: Path = parser.parse_args().out_dir
    out_dir.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    for split in SPLITS:
        path = out_dir / f"{split.name}.hdf"
        if is_complete(path, split):
            print(f"{path}: exists, kept")
            continue
        write_split(path, split, digits.images, digits.target)
        print(f"{path}: {split.num_lines} lines")


if __name__ == "__main__":
    main()
