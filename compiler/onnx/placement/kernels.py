"""The kernels of onnxruntime's CUDA provider: ``kernels.json``, which ``tests/gpu/record_kernels.py`` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Arguments", "Kernel", "KernelTable", "Missing", "cuda_kernels"]


@dataclass(frozen=True)
class Arguments:
    """Types of what a node reads and makes; None where it reads nothing, or the type is not known."""

    inputs: Sequence[str | None]
    outputs: Sequence[str | None]


@dataclass(frozen=True)
class Kernel:
    """A kernel on the device.

    Attributes:
        host_inputs, host_outputs: the parameters that it has in the host's memory.
    """

    host_inputs: frozenset[int]
    host_outputs: frozenset[int]


@dataclass(frozen=True)
class Missing:
    """There is no kernel.

    Attributes:
        reason: which part of the node has none.
        last_opset: the newest opset that has one; None if it is not the opset that is missing.
    """

    reason: str
    last_opset: int | None = None


@dataclass(frozen=True)
class _Version:
    since: int
    until: int | None
    types: list[dict[str, frozenset[str]]]
    where: dict[str, tuple[list[int], list[int]]]
    kernel: Kernel

    def covers(self, since: int) -> bool:
        """Whether the kernel is one for an operator of this version: an open range is for its first alone."""
        return since == self.since or (self.until is not None and self.since <= since <= self.until)

    def unfit(self, arguments: Arguments) -> set[str]:
        """The types that none of its rows takes, those of the row that takes most; empty if it fits."""
        found = [self._unfit(row, arguments) for row in self.types]
        return min(found, key=len, default=set())

    def _unfit(self, row: Mapping[str, frozenset[str]], arguments: Arguments) -> set[str]:
        wrong: set[str] = set()
        for name, allowed in row.items():
            inputs, outputs = self.where[name]
            for types, places in ((arguments.inputs, inputs), (arguments.outputs, outputs)):
                wrong.update(t for t in _at(types, places) if t not in allowed)
        return wrong


def _at(types: Sequence[str | None], places: Sequence[int]) -> list[str]:
    return [held for place in places if place < len(types) and (held := types[place]) is not None]


class KernelTable:
    """The table of one version of onnxruntime.

    Attributes:
        version: of onnxruntime.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.version: str = table["onnxruntime"]
        self._operators: Mapping[str, Any] = table["operators"]
        self._versions: dict[str, list[_Version]] = {}

    def find(self, domain: str, name: str, since: int, arguments: Arguments) -> Kernel | Missing:
        """The kernel of a node.

        Args:
            since: the version of the operator: the opset in which it changed last.
        """
        versions = self._rows(f"{domain}.{name}".lstrip("."))
        if not versions:
            return Missing(f"{name} has no CUDA kernel")
        fitting = [version for version in versions if version.covers(since)]
        if not fitting:
            last = max((v.until or v.since for v in versions if v.since < since), default=None)
            return Missing(f"{name} of opset {since} has no CUDA kernel", None if last is None else since - 1)
        unfit = min((version.unfit(arguments) for version in fitting), key=len)
        if unfit:
            return Missing(f"{name} has no CUDA kernel for {' and '.join(sorted(unfit))}")
        return next(version.kernel for version in fitting if not version.unfit(arguments))

    def contrib(self, domain: str, name: str) -> tuple[list[str], list[str]] | None:
        """Types of the parameters of an operator that onnx does not know: names of variables, or of types."""
        held = self._operators.get(f"{domain}.{name}")
        return None if held is None or "inputs" not in held else (held["inputs"], held["outputs"])

    def _rows(self, key: str) -> list[_Version]:
        if key not in self._versions:
            self._versions[key] = [_version(row) for row in self._operators.get(key, {}).get("versions", [])]
        return self._versions[key]


def _version(row: Mapping[str, Any]) -> _Version:
    return _Version(
        row["since"],
        row.get("until"),
        [{name: frozenset(types.split()) for name, types in held.items()} for held in row["types"]],
        {name: (places[0], places[1]) for name, places in row["where"].items()},
        Kernel(frozenset(row.get("host_inputs", ())), frozenset(row.get("host_outputs", ()))),
    )


@cache
def cuda_kernels() -> KernelTable:
    """The table that is part of the package."""
    text = files(__package__).joinpath("kernels.json").read_text(encoding="utf-8")
    return KernelTable(json.loads(text))
