"""``docs/datasets.md``, made from the dataclasses of options of the dataset classes: ``make options``."""

from __future__ import annotations

from pathlib import Path

from runtime.datasets import DatasetOptions
from runtime.datasets.generating import GeneratedOptions
from runtime.datasets.registry import NOT_BUILT, DatasetClass, dataset_names, find_dataset
from tests.config.layers_page import options_table, summary_of

__all__ = ["PAGE", "dataset_classes", "datasets_page"]

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"

_HEAD = """# Datasets

Made by `make options` from the dataclasses of their options; a test compares.

`train`, `dev`, `eval` and the entries of `eval_datasets` are a dict `{"class": ..., option: value}`, or a function that
returns one. Older forms are texts: HDF files separated by commas, `"CLASS:option=value,..."`, a dict, and
`"config:NAME"` for what the config has under a name. Each class gives the sequences that RETURNN gives, in its order.

A class of the config's own has RETURNN's protocol: `init_seq_order`, `is_less_than_num_seqs`, `load_seqs`, `get_data`,
`get_data_keys` and `get_tag`. It is named as the object, `{"class": MyDataset}`, and may be derived from `Dataset`,
`CachedDataset2` or `GeneratingDataset` of RETURNN, which a config can import without RETURNN. Its sequences come one
after the other, so it cannot be part of a `MetaDataset` or a `CombinedDataset`.

Lists of tags and tables of lengths are text files, or pickles (`.pkl`) of lists, tuples, sets, dicts, texts, numbers
and NumPy arrays: anything else in them is refused, and nothing in them runs. Both may be packed (`.gz`).

Not built yet: {not_built}.

## Options of all datasets
"""


def datasets_page() -> str:
    """The whole page."""
    head = _HEAD.replace("{not_built}", ", ".join(sorted(NOT_BUILT)))
    generated = ["\n## Options of all generated data\n", options_table(GeneratedOptions, DatasetOptions)]
    return "".join([head, options_table(DatasetOptions, object), *generated, *map(_dataset, dataset_classes())])


def dataset_classes() -> list[DatasetClass]:
    """All of them, sorted by name."""
    return [found for found in map(find_dataset, dataset_names()) if found is not None]


def _dataset(found: DatasetClass) -> str:
    base = GeneratedOptions if issubclass(found.options, GeneratedOptions) else DatasetOptions
    more = " (generated)" if base is GeneratedOptions else ""
    return f"\n## `{found.name}`\n\n{summary_of(found.kind)}{more}\n{options_table(found.options, base)}"


if __name__ == "__main__":
    PAGE.write_text(datasets_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
