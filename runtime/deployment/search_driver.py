"""Runs a search in the split layout from its files: encoder, init, step after step, finish."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compiler.target.fixed_batch import sequences
from compiler.target.inputs import check_inputs
from compiler.target.protocol import Array
from compiler.target.split_driver import PARTS, Feed, Held, drive, is_read_by_host
from returnn_ir.errors import UserError
from runtime.deployment.bound_part import BoundPart, FixedStep, OpenStep
from runtime.deployment.device import Device
from runtime.deployment.model_file import ModelFile, require_known

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
        UserError: a part is missing or cannot be loaded, is another part or of another export than the others, or
            there is no such device.
    """

    def __init__(self, folder: str | Path, device: str = "cpu", options: Mapping[str, str] | None = None) -> None:
        place = Device.of(device, options)
        paths = _files(Path(folder))
        self._encoder = BoundPart(paths["encoder"], place, is_read_by_host)
        self._init = BoundPart(paths["init"], place, is_read_by_host)
        self._fixed = self._encoder.model.fixed
        kind = OpenStep if self._fixed is None else FixedStep
        self._step = kind(paths["step"], place, is_read_by_host)
        self._finish = BoundPart(paths["finish"], place, lambda name: True)
        models = [part.model for part in (self._encoder, self._init, self._step, self._finish)]
        _require_one_export(Path(folder), dict(zip(PARTS, models, strict=True)))
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
        require_known("the search", inputs, self.inputs)
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


def _files(folder: Path) -> dict[str, Path]:
    """The file of each part."""
    paths = {part: folder / f"{part}.onnx" for part in PARTS}
    if folder.is_file():
        raise UserError(
            f"{folder} is a file",
            expected=f"a folder with {', '.join(path.name for path in paths.values())}",
            hint="a search in one file: runtime.deployment.session.OnnxSession(PATH)",
        )
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        raise UserError(
            f"no {', '.join(missing)} in {folder}",
            expected=", ".join(path.name for path in paths.values()),
            hint="returnn-compile net.py --target onnx --mode search --layout split -o FOLDER",
        )
    return paths


def _require_one_export(folder: Path, models: Mapping[str, ModelFile]) -> None:
    """Refuse files that do not belong together: they may fit in names and shapes, and give wrong hypotheses."""
    exports = {part: _export_of(folder / f"{part}.onnx", part, model) for part, model in models.items()}
    first = exports["encoder"]
    other = [f"{part}.onnx" for part, export in exports.items() if export != first]
    if other:
        raise UserError(
            f"the parts in {folder} are of different exports",
            expected=f"that of encoder.onnx, {first}",
            received=f"{', '.join(other)} of {exports[other[0].removesuffix('.onnx')]}",
            hint="copy all four files of one export",
        )


def _export_of(path: Path, part: str, model: ModelFile) -> str:
    if model.part is None or model.part[0] != part:
        raise UserError(
            f"{path} is another file",
            expected=f"the part {part!r} of a search",
            received=f"the part {model.part[0]!r}" if model.part is not None else "a model that is no part of a search",
            hint="copy all four files of one export",
        )
    return model.part[1]
