"""``task = "search"``: the best hypotheses for every sequence of a dataset, rated and written to a file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.errors import ConfigError
from runtime.datasets import Batch, Dataset, IndexedDataset
from runtime.datasets.ordering import IntArray
from runtime.model.step import Step
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import run_epoch
from runtime.tasks.log import log
from runtime.tasks.scores import EpochScores
from runtime.tasks.search.file import Entry, Scored, Text, write_search_file
from runtime.tasks.search.layers import LayerTarget, SearchedLayer
from runtime.tasks.search.options import SearchOptions
from runtime.tasks.search.scores import SearchScores
from runtime.tasks.setup import Setup

__all__ = ["SearchResult", "search"]


@dataclass
class SearchResult:
    """What a search has found.

    Attributes:
        entries: by corpus index: sequence tag and result, a dict by layer where several layers were asked for.
        scores: error rates by layer, of those that have a target.
        losses: the network's own losses on these sequences.
    """

    entries: dict[int, tuple[str, Entry]] = field(default_factory=dict)
    scores: dict[str, SearchScores] = field(default_factory=dict)
    losses: EpochScores = field(default_factory=EpochScores)


def search(config: Config) -> SearchResult:
    """Search over ``search_data`` with the checkpoint that the config asks for.

    Raises:
        ConfigError: no data, no such layer, no checkpoint, or the output file exists already.
        DataError: data that does not fit the network.
    """
    setup = Setup.from_config(config)
    options = SearchOptions.from_config(config, setup.options)
    setup.check_layers("search_output_layer", options.layers)
    targets = {name: LayerTarget.of(config, setup.net, name) for name in options.layers}
    made = [target.layer for target in targets.values() if target.layer is not None and options.do_eval]
    setup.require_checkpoint()
    setup.start_tensorflow()
    with setup.dataset(options.data_name, options.data, seq_ordering="sorted") as dataset:
        if dataset.options.chunking is not None:
            raise ConfigError(
                "the sequences of the data to search on are cut into chunks, of which each would be searched alone",
                where=f"dataset {options.data_name!r}, chunking",
                expected="whole sequences",
                hint="++chunking 0, or 'chunking': 0 in the dataset",
            )
        fetch = list(dict.fromkeys([*options.layers, *made]))
        step = setup.load_step("search", fetch=fetch, losses=options.do_eval)
        check_dataset(options.data_name, dataset, step.program.graph)
        layers = [
            SearchedLayer.of(config, step.program, dataset, name, target, options) for name, target in targets.items()
        ]
        started = time.monotonic()
        result = _run(step, dataset, layers, options)
    log(f"searched {options.data_name}: {len(result.entries)} sequences in {time.monotonic() - started:.1f} s")
    _report(result)
    if options.output_file is not None:
        entries = [result.entries[index] for index in sorted(result.entries)]
        write_search_file(options.output_file, options.file_format, entries)
        log(f"wrote {options.output_file}")
    return result


def _run(step: Step, dataset: Dataset, layers: Sequence[SearchedLayer], options: SearchOptions) -> SearchResult:
    compared = [layer for layer in layers if layer.target.key is not None]
    result = SearchResult(scores={layer.name: SearchScores(layer.vocabulary) for layer in compared})

    def take(batch: Batch, results: Mapping[str, Array]) -> str:
        result.losses.add(step.program.graph, results)
        _take(result, results, batch, layers, several=options.several)
        return " ".join(scores.line() for scores in result.scores.values())

    order = _longest_first(dataset) if options.output_file is not None else None
    run_epoch(
        "search", step.program, step, take,
        dataset=dataset, epoch=1, batch_options=options.batch_options, order=order,
        keys=[str(layer.target.key) for layer in compared], stop_on_nonfinite=False,
    )  # fmt: skip
    return result


def _longest_first(dataset: Dataset) -> IntArray | None:
    """For a file like RETURNN every sequence, the longest first; None: as they come, without random access."""
    if not isinstance(dataset, IndexedDataset):
        return None
    order = np.unique(dataset.init_epoch(1))
    return order[np.argsort(-dataset.order_lengths()[order], kind="stable")]


def _take(
    result: SearchResult,
    found: Mapping[str, Array],
    batch: Batch,
    layers: Sequence[SearchedLayer],
    *,
    several: bool,
) -> None:
    """Take the results of one batch in."""
    rows: list[dict[str, Text | Scored]] = [{} for _ in batch.tags]
    for layer in layers:
        nbest = layer.hypotheses(found)
        if layer.target.key is not None:
            references = layer.references(found, batch)
            for tag, hypotheses, reference in zip(batch.tags, nbest, references, strict=True):
                result.scores[layer.name].add(tag, hypotheses, reference)
        for row, hypotheses in zip(rows, nbest, strict=True):
            row[layer.name] = layer.entry(hypotheses)
    for index, tag, row in zip(batch.indices, batch.tags, rows, strict=True):
        result.entries[int(index)] = (tag, dict(row) if several else row[layers[0].name])


def _report(result: SearchResult) -> None:
    if result.losses.scores():
        log(f"  losses: {result.losses.line()}")
    for name, scores in result.scores.items():
        for line in scores.report():
            log(f"  {name}: {line}")
