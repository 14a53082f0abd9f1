"""Datasets inside of datasets: opened with the options that they take over, closed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Seq
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from returnn_ir.errors import ConfigError, DataError
from runtime.datasets.base import Dataset, DataSpec
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.init import init_dataset
from runtime.datasets.options import DatasetOptions

__all__ = ["ORDER_OPTIONS", "declared_dim", "describe", "indexed", "merged_spec", "open_inner", "opening", "same_specs"]

#: What decides about order and choice of sequences; without effect where the datasets inside decide.
ORDER_OPTIONS = (
    "partition_epoch",
    "repeat_epoch",
    "seq_list_filter_file",
    "unique_seq_tags",
    "seq_order_seq_lens_file",
    "fixed_random_seed",
)


def open_inner(config: Any, outer: DatasetOptions, option: str, key: object = None) -> Dataset:
    """Open a dataset that another one is made of; it takes over ``random_seed_offset``, as in RETURNN.

    Args:
        outer: options of the other one.
        option: of it, in which the dataset stands, under ``key`` if there are several.

    Raises:
        UserError: it cannot be made.
    """
    keys = (option,) if key is None else (option, key)
    part = option if key is None else str(key)
    name = f"{outer.name}_{part}" if outer.name else part
    defaults = {} if outer.random_seed_offset is None else {"random_seed_offset": outer.random_seed_offset}
    return init_dataset(config, name=name, defaults=defaults, where=partial(outer.place, *keys))


@contextmanager
def opening(datasets: Iterator[Dataset]) -> Iterator[list[Dataset]]:
    """Open datasets one after the other; they are closed again if one cannot be opened, or what follows fails."""
    opened: list[Dataset] = []
    try:
        opened.extend(datasets)
        yield opened
    except BaseException:
        for one in opened:
            one.close()
        raise


def indexed(dataset: Dataset, outer: DatasetOptions, what: str) -> IndexedDataset:
    """A dataset that must have random access.

    Raises:
        ConfigError: it has not.
    """
    if not isinstance(dataset, IndexedDataset):
        raise ConfigError(
            f"{dataset.options.where} has no random access",
            where=outer.place("datasets"),
            expected=f"for {what}, a dataset whose sequences have numbers and an end",
        )
    return dataset


def same_specs(datasets: Seq[Dataset]) -> dict[str, DataSpec]:
    """The keys that all datasets have, which they must agree on; integer widths may differ.

    Raises:
        DataError: they do not.
    """
    first, *others = datasets
    merged = dict(first.specs)
    for one in others:
        if merged.keys() != one.specs.keys():
            raise DataError(
                "the datasets have different data keys",
                where=one.options.where,
                expected=f"as in {first.options.where}: {', '.join(merged)}",
                received=", ".join(one.specs),
            )
        for key, spec in one.specs.items():
            merged[key] = merged_spec(merged[key], spec, key, f"as in {first.options.where}", one.options.where)
    return merged


def merged_spec(spec: DataSpec, other: DataSpec, key: str, expected: str, where: str) -> DataSpec:
    """What data under one key from two datasets is.

    Raises:
        DataError: they do not fit.
    """
    kinds = np.dtype(spec.dtype).kind + np.dtype(other.dtype).kind
    if (spec.shape, spec.dim, spec.sparse) != (other.shape, other.dim, other.sparse) or (
        kinds.replace("u", "i") not in ("ii", "ff") and spec.dtype != other.dtype
    ):
        raise DataError(
            f"data of key {key!r} does not fit",
            where=where,
            expected=f"{expected}: {describe(spec)}",
            received=describe(other),
        )
    return replace(spec, dtype=np.promote_types(spec.dtype, other.dtype).name) if spec.dtype != other.dtype else spec


def declared_dim(spec: DataSpec, key: str, given: Mapping[str, Any] | None, options: DatasetOptions) -> DataSpec:
    """The spec with the number of classes that ``data_dims`` says.

    Raises:
        ConfigError: ``data_dims`` lacks the key, or has the dim of other data.
    """
    if not given:
        return spec
    value = given.get(key)
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, 2 if key == "data" else 1)
    if len(pair) != 2 or not all(type(part) is int for part in pair):
        raise ConfigError(
            f"wrong data_dims for {key!r}",
            where=options.place("data_dims"),
            expected="a dim, or (dim, number of axes)",
            received=repr(value),
        )
    if spec.ndim >= 2 and spec.dim != pair[0]:
        raise ConfigError(
            f"wrong data_dims for {key!r}",
            where=options.place("data_dims"),
            expected=f"dim {spec.dim}, as in the data",
            received=repr(value),
        )
    return replace(spec, dim=pair[0], labels=spec.labels if spec.dim == pair[0] else None)


def describe(spec: DataSpec) -> str:
    """A spec in words."""
    kind = "sparse" if spec.sparse else "dense"
    return f"{kind}, dim {spec.dim}, shape {spec.shape}, {spec.dtype}"
