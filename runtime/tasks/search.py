"""``task = "search"``: the best hypotheses for every sequence of a dataset, rated and written to a file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.construct.state import EPOCH_STEP
from returnn_ir.errors import ConfigError, DataError, did_you_mean
from returnn_ir.network.net import Net
from runtime.datasets import Batch, BatchLoader, Dataset, init_dataset, make_batches
from runtime.decoding import Hypothesis, Vocabulary, nbest_lists
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.feeding import checked_feed
from runtime.tasks.forward import read_params
from runtime.tasks.progress import log, progress
from runtime.tasks.scores import EpochScores
from runtime.tasks.search_file import Entry, Scored, Text, write_search_file
from runtime.tasks.search_options import SearchOptions
from runtime.tasks.search_scores import SearchScores
from runtime.tasks.train import Engine

__all__ = ["SearchResult", "search"]


@dataclass(frozen=True)
class _Layer:
    """A layer whose output is wanted.

    Attributes:
        target: the data key that its labels are compared with, and whose vocabulary names them; None if there is none.
        target_layer: the layer that makes this target, where it is no data of the dataset.
        vocabulary: None where nothing names the labels, or the output is not sparse.
    """

    name: str
    target: str | None
    target_layer: str | None
    vocabulary: Vocabulary | None
    sparse: bool

    def text(self, value: Array) -> Text:
        """What the output file says of one hypothesis."""
        return self.vocabulary.text(value) if self.vocabulary is not None else value


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
        ConfigError: no data, no such layer, or the output file exists already.
        DataError: data that does not fit the network.
    """
    engine = Engine(config)
    options = SearchOptions.from_config(config, engine.options)
    engine.start_tensorflow()
    _check_layers(config, engine.net, options.layers)
    targets = {name: _target_key(config, engine.net, name) for name in options.layers}
    makers = {name: _target_layer(engine.net, key) for name, key in targets.items()}
    fetch = [*options.layers, *(m for m in makers.values() if m is not None and options.do_eval)]
    program = compile_net(
        engine.net, target="tf", mode="search", fetch=list(dict.fromkeys(fetch)), losses=options.do_eval
    )
    checkpoint = engine.checkpoint()
    params = read_params(checkpoint, program)
    log(f"loaded {checkpoint}")
    for note in program.graph.notes:
        log(f"note: {note}")
    where = partial(config.place, options.data_name)
    with init_dataset(
        options.data, name=options.data_name, defaults={"seq_ordering": "sorted"}, where=where
    ) as dataset:
        check_dataset(options.data_name, dataset, program.graph)
        layers = [
            _layer(config, program, dataset, name, targets[name], makers[name], options) for name in options.layers
        ]
        started = time.monotonic()
        result = _run(program, params, dataset, layers, options)
    log(f"searched {options.data_name}: {len(result.entries)} sequences in {time.monotonic() - started:.1f} s")
    _report(result)
    if options.output_file is not None:
        entries = [result.entries[index] for index in sorted(result.entries)]
        write_search_file(options.output_file, options.file_format, entries)
        log(f"wrote {options.output_file}")
    return result


# ---------------------------------------------------------------- what is searched, and compared with what


def _check_layers(config: Config, net: Net, names: Sequence[str]) -> None:
    for name in names:
        if name.partition("/")[0] not in net.layers:
            raise ConfigError(
                f"there is no layer {name!r}",
                where=config.origin(None, "search_output_layer"),
                expected=", ".join(net.layers),
                hint=did_you_mean(name, net.layers),
            )


def _target_key(config: Config, net: Net, name: str) -> str | None:
    """The layer's target, else the network's default target if there is such data."""
    definition = net.layers.get(name)
    if definition is not None and definition.targets():
        return definition.targets()[0]
    default = config.value("target", "classes")
    return default if default in config.extern_data_spec() else None


def _target_layer(net: Net, key: str | None) -> str | None:
    """The layer that a target is made by: ``layer:NAME``, or one that registers itself under this key."""
    if key is not None and key.startswith("layer:"):
        return key.removeprefix("layer:")
    return next(
        (n for n, d in net.layers.items() if key is not None and d.options.register_as_extern_data == key), None
    )


