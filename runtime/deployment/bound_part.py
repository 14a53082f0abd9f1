"""The parts of a split search with their inputs and outputs bound: what the host does not look at stays on the device.

onnxruntime calls this IO binding. An array on the device is an ``OrtValue``; one part leaves it there and another one
reads it. The same is done on the CPU, where nothing is copied either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compiler.target.split_driver import Feed, Held
from returnn_ir.errors import UserError
from runtime.deployment.device import Device
from runtime.deployment.model_file import ModelFile, element_type, sizes

__all__ = ["BoundPart", "FixedStep", "OpenStep"]


class BoundPart:
    """One part.

    Args:
        path: of its file.
        device: where it runs.
        on_host: whether the host looks at the output of that name; it gets it as an array of its own.

    Attributes:
        begin: what other parts have to write into, by name: nothing.
    """

    def __init__(self, path: Path, device: Device, on_host: Callable[[str], bool], **options: str) -> None:
        self.model = ModelFile(path, device, **options)
        self.begin: dict[str, Held] = {}
        self.device = device
        self.on_host = on_host
        self._binding = self.model.session.io_binding()
        self._bound: dict[str, Held] = {}

    def run(self, feed: Feed, into: Mapping[str, Held] | None = None) -> dict[str, Held]:
        """All outputs by name.

        Args:
            feed: arrays, and what parts have left on the device.
            into: outputs that are to be written into these.
        """
        return self._for_host(self._run(feed, into or {}))

    def _run(self, feed: Feed, given: Mapping[str, Held]) -> dict[str, Held]:
        """All outputs, as onnxruntime has them."""
        binding = self._binding
        for name in self.model.inputs:
            if isinstance(feed[name], np.ndarray) or self._bound.get(name) is not feed[name]:
                self._bind(name, feed[name])
        for name in self.model.outputs:
            if name in given:
                binding.bind_ortvalue_output(name, given[name])
            elif self.on_host(name):
                binding.bind_output(name, "cpu")
            else:
                binding.bind_output(name, self.device.kind, self.device.index)
        self.model.session.run_with_iobinding(binding)
        found = {**dict(zip(self.model.outputs, binding.get_outputs(), strict=True)), **given}
        return {name: found[name] for name in self.model.outputs}

    def _for_host(self, outputs: Mapping[str, Held]) -> dict[str, Held]:
        """The outputs, with arrays of its own for what the host looks at."""
        return {name: np.array(v.numpy()) if self.on_host(name) else v for name, v in outputs.items()}

    def _bind(self, name: str, value: Held) -> None:
        """Bind an input; what is bound to it already, as what the encoder gave is in each step, is not bound again."""
        if isinstance(value, np.ndarray):
            value = np.ascontiguousarray(self.model.typed(name, value))
            self._binding.bind_cpu_input(name, value)
        else:
            self._binding.bind_ortvalue_input(name, value)
        self._bound[name] = value  # which onnxruntime does not keep alive


class OpenStep(BoundPart):
    """A step whose arrays have the sizes of the batch; it is the same batch in all steps of a search.

    The first two steps make two sets of arrays, which take turns from then on: they are bound once, and nothing is made
    anew. Not so where an axis grows from step to step, as that of all labels so far does.

    Args:
        path: of ``step.onnx``.
        device: where it runs.
        on_host: as for :class:`BoundPart`.
    """

    def __init__(self, path: Path, device: Device, on_host: Callable[[str], bool]) -> None:
        super().__init__(path, device, on_host)
        self._is_steady = _is_steady(self.model)
        self._before: dict[str, Held] = {}
        self._turns: list[_Turn] = []

    def run(self, feed: Feed, into: Mapping[str, Held] | None = None) -> dict[str, Held]:
        """One step, from where the states of ``feed`` are."""
        for turn in self._turns:
            if turn.first is feed["i"]:
                self.model.session.run_with_iobinding(turn.binding)
                return self._for_host(turn.outputs)
        found = self._run(feed, into or {})
        is_second = bool(self._before) and self._before["i/next"] is feed["i"]
        self._turns = [self._turn(feed, found, self._before)] if self._is_steady and is_second else []
        if self._turns:
            self._turns.append(self._turn(feed, self._before, found))
        self._before = found
        return self._for_host(found)

    def _turn(self, feed: Feed, states: Mapping[str, Held], outputs: dict[str, Held]) -> _Turn:
        """A step from the states of one set to those of the other."""
        binding = self.model.session.io_binding()
        given = {**feed, **{n.removesuffix("/next"): v for n, v in states.items() if n.endswith("/next")}}
        for name in self.model.inputs:
            binding.bind_ortvalue_input(name, given[name])
        for name, held in outputs.items():
            binding.bind_ortvalue_output(name, held)
        return _Turn(binding, given["i"], outputs)


@dataclass(frozen=True)
class _Turn:
    """A step that is bound: it runs where ``first`` is the number of the step."""

    binding: Any
    first: Held
    outputs: dict[str, Held]


def _is_steady(step: ModelFile) -> bool:
    """Whether no array of a step grows: all axes without a size are those of what every step is given."""
    states = {name.removesuffix("/next") for name in step.outputs}
    own = {size for i in step.session.get_inputs() if i.name not in states for size in sizes(i)}
    made = [i for i in step.session.get_inputs() if i.name in states]
    return all(isinstance(size, int) or size in own for i in (*made, *step.session.get_outputs()) for size in sizes(i))


class FixedStep:
    """A step whose arrays all have one size: it reads and writes the same memory in every run.

    Two sets of states take turns: the step goes from the first to the second one and back. So it is bound twice, once
    per direction, and on a GPU each direction is captured as a CUDA graph and replayed from then on: one launch per
    step. What stands in the buffers behind encoder and init is where the first step begins.

    Args:
        path: of ``step.onnx``.
        device: where it runs.
        on_host: as for :class:`BoundPart`.

    Attributes:
        begin: what encoder and init have to write into, by name.

    Raises:
        UserError: the model has an axis without a size, or onnxruntime cannot capture it.
    """

    def __init__(self, path: Path, device: Device, on_host: Callable[[str], bool]) -> None:
        captured = device.kind == "cuda"
        self._on_host = on_host
        self._device = device
        self.model = ModelFile(path, device, **({"enable_cuda_graph": "1"} if captured else {}))
        session = self.model.session
        self.begin = {i.name: self._buffer(i, path) for i in session.get_inputs()}
        outputs = {o.name: self._buffer(o, path) for o in session.get_outputs()}
        second = {n.removesuffix("/next"): outputs[n] for n in outputs if n.endswith("/next")}
        back = {f"{n}/next": self.begin[n] if n in self.begin else outputs[f"{n}/next"] for n in second}
        self._outputs = (outputs, {**outputs, **back})
        inputs = (self.begin, {**self.begin, **{n: v for n, v in second.items() if n in self.begin}})
        self._bindings = [self._bound(*ends) for ends in zip(inputs, self._outputs, strict=True)]
        self._runs = [_run_options(number) if captured else None for number in (1, 2)]
        if captured:
            self._capture(path)

    def _buffer(self, given: Any, path: Path) -> Held:
        import onnxruntime

        shape = [size for size in sizes(given) if isinstance(size, int)]
        if len(shape) < len(sizes(given)):
            hint = "copy all four files of one export with --batch and --max-length"
            raise UserError(
                f"an axis of {given.name!r} has no size", where=str(path), received=list(sizes(given)), hint=hint
            )
        dtype = np.dtype(element_type(given.type))
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype), self._device.kind, self._device.index)

    def _bound(self, inputs: Mapping[str, Held], outputs: Mapping[str, Held]) -> Any:
        binding = self.model.session.io_binding()
        for name in self.model.inputs:
            binding.bind_ortvalue_input(name, inputs[name])
        for name in self.model.outputs:
            binding.bind_ortvalue_output(name, outputs[name])
        return binding

    def _capture(self, path: Path) -> None:
        """Run both directions once, on zeros: onnxruntime captures what it runs first."""
        for direction in range(2):
            try:
                self._launch(direction)
            except Exception as error:
                raise UserError(f"onnxruntime cannot capture a step: {error}", where=str(path)) from error

    def _launch(self, direction: int) -> None:
        self.model.session.run_with_iobinding(self._bindings[direction], self._runs[direction])

    def run(self, feed: Feed) -> dict[str, Held]:
        """One step, from where the states of ``feed`` are."""
        direction = 0 if feed["i"] is self.begin["i"] else 1
        self._launch(direction)
        outputs = self._outputs[direction]
        return {n: np.array(v.numpy()) if self._on_host(n) else v for n, v in outputs.items()}


def _run_options(number: int) -> Any:
    """A run of the captured graph of that number."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(number))
    return options
