"""Runs a search in the split layout from its files: encoder, init, step after step, finish."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compiler.target.fixed_batch import sequences
from compiler.target.inputs import check_inputs
from compiler.target.protocol import Array
from compiler.target.split_driver import PARTS, Feed, Held, drive, is_read_by_host
from returnn_ir.errors import DataError, UserError
from runtime.deployment.bound_part import BoundPart, FixedStep, OpenStep
from runtime.deployment.device import Device

__all__ = ["SearchDriver"]


class SearchDriver:
    """A split search, loaded.

    What the encoder gives and the states of the search stay on the device from step to step; the host gets labels,
    back-pointers and whether the search is over. Of a search with fixed sizes (``--batch``, ``--max-length``) the step
    is captured as a CUDA graph when the device is a GPU.

    Args:
        folder: with ``encoder.onnx``, ``init.onnx``, ``step.onnx`` and ``finish.onnx``.
        device: where they run: ``cpu``, ``cuda`` or ``cuda:1``.
        options: of onnxruntime's provider for the device, as it calls them.

    Attributes:
        inputs: the names of the inputs, as those of the single file.

    Raises:
        UserError: a part is missing or cannot be loaded, or there is no such device.
    """

    def __init__(self, folder: str | Path, device: str = "cpu", options: Mapping[str, str] | None = None) -> None:
        missing = [p for p in PARTS if not (Path(folder) / f"{p}.onnx").is_file()]
        if missing:
            raise UserError(
                f"no {missing[0]}.onnx in {folder}",
                hint="returnn-compile net.py --target onnx --mode search --layout split",
            )
        place = Device.of(device, options)
        paths = {p: Path(folder) / f"{p}.onnx" for p in PARTS}
        self._encoder = BoundPart(paths["encoder"], place, is_read_by_host)
        self._init = BoundPart(paths["init"], place, is_read_by_host)
        self._fixed = self._encoder.model.fixed
        kind = OpenStep if self._fixed is None else FixedStep
        self._step = kind(paths["step"], place, is_read_by_host)
        self._finish = BoundPart(paths["finish"], place, lambda name: True)
        models = [part.model for part in (self._encoder, self._init, self._step, self._finish)]
        made = {name.removesuffix("/next") for model in models for name in model.outputs} | {"steps"}
        specs = {spec.name: spec for model in reversed(models) for spec in model.specs if spec.name not in made}
        self.inputs: list[str] = list(dict.fromkeys(n for model in models for n in model.inputs if n in specs))
        self._specs = [specs[name] for name in self.inputs]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Search one padded batch.

        Args:
            inputs: ``data``, ``data/size1``, ... as for the single file: those in ``self.inputs``.

        Returns:
            the outputs of the single file, by the same names, bit for bit; with fixed sizes the same hypotheses, with
            scores that differ in their last bits.

        Raises:
            DataError: an input is missing or does not fit, the search has none of that name, or there are more or
                longer sequences than it was made for; or a check inside of it does not hold.
        """
        wrong = [name for name in (*inputs, *self.inputs) if name not in inputs or name not in self.inputs]
        if wrong:
            what = "no value for the input" if wrong[0] in self.inputs else "the search has no input"
            raise DataError(f"{what} {wrong[0]!r}", expected=", ".join(self.inputs), received=", ".join(inputs))
        checked = check_inputs(self._specs, inputs, empty_batch=False)
        given = self._fixed.pad(self._specs, checked) if self._fixed is not None else checked
        results: dict[str, Array] = drive(self._run, given)
        self._finish.model.require_checks(results)
        if self._fixed is not None:
            return self._fixed.cut(results, self._finish.model.batch_axes, sequences(self._specs, checked))
        return results

    def _run(self, part: str, feed: Feed) -> dict[str, Held]:
        if part == "step":
            return self._step.run(feed)
        if part == "finish":
            return self._finish.run(feed)
        return (self._encoder if part == "encoder" else self._init).run(feed, self._step.begin)
