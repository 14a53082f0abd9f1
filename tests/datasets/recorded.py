"""What ``record_datasets.py`` records and ``test_recorded.py`` compares: files to read, and what an epoch is.

A case is a dataset's config (the text of a Python dict, files by name) and for some epochs the tags of its sequences
in order and a checksum of all their data, types and shapes included.
"""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from runtime.datasets import HDFWriter

__all__ = ["DATA", "MAX_SEQS", "read_cases", "summary", "write_files"]

DATA = Path(__file__).parent / "data"
NUM_A, NUM_B, NUM_C = 11, 14, 6
MAX_SEQS = 60


def summary(seqs: Iterable[tuple[str, Mapping[str, np.ndarray[Any, Any]]]]) -> dict[str, str]:
    """Sequences (tag and data by key) in a few letters."""
    tags, check = [], 0
    for tag, data in seqs:
        tags.append(tag)
        for key in sorted(data):
            check = zlib.crc32(f"{tag} {key} {np.shape(data[key])} ".encode() + _bytes(np.asarray(data[key])), check)
    return {"tags": " ".join(tags), "data": f"{check:08x}"}


def _bytes(array: np.ndarray[Any, Any]) -> bytes:
    """The type and the entries; texts are texts, whatever type of NumPy they have."""
    if array.dtype.kind in "OUS":
        return repr(["text", *array.reshape(-1).tolist()]).encode()
    entries: bytes = np.ascontiguousarray(array).tobytes()
    name: str = array.dtype.name
    return name.encode() + entries


def read_cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file."""
    cases: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return cases


def write_files(folder: Path) -> None:
    """The files that the configs name.

    ``a.hdf`` has dense data and classes; ``b.hdf`` labels for the same tags, in another order, and for three more;
    ``c.hdf`` is like ``a.hdf`` with other tags; ``d.hdf`` belongs to ``a.hdf`` under other tags; ``e.hdf`` is like
    ``a.hdf`` and has some tags twice. Lists: ``tags.pkl``
    of ``a.hdf`` and ``d.hdf`` by dataset, ``tags.txt``, ``kept.txt``, and lengths that are not those of the data.
    """
    tags = [f"a-{index}" for index in range(NUM_A)]
    _write(folder / "a.hdf", tags, 1)
    _write(folder / "c.hdf", [f"c-{index}" for index in range(NUM_C)], 2)
    _write(folder / "d.hdf", [f"line-{index}" for index in range(NUM_A)], 3)
    _write(folder / "e.hdf", [*tags, *tags[3:6]], 8)
    others = [f"a-{index}" for index in np.random.RandomState(5).permutation(NUM_B)]
    random = np.random.RandomState(4)
    with HDFWriter(folder / "b.hdf", dim=20, ndim=1) as writer:
        for tag in others:
            writer.insert_seq(tag, random.randint(0, 20, random.randint(1, 9)).astype(np.int32))
    mixed = [tags[index] for index in np.random.RandomState(6).permutation(NUM_A)]
    lines = {tag: f"line-{index}" for index, tag in enumerate(tags)}
    for name, value in {
        "tags.pkl": {"a": tags, "d": [lines[tag] for tag in tags]},
        "mixed.pkl": {"a": mixed, "d": [lines[tag] for tag in mixed]},
    }.items():
        (folder / name).write_bytes(pickle.dumps(value, protocol=2))
    (folder / "tags.txt").write_text("".join(f"{tag}\n" for tag in mixed))
    (folder / "lines.txt").write_text("".join(f"{lines[tag]}\n" for tag in mixed))
    (folder / "kept.txt").write_text("".join(f"a-{index}\nc-{index}\n" for index in (0, 3, 4, 5, 8, 9)))
    with h5py.File(folder / "enwik8.hdf5", "w") as file:
        file.attrs["unique"] = np.array([10, 32, *range(97, 123)], np.uint8)
        for subset, size in (("training", 101), ("validation", 40), ("test", 33)):
            file[f"split/{subset}/default"] = random.randint(0, 28, size)
    lengths = dict(zip(tags, random.randint(1, 30, NUM_A).tolist(), strict=True))
    (folder / "lengths.txt").write_text(repr(lengths))
    (folder / "lengths.json").write_text(json.dumps({tag: {"data": size} for tag, size in lengths.items()}))


def _write(path: Path, tags: list[str], seed: int) -> None:
    random = np.random.RandomState(seed)
    with HDFWriter(path, dim=3) as writer:
        for tag in tags:
            frames = int(random.randint(1, 12))
            data = random.standard_normal((frames, 3)).astype(np.float32)
            writer.insert_seq(tag, data, {"classes": random.randint(0, 5, frames).astype(np.int32)})
