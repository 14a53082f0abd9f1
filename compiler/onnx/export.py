"""Writing a model file: checked by onnx, loaded by onnxruntime, compared with the reference, described inside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from compiler.onnx.program import OnnxProgram
from compiler.onnx.verification import Verification, verify_model
from compiler.target.inputs import input_specs
from compiler.target.protocol import Array, Executable
from returnn_ir.errors import MismatchError, TargetError
from returnn_ir.ir.dims import Dim, leaves
from returnn_ir.ir.graph import Graph, Node, Value, attr_dims
from returnn_ir.ir.op import Trait
from returnn_ir.ir.types import TensorType

__all__ = ["Export", "ExportMismatch", "export", "tail_readers"]

#: What the entries of the model's metadata begin with.
PREFIX = "returnn_ir."


class ExportMismatch(MismatchError):
    """The model and the reference compute different numbers: exit code 1, and no file is written."""

    def __init__(self, verification: Verification) -> None:
        self.verification = verification
        super().__init__("the ONNX model differs from the reference", received="\n".join(verification.problems))


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        verification: how far the model is from the reference; None if it was not compared.
        tail_readers: layers whose results depend on what stands behind a sequence's end, and so on the batch.
    """

    path: Path
    verification: Verification | None
    tail_readers: list[str]


def export(
    program: OnnxProgram,
    params: Mapping[str, Array],
    path: str | Path,
    *,
    labels: Mapping[str, Sequence[str]] | None = None,
    reference: Executable | None = None,
    seed: int = 1,
) -> Export:
    """Write ``program`` with ``params`` to ``path``.

    Args:
        program: from ``OnnxTarget.lower``.
        params: every parameter under RETURNN's variable name.
        path: the ``.onnx`` file; replaced at once when everything is right.
        labels: names of the entries of sparse inputs and outputs, by data key, for the metadata.
        reference: what to compare with on random ragged batches; None where the file is compared with other numbers
            than ours (a recorded case).
        seed: of the random batches.

    Raises:
        ExportMismatch: the numbers differ.
        TargetError: onnx's checker refuses the model.
    """
    import onnx

    model = program.model(params)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise TargetError("onnx's checker refuses the model", received=str(error)) from error
    verification = verify_model(program, params, reference, seed) if reference is not None else None
    if verification is not None and not verification.ok:
        raise ExportMismatch(verification)
    readers = tail_readers(program.graph)
    held = onnx.ModelProto()
    held.CopyFrom(model)
    report = verification.to_json() if verification is not None else None
    entries = {**_description(program, labels or {}), "report": report, "tail_readers": readers}
    kept = {entry.key: entry.value for entry in model.metadata_props}
    written = {PREFIX + key: json.dumps(value) for key, value in entries.items()}
    onnx.helper.set_model_props(held, {**kept, **written})
    _write(Path(path), held.SerializeToString())
    return Export(Path(path), verification, readers)


def _write(path: Path, content: bytes) -> None:
    """All of the file or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


# -------------------------------------------------------------------- metadata


def _description(program: OnnxProgram, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    sign = program.signature
    inputs = {name: _axes(type_) for name, type_ in {**sign.inputs, **sign.states}.items()}
    for spec in input_specs(program.graph):
        inputs[spec.name].update(spec.to_json())
    outputs = {name: _axes(type_) for name, type_ in sign.outputs.items()}
    dims = {d for t in (*sign.inputs.values(), *sign.outputs.values()) for d in t.dims}
    return {
        "mode": program.graph.mode,
        "inputs": inputs,
        "outputs": outputs,
        "dims": {sign.axis_names.get(d, d.name): d.size if d.size is not None else d.kind.value for d in _sorted(dims)},
        "labels": {key: list(names) for key, names in labels.items()},
        "versions": _versions(program),
    }


def _sorted(dims: set[Dim]) -> list[Dim]:
    return sorted(dims, key=lambda d: (d.name, d.size or 0))


def _axes(type_: TensorType) -> dict[str, Any]:
    sparse = type_.sparse_dim
    labels = {"sparse": sparse.size if sparse.size is not None else sparse.name} if sparse is not None else {}
    return {"dtype": type_.dtype, "axes": [d.name for d in type_.dims], **labels}


def _versions(program: OnnxProgram) -> dict[str, str]:
    found = {"opset": str(program.opset), "ir": str(program.ir_version)}
    for name in ("returnn-ir", "onnx", "onnxruntime", "onnxruntime-gpu", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


# -------------------------------------------------------------------- tails


def tail_readers(graph: Graph) -> list[str]:
    """The layers with an op that observes frames behind a sequence's end, in order."""
    return list(dict.fromkeys(n.origin.layer for n in graph.body.walk() if n.origin.layer and _reads_tail(graph, n)))


def _reads_tail(graph: Graph, node: Node) -> bool:
    if not node.op.has(Trait.READS_TAIL):
        return False
    along = [d for key in ("dim", "dims") for d in attr_dims(node.attrs.get(key)) if d.is_dynamic]
    return any(_ragged(graph, d) and not _masked(node.operands[0], d) for d in along)


def _ragged(graph: Graph, dim: Dim) -> bool:
    lengths: Iterator[Value | None] = (graph.body.lookup(d) for d in leaves(dim) if d.is_dynamic)
    return any(v is not None and v.dims for v in lengths)


def _masked(value: Value, dim: Dim) -> bool:
    """Whether a neutral element was put behind the ends just before."""
    node = value.node
    if node is not None and node.op.name in ("transpose", "rename"):
        return _masked(node.operands[0], dim)
    if node is None or node.op.name != "where":
        return False
    condition = node.operands[0].node
    while condition is not None and condition.op.name in ("transpose", "rename"):
        condition = condition.operands[0].node
    return condition is not None and condition.op.name == "mask" and condition.attrs["dim"] is dim
