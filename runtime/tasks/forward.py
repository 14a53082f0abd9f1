"""``task = "forward"``: the output of one layer for every sequence of a dataset, into an HDF file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Output
from returnn_ir.options import Key, Range
from runtime.datasets import Batch, BatchOptions, HDFWriter
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import run_epoch
from runtime.tasks.log import log
from runtime.tasks.setup import Setup

__all__ = ["ForwardOptions", "batch_major", "forward_to_hdf"]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's options for a forward run.

    Attributes:
        batch_size: frames of a batch; 0: as in evaluation. No sequence is left out.
        overwrite: an output file that exists.
    """

    layer: Annotated[str, Key("forward_output_layer")] = "output"
    batch_size: Annotated[int, Range(0), Key("forward_batch_size")] = 0
    output_file: str | None = None
    overwrite: Annotated[bool, Key("forward_override_hdf_output")] = False


@dataclass(frozen=True)
class ForwardOptions:
    """Options of ``task = "forward"``, with RETURNN's names and defaults.

    Attributes:
        data_name: for messages.
        data: a dataset, or what a config says of one.
        layer: whose output is written.
        output_file: it is not there, or may be overwritten.
        batch_options: no sequence is left out.
    """

    data_name: str
    data: Any
    layer: str
    output_file: Path
    batch_options: BatchOptions

    @staticmethod
    def from_config(config: Config, batch_options: BatchOptions, epoch: int) -> ForwardOptions:
        """Read the options; a missing or wrong one is a ConfigError.

        Args:
            batch_options: those of other tasks.
            epoch: of the checkpoint, for the default name of the file.
        """
        keys = read_config(_Keys, config)
        name, data = _data(config)
        path = Path(keys.output_file or f"dump-fwd-epoch-{epoch}.hdf")
        if path.exists() and not keys.overwrite:
            raise ConfigError(
                f"the output file exists: {path}",
                where=config.origin(None, "output_file"),
                hint="remove it, write another one, or forward_override_hdf_output = True",
            )
        made = replace(batch_options, batch_size=keys.batch_size or batch_options.batch_size, keep_empty=True)
        return ForwardOptions(data_name=name, data=data, layer=keys.layer, output_file=path, batch_options=made)


def forward_to_hdf(config: Config) -> Path:
    """Run the network over ``forward_data`` (default: ``eval``, ``dev``) and write RETURNN's HDF layout.

    Raises:
        ConfigError: no data, no such layer, no checkpoint, or the output file exists already.
        DataError: data that does not fit the network.
    """
    setup = Setup.from_config(config)
    options = ForwardOptions.from_config(config, setup.options.eval_batch_options, setup.start.epoch or 1)
    setup.check_layers("forward_output_layer", [options.layer])
    setup.require_checkpoint()
    setup.start_tensorflow()
    with setup.dataset(options.data_name, options.data, seq_ordering="default") as dataset:
        step = setup.load_step("forward", fetch=[options.layer])
        check_dataset(options.data_name, dataset, step.program.graph)
        output = step.program.graph.outputs[options.layer]
        started = time.monotonic()
        with _writer(options.output_file, output) as writer:

            def take(batch: Batch, results: Mapping[str, Array]) -> str:
                value, lengths = batch_major(results, options.layer, output)
                writer.insert_batch(value, lengths, list(batch.tags))
                return ""

            done = run_epoch(
                "forward", step.program, step, take,
                dataset=dataset, epoch=1, batch_options=options.batch_options,
            )  # fmt: skip
    log(f"wrote {options.output_file}: {done.num_seqs} sequences in {time.monotonic() - started:.1f} s")
    return options.output_file


def _data(config: Config) -> tuple[str, Any]:
    for key in ("forward_data", "eval", "dev"):
        value = config.get(key)
        if isinstance(value, str) and value in config:
            return value, config[value]
        if value:
            return key, value
    raise ConfigError("there is no data to forward", where=str(config.path), expected="forward_data, eval or dev")


def _writer(path: Path, output: Output) -> HDFWriter:
    """A file for outputs of this kind: labels, or vectors of a fixed size."""
    feature = output.feature_dim.size if output.feature_dim is not None else None
    sparse = output.value.type.sparse_dim
    frames = 1 + len([d for d in output.axes if not d.is_batch and d.is_dynamic])
    if sparse is not None:
        return HDFWriter(path, sparse.size, ndim=frames - 1, overwrite=True)
    return HDFWriter(path, feature, ndim=frames, overwrite=True)


def batch_major(results: Mapping[str, Array], layer: str, output: Output) -> tuple[Array, dict[int, Array]]:
    """The output as [batch, dynamic axes, rest] and the lengths of the dynamic axes by axis (without batch)."""
    axes = list(range(len(output.axes)))
    batch = next(i for i, d in enumerate(output.axes) if d.is_batch)
    dynamic = [i for i, d in enumerate(output.axes) if d.is_dynamic]
    static = [i for i in axes if i != batch and i not in dynamic]
    value = np.transpose(results[f"output/{layer}"], [batch, *dynamic, *static])
    lengths = {n: results[f"output/{layer}/size{axis}"] for n, axis in enumerate(dynamic)}
    return value, lengths
