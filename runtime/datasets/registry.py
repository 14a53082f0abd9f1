"""The registry of dataset classes: ``@dataset("HDFDataset", options=HDFOptions)`` above a class of its own file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from returnn_ir.errors import IRError
from returnn_ir.registry import import_modules
from runtime.datasets.base import Dataset
from runtime.datasets.options import DatasetOptions

__all__ = ["NOT_BUILT", "DatasetClass", "dataset", "dataset_names", "find_dataset", "register"]

#: RETURNN's classes for data that are not built yet.
NOT_BUILT = frozenset(
    """AnythingDataset BlissDataset ChunkShuffleDataset ClusteringDataset ConcatSeqsDataset ConfusionNetworkDataset
    DatasetWithTimeContext DistributeFilesDataset ExternSprintDataset HuggingFaceDataset
    LibriSpeechCorpus LmDataset MapDatasetWrapper MegatronDataset MultiProcDataset NemoSpeechDataset NextGenHDFDataset
    NltkTimitDataset NumpyDumpDataset OggZipDataset PostprocessingDataset RawWavDataset SiameseHDFDataset
    SprintCacheDataset SprintDatasetBase StereoDataset StereoHdfDataset TextDictDataset TimitDataset TranslationDataset
    TranslationFactorsDataset VariableDataset""".split()  # noqa: SIM905 - a list of them would be four times as long
)


@dataclass(frozen=True)
class DatasetClass:
    """A dataset class.

    Attributes:
        name: in a config.
        options: the dataclass of what it takes.
        make: the dataset from these options.
        kind: what it is, in its docstring.
        orders: it has an order of its own: where its config names none, ``batching``, or sorted for evaluation.
    """

    name: str
    options: type[DatasetOptions]
    make: Callable[[Any], Dataset]
    kind: type[Any]
    orders: bool = True


_CLASSES: dict[str, DatasetClass] = {}
Class = TypeVar("Class", bound=type[Dataset])


def register(found: DatasetClass) -> None:
    """Make a class known.

    Raises:
        IRError: one of its name is.
    """
    if found.name in _CLASSES:
        raise IRError(f"dataset class {found.name!r} is registered twice")
    _CLASSES[found.name] = found


def dataset(
    name: str, *, options: type[DatasetOptions], make: Callable[[Any], Dataset] | None = None, orders: bool = True
) -> Callable[[Class], Class]:
    """Register a class under its name (see :class:`DatasetClass`), with ``make`` where the options decide about it."""

    def add(cls: Class) -> Class:
        register(DatasetClass(name, options, make or cls, cls, orders))
        return cls

    return add


def find_dataset(name: str) -> DatasetClass | None:
    """The dataset class of a name."""
    return _all().get(name)


def dataset_names() -> list[str]:
    """All names, sorted."""
    return sorted(_all())


@functools.cache
def _all() -> Mapping[str, DatasetClass]:
    """Every dataset class: importing the modules in their folder registers them."""
    import_modules("runtime.datasets.classes")
    return _CLASSES
