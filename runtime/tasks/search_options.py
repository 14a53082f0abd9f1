"""What a search is asked to do: the config's ``search_...`` options, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from returnn_ir.config import Config
from returnn_ir.errors import ConfigError, did_you_mean
from runtime.datasets import BatchLimits
from runtime.tasks.run_options import RunOptions
from runtime.tasks.search_file import FORMATS

__all__ = ["SearchOptions"]


@dataclass(frozen=True)
class SearchOptions:
    """Options of ``task = "search"``, with RETURNN's names and defaults.

    Attributes:
        data_name: for messages.
        data: a dataset, or what a config says of one.
        layers: whose output is wanted.
        several: the config names a list: the results are dicts by layer.
        output_file: None: nothing is written.
        do_eval: compare with the targets, and compute the losses.
        limits: of a batch; no sequence is dropped.
    """

    data_name: str
    data: Any
    layers: tuple[str, ...]
    several: bool
    output_file: Path | None
    file_format: str
    do_eval: bool
    limits: BatchLimits

    @staticmethod
    def from_config(config: Config, options: RunOptions) -> SearchOptions:
        """Read the options; a missing or wrong one is a ConfigError."""
        name, data = _data(config, options)
        layers = config.get("search_output_layer", "output")
        several = isinstance(layers, (list, tuple))
        names = layers if isinstance(layers, (list, tuple)) else [layers]
        if not names or not all(isinstance(n, str) for n in names):
            raise ConfigError(
                "search_output_layer is a layer's name or a list of them",
                where=config.origin(None, "search_output_layer"),
                received=repr(layers),
            )
        if options.limits.max_seq_length:
            raise ConfigError(
                "max_seq_length would leave sequences out of the search",
                where=config.origin(None, "max_seq_length"),
                hint="++max_seq_length 0",
            )
        path = config.value("search_output_file", "")
        return SearchOptions(
            data_name=name,
            data=data,
            layers=tuple(map(str, names)),
            several=several,
            output_file=_output_file(config, path) if path else None,
            file_format=_file_format(config, several=several, written=bool(path)),
            do_eval=config.bool("search_do_eval", True),
            limits=options.eval_limits,
        )


def _data(config: Config, options: RunOptions) -> tuple[str, Any]:
    data = config.get("search_data", "eval")
    if not isinstance(data, str) or data.lstrip().startswith("{"):
        return "search_data", data
    found = {"train": options.train, **options.eval_datasets}
    if found.get(data):
        return data, found[data]
    if isinstance(config.get(data), Mapping):
        return data, config[data]
    if data.isidentifier():
        raise ConfigError(
            f"there is no data {data!r} to search on",
            where=config.origin(None, "search_data") if "search_data" in config else str(config.path),
            expected="search_data: train, dev, eval or a dataset",
            hint=did_you_mean(data, [n for n, value in found.items() if value]),
        )
    return "search_data", data


def _output_file(config: Config, path: str) -> Path:
    if Path(path).exists():
        raise ConfigError(
            f"the output file exists: {path}",
            where=config.origin(None, "search_output_file"),
            hint="remove it or write another one",
        )
    return Path(path)


def _file_format(config: Config, *, several: bool, written: bool) -> str:
    file_format = config.value("search_output_file_format", "txt")
    where = config.origin(None, "search_output_file_format")
    if file_format not in FORMATS:
        hint = did_you_mean(file_format, FORMATS)
        raise ConfigError(f"unknown file format {file_format!r}", where=where, expected=", ".join(FORMATS), hint=hint)
    if several and written and file_format == "txt":
        raise ConfigError("a txt file has no place for several layers", where=where, expected="py")
    return file_format
