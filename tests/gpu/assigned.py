"""Where onnxruntime's CUDA provider puts the nodes of a model, as a session's log and its optimized model say.

The session is made and not run, so it may also stand over libraries that do nothing in the place of CUDA's.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from returnn_ir.errors import TargetError
from tests.gpu.provider import CPU, CUDA

__all__ = ["Assigned", "Copy", "assigned", "session_log"]

_PLACED = re.compile(r"(?:Node\(s\)|(All) nodes) placed on \[(\w+)\]")
_NODE = re.compile(r"VerifyEachNodeIsAssignedToAnEp\]\s+([\w.]+) \((.*)\)\s*$")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True, order=True)
class Copy:
    """A Memcpy node.

    Attributes:
        graph: names of the nodes whose bodies are around it, outermost first, joined by "/".
        to_host: from the device to the host, or the other way.
        value: what is copied, as the model calls it.
    """

    graph: str
    to_host: bool
    value: str


@dataclass(frozen=True)
class Assigned:
    """What a session says.

    Attributes:
        on_cpu, on_cuda: nodes by graph (as in :class:`Copy`), operator and name, Memcpy nodes left out.
        copies: the Memcpy nodes.
    """

    on_cpu: list[tuple[str, str, str]]
    on_cuda: list[tuple[str, str, str]]
    copies: list[Copy]


def assigned(model: bytes) -> Assigned:
    """Make a session of a serialized model with the CUDA provider, and read what it says.

    Raises:
        TargetError: the provider is not loaded, or the session is not made.
    """
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        log, error = session_log(model, optimized=path)
        if error is not None:
            raise TargetError("onnxruntime makes no session of the model", received=error)
        return _read(log, onnx.load(str(path), load_external_data=False))


def session_log(model: bytes, *, optimized: Path | None = None, optimize: bool = True) -> tuple[list[str], str | None]:
    """The lines that onnxruntime logs while it makes a session, and the error that it ends with.

    Args:
        optimized: a file for the model as it is run.
        optimize: whether its optimizer changes the model.
    """
    import onnxruntime

    if CUDA not in onnxruntime.get_available_providers():
        raise TargetError("onnxruntime has no CUDA provider", hint="install onnxruntime-gpu")
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.log_verbosity_level = 0, 1
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    error, providers = None, []
    with tempfile.TemporaryFile() as held:
        with _standard_error(held):
            try:
                providers = onnxruntime.InferenceSession(model, options, providers=[CUDA, CPU]).get_providers()
            except Exception as caught:  # onnxruntime's errors have no base class
                error = " ".join(str(caught).split())
        held.seek(0)
        lines = [_COLOUR.sub("", line) for line in held.read().decode(errors="replace").splitlines()]
    if error is None and CUDA not in providers:
        raise TargetError("onnxruntime did not load its CUDA provider", received=providers)
    return lines, error


@contextmanager
def _standard_error(held: IO[bytes]) -> Iterator[None]:
    """What C++ writes there goes to a file."""
    kept = os.dup(2)
    os.dup2(held.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _read(log: list[str], optimized: Any) -> Assigned:
    providers: dict[tuple[str, str], str] = {}
    provider, everywhere = "", None
    for line in log:
        if placed := _PLACED.search(line):
            provider = placed[2]
            everywhere = provider if placed[1] else everywhere
        elif provider and (node := _NODE.search(line)):
            providers[node[1], node[2]] = provider
    found = Assigned([], [], [])
    for graph, node in _nodes(optimized.graph, ""):
        if node.op_type in ("MemcpyToHost", "MemcpyFromHost"):
            to_host = node.op_type == "MemcpyToHost"
            found.copies.append(Copy(graph, to_host, node.output[0] if to_host else node.input[0]))
        else:
            on = everywhere or providers[node.op_type, node.name]
            (found.on_cpu if on == CPU else found.on_cuda).append((graph, node.op_type, node.name))
    found.copies.sort()
    return found


def _nodes(graph: Any, path: str) -> Iterator[tuple[str, Any]]:
    for node in graph.node:
        yield path, node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g, f"{path}/{node.name}" if path else node.name)
