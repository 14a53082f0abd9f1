"""Random data of any kind, as ``extern_data`` would describe it. Draws follow RETURNN's DummyGenericDataset."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np

from returnn_ir.config.data_options import DataOptions, read_data_options
from returnn_ir.errors import ConfigError, ProblemList, UserError
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.options import Described
from runtime.datasets.base import Array, DataSpec
from runtime.datasets.generating import GeneratedOptions, Random, Task, generated

__all__ = ["DummyGeneric", "DummyGenericOptions"]

_RANGE, _AUDIO_RANGE = (5, 15), (1000, 8000)


@dataclass(frozen=True, kw_only=True)
class DummyGenericOptions(GeneratedOptions):
    """Options of ``DummyGenericDataset``.

    Attributes:
        data_template: as ``extern_data``: data key to what its data is.
        seq_lens: frames, a number or (least, most), of all data or by data key or dim; without it 5 to 15, of plain
            floats, which are taken for audio, 1000 to 8000.
    """

    data_template: Annotated[Mapping[str, Any], Described("a dict from data keys to what the data is")]
    seq_lens: Annotated[Any, Described("a number, (least, most), or a dict of these")] = None


@generated("DummyGenericDataset", options=DummyGenericOptions)
class DummyGeneric(Task):
    """Each key has random lengths of its axes, and random entries."""

    def __init__(self, options: DummyGenericOptions) -> None:
        self._options = options
        self._data = _read(options)
        axes = {key: tuple(a for a in data.axes() if a is not BATCH) for key, data in self._data.items()}
        #: Per key the axes, those of varying size by what they share it with: a dim, or nothing.
        self._axes: dict[str, list[int | Hashable]] = {
            key: [self._axis(key, i, axis) for i, axis in enumerate(own)] for key, own in axes.items()
        }
        self._ranges = self._all_ranges()
        self.specs = {key: self._spec(key) for key in self._data}

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """Draw lengths anew for each key, then its entries."""
        return {key: self._draw(random, key) for key in self._data}

    def _axis(self, key: str, number: int, axis: Dim | int | None) -> int | Hashable:
        """The size of an axis, or what names it: its dim, or the key and its number."""
        if not isinstance(axis, Dim):
            return (key, number) if axis is None else axis
        if axis.size is None and axis.expr is not None:
            raise ConfigError(
                f"cannot make data like {key!r}",
                where=self._options.place("data_template", key),
                expected="axes with lengths of their own",
                received=f"{axis.name}, whose length follows from others",
            )
        return axis if axis.size is None else axis.size

    def _draw(self, random: Random, key: str) -> Array:
        sizes = {
            name: int(random.randint(low, high + 1, size=[1], dtype=np.int32)[0])
            for name, (low, high) in self._ranges.items()
        }
        shape = [axis if isinstance(axis, int) else sizes[axis] for axis in self._axes[key]]
        spec = self.specs[key]
        dtype = np.dtype(spec.dtype)
        if spec.sparse:
            return random.randint(0, spec.dim or 1, shape, dtype=dtype)
        if dtype.kind == "f":
            return np.asarray(random.standard_normal(shape)).astype(dtype)
        return random.randint(0, 10, shape, dtype=dtype)

    def _spec(self, key: str) -> DataSpec:
        data, axes = self._data[key], self._axes[key]
        dtype = data.dtype or ("int32" if data.is_sparse else "float32")
        dim = data.size
        if data.is_sparse and data.sparse_dim is not None:
            dim = data.sparse_dim.size
        elif not data.is_sparse:
            dim = axes[-1] if len(axes) >= 2 and isinstance(axes[-1], int) else None
        if (data.is_sparse and not dim) or np.dtype(dtype).kind not in "iuf":
            raise ConfigError(
                f"cannot make data like {key!r}",
                where=self._options.place("data_template", key),
                expected="floats, integers, or labels with a dim",
                received=f"{dtype}, dim {dim}",
            )
        return DataSpec(tuple(a if isinstance(a, int) else None for a in axes), dtype, dim, sparse=data.is_sparse)

    def _all_ranges(self) -> dict[Hashable, tuple[int, int]]:
        """Least and largest size of each axis that varies, in the order of the keys."""
        given = self._options.seq_lens
        table = given if isinstance(given, Mapping) else {} if given is None else {None: given}
        ranges: dict[Hashable, tuple[int, int]] = {}
        for key, axes in self._axes.items():
            dtype = self._data[key].dtype or "float32"
            plain = [axis if isinstance(axis, int) else None for axis in axes] in ([None], [None, 1])
            audio = plain and not self._data[key].is_sparse and dtype.startswith("float")
            for axis in axes:
                if isinstance(axis, int) or axis in ranges:
                    continue
                found = next((table[name] for name in (axis, key, None) if name in table), None)
                ranges[axis] = (_AUDIO_RANGE if audio else _RANGE) if found is None else self._range(found)
        return ranges

    def _range(self, given: Any) -> tuple[int, int]:
        pair = (given, given) if isinstance(given, int) else given
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(type(size) is int for size in pair):
            raise self._wrong_range(given)
        if not 0 <= pair[0] <= pair[1]:
            raise self._wrong_range(given)
        return pair[0], pair[1]

    def _wrong_range(self, given: Any) -> ConfigError:
        expected = "a number, or (least, most)"
        return ConfigError("wrong seq_lens", where=self._options.place("seq_lens"), expected=expected, received=given)


def _read(options: DummyGenericOptions) -> dict[str, DataOptions]:
    problems: list[UserError] = []
    found: dict[str, DataOptions] = {}
    for key, raw in options.data_template.items():
        if not isinstance(raw, Mapping):
            where, received = options.place("data_template", key), type(raw).__name__
            problems.append(ConfigError("no data template", where=where, expected="a dict", received=received))
            continue
        read, wrong = read_data_options(raw, partial(options.place, "data_template", key))
        problems.extend(wrong)
        if read is not None:
            found[key] = read
    if problems:
        raise problems[0] if len(problems) == 1 else ProblemList(problems)
    return found
