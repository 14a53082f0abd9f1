"""A program whose every run goes through its exported file, so that what is checked is what users get."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compiler.onnx.export import export
from compiler.onnx.program import OnnxProgram
from compiler.onnx.session import FileSession, OpenModel
from compiler.target.protocol import Array
from returnn_ir.errors import DataError

if TYPE_CHECKING:
    from compiler.onnx.placement.contract import PlacementContract

__all__ = ["ExportedProgram"]


class ExportedProgram:
    """Writes the file with the parameters of a run, loads and runs it.

    Args:
        path: of the file.
        open_model: what loads it.
        contract: what is asked of where onnxruntime's CUDA provider runs it.

    Attributes:
        contrib: how many there are of each of onnxruntime's own ops in the last file that was written.
    """

    def __init__(
        self,
        program: OnnxProgram,
        path: Path,
        open_model: OpenModel = FileSession,
        contract: PlacementContract | None = None,
    ) -> None:
        self._program = program
        self._path = path
        self._open = open_model
        self._contract = contract
        self.contrib: Mapping[str, int] = {}

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, np.ndarray[Any, Any]]:
        """See :class:`compiler.target.protocol.Executable`.

        Raises:
            DataError: an input is missing, or a check of the graph does not hold.
            TargetError: onnx's checker refuses the model.
        """
        self.contrib = export(self._program, params, self._path, contract=self._contract).contrib
        session = self._open(self._path)
        missing = [name for name in session.inputs if name not in inputs]
        if missing:
            raise DataError(f"no value for the inputs {missing}", received=sorted(inputs))
        types = self._program.signature.inputs
        found = session.run({name: np.asarray(inputs[name], types[name].dtype) for name in session.inputs})
        results = {fetch: found[name] for fetch, name in self._program.signature.fetches.items()}
        self._program.require_checks(results)
        return results
