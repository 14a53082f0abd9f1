"""Compiling a network for a target, and the program that comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from compiler.passes.base import Journal
from compiler.program.initial_parameters import initial_parameters
from compiler.program.mixed_precision import training_precision
from compiler.program.pipelines import lower_to
from compiler.target.fixed_batch import FixedBatch
from compiler.target.inputs import InputSpec, input_specs
from compiler.target.protocol import Array, Executable, Target
from compiler.tensorflow.device import Device, GivenDevice
from compiler.tensorflow.start import start_tensorflow
from returnn_ir.config.read import read_config
from returnn_ir.construct.construct import construct
from returnn_ir.construct.state import Param
from returnn_ir.errors import DataError, TargetError, did_you_mean
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.mode import Mode
from returnn_ir.network.net import Net
from returnn_ir.options import Described, Key, NonNegative

__all__ = ["TARGETS", "Program", "compile_net", "make_target"]

#: Composites of the TensorFlow target whose kernels, on one device or all, have no second derivative.
_ONCE_DIFFERENTIABLE = ("ctc_loss", "lstm", "lstm_cell")

TARGETS = ("reference", "tf", "onnx")


@dataclass
class Program:
    """A network compiled for one target and mode.

    Attributes:
        graph: in the TARGET stage.
        params: every parameter by RETURNN's variable name.
        journal: what the passes did, for ``--explain``.
        precision: the element type of 16 bits that products compute in, None where all is float32.
        fixed: the sizes of a batch that its files are made for; None: any.
    """

    target: str
    mode: Mode
    graph: Graph
    params: dict[str, Param]
    executable: Executable
    journal: Journal
    precision: str | None = None
    fixed: FixedBatch | None = None

    def run(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """Run once; see ``Executable.run``."""
        self._require(params)
        return self.executable.run(inputs, params)

    def gradients(self, inputs: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """``grad/PARAM`` of the objective; only of a ``tf`` program."""
        compute: Callable[..., dict[str, Array]] | None = getattr(self.executable, "gradients", None)
        if compute is None:
            raise TargetError(f"target {self.target!r} has no gradients", hint="--target tf")
        self._require(params)
        return compute(inputs, params)

    def initial_params(self, seed: int = 42) -> dict[str, Array]:
        """Untrained parameters, seeded per variable name; those that ``load_on_init`` names come from its file.

        Raises:
            UserError: such a file is missing, or has another shape.
        """
        return initial_parameters(self.params, seed)

    @cached_property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The inputs that the program reads, with what a host can check."""
        return input_specs(self.graph)

    def input_names(self) -> list[str]:
        """The names of the inputs that the program reads."""
        return [str(node.attrs["name"]) for node in self.graph.nodes("input")]

    def _require(self, params: Mapping[str, Array]) -> None:
        used = {str(node.attrs["name"]) for node in self.graph.nodes("param")}
        absent = sorted(used - set(params))
        if absent:
            raise DataError(
                f"no value for parameter {absent[0]!r}",
                hint=did_you_mean(absent[0], params),
                received=f"{len(params)} parameters",
            )


def make_target(
    name: str,
    *,
    opset: int | None = None,
    profile: str | None = None,
    device: str | None = None,
    deterministic: bool = False,
) -> Target:
    """A target by name; only now are its libraries imported.

    Args:
        name: ``reference``, ``tf`` or ``onnx``.
        opset: the version of ONNX's operator set, for ``onnx`` only; None: its default.
        profile: ``portable`` or ``onnxruntime``, for ``onnx`` only; None: ``portable``.
        device: for ``tf``, ``cpu``, ``gpu`` or ``both``; None: what TensorFlow computes on in this process. For
            ``onnx``, what the file is written to be fast on, ``cpu`` or ``cuda``; None: ``cpu``.
        deterministic: whether the same batch has to give the same bits again, for ``tf`` only; the others always do.

    Raises:
        TargetError: no such target, or one that has no such option.
    """
    if name not in TARGETS:
        hint = did_you_mean(str(name), TARGETS)
        raise TargetError(f"unknown target {name!r}", expected=", ".join(TARGETS), hint=hint)
    if opset is not None and name != "onnx":
        raise TargetError(f"target {name!r} has no opset", where="opset", received=opset, hint="target 'onnx' has one")
    if profile is not None and name != "onnx":
        hint = "target 'onnx' has one"
        raise TargetError(f"target {name!r} has no profile", where="profile", received=profile, hint=hint)
    if device is not None and name == "reference":
        raise TargetError(f"target {name!r} has no device", where="device", received=device, hint="target 'tf' has one")
    if name == "reference":
        from compiler.reference.target import ReferenceTarget

        return ReferenceTarget()
    if name == "tf":
        start_tensorflow()
        from compiler.tensorflow.target import TensorFlowTarget

        return TensorFlowTarget(Device.of(device, deterministic=deterministic))
    from compiler.onnx.profile import DEFAULT_OPSET, Profile, Provider
    from compiler.onnx.target import OnnxTarget

    return OnnxTarget(
        DEFAULT_OPSET if opset is None else opset,
        Profile.PORTABLE if profile is None else Profile.of(profile),
        Provider.CPU if device is None else Provider.of(device),
    )


