"""``task = "forward"``: the output of one layer for every sequence of a dataset, into an HDF file."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from compiler.checkpoint.reader import CheckpointReader
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Output
from returnn_ir.options import Key, Range
from runtime.datasets import BatchLoader, HDFWriter, init_dataset, make_batches
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.feeding import checked_feed
from runtime.tasks.progress import log, progress
from runtime.tasks.train import Engine

__all__ = ["forward_to_hdf", "read_params"]


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


def forward_to_hdf(config: Config) -> Path:
    """Run the network over ``forward_data`` (default: ``eval``, ``dev``) and write RETURNN's HDF layout.

    Raises:
        ConfigError: no data, no such layer, or the output file exists already.
    """
    engine = Engine(config)
    name, data = _data(config)
    given = read_config(_Keys, config)
    limits = engine.options.eval_limits
    limits = replace(limits, batch_size=given.batch_size or limits.batch_size)
    path = Path(given.output_file or f"dump-fwd-epoch-{engine.start.epoch or 1}.hdf")
    if path.exists() and not given.overwrite:
        raise ConfigError(
            f"the output file exists: {path}",
            where=config.origin(None, "output_file"),
            hint="remove it, write another one, or forward_override_hdf_output = True",
        )
    layer = given.layer
    engine.start_tensorflow()
    program = compile_net(engine.net, target="tf", mode="forward", fetch=[layer])
    params = read_params(engine.checkpoint(), program)
    where = partial(config.place, name)
    dataset = init_dataset(data, name=name, defaults={"seq_ordering": "default"}, where=where)
    check_dataset(name, dataset, program.graph)
    output = program.graph.outputs[layer]
    feature = output.feature_dim.size if output.feature_dim is not None else None
    sparse = output.value.type.sparse_dim
    width = sparse.size if sparse is not None else feature
    frames = 1 + len([d for d in output.axes if not d.is_batch and d.is_dynamic])
    keys = {n.partition("/")[0] for n in program.input_names()}
    batches = make_batches(dataset, dataset.init_epoch(1), limits)
    started = time.monotonic()
    writer = HDFWriter(path, width, ndim=frames if sparse is None else frames - 1, overwrite=True)
    with writer, BatchLoader(dataset, batches, keys=keys) as loader, progress("forward", dataset.num_seqs) as bar:
        for batch in loader:
            results = program.run(checked_feed(batch, program, "forward"), params)
            value, lengths = _batch_major(results, layer, output)
            writer.insert_batch(value, lengths, list(batch.tags))
            bar.advance(batch.num_seqs, "")
    log(f"wrote {path}: {dataset.num_seqs} sequences in {time.monotonic() - started:.1f} s")
    return path


def _data(config: Config) -> tuple[str, Any]:
    for key in ("forward_data", "eval", "dev"):
        value = config.get(key)
        if isinstance(value, str) and value in config:
            return value, config[value]
        if value:
            return key, value
    raise ConfigError("there is no data to forward", where=str(config.path), expected="forward_data, eval or dev")


def read_params(prefix: str, program: Program) -> dict[str, Array]:
    """A checkpoint's values for a program's parameters.

    Raises:
        DataError: the checkpoint is missing or does not have them.
    """
    shapes = {name: tuple(d.size or 0 for d in p.dims) for name, p in program.params.items()}
    return CheckpointReader.open(prefix).read_matching(shapes)


def _batch_major(results: dict[str, Array], layer: str, output: Output) -> tuple[Array, dict[int, Array]]:
    """The output as [batch, dynamic axes, rest] and the lengths of the dynamic axes by axis (without batch)."""
    axes = list(range(len(output.axes)))
    batch = next(i for i, d in enumerate(output.axes) if d.is_batch)
    dynamic = [i for i, d in enumerate(output.axes) if d.is_dynamic]
    static = [i for i in axes if i != batch and i not in dynamic]
    value = np.transpose(results[f"output/{layer}"], [batch, *dynamic, *static])
    lengths = {n: results[f"output/{layer}/size{axis}"] for n, axis in enumerate(dynamic)}
    return value, lengths
