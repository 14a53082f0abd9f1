"""Using an exported model: sequences of any length in, sequences of their own length out. Needs onnxruntime only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compiler.target.inputs import CHECKS, INPUTS, InputAxis, InputSpec, check_inputs
from compiler.target.protocol import Array
from returnn_ir.errors import DataError, UserError, did_you_mean

__all__ = ["OnnxSession"]

_NO_CONTRIB = (
    "the model has ops of onnxruntime itself that this build of it lacks: another version (the one that wrote the file "
    "is in its metadata, returnn_ir.profile), or export with --profile portable"
)


class OnnxSession:
    """An exported ``.onnx`` file, loaded.

    Args:
        path: the file.
        providers: onnxruntime's execution providers, best first.

    Raises:
        UserError: no such file, not a model, or a provider that this onnxruntime does not have or cannot load. There is
            no silent fallback to another provider.
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
            hint = _NO_CONTRIB if "com.microsoft" in str(error) else None
            raise UserError(f"onnxruntime cannot load the model: {error}", where=str(path), hint=hint) from error
        _require_loaded(providers, self._session.get_providers())
        self._types: dict[str, str] = {i.name: i.type for i in self._session.get_inputs()}
        self.inputs: list[str] = list(self._types)
        self.outputs: list[str] = [o.name for o in self._session.get_outputs()]
        self._specs = self._input_specs()
        self._checks: dict[str, str] = json.loads(self.metadata.get(CHECKS, "{}"))

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the export wrote into the model: dims, axes, versions, the verification report."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found

    def _input_specs(self) -> list[InputSpec]:
        """The inputs as the export describes them; of a model that nobody described, as onnxruntime does."""
        described = json.loads(self.metadata.get(INPUTS, "{}"))
        return [
            InputSpec.from_json(i.name, described[i.name]) if "range" in described.get(i.name, {}) else _undescribed(i)
            for i in self._session.get_inputs()
        ]

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run on a padded batch: ``data``, ``data/size1``, ... as the model names them.

        Labels that are out of range behind a sequence's end are taken as 0.

        Raises:
            DataError: an input is missing, unknown or has another rank, size or kind than the model says, inputs
                disagree about the batch or another axis, a length is none of its axis, a label is out of range, the
                batch is empty; or a check inside of the model does not hold.
        """
        unknown = [k for k in feed if k not in self.inputs]
        if unknown:
            raise DataError(
                f"the model has no input {unknown[0]!r}",
                expected=", ".join(self.inputs),
                hint=did_you_mean(unknown[0], self.inputs),
            )
        checked = check_inputs(self._specs, feed, empty_batch=False)
        results = self._session.run(self.outputs, {name: self._typed(name, value) for name, value in checked.items()})
        found = dict(zip(self.outputs, results, strict=True))
        for name, message in self._checks.items():
            if name in found and not found[name].all():
                raise DataError(message)
        return found

    def _typed(self, name: str, value: Array) -> Array:
        """Integers in the width that the model wants; anything else must fit as it is."""
        wanted = _element_type(self._types[name])
        return value.astype(wanted) if wanted.startswith("int") and value.dtype.kind in "iu" else value

    def run_sequences(self, data: Sequence[Array], *, key: str = "data", output: str = "output") -> list[Array]:
        """One output per sequence, cut to its own length.

        Args:
            data: per sequence an array with time first; they may differ in length.
            key: the input's name.
            output: the output's name; its axes must be batch, time and the rest in some order (see the metadata).
        """
        if not data:
            return []
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


def _require_loaded(wanted: Sequence[str], loaded: Sequence[str]) -> None:
    """Refuse what onnxruntime lets pass: it goes on without a provider whose libraries it cannot load."""
    missing = [p for p in wanted if p not in loaded]
    if missing:
        raise UserError(
            f"onnxruntime could not load {missing[0]}",
            expected=", ".join(wanted),
            received=", ".join(loaded),
            hint="its libraries (for CUDA: cuDNN too) in the versions that this onnxruntime was built for",
        )


def _undescribed(given: Any) -> InputSpec:
    """An input of a model without our metadata."""
    axes = tuple(
        InputAxis(size if isinstance(size, str) else f"{given.name}.{i}", size if isinstance(size, int) else None)
        for i, size in enumerate(given.shape)
    )
    return InputSpec(given.name, _element_type(given.type), axes)


def _element_type(text: str) -> str:
    """NumPy's name of ``tensor(int64)`` and its like."""
    names = {"float": "float32", "double": "float64"}
    inner = text.removeprefix("tensor(").removesuffix(")")
    return names.get(inner, inner)
