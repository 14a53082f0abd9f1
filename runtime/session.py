"""Using an exported model: sequences of any length in, sequences of their own length out. Needs onnxruntime only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compiler.targets import Array
from returnn_ir.errors import DataError, UserError, did_you_mean

__all__ = ["OnnxSession"]


class OnnxSession:
    """An exported ``.onnx`` file, loaded.

    Args:
        path: the file.
        providers: onnxruntime's execution providers, best first.

    Raises:
        UserError: no such file, not a model, or a provider that this onnxruntime does not have. There is no silent
            fallback to another provider.
    """

    def __init__(self, path: str | Path, providers: Sequence[str] = ("CPUExecutionProvider",)) -> None:
        import onnxruntime

        if not Path(path).is_file():
            raise UserError(f"no such file: {path}")
        available = onnxruntime.get_available_providers()
        missing = [p for p in providers if p not in available]
        if missing:
            raise UserError(f"onnxruntime has no {missing[0]}", expected=", ".join(available))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
        except Exception as error:
            raise UserError(f"onnxruntime cannot load the model: {error}", where=str(path)) from error
        self._types: dict[str, str] = {i.name: i.type for i in self._session.get_inputs()}
        self.inputs: list[str] = list(self._types)
        self.outputs: list[str] = [o.name for o in self._session.get_outputs()]

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the export wrote into the model: dims, axes, versions, the verification report."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run on a padded batch: ``data``, ``data/size1``, ... as the model names them."""
        unknown = [k for k in feed if k not in self.inputs]
        if unknown:
            raise DataError(
                f"the model has no input {unknown[0]!r}",
                expected=", ".join(self.inputs),
                hint=did_you_mean(unknown[0], self.inputs),
            )
        results = self._session.run(self.outputs, {name: self._typed(name, value) for name, value in feed.items()})
        return dict(zip(self.outputs, results, strict=True))

    def _typed(self, name: str, value: Array) -> Array:
        """Integers in the width that the model wants; anything else must fit as it is."""
        wanted = self._types[name].removeprefix("tensor(").removesuffix(")")
        return value.astype(wanted) if wanted.startswith("int") and value.dtype.kind in "iu" else value

    def run_sequences(self, data: Sequence[Array], *, key: str = "data", output: str = "output") -> list[Array]:
        """One output per sequence, cut to its own length.

        Args:
            data: per sequence an array with time first; they may differ in length.
            key: the input's name.
            output: the output's name; its axes must be batch, time and the rest in some order (see the metadata).
        """
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
