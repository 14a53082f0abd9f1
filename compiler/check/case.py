"""One case: compile the net, run it on the recorded inputs and parameters, compare everything that was recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from compiler.check.compare import UNUSED_SCORE, Difference, compare_arrays, compare_gradient, compare_output
from compiler.check.recorded import Recorded, read_recorded
from compiler.onnx.session import FileSession, OpenModel
from compiler.program.parameters import unstarted_states
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.config import NOTHING_ASSUMED, Assumed, Assumptions
from returnn_ir.construct.state import EPOCH_STEP
from returnn_ir.errors import DataError, UserError, bug_report

if TYPE_CHECKING:
    from compiler.onnx.placement import Placement

__all__ = ["CaseReport", "check_case", "check_program"]

_LOG = logging.getLogger(__name__)


@dataclass
class CaseReport:
    """What a check found.

    Attributes:
        layers: largest absolute difference by ``output/LAYER``, ``loss/NAME``, ``grad/PARAM``, ``param_after/NAME``.
        reason: the first thing that is wrong, None if nothing is.
        refused: the target or the front end refused the net (in contrast to wrong numbers).
        assumed: what was taken for given of the machine that the net was written for.
        contrib: how many there are in an ONNX file of each of onnxruntime's own ops.
        placement: where onnxruntime's CUDA provider runs an ONNX file, if that was asked.
    """

    case: str
    target: str
    layers: dict[str, float] = field(default_factory=dict)
    reason: str | None = None
    refused: bool = False
    assumed: list[Assumed] = field(default_factory=list)
    contrib: dict[str, int] = field(default_factory=dict)
    placement: Placement | None = None

    @property
    def ok(self) -> bool:
        """Whether everything recorded was there and agrees."""
        return self.reason is None

    @property
    def max_abs(self) -> float:
        """The largest difference of all."""
        return max((v for v in self.layers.values() if np.isfinite(v)), default=0.0)

    def add(self, name: str, difference: Difference) -> None:
        """Take one comparison in."""
        self.layers[name] = difference.max_abs
        if difference.reason is not None and self.reason is None:
            self.reason = f"{name}: {difference.reason}"

    def missing(self, name: str) -> None:
        """Something that was recorded is not there."""
        self.add(name, Difference(float("inf"), "missing"))

    def to_json(self) -> dict[str, Any]:
        """The documented JSON form."""
        told = {
            "case": self.case,
            "target": self.target,
            "ok": self.ok,
            "reason": self.reason,
            "max_abs": self.max_abs,
            "layers": {k: v if np.isfinite(v) else None for k, v in self.layers.items()},
        }
        return told if self.placement is None else {**told, "placement": self.placement.to_json()}


def check_case(
    path: Path,
    target: str,
    reference: Path | None = None,
    *,
    overrides: Sequence[str] = (),
    device: str | None = None,
    profile: str | None = None,
    assume: Assumptions = NOTHING_ASSUMED,
    open_model: OpenModel = FileSession,
    placed: bool = False,
) -> CaseReport:
    """Check one net; whatever fails becomes the report's reason, so that one failing net does not stop the others.

    For the target onnx the net is exported, and its file is what is compared. All that was recorded is asked for, so
    the file may have inputs that are not available for inference, which ``-o`` refuses.

    Args:
        reference: the recorded numbers; None: the ``.npz`` beside the net. Their mode is the net's.
        overrides: ``["++key", "value", ...]``.
        device: what a program for ``tf`` runs on, see :func:`compiler.program.program.compile_net`.
        profile: of an ONNX file, see there.
        assume: what the net's code finds instead of what is on its author's machine.
        open_model: what loads an exported file.
        placed: whether to tell where onnxruntime's CUDA provider runs that file.
    """
    report = CaseReport(str(path), target)
    try:
        recorded = read_recorded(reference or path.with_suffix(".npz"))
        if not (recorded.outputs or recorded.losses):
            raise DataError("nothing was recorded to compare with: RETURNN failed in this case", where=str(path))
        net = load(path, overrides, mode=recorded.mode, assume=assume)
        report.assumed.extend(net.config.assumed if net.config is not None else ())
        wanted = list(recorded.outputs)
        program = compile_net(
            net,
            target=target,
            mode=recorded.mode,
            fetch=wanted,
            everything=True,
            device=device,
            profile=profile,
        )
        if target == "onnx":
            _check_file(report, program, recorded, open_model, placed=placed)
        else:
            check_program(report, program, recorded)
    except UserError as error:
        report.reason = str(error)
        report.refused = True
    except Exception as error:  # a defect of this project, or of a target's library
        report.reason = bug_report(error)
        _LOG.debug("%s, target %s", path, target, exc_info=True)
    return report


def _check_file(
    report: CaseReport, program: Program, recorded: Recorded, open_model: OpenModel, *, placed: bool
) -> None:
    """As :func:`check_program`, of the file that ``-o`` writes."""
    from compiler.onnx.exported import ExportedProgram
    from compiler.onnx.placement.contract import PlacementContract

    executable: Any = program.executable
    contract = PlacementContract() if placed else None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        exported = ExportedProgram(executable, path, open_model, contract)
        check_program(report, replace(program, executable=exported), recorded)
        report.contrib.update(exported.contrib)
    if contract is not None:
        report.placement = contract.placements.get(path.name)


def check_program(report: CaseReport, program: Program, recorded: Recorded) -> None:
    """Run a program on recorded inputs and parameters, and put the differences into the report."""
    _compare(report, program, recorded, _run(program, recorded))


def _run(program: Program, recorded: Recorded) -> dict[str, Array]:
    params = {**unstarted_states(program), **recorded.params}
    wants_gradients = program.target == "tf" and bool(recorded.gradients)
    results: dict[str, Array] = {}
    inputs = {**_common_lengths(program, recorded.inputs), **recorded.inputs}
    for step in range(recorded.repeat):
        inputs[EPOCH_STEP] = np.asarray(step, np.int64)
        results = program.run(inputs, params)
        if step < recorded.repeat - 1:
            params.update({k.removeprefix("state/"): v for k, v in results.items() if k.startswith("state/")})
    if wants_gradients:
        results.update(program.gradients(inputs, params))
    return results


def _common_lengths(program: Program, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The lengths that all sequences have in common; a case has lengths per sequence only, and these are the axes'."""
    scalars = {spec.name for spec in program.inputs if not spec.axes}
    return {
        axis.lengths: np.asarray(inputs[spec.name].shape[number], np.int64)
        for spec in program.inputs
        for number, axis in enumerate(spec.axes)
        if axis.lengths in scalars and spec.name in inputs
    }