def _layer(
    config: Config,
    program: Program,
    dataset: Dataset,
    name: str,
    target: str | None,
    target_layer: str | None,
    options: SearchOptions,
) -> _Layer:
    sparse = program.graph.outputs[name].value.type.sparse_dim is not None
    vocabulary = _vocabulary(config, dataset, target) if sparse and target is not None else None
    if sparse and vocabulary is None and options.output_file is not None:
        raise DataError(
            f"nothing names the labels of layer {name!r}, so they cannot be written",
            where=f"dataset {options.data_name!r}",
            expected=f"labels of {target!r} in the dataset, or extern_data[{target!r}]['vocab']",
            hint="HDFWriter(extra_labels=...) writes them into an HDF file",
        )
    if options.do_eval and sparse and target is not None and target_layer is None and target not in dataset.specs:
        raise DataError(
            f"the dataset has no data {target!r} to compare layer {name!r} with",
            where=f"dataset {options.data_name!r}",
            expected=", ".join(dataset.specs),
            hint="search_do_eval = False",
        )
    return _Layer(name, target if sparse and options.do_eval else None, target_layer, vocabulary, sparse)


def _vocabulary(config: Config, dataset: Dataset, target: str) -> Vocabulary | None:
    """The names of the target's labels: those of ``extern_data``, else those in the dataset."""
    options = config.extern_data_spec().get(target)
    if options is not None and options.vocab is not None:
        return Vocabulary.of_options(options.vocab, f"extern_data[{target!r}]")
    spec = dataset.specs.get(target)
    return Vocabulary.of_labels(spec.labels) if spec is not None and spec.labels else None


# ---------------------------------------------------------------- the run


def _run(
    program: Program,
    params: Mapping[str, Array],
    dataset: Dataset,
    layers: Sequence[_Layer],
    options: SearchOptions,
) -> SearchResult:
    order = dataset.init_epoch(1)
    if options.output_file is not None:  # RETURNN: every sequence, the longest first, however the config orders them
        order = np.unique(order)
        order = order[np.argsort(-dataset.order_lengths()[order], kind="stable")]
    wanted = {name.partition("/")[0] for name in program.input_names()} | {str(x.target) for x in layers}
    loader = BatchLoader(dataset, make_batches(dataset, order, options.limits), keys=wanted & set(dataset.specs))
    result = SearchResult()
    for layer in layers:
        if layer.target is not None:
            result.scores[layer.name] = SearchScores(layer.vocabulary)
    with loader, progress("search", len(order)) as bar:
        for step, batch in enumerate(loader):
            feed = checked_feed(batch, program, "search")
            found = program.run({**feed, EPOCH_STEP: np.asarray(step)}, params)
            result.losses.add(program.graph, found)
            _take(result, program, found, batch, layers, options)
            bar.advance(batch.num_seqs, " ".join(s.line() for s in result.scores.values()))
    return result


def _take(
    result: SearchResult,
    program: Program,
    found: Mapping[str, Array],
    batch: Batch,
    layers: Sequence[_Layer],
    options: SearchOptions,
) -> None:
    """Take the results of one batch in."""
    rows: list[dict[str, Text | Scored]] = [{} for _ in batch.tags]
    for layer in layers:
        nbest = nbest_lists(found, layer.name, program.graph.outputs[layer.name])
        if layer.target is not None:
            references = _references(program, found, batch, layer)
            for tag, hypotheses, reference in zip(batch.tags, nbest, references, strict=True):
                result.scores[layer.name].add(tag, hypotheses, reference)
        for row, hypotheses in zip(rows, nbest, strict=True):
            row[layer.name] = _result(layer, hypotheses)
    for index, tag, row in zip(batch.indices, batch.tags, rows, strict=True):
        result.entries[int(index)] = (tag, dict(row) if options.several else row[layers[0].name])


def _result(layer: _Layer, hypotheses: Sequence[Hypothesis]) -> Text | Scored:
    if len(hypotheses) == 1 and hypotheses[0].score is None:
        return layer.text(hypotheses[0].value)
    return [(h.score if h.score is not None else 0.0, layer.text(h.value)) for h in hypotheses]


def _references(program: Program, found: Mapping[str, Array], batch: Batch, layer: _Layer) -> list[Array]:
    if layer.target_layer is not None:
        lists = nbest_lists(found, layer.target_layer, program.graph.outputs[layer.target_layer])
        return [hypotheses[0].value for hypotheses in lists]
    key = str(layer.target)
    if key not in batch.sizes or 1 not in batch.sizes[key]:
        return list(batch.data[key])
    return [value[:n] for value, n in zip(batch.data[key], batch.lengths(key), strict=True)]


def _report(result: SearchResult) -> None:
    if result.losses.line():
        log(f"  losses: {result.losses.line()}")
    for name, scores in result.scores.items():
        for line in scores.report():
            log(f"  {name}: {line}")
