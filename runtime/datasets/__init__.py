"""Datasets: RETURNN's classes and a config's own; order, batches, background loading."""

from __future__ import annotations

from runtime.datasets.base import Array, Dataset, DataSpec, Sequence
from runtime.datasets.batch import Batch, PieceReader, collate
from runtime.datasets.batch_options import BatchOptions
from runtime.datasets.classes.hdf import HDFDataset, HDFOptions
from runtime.datasets.classes.static import StaticDataset, StaticOptions
from runtime.datasets.finite import NonFinite, check_finite, find_non_finite
from runtime.datasets.hdf_writer import HDFWriter
from runtime.datasets.indexed import IndexedDataset
from runtime.datasets.init import init_dataset
from runtime.datasets.loader import BatchLoader
from runtime.datasets.options import DatasetOptions
from runtime.datasets.pieces import BatchPlan, Piece, SeqInfo
from runtime.datasets.planner import EpochPlanner, plan_epoch

__all__ = [
    "Array",
    "Batch",
    "BatchLoader",
    "BatchOptions",
    "BatchPlan",
    "DataSpec",
    "Dataset",
    "DatasetOptions",
    "EpochPlanner",
    "HDFDataset",
    "HDFOptions",
    "HDFWriter",
    "IndexedDataset",
    "NonFinite",
    "Piece",
    "PieceReader",
    "SeqInfo",
    "Sequence",
    "StaticDataset",
    "StaticOptions",
    "check_finite",
    "collate",
    "find_non_finite",
    "init_dataset",
    "plan_epoch",
]
