"""``task = "compute_priors"``: the logarithm of the mean posteriors over the training data, in a text file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from compiler.target.protocol import Array
from returnn_ir.config import Config
from returnn_ir.config.read import read_config
from returnn_ir.errors import ConfigError, DataError
from returnn_ir.ir.graph import Output
from returnn_ir.options import Key, Size
from runtime.datasets import Batch
from runtime.tasks.dataset_fit import check_dataset
from runtime.tasks.epoch import run_epoch
from runtime.tasks.forward import batch_major
from runtime.tasks.log import log
from runtime.tasks.setup import Setup

__all__ = ["compute_priors"]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The config's options for the priors.

    Attributes:
        epoch: of the data, which decides about the part of a partitioned corpus.
    """

    epoch: Size = 1
    layer: Annotated[str, Key("forward_output_layer")] = "output"
    output_file: str | None = None


def compute_priors(config: Config) -> Path:
    """Write ``log(mean over all frames)`` of ``forward_output_layer``, a class per line, to ``output_file``.

    Raises:
        ConfigError: no training data, no such layer, no checkpoint, or the file exists already.
        DataError: data that does not fit the network.
    """
    setup = Setup.from_config(config)
    keys = read_config(_Keys, config)
    layer, path = keys.layer, _output_file(keys, config)
    setup.check_layers("forward_output_layer", [layer])
    setup.require_checkpoint()
    setup.start_tensorflow()
    options = setup.options
    with setup.dataset("train", options.train, seq_ordering=options.batching) as dataset:
        step = setup.load_step("forward", fetch=[layer], losses=False)
        check_dataset("train", dataset, step.program.graph)
        mean = _Mean(layer, step.program.graph.outputs[layer])
        log(f"Compute priors, using output layer {layer!r}, writing to {str(path)!r}.", 2)
        batch_options = replace(  # of the training's options RETURNN takes those that limit what fits
            options.batch_options, recurrent=step.program.graph.recurrent, min_seq_length=None, max_pad_size=None,
            seq_drop=0.0, shuffle_batches=False,
        )  # fmt: skip
        run_epoch(
            "forward", step.program, step, mean.take, dataset=dataset, epoch=keys.epoch, batch_options=batch_options,
        )  # fmt: skip
    posteriors = mean.value()
    log(f"Prior sum in std-space (should be close to 1.0): {posteriors.sum()}", 1)
    with np.errstate(divide="ignore"):  # a class that never occurs
        np.savetxt(path, np.log(posteriors), delimiter=" ")
    log(f"Saved prior in {str(path)!r} in +log space.", 1)
    return path


def _output_file(keys: _Keys, config: Config) -> Path:
    given = keys.output_file
    if not given:
        raise ConfigError("there is no file for the priors", where=str(config.path), expected="output_file = 'PATH'")
    if Path(given).exists():
        raise ConfigError(
            f"the output file exists: {given}",
            where=config.origin(None, "output_file"),
            hint="remove it, or write another one",
        )
    return Path(given)


@dataclass
class _Mean:
    """The sum of a layer's output over frames, float64 ``[classes]``, and their number; of labels, their counts."""

    layer: str
    output: Output
    frames: int = 0
    total: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        sparse, feature = self.output.value.type.sparse_dim, self.output.feature_dim
        classes = sparse or feature
        if classes is None or classes.size is None:
            raise DataError(f"layer {self.layer!r} has no classes, and so no priors")
        self.total = np.zeros(classes.size)

    def take(self, batch: Batch, results: Mapping[str, Array]) -> str:
        """Add the frames of a batch."""
        value, lengths = batch_major(results, self.layer, self.output)
        sparse = self.output.value.type.sparse_dim is not None
        for row, array in enumerate(value):
            valid = array[tuple(slice(int(sizes[row])) for sizes in lengths.values())]
            if sparse:
                self.total += np.bincount(valid.reshape(-1), minlength=len(self.total))
                self.frames += valid.size
            else:
                rows = valid.reshape(-1, len(self.total))
                self.total += rows.sum(axis=0, dtype=np.float64)
                self.frames += len(rows)
        return ""

    def value(self) -> NDArray[np.float64]:
        """The mean.

        Raises:
            DataError: there were no frames, or a posterior that is not finite.
        """
        mean = self.total / max(1, self.frames)
        if not self.frames or not np.isfinite(mean).all():
            what = f"the posteriors of layer {self.layer!r} have no finite mean"
            raise DataError(what, received=f"{self.frames} frames")
        return mean
