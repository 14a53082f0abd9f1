"""What a search is asked to do: the config's ``search_...`` options, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError, did_you_mean
from returnn_ir.options import Described, Key
from runtime.datasets import BatchOptions
from runtime.tasks.run_options import RunOptions

__all__ = ["SearchOptions"]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's options for a search.

    Attributes:
        data: a dataset, or the name of one.
        layers: one name, or a list of names: then the results are dicts.
        do_eval: compare with the targets.
    """

    data: Annotated[Any, Key("search_data")] = "eval"
    layers: Annotated[
        str | Sequence[str], Key("search_output_layer"), Described("a layer's name, or a list of them")
    ] = "output"
    output_file: Annotated[str | None, Key("search_output_file")] = None
    file_format: Annotated[Literal["txt", "py"], Key("search_output_file_format")] = "txt"
    do_eval: Annotated[bool, Key("search_do_eval")] = True


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
        batch_options: no sequence is dropped.
    """

    data_name: str
    data: Any
    layers: tuple[str, ...]
    several: bool
    output_file: Path | None
    file_format: str
    do_eval: bool
    batch_options: BatchOptions

    @staticmethod
    def from_config(config: Config, options: RunOptions) -> SearchOptions:
        """Read the options; a missing or wrong one is a ConfigError."""
        keys = read_config(_Keys, config)
        name, data = _data(keys.data, config, options)
        names = (keys.layers,) if isinstance(keys.layers, str) else tuple(keys.layers)
        if not names:
            raise ConfigError(
                "search_output_layer names no layer",
                where=config.origin(None, "search_output_layer"),
                expected="a layer's name, or a list of them",
                received="[]",
            )
        if options.batch_options.max_seq_length:
            raise ConfigError(
                "max_seq_length would leave sequences out of the search",
                where=config.origin(None, "max_seq_length"),
                hint="++max_seq_length 0",
            )
        _check_format(keys, config)
        return SearchOptions(
            data_name=name,
            data=data,
            layers=names,
            several=not isinstance(keys.layers, str),
            output_file=_output_file(config, keys.output_file) if keys.output_file else None,
            file_format=keys.file_format,
            do_eval=keys.do_eval,
            batch_options=replace(options.eval_batch_options, keep_empty=True),
        )


def _data(data: Any, config: Config, options: RunOptions) -> tuple[str, Any]:
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


def _check_format(keys: _Keys, config: Config) -> None:
    if not isinstance(keys.layers, str) and keys.output_file and keys.file_format == "txt":
        where = config.origin(None, "search_output_file_format")
        raise ConfigError("a txt file has no place for several layers", where=where, expected="py")
