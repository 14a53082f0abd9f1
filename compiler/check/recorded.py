"""Recorded cases: the ``.npz`` that the oracle writes beside a net (inputs, parameters, outputs, losses, gradients)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.checkpoint.npz import read_npz
from compiler.target.protocol import Array
from returnn_ir.errors import DataError

__all__ = ["Recorded", "RecordedOutput", "read_recorded"]


@dataclass(frozen=True)
class RecordedOutput:
    """One layer's recorded output.

    Attributes:
        kinds: per axis ``batch``, ``static:N`` or ``dynamic:NAME``.
        sizes: lengths of the dynamic axes that have any per sequence, by axis.
        beam_scores: [batch, beam] where the batch axis is batch * beam.
    """

    value: Array
    kinds: list[str]
    sizes: dict[int, Array]
    beam_scores: Array | None


@dataclass(frozen=True)
class Recorded:
    """Everything that one case recorded; ``trainable``: the parameters that RETURNN trains, None if unknown."""

    mode: str
    repeat: int
    inputs: dict[str, Array]
    params: dict[str, Array]
    params_after: dict[str, Array]
    outputs: dict[str, RecordedOutput]
    losses: dict[str, Array]
    gradients: dict[str, Array]
    trainable: frozenset[str] | None


def read_recorded(path: Path) -> Recorded:
    """Read a recorded case.

    Raises:
        DataError: no such file, or not one that the oracle wrote.
    """
    if not path.exists():
        raise DataError(f"no recorded numbers: {path}", hint="record them, or name the .npz: --check REF.npz")
    try:
        arrays = read_npz(path)
        meta = json.loads(str(arrays.pop("meta")))
    except (DataError, ValueError, KeyError) as error:
        raise DataError(
            f"not a recorded case: {error.what if isinstance(error, DataError) else error}", where=str(path)
        ) from error
    case = meta["case"]
    mode = "train" if case.get("train") else "search" if case.get("search") else "eval"
    outputs = {
        name: _output(arrays, name, layer) for name, layer in meta["layers"].items() if f"output/{name}" in arrays
    }
    losses = {k: v for k, v in arrays.items() if k.startswith("loss/") or k in ("objective", "constraints")}
    return Recorded(
        mode=mode,
        repeat=int(case.get("repeat", 1)),
        inputs=_under(arrays, "input/"),
        params=_under(arrays, "param/"),
        params_after=_under(arrays, "param_after/"),
        outputs=outputs,
        losses=losses,
        gradients=_under(arrays, "grad/"),
        trainable=frozenset(name.split(":")[0] for name in meta["trainable"]) if "trainable" in meta else None,
    )


def _under(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def _output(arrays: dict[str, Array], name: str, layer: dict[str, Any]) -> RecordedOutput:
    key = f"output/{name}"
    sizes = {axis: arrays[f"{key}/size{axis}"] for axis in range(len(layer["kinds"])) if f"{key}/size{axis}" in arrays}
    return RecordedOutput(arrays[key], list(layer["kinds"]), sizes, arrays.get(f"{key}/beam_scores"))
