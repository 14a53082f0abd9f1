"""HDF files in place of a config's data: every key that its network may read, in ten short sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from returnn_ir.config import Config
from returnn_ir.config.data_options import DataOptions
from returnn_ir.ir.dims import BATCH, Dim
from runtime.datasets import Dataset, HDFWriter, init_dataset
from runtime.datasets.base import Array
from runtime.datasets.chunking import Chunks, frames_of, read_chunking, read_min_chunk_size
from runtime.tasks import setup

__all__ = ["Lengths", "StandIn", "standing_in"]

#: Options of a dataset that do not depend on which data it has.
_KEPT = ("seq_ordering", "chunking", "min_chunk_size", "chunking_variance", "context_window", "window")
_FRAMES = (24, 48)
_LABELS = (1, 4)
_SAMPLES = 160  # of a waveform for one frame


@dataclass(frozen=True)
class StandIn:
    """Files with the data of one config.

    Attributes:
        files: by data key.
    """

    files: Mapping[str, Path]

    @staticmethod
    def write(config: Config, folder: Path, *, num_seqs: int = 10, framewise: bool = False) -> StandIn:
        """Make the files: numbers and labels from a seed, lengths that chunking can cut.

        Args:
            framewise: every frame has a label, also where no chunking says so.
        """
        specs = config.extern_data_spec()
        random = np.random.default_rng(1)
        lengths = Lengths(config, specs, random, num_seqs, framewise=framewise)
        files = {}
        for number, (key, options) in enumerate(specs.items()):
            axes = [axis for axis in options.axes() if axis is not BATCH]
            files[key] = folder / f"{number}.hdf"
            writer = _writer(files[key], options, axes)
            with writer:
                for index, length in enumerate(lengths.of(key)):
                    writer.insert_seq(f"seq-{index}", _data(options, _shape(axes, length), random))
        return StandIn(files)

    def dataset(self, given: object) -> dict[str, Any]:
        """The description of a dataset of these files, which says of order and chunks what the given one does."""
        kept = {key: given[key] for key in _KEPT if key in given} if isinstance(given, Mapping) else {}
        inner = {key: {"class": "HDFDataset", "files": [str(path)]} for key, path in self.files.items()}
        if list(inner) == ["data"]:
            return {**inner["data"], **kept}
        data_map = {key: (key, "data") for key in inner}
        if "data" in inner:
            return {"class": "MetaDataset", "datasets": inner, "data_map": data_map, **kept}
        first = next(iter(inner))
        if "seq_ordering" in kept:
            inner[first]["seq_ordering"] = kept.pop("seq_ordering")
        control = {"seq_order_control_dataset": first}
        return {"class": "MetaDataset", "datasets": inner, "data_map": data_map, **control, **kept}


@contextmanager
def standing_in(config: Config, folder: Path, *, framewise: bool = False) -> Iterator[None]:
    """Every dataset that a run opens has the stand-in's data, whatever the config or a network of it describes."""
    made: list[StandIn] = []

    def open_stand_in(given: object, **options: Any) -> Dataset:
        if not made:
            made.append(StandIn.write(config, folder, framewise=framewise))
        return init_dataset(made[0].dataset(given), **options)

    with mock.patch.object(setup, "init_dataset", open_stand_in):
        yield


class Lengths:
    """How many frames each sequence has under a key."""

    def __init__(
        self,
        config: Config,
        specs: Mapping[str, DataOptions],
        random: np.random.Generator,
        num_seqs: int,
        *,
        framewise: bool = False,
        frames: tuple[int, int] = _FRAMES,
    ) -> None:
        self._specs = specs
        self._framewise = framewise
        self._chunks = _chunks(config)
        self._least = read_min_chunk_size(config.get("min_chunk_size"))
        self._ratios = random.uniform(0.5, 2.5, num_seqs)
        self._frames = random.integers(*frames, num_seqs)
        self._labels = random.integers(*_LABELS, num_seqs)
        self._first = "data" if "data" in specs else next(iter(specs))

    def of(self, key: str) -> list[int]:
        """The lengths, ``[num_seqs]``."""
        step = frames_of(self._chunks.step, key) if self._chunks is not None else None
        if step:
            least = frames_of(self._least, key) or 1
            return [int(np.ceil(ratio * step)) - 1 + least for ratio in self._ratios]
        options, first = self._specs[key], self._specs[self._first]
        labels = options.is_sparse and not first.is_sparse and _time(options) is not _time(first)
        if labels and not self._framewise:
            return [int(n) for n in self._labels]
        scale = _SAMPLES if not options.is_sparse and options.size == 1 else 1
        return [int(n) * scale for n in self._frames]


def _time(options: DataOptions) -> object:
    """What two keys with the same frames share."""
    found = next((a for a in options.axes() if isinstance(a, Dim) and a.size is None and a is not BATCH), None)
    return found if found is not None else options


def _chunks(config: Config) -> Chunks | None:
    train = config.get("train")
    own = train.get("chunking") if isinstance(train, Mapping) else None
    chunks = read_chunking(own if own is not None else config.get("chunking"))
    return chunks if isinstance(chunks, Chunks) else None


def _shape(axes: list[Any], length: int) -> tuple[int, ...]:
    sizes = [axis.size if isinstance(axis, Dim) else axis for axis in axes]
    return tuple(length if size is None else size for size in sizes)


def _writer(path: Path, options: DataOptions, axes: list[Any]) -> HDFWriter:
    if options.is_sparse:
        return HDFWriter(path, options.size, ndim=max(len(axes), 1))
    last = _shape(axes[-1:], 0)
    features = last[0] if len(axes) >= 2 and last[0] else None
    return HDFWriter(path, features, ndim=max(len(axes), 1))


def _data(options: DataOptions, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    shape = shape or (1,)
    if options.is_sparse:
        last = options.size or 2
        return random.integers(1 if last > 2 else 0, max(last - 1, 1), shape).astype(np.int32)
    if options.dtype is not None and "int" in options.dtype:
        return random.integers(1, 3, shape).astype(options.dtype)
    return random.normal(0.0, 0.5, shape).astype(np.float32)
