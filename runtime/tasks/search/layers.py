"""The layers that a search is asked for: what their labels are compared with, and what names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.program.program import Program
from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.errors import DataError
from returnn_ir.network.net import Net
from runtime.datasets import Batch, Dataset
from runtime.decoding import Hypothesis, Vocabulary, nbest_lists
from runtime.tasks.search.file import Scored, Text
from runtime.tasks.search.options import SearchOptions

__all__ = ["LayerTarget", "SearchedLayer"]


@dataclass(frozen=True)
class LayerTarget:
    """What the labels of a layer are compared with.

    Attributes:
        key: the data key, or ``layer:NAME``; None if there is none.
        layer: the layer that makes the target, where it is no data of the dataset.
    """

    key: str | None
    layer: str | None

    @staticmethod
    def of(config: Config, net: Net, name: str) -> LayerTarget:
        """The layer's target, else the network's default target if there is such data."""
        definition = net.layers.get(name)
        if definition is not None and definition.targets():
            key: str | None = definition.targets()[0]
        else:
            default = config.value("target", "classes")
            key = default if default in config.extern_data_spec() else None
        return LayerTarget(key, _maker(net, key))


def _maker(net: Net, key: str | None) -> str | None:
    """The layer that a target is made by: ``layer:NAME``, or one that registers itself under this key."""
    if key is not None and key.startswith("layer:"):
        return key.removeprefix("layer:")
    return next(
        (n for n, d in net.layers.items() if key is not None and d.options.register_as_extern_data == key), None
    )


@dataclass(frozen=True)
class SearchedLayer:
    """A layer whose output is wanted.

    Attributes:
        program: the search.
        target: what its labels are compared with; without a key if they are not.
        vocabulary: None where nothing names the labels, or the output is not sparse.
    """

    program: Program
    name: str
    target: LayerTarget
    vocabulary: Vocabulary | None

    @staticmethod
    def of(
        config: Config, program: Program, dataset: Dataset, name: str, target: LayerTarget, options: SearchOptions
    ) -> SearchedLayer:
        """The layer in a search over a dataset.

        Raises:
            DataError: nothing names the labels and they are to be written, or the dataset lacks what they are compared
                with.
        """
        labels = program.graph.outputs[name].value.type.sparse_dim
        sparse, key = labels is not None, target.key
        keys = (key, program.graph.label_keys.get(labels)) if labels is not None else ()
        named = (_vocabulary(config, dataset, k) for k in keys if k is not None)
        vocabulary = next((v for v in named if v is not None), None)
        if sparse and vocabulary is None and options.output_file is not None:
            raise DataError(
                f"nothing names the labels of layer {name!r}, so they cannot be written",
                where=f"dataset {options.data_name!r}",
                expected=f"labels of {key!r} in the dataset, or extern_data[{key!r}]['vocab']",
                hint="HDFWriter(extra_labels=...) writes them into an HDF file",
            )
        if options.do_eval and sparse and key is not None and target.layer is None and key not in dataset.specs:
            raise DataError(
                f"the dataset has no data {key!r} to compare layer {name!r} with",
                where=f"dataset {options.data_name!r}",
                expected=", ".join(dataset.specs),
                hint="search_do_eval = False",
            )
        compared = target if sparse and options.do_eval else LayerTarget(None, None)
        return SearchedLayer(program, name, compared, vocabulary)

    def hypotheses(self, results: Mapping[str, Array]) -> list[list[Hypothesis]]:
        """The beam of each sequence of a batch."""
        return nbest_lists(results, self.name, self.program.graph.outputs[self.name])

    def references(self, results: Mapping[str, Array], batch: Batch) -> list[Array]:
        """What the labels of each sequence are compared with."""
        if self.target.layer is not None:
            lists = nbest_lists(results, self.target.layer, self.program.graph.outputs[self.target.layer])
            return [hypotheses[0].value for hypotheses in lists]
        key = str(self.target.key)
        if key not in batch.sizes or 1 not in batch.sizes[key]:
            return list(batch.data[key])
        return [value[:n] for value, n in zip(batch.data[key], batch.lengths(key), strict=True)]

    def entry(self, hypotheses: Sequence[Hypothesis]) -> Text | Scored:
        """What the output file says of one sequence."""
        if len(hypotheses) == 1 and hypotheses[0].score is None:
            return self._text(hypotheses[0].value)
        return [(h.score if h.score is not None else 0.0, self._text(h.value)) for h in hypotheses]

    def _text(self, value: Array) -> Text:
        return self.vocabulary.text(value) if self.vocabulary is not None else value


def _vocabulary(config: Config, dataset: Dataset, target: str) -> Vocabulary | None:
    """The names of the target's labels: those of ``extern_data``, else those in the dataset."""
    options = config.extern_data_spec().get(target)
    if options is not None and options.vocab is not None:
        return Vocabulary.of_options(options.vocab, f"extern_data[{target!r}]")
    spec = dataset.specs.get(target)
    return Vocabulary.of_labels(spec.labels) if spec is not None and spec.labels else None