def _compare_scores(report: CaseReport, key: str, expected: Array, results: dict[str, Array]) -> None:
    """Scores of the hypotheses that are there."""
    if key not in results:
        report.missing(key)
        return
    used = expected > UNUSED_SCORE
    if results[key].shape != expected.shape:
        report.add(key, compare_arrays(expected, results[key]))
    else:
        report.add(key, compare_arrays(expected[used], results[key][used]))


def _compare(report: CaseReport, program: Program, recorded: Recorded, results: dict[str, Array]) -> None:
    for name, output in recorded.outputs.items():
        key = f"output/{name}"
        if key not in results:
            report.missing(key)
            continue
        own = program.graph.outputs[name]
        lengths = {axis: results[f"{key}/size{axis}"] for axis in own.lengths}
        report.add(key, compare_output(output, own, results[key], lengths))
        if output.beam_scores is not None:
            _compare_scores(report, f"{key}/beam_scores", output.beam_scores, results)
    for key, value in recorded.losses.items():
        if key in results:
            report.add(key, compare_arrays(value, results[key]))
        else:
            report.missing(key)
    if report.target == "tf":
        for name, gradient in recorded.gradients.items():
            key = f"grad/{name}"
            if key in results:
                report.add(key, compare_gradient(gradient, results[key]))
            else:
                report.missing(key)
    for name, after in recorded.params_after.items():
        if f"state/{name}" in results:
            report.add(f"param_after/{name}", compare_arrays(after, results[f"state/{name}"]))
        else:
            report.missing(f"param_after/{name}")
    _compare_trained(report, program, recorded)


def _compare_trained(report: CaseReport, program: Program, recorded: Recorded) -> None:
    """The same parameters are trained, as far as the program has them."""
    if recorded.trainable is None:
        return
    for name, param in program.params.items():
        if name in recorded.params and param.trainable is not (name in recorded.trainable):
            expected = "trains" if name in recorded.trainable else "does not train"
            report.add(f"param/{name}", Difference(float("inf"), f"RETURNN {expected} it"))
