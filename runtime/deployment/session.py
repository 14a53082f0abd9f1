"""Using an exported model: sequences of any length in, sequences of their own length out. Needs onnxruntime only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compiler.target.fixed_batch import sequences
from compiler.target.inputs import check_inputs
from compiler.target.protocol import Array
from returnn_ir.errors import DataError, UserError, did_you_mean
from runtime.deployment.device import Device
from runtime.deployment.model_file import ModelFile, require_known

__all__ = ["OnnxSession"]

_IN_PARTS = "a search in parts: runtime.deployment.search_driver.SearchDriver(FOLDER)"


class OnnxSession:
    """An exported ``.onnx`` file, loaded.

    Args:
        path: the file.
        device: where it runs: ``cpu``, ``cuda`` or ``cuda:1``.
        options: of onnxruntime's provider for the device, as it calls them.

    Attributes:
        inputs, outputs: the names.

    Raises:
        UserError: no such file, not a model, a part of a search (:class:`SearchDriver` runs these), or a device that
            this onnxruntime does not have or cannot load. There is no silent fallback to another one.
    """

    def __init__(self, path: str | Path, device: str = "cpu", options: Mapping[str, str] | None = None) -> None:
        place = Device.of(device, options)
        if Path(path).is_dir():
            raise UserError(f"{path} is a folder", expected="an .onnx file", hint=_IN_PARTS)
        self._model = ModelFile(path, place)
        if self._model.part is not None:
            raise UserError(f"{path} is a part of a search: {self._model.part[0]}", hint=_IN_PARTS)
        self.inputs: list[str] = self._model.inputs
        self.outputs: list[str] = self._model.outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the export wrote into the model: dims, axes, versions, the verification report."""
        return self._model.metadata

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run on a padded batch: ``data``, ``data/size1``, ... as the model names them.

        Labels that are out of range behind a sequence's end are taken as 0. For a model of fixed sizes the batch is
        filled up, and its results are cut again.

        Raises:
            DataError: an input is missing, unknown or has another rank, size or kind than the model says, inputs
                disagree about the batch or another axis, a length is none of its axis, a label is out of range, the
                batch is empty, or has more or longer sequences than the model was made for; or a check inside of the
                model does not hold.
        """
        model = self._model
        require_known("the model", feed, self.inputs)
        checked = check_inputs(model.specs, feed, empty_batch=False)
        given = model.fixed.pad(model.specs, checked) if model.fixed is not None else checked
        results = model.session.run(self.outputs, {name: model.typed(name, value) for name, value in given.items()})
        found = dict(zip(self.outputs, results, strict=True))
        model.require_checks(found)
        if model.fixed is not None:
            return model.fixed.cut(found, model.batch_axes, sequences(model.specs, checked))
        return found

    def run_sequences(self, data: Sequence[Array], *, key: str = "data", output: str = "output") -> list[Array]:
        """One output per sequence, cut to its own length.

        Args:
            data: per sequence an array with time first; they may differ in length.
            key: the input's name.
            output: the output's name; its axes must be batch, time and the rest in some order (see the metadata).

        Raises:
            DataError: the model has no such input or output, the sequences differ in more than their lengths, or see
                :meth:`run`.
        """
        if output not in self.outputs:
            hint = did_you_mean(output, self.outputs)
            raise DataError(f"the model has no output {output!r}", expected=", ".join(self.outputs), hint=hint)
        if not data:
            return []
        for number, sequence in enumerate(data):
            if sequence.ndim == 0 or sequence.shape[1:] != data[0].shape[1:]:
                raise DataError(
                    f"sequence {number} does not fit the first one",
                    expected=f"[time{''.join(f', {n}' for n in data[0].shape[1:])}]",
                    received=list(sequence.shape),
                )
        lengths = np.array([len(d) for d in data], np.int64)
        padded = np.zeros((len(data), int(lengths.max(initial=0)), *data[0].shape[1:]), data[0].dtype)
        for row, sequence in zip(padded, data, strict=True):
            row[: len(sequence)] = sequence
        results = self.run({key: padded, f"{key}/size1": lengths})
        for axis in (1, 0):
            sizes = results.get(f"{output}/size{axis}")
            if sizes is not None:
                return [row[:n] for row, n in zip(np.moveaxis(results[output], axis, 1), sizes, strict=True)]
        return list(results[output])