@dataclass(frozen=True)
class _Keys:
    """Keys of the config that choose kernels.

    Attributes:
        fusion: what of a composite that the target has is asked for, by its name.
        maximize_grad_norm: a training needs second derivatives.
    """

    fusion: Annotated[Mapping[str, Any], Described('a dict such as {"lstm": "require"}')] = field(default_factory=dict)
    maximize_grad_norm: NonNegative = 0.0


@dataclass(frozen=True)
class _TensorFlowKeys:
    """What the config says about running TensorFlow.

    Attributes:
        device: what computes.
        deterministic: whether the same batch has to give the same bits again.
    """

    device: GivenDevice = "gpu"
    deterministic: Annotated[bool, Key("deterministic_train")] = False


def compile_net(
    net: Net,
    *,
    target: str,
    mode: str = "forward",
    fetch: Sequence[str] | None = None,
    everything: bool = False,
    losses: bool = True,
    opset: int | None = None,
    profile: str | None = None,
    fixed: FixedBatch | None = None,
    device: str | None = None,
    print_stage: Callable[[str, Graph], None] | None = None,
) -> Program:
    """Compile a network.

    Args:
        net: from ``returnn_ir.load``.
        target: ``reference``, ``tf`` or ``onnx``.
        mode: ``forward``, ``eval``, ``train`` or ``search``.
        fetch: names of layers to give (a layer inside of another one: its path); None: the network's output layers.
        everything: build every layer of the root network.
        losses: with losses and the targets that they need, except in mode ``forward``.
        opset: the version of ONNX's operator set, for ``onnx`` only; None: its default.
        profile: whose operators an ONNX file has, for ``onnx`` only: ``portable``, ONNX's own, or ``onnxruntime``, its
            fused ones, too; None: ``portable``.
        fixed: the sizes of a batch that files are made for, for ``onnx`` only; None: any. What :meth:`Program.run` is
            given may still be any batch.
        device: what a program for ``tf`` runs on: ``cpu``, ``gpu`` or ``both``. None: what the config's ``device``
            says, a GPU where TensorFlow computes on one in this process. For ``onnx`` ``cpu`` (default) or ``cuda``:
            where the file shall be fast; it runs on both.
        print_stage: called with each stage's name and graph, for ``--print-ir``.

    Raises:
        UserError: what is wrong with the network or an argument, or what the target refuses and why.
    """
    if mode not in list(Mode):
        raise TargetError(
            f"unknown mode {mode!r}", expected=", ".join(Mode), hint=did_you_mean(str(mode), [m.value for m in Mode])
        )
    if isinstance(fetch, str):
        raise TargetError("'fetch' is a list of layer names", received=repr(fetch), hint=f"fetch=[{fetch!r}]")
    config: Mapping[str, object] = {} if net.config is None else net.config
    given = _tensorflow_options(config, device) if target == "tf" else {"device": device}
    if fixed is not None and target != "onnx":
        hint = "target 'onnx' has them"
        raise TargetError(f"target {target!r} has no fixed sizes", where="fixed", received=fixed, hint=hint)
    made = make_target(target, opset=opset, profile=profile, **given)
    expanded = construct(net, mode, fetch, everything=everything, losses=losses)
    fusion = _fusion(config, net, target, expanded.graph)
    precision = training_precision(config, target, expanded.graph)
    graph, journal = lower_to(
        expanded.graph, made, fusion=fusion, precision=precision, fixed=fixed is not None, print_stage=print_stage
    )
    lowered = made.lower(graph)
    return Program(target, Mode(mode), graph, expanded.params, lowered, journal, precision=precision, fixed=fixed)


def _fusion(config: Mapping[str, object], net: Net, target: str, graph: Graph) -> Mapping[str, Any]:
    """What the config says of kernels, and where it says nothing: none without the derivatives that it needs."""
    keys = read_config(_Keys, config)
    opts = [definition.options.updater_opts or {} for definition in net.all_layers()]
    twice = keys.maximize_grad_norm or any(given.get("maximize_grad_norm") for given in opts)
    if target != "tf" or graph.mode is not Mode.TRAIN or not twice:
        return keys.fusion
    present = {node.op.name for node in graph.body.walk()}
    expanded = [name for name in _ONCE_DIFFERENTIABLE if name in present and name not in keys.fusion]
    for name in expanded:
        graph.notes.append(f"maximize_grad_norm: {name} has no kernel here, as its kernel has no second derivative")
    return {**dict.fromkeys(expanded, "never"), **keys.fusion}


def _tensorflow_options(config: Mapping[str, object], device: str | None) -> dict[str, Any]:
    """Arguments of :func:`make_target`: the device that is asked for, else the config's."""
    keys = read_config(_TensorFlowKeys, config)
    if device is None and keys.device == "cpu":
        device = "cpu"
    return {"device": device, "deterministic": keys.deterministic}
