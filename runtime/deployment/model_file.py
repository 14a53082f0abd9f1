"""A model file in onnxruntime, with what its export says of inputs, checks and sizes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.target.fixed_batch import FIXED, FixedBatch
from compiler.target.inputs import CHECKS, INPUTS, InputAxis, InputSpec
from compiler.target.protocol import Array
from compiler.target.split_driver import PART
from returnn_ir.errors import DataError, did_you_mean
from runtime.deployment.device import Device

__all__ = ["ModelFile", "element_type", "require_known", "sizes"]


class ModelFile:
    """A file, loaded.

    Args:
        path: of the file.
        device: where it is to run.
        options: of onnxruntime's provider, for this file alone.

    Attributes:
        session: the ``onnxruntime.InferenceSession``.
        inputs, outputs: the names.
        specs: the inputs as the export describes them; of a model that nobody described, as onnxruntime does.
        fixed: the sizes of the batches that it takes; None: any.
        batch_axes: of those outputs that have one, in a model of fixed sizes.
        part: of a search in parts: which one, and of which export; None: the file is whole.

    Raises:
        UserError: it cannot be loaded; see :meth:`Device.open`.
    """

    def __init__(self, path: str | Path, device: Device, **options: str) -> None:
        self.session: Any = device.open(path, **options)
        self._types: dict[str, str] = {i.name: i.type for i in self.session.get_inputs()}
        self.inputs: list[str] = list(self._types)
        self.outputs: list[str] = [o.name for o in self.session.get_outputs()]
        described = json.loads(self.metadata.get(INPUTS, "{}"))
        self.specs = [
            InputSpec.from_json(i.name, described[i.name]) if "range" in described.get(i.name, {}) else _undescribed(i)
            for i in self.session.get_inputs()
        ]
        self._checks: dict[str, str] = json.loads(self.metadata.get(CHECKS, "{}"))
        fixed = json.loads(self.metadata.get(FIXED, "null"))
        self.fixed = FixedBatch.from_json(fixed) if fixed is not None else None
        self.batch_axes: dict[str, int] = fixed["batch_axes"] if fixed is not None else {}

        part = json.loads(self.metadata.get(PART, "null"))
        self.part: tuple[str, str] | None = (part["part"], part["export"]) if part is not None else None

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the export wrote into the model: dims, axes, versions, the verification report."""
        found: dict[str, str] = self.session.get_modelmeta().custom_metadata_map
        return found

    def typed(self, name: str, value: Array) -> Array:
        """Integers in the width that the model wants; anything else must fit as it is."""
        wanted = element_type(self._types[name])
        return value.astype(wanted) if wanted.startswith("int") and value.dtype.kind in "iu" else value

    def require_checks(self, results: Mapping[str, Array]) -> None:
        """What a network checks while it runs, by the results of a run.

        Raises:
            DataError: a check does not hold.
        """
        for name, message in self._checks.items():
            if name in results and not results[name].all():
                raise DataError(message)


def require_known(owner: str, given: Iterable[str], inputs: Sequence[str]) -> None:
    """Whether all inputs that are given are inputs of the owner, as a message calls it.

    Raises:
        DataError: one is not.
    """
    unknown = [name for name in given if name not in inputs]
    if unknown:
        hint = did_you_mean(unknown[0], inputs)
        raise DataError(f"{owner} has no input {unknown[0]!r}", expected=", ".join(inputs), hint=hint)


def element_type(text: str) -> str:
    """NumPy's name of ``tensor(int64)`` and its like."""
    names = {"float": "float32", "double": "float64"}
    inner = text.removeprefix("tensor(").removesuffix(")")
    return names.get(inner, inner)


def sizes(given: Any) -> Sequence[int | str]:
    """The axes of an input or output: numbers, and names where they vary."""
    found: Sequence[int | str] = given.shape
    return found


def _undescribed(given: Any) -> InputSpec:
    """An input of a model without our metadata."""
    axes = tuple(
        InputAxis(size if isinstance(size, str) else f"{given.name}.{i}", size if isinstance(size, int) else None)
        for i, size in enumerate(sizes(given))
    )
    return InputSpec(given.name, element_type(given.type), axes)
