"""Runs a search in the split layout: encoder, init, step after step, finish. The host does no arithmetic of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from compiler.split import PARTS
from compiler.targets import Array
from returnn_ir.errors import UserError
from runtime.session import OnnxSession

__all__ = ["SearchDriver"]

Run = Callable[[Mapping[str, Array]], dict[str, Array]]


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
                f"no {missing[0]}.onnx in {folder}", hint="returnn-compile net.py --target onnx --mode search --layout split"
            )
        self._parts = {p: OnnxSession(Path(folder) / f"{p}.onnx", providers) for p in PARTS}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Search one padded batch.

        Args:
            inputs: ``data``, ``data/size1``, ... as for the single file.

        Returns:
            the outputs of the single file, by the same names.
        """
        held = {**inputs, **self._run("encoder", inputs)}
        started = self._run("init", held)
        limit = int(started.pop("limit"))
        states = started
        stacks: list[dict[str, Array]] = []
        for i in range(limit):
            left = self._run("step", {**held, **states, "i": np.asarray(i, np.int64)})
            states = {name.removesuffix("/next"): v for name, v in left.items() if name.endswith("/next")}
            stacks.append({name: v for name, v in left.items() if name.startswith("stack/")})
            if bool(left.get("done", False)):
                break
        if not stacks:
            raise UserError("the search took no step", received=f"limit {limit}")
        stacked = {name: np.stack([s[name] for s in stacks]) for name in stacks[0]}
        steps = np.asarray(len(stacks), np.int64)
        return self._run("finish", {**held, **states, **stacked, "steps": steps})

    def _run(self, part: str, feed: Mapping[str, Array]) -> dict[str, Array]:
        session = self._parts[part]
        return session.run({name: feed[name] for name in session.inputs})
