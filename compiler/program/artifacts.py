"""What ``returnn-compile -o`` writes: an ONNX file, or a SavedModel folder with the graph's text and a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from compiler.analysis.inference_inputs import require_inference_inputs
from compiler.checkpoint.npz import read_npz
from compiler.passes.search.expand_search import BATCH_SCORES
from compiler.program.named import named_reference
from compiler.program.parameters import checkpoint_parameters, unstarted_states
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from compiler.target.staged import staged
from returnn_ir.errors import DataError, ProblemList, TargetError, UserError, did_you_mean
from returnn_ir.ir.mode import Mode
from returnn_ir.network.net import Net
from returnn_ir.text.printer import print_graph

if TYPE_CHECKING:
    from compiler.onnx.placement.contract import PlacementContract
    from compiler.onnx.program import OnnxProgram
    from compiler.onnx.verification import Verification
    from compiler.target.fixed_batch import FixedBatch

__all__ = ["read_parameters", "write_artifact"]


def read_parameters(program: Program, *, checkpoint: str | None, params: Path | None) -> dict[str, Array]:
    """Values for every parameter: of a checkpoint, of an ``.npz`` with ``param/NAME``, or untrained ones.

    Raises:
        DataError: the file is missing, or lacks a parameter or has another shape for it.
    """
    if checkpoint is not None:
        return checkpoint_parameters(program, checkpoint)
    if params is not None:
        return _from_npz(program, params)
    return program.initial_params()


def _from_npz(program: Program, path: Path) -> dict[str, Array]:
    stored = {k.removeprefix("param/"): v for k, v in read_npz(path).items() if k.startswith("param/")}
    values = {**unstarted_states(program), **stored}
    problems: list[UserError] = []
    for name, param in program.params.items():
        shape = tuple(d.size for d in param.dims)
        if name not in values:
            problems.append(DataError(f"no parameter {name!r}", where=str(path), hint=did_you_mean(name, values)))
        elif not _fits(values[name].shape, shape):
            problems.append(
                DataError(
                    f"parameter {name!r} has another shape",
                    where=str(path),
                    expected=shape,
                    received=values[name].shape,
                )
            )
    if problems:
        raise ProblemList(problems)
    return values


def _fits(given: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(given) == len(shape) and all(size in (None, own) for own, size in zip(given, shape, strict=True))


def write_artifact(
    program: Program,
    net: Net,
    output: Path,
    *,
    checkpoint: str | None,
    params: Path | None,
    layout: str = "single",
    contract: PlacementContract | None = None,
) -> list[str]:
    """Write the program for its target; returns lines that say what was written.

    What is written for inference (modes ``forward`` and ``search``) may only have inputs that are there then.

    Args:
        layout: of an ONNX search: ``single``, one file, or ``split``, a folder with encoder, init, step and finish.
        contract: what is asked of where onnxruntime's CUDA provider runs an ONNX file.

    Raises:
        UserError: an input that is not available for inference, parameters that do not fit, sizes that cannot be fixed,
            numbers that differ from the reference, or what the contract refuses.
    """
    require_inference_inputs(program.graph, net)
    values = read_parameters(program, checkpoint=checkpoint, params=params)
    source = checkpoint or (str(params) if params is not None else "untrained parameters")
    if program.target == "onnx" and layout == "split":
        return _write_split(program, net, values, output, source, contract)
    if program.target == "onnx":
        return _write_onnx(program, net, values, output, source, contract=contract, fixed=program.fixed)
    if program.target == "tf":
        return _write_saved_model(program, net, values, output, source)
    raise TargetError(f"target {program.target!r} writes no file", hint="--target onnx or --target tf")


def _write_onnx(
    program: Program,
    net: Net,
    values: Mapping[str, Array],
    output: Path,
    source: str,
    *,
    contract: PlacementContract | None = None,
    fixed: FixedBatch | None = None,
) -> list[str]:
    from compiler.onnx.export import export

    executable: Any = program.executable
    if fixed is not None:
        executable = _with_fixed_sizes(program, executable, fixed)
    fetch, losses = list(program.graph.outputs), bool(program.graph.losses)
    reference = named_reference(net, program.mode, fetch, losses=losses)
    written = export(executable, values, output, reference=reference, contract=contract)
    size = output.stat().st_size
    lines = [f"wrote {output} ({size / 1e6:.2f} MB, mode {program.mode}{_sizes(fixed)}) with {source}"]
    if written.verification is not None:
        lines += _verified(written.verification)
    if written.contrib:
        named = ", ".join(f"{count} {name}" for name, count in written.contrib.items())
        lines.append(f"note: only onnxruntime can load it: it has ops of its own ({named})")
    layers = _batch_scores(program)
    if layers:
        lines.append(
            f"note: scores depend on the batch in {', '.join(sorted(layers))}, as in RETURNN; "
            'search_scores = "independent" makes them those of the sequence alone'
        )
    if written.tail_readers:
        lines.append(
            f"note: results depend on the batch's padding in {', '.join(written.tail_readers)}, as in RETURNN; "
            'padding = "masked" makes each sequence independent'
        )
    return lines


def _with_fixed_sizes(program: Program, executable: OnnxProgram, fixed: FixedBatch) -> OnnxProgram:
    """The same program for batches of one size.

    Raises:
        UserError: sizes cannot be fixed, or it searches.
    """
    from compiler.analysis.fixed_sizes import fixed_sizes
    from compiler.onnx.memory import Memory
    from compiler.onnx.program import OnnxProgram

    if program.mode == Mode.SEARCH:
        raise TargetError(
            "fixed sizes are for CUDA graphs, and a search in one file is a loop, which these exclude",
            where="--max-length",
            hint="--layout split",
        )
    sizes = fixed_sizes(executable.graph, fixed)
    return OnnxProgram(executable.graph, executable.format, Memory(sizes, fixed=fixed))


def _write_split(
    program: Program,
    net: Net,
    values: Mapping[str, Array],
    output: Path,
    source: str,
    contract: PlacementContract | None,
) -> list[str]:
    from compiler.onnx.split_export import export_split

    executable: Any = program.executable
    with TemporaryDirectory() as folder:  # the whole is compared with the reference, the parts with the whole
        lines = _write_onnx(program, net, values, Path(folder) / "whole.onnx", source)[1:]
    scores = _batch_scores(program)
    written = export_split(executable, values, output, contract=contract, fixed=program.fixed, batch_scores=scores)
    names = ", ".join(f"{name}.onnx" for name in written.parts)
    same = "the bits of the whole" if program.fixed is None else "the hypotheses of the whole"
    return [f"wrote {output}: {names}{_sizes(written.fixed)} with {source}", *lines, f"the parts give {same}"]


def _sizes(fixed: FixedBatch | None) -> str:
    """What a file is made for, for a line about it."""
    if fixed is None:
        return ""
    steps = f", {fixed.steps} steps" if fixed.steps is not None else ""
    return f", for batches of {fixed.batch}, {fixed.longest} frames{steps} at most"


def _batch_scores(program: Program) -> set[str]:
    """The layers whose scores depend on the batch."""
    return {d.origin.layer for d in program.journal if d.action == BATCH_SCORES and d.origin.layer}


def _verified(verification: Verification) -> list[str]:
    """What the comparison with the reference has found."""
    batches, worst = len(verification.batches), verification.largest
    line = f"verified against the reference on {batches} ragged batches, largest difference {worst:.2g}"
    return [line, *(f"note: not verified on {reason}" for reason in verification.left_out)]


def _write_saved_model(program: Program, net: Net, values: Mapping[str, Array], output: Path, source: str) -> list[str]:
    from compiler.tensorflow.saved_model import export_saved_model

    executable: Any = program.executable
    device: str = executable.device.kind
    programs: dict[str, Any] = {}
    if program.mode == Mode.SEARCH:
        programs["search"] = executable
    elif program.graph.outputs:
        wanted = list(program.graph.outputs)
        programs["forward"] = compile_net(net, target="tf", mode="forward", fetch=wanted, device=device).executable
    if program.graph.losses:
        programs["loss"] = executable
    report = {
        "mode": program.mode,
        "device": device,
        "parameters": {name: [d.size for d in p.dims] for name, p in program.params.items()},
        "source": source,
        "signatures": list(programs),
        "decisions": [str(d) for d in program.journal],
    }
    with staged(output) as part:
        export_saved_model(part, programs, values)
        (part / "graph.txt").write_text(print_graph(program.graph), encoding="utf-8")
        (part / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    place = "" if device == "both" else f" for {device} only"
    lines = [f"wrote {output}{place} (signatures {', '.join(programs)}) with {source}"]
    if program.precision == "float16" and "loss" in programs:
        lines.append("note: the loss computes in float16; scale it where it is differentiated, as returnn-run does")
    return lines
