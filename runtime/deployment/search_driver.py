"""Runs a search in the split layout from its files: encoder, init, step after step, finish."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compiler.target.protocol import Array
from compiler.target.split_driver import PARTS, drive
from returnn_ir.errors import DataError, UserError
from runtime.deployment.session import OnnxSession

__all__ = ["SearchDriver"]


class SearchDriver:
    """A split search, loaded.

    Args:
        folder: with ``encoder.onnx``, ``init.onnx``, ``step.onnx`` and ``finish.onnx``.
        providers: onnxruntime's execution providers, best first.

    Raises:
        UserError: a part is missing or cannot be loaded.
    """

    def __init__(self, folder: str | Path, providers: tuple[str, ...] = ("CPUExecutionProvider",)) -> None:
        missing = [p for p in PARTS if not (Path(folder) / f"{p}.onnx").is_file()]
        if missing:
            raise UserError(
                f"no {missing[0]}.onnx in {folder}",
                hint="returnn-compile net.py --target onnx --mode search --layout split",
            )
        self._parts = {p: OnnxSession(Path(folder) / f"{p}.onnx", providers) for p in PARTS}
        made = {name.removesuffix("/next") for part in self._parts.values() for name in part.outputs} | {"i", "steps"}
        asked = [name for part in self._parts.values() for name in part.inputs if name not in made]
        self.inputs: list[str] = list(dict.fromkeys(asked))

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Search one padded batch.

        Args:
            inputs: ``data``, ``data/size1``, ... as for the single file: those in ``self.inputs``.

        Returns:
            the outputs of the single file, by the same names, bit for bit.

        Raises:
            DataError: an input is missing, or the search has none of that name.
        """
        wrong = [name for name in (*inputs, *self.inputs) if name not in inputs or name not in self.inputs]
        if wrong:
            what = "no value for the input" if wrong[0] in self.inputs else "the search has no input"
            raise DataError(f"{what} {wrong[0]!r}", expected=", ".join(self.inputs), received=", ".join(inputs))
        return drive(self._run, inputs)

    def _run(self, part: str, feed: Mapping[str, Array]) -> dict[str, Array]:
        session = self._parts[part]
        return session.run({name: feed[name] for name in session.inputs if name in feed})
