"""Sessions on one execution provider of onnxruntime: which provider ran each node, and the copies between them."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.program import OnnxProgram
from compiler.target.protocol import Array
from returnn_ir.errors import TargetError

__all__ = ["CPU", "CUDA", "OnProvider", "Placement", "ProviderSession", "preload", "seconds"]

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

#: TF32 has 10 bits of mantissa, so that no comparison within 1e-4 holds; the search for the fastest convolution would
#: start again at every new length.
_OPTIONS: dict[str, dict[str, str]] = {CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}}


def preload(provider: str) -> None:
    """Load CUDA and cuDNN of Python packages, where the system has none."""
    if provider == CUDA:
        import onnxruntime

        onnxruntime.preload_dlls()


@dataclass
class Placement:
    """Where the nodes of a model ran.

    Attributes:
        nodes: number of different nodes by provider; those in loops count once.
        on_cpu: op types of the nodes that ran on the CPU, by number.
        memcpy: nodes in the optimized model that copy between host and device.
    """

    nodes: Counter[str] = field(default_factory=Counter)
    on_cpu: Counter[str] = field(default_factory=Counter)
    memcpy: int = 0

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {"nodes": dict(self.nodes), "on_cpu": dict(self.on_cpu.most_common()), "memcpy": self.memcpy}


class ProviderSession:
    """A model in onnxruntime on one provider.

    Args:
        model: an ``onnx.ModelProto``.
        provider: onnxruntime's name of it.
        trace: record where nodes run; such a session is slower.
        options: of the provider, over the defaults of this module.

    Raises:
        TargetError: the provider was not loaded; onnxruntime alone would go on with the CPU.
    """

    def __init__(self, model: Any, provider: str, *, trace: bool = False, **options: str) -> None:
        import onnxruntime

        if provider not in onnxruntime.get_available_providers():
            raise _not_loaded(provider, onnxruntime.get_available_providers())
        self.provider = provider
        self._folder = tempfile.TemporaryDirectory() if trace else None
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        if self._folder is not None:
            settings.enable_profiling = True
            settings.profile_file_prefix = str(Path(self._folder.name) / "profile")
            settings.optimized_model_filepath = str(self._optimized(self._folder.name))
        wanted = [(provider, {**_OPTIONS.get(provider, {}), **options})]
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=wanted)
        self.session.disable_fallback()
        if self.session.get_providers()[0] != provider:
            raise _not_loaded(provider, self.session.get_providers())

    @staticmethod
    def _optimized(folder: str) -> Path:
        return Path(folder) / "optimized.onnx"

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name."""
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, map(np.asarray, self.session.run(names, dict(feeds))), strict=True))

    def placement(self) -> Placement:
        """Where the nodes of the runs so far ran. Ends the recording."""
        import onnx

        if self._folder is None:
            raise TargetError("this session records no placement", hint="trace=True")
        events = json.loads(Path(self.session.end_profiling()).read_text(encoding="utf-8"))
        nodes: set[tuple[str, str, str]] = set()
        for event in events:
            if event.get("cat") == "Node" and str(event["name"]).endswith("_kernel_time"):
                held = event["args"]
                nodes.add((f"{held['node_index']} {event['name']}", held["op_name"], held["provider"]))
        optimized = onnx.load(str(self._optimized(self._folder.name)), load_external_data=False)
        self._folder.cleanup()
        return Placement(
            Counter(provider for _, _, provider in nodes),
            Counter(op for _, op, provider in nodes if provider == CPU),
            _memcpy_nodes(optimized.graph),
        )


def _memcpy_nodes(graph: Any) -> int:
    count = 0
    for node in graph.node:
        count += node.op_type in ("MemcpyToHost", "MemcpyFromHost")
        count += sum(_memcpy_nodes(attribute.g) for attribute in node.attribute if attribute.HasField("g"))
    return count


def _not_loaded(provider: str, found: list[str]) -> TargetError:
    return TargetError(
        f"onnxruntime did not load {provider}",
        expected=provider,
        received=found,
        hint="install onnxruntime-gpu (onnxruntime beside it hides it) and the CUDA and cuDNN libraries that it is for",
    )


class OnProvider:
    """An exported program that runs on a provider; see :class:`compiler.target.protocol.Executable`.

    Attributes:
        placement: of the last run.
        model: the last model that ran.
        feeds: its inputs.
        results: its outputs by name.
    """

    def __init__(self, program: OnnxProgram, provider: str) -> None:
        self._program = program
        self._provider = provider
        self.placement = Placement()
        self.model: Any = None
        self.feeds: Mapping[str, Array] = {}
        self.results: dict[str, Array] = {}

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """Run once."""
        self.model = self._program.model(params)
        opened = ProviderSession(self.model, self._provider, trace=True)
        self.feeds = self._program.feeds(opened.session, inputs)
        fetches = self._program.signature.fetches
        self.results = opened.run(self.feeds)
        self.placement = opened.placement()
        return {fetch: self.results[name] for fetch, name in fetches.items()}


def seconds(run: Callable[[], object], rounds: int) -> float:
    """The median time of a run, after one to warm up."""
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))
