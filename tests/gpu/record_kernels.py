"""Writes compiler/onnx/placement/kernels.json: the kernels of onnxruntime's CUDA provider.

``python -m tests.gpu.record_kernels`` where onnxruntime-gpu is installed and its providers load: with a GPU, CUDA, cuDNN and TensorRT,
or over libraries that do nothing in their place (LD_LIBRARY_PATH), since nothing is run. onnxruntime's Python
package lists the kernels with their types. Which inputs and outputs a kernel has in the host's memory it does not say: for each version
of an operator a session is made of one node between nodes on the device, and its log tells what is copied.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx

from compiler.onnx.target import IR_VERSIONS
from tests.gpu.assigned import session_log
from tests.gpu.provider import CPU, CUDA

__all__ = ["main"]

TABLE = Path(__file__).parents[2] / "compiler" / "onnx" / "placement" / "kernels.json"
DOMAINS = ("", "com.microsoft")
_OPEN = 2147483647
_OPSETS = (min(IR_VERSIONS), max(IR_VERSIONS))
#: Attributes without a default that a probe needs, where a number is not enough.
_ATTRIBUTES: dict[str, Any] = {
    "axis": 0,
    "equation": "ij->ij",
    "kernel_shape": [1, 1],
    "perm": [0, 1],
    "to": 1,
}
#: Without these the provider refuses the node.
_WANTED: dict[str, dict[str, Any]] = {"GRU": {"linear_before_reset": 1}}
#: Operators with graphs inside: both have the driver of the CPU, which reads these.
_CONTROL = {"Loop": [0, 1], "If": [0], "Scan": []}

#: The types that a probe takes first: the ones that all of a node's inputs have most often.
_FIRST = ("float", "float16", "int64", "seq(tensor(float))")

Types = dict[str, list[str]]


def main() -> int:
    """Write the table."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    schemas: dict[tuple[str, str], list[Any]] = {}
    for schema in state.get_all_operator_schema():
        schemas.setdefault((schema.domain, schema.name), []).append(schema)
    kernels: dict[tuple[str, str], dict[tuple[int, int], list[Types]]] = {}
    for kernel in state.get_all_opkernel_def():
        first, last = kernel.version_range
        known = kernel.domain or (last >= _OPSETS[0] and onnx.defs.has(kernel.op_name) and not _gone(kernel.op_name))
        if kernel.provider == CUDA and kernel.domain in DOMAINS and known:
            rows = kernels.setdefault((kernel.domain, kernel.op_name), {}).setdefault((first, last), [])
            rows.append({name: _short(types) for name, types in kernel.type_constraints.items()})
    table = {}
    for domain, name in sorted({*kernels, *(key for key in schemas if key[0] == "com.microsoft")}):
        held = schemas.get((domain, name))
        if held is not None:
            table[f"{domain}.{name}".lstrip(".")] = _operator(name, held, kernels.get((domain, name), {}))
    written = {"onnxruntime": onnxruntime.__version__, "provider": CUDA, "opsets": list(_OPSETS), "operators": table}
    TABLE.write_text(_text(written), encoding="utf-8")
    print(f"wrote {TABLE}: {len(table)} operators, {sum(len(op['versions']) for op in table.values())} versions")
    return 0


def _gone(name: str) -> bool:
    """Whether the operator is no longer one in the opsets that we write."""
    return bool(onnx.defs.get_schema(name, _OPSETS[1]).deprecated)


def _short(types: Iterable[str]) -> list[str]:
    return sorted(t.removeprefix("tensor(").removesuffix(")") if t.startswith("tensor(") else t for t in types)


def _operator(name: str, schemas: list[Any], kernels: Mapping[tuple[int, int], list[Types]]) -> dict[str, Any]:
    newest = max(schemas, key=lambda s: s.since_version)
    made: dict[str, Any] = {"versions": []}
    if newest.domain:
        made |= {"inputs": [_type(i) for i in newest.inputs], "outputs": [_type(o) for o in newest.outputs]}
    for (first, last), rows in sorted(kernels.items()):
        schema = max((s for s in schemas if s.since_version <= first), key=lambda s: s.since_version, default=newest)
        names = {key for row in rows for key in row}
        entry: dict[str, Any] = {"since": first}
        if last != _OPEN:
            entry["until"] = last
        entry["types"] = _merged(rows)
        entry["where"] = {key: [_places(schema.inputs, key), _places(schema.outputs, key)] for key in sorted(names)}
        inputs, outputs = _host_memory(name, schema, first, rows[0])
        entry |= {key: held for key, held in (("host_inputs", inputs), ("host_outputs", outputs)) if held}
        made["versions"].append(entry)
    return made


def _type(parameter: Any) -> str:
    text: str = parameter.typeStr
    return _short([text])[0]


def _places(parameters: list[Any], key: str) -> list[int]:
    """The parameters that a type constraint of a kernel is about: it names their type, or one of them."""
    return [index for index, p in enumerate(parameters) if key in (p.typeStr, p.name)]


def _merged(rows: list[Types]) -> list[dict[str, str]]:
    """Rows that differ in one name as one row, types joined by blanks."""
    held = [dict(row) for row in rows]
    changed = True
    while changed:
        changed = False
        for i, row in enumerate(held):
            for other in held[i + 1 :]:
                differ = [key for key in row if row[key] != other.get(key)]
                if row.keys() == other.keys() and len(differ) <= 1:
                    for key in differ:
                        row[key] = sorted({*row[key], *other[key]})
                    held.remove(other)
                    changed = True
                    break
            if changed:
                break
    return [{key: " ".join(types) for key, types in sorted(row.items())} for row in held]


# -------------------------------------------------------------------- which memory


def _host_memory(name: str, schema: Any, version: int, types: Types) -> tuple[list[int], list[int]]:
    """The inputs and outputs that a kernel has in the host's memory."""
    if name in _CONTROL:
        return _CONTROL[name], []
    needed = [p for p in schema.inputs if p.option == type(p.option).Single]
    error = None
    one = schema.outputs[:1]
    attempts = ((schema.inputs, schema.outputs), (schema.inputs, one), (schema.inputs[:-1], one), (needed, one))
    for inputs, outputs in attempts:
        model = _probe(name, schema, version, types, inputs, outputs)
        lines, error = session_log(model.SerializeToString(), optimize=False)
        text = "\n".join(lines)
        at_host = text.partition(f"placed on [{CPU}]")[2].partition("placed on")[0]
        if f"placed on [{CUDA}]" in text and "(probed)" not in at_host:
            read = {int(i) for i in re.findall(r"Add MemcpyToHost before in_(\d+)", text)}
            made = {int(i) for i in re.findall(r"Candidate for fallback CPU execution: out_(\d+)", text)}
            return sorted(read), sorted(made)
    print(f"{schema.domain}.{name} from {version}: its memory is not known ({error})", file=sys.stderr)
    return [], []


def _probe(name: str, schema: Any, version: int, types: Types, read: Sequence[Any], made: Sequence[Any]) -> Any:
    """One node, what it reads made on the device, what it makes read there."""
    from onnx import helper

    opset = min(max(version, _OPSETS[0]), _OPSETS[1])
    inputs = [_value_type(p, types) for p in read]
    outputs = range(len(made))
    attributes = {**dict(_attributes(schema)), **_WANTED.get(name, {})}
    node = helper.make_node(
        name,
        [f"in_{i}" for i in range(len(inputs))],
        [f"of_{i}" for i in outputs],
        domain=schema.domain,
        name="probed",
        **attributes,
    )
    before = [helper.make_node("Identity", [f"x_{i}"], [f"in_{i}"]) for i in range(len(inputs))]
    after = [helper.make_node("Identity", [f"of_{i}"], [f"y_{i}"], name=f"out_{i}") for i in outputs]
    graph = helper.make_graph(
        [*before, node, *after],
        "probe",
        [helper.make_value_info(f"x_{i}", held) for i, held in enumerate(inputs)],
        [onnx.ValueInfoProto(name=f"y_{i}") for i in outputs],
    )
    opsets = [helper.make_opsetid("", opset if not schema.domain else 21)]
    opsets += [helper.make_opsetid(schema.domain, 1)] if schema.domain else []
    return helper.make_model(graph, ir_version=IR_VERSIONS[opsets[0].version], opset_imports=opsets)


def _value_type(parameter: Any, types: Types) -> Any:
    from onnx import helper

    known = types.get(parameter.typeStr) or types.get(parameter.name) or _short(parameter.types)
    text = next((t for t in _FIRST if t in known), known[0])
    if text.startswith("seq("):
        inner = text.removeprefix("seq(tensor(").removesuffix("))")
        return helper.make_sequence_type_proto(helper.make_tensor_type_proto(_code(inner), None))
    return helper.make_tensor_type_proto(_code(text), None)


def _code(name: str) -> int:
    wanted = {"float": "FLOAT", "double": "DOUBLE"}.get(name, name.upper())
    return int(onnx.TensorProto.DataType.Value(wanted))


def _attributes(schema: Any) -> Iterator[tuple[str, Any]]:
    kind = type(schema).AttrType
    plain: dict[Any, Any] = {kind.INT: 1, kind.FLOAT: 1.0, kind.STRING: "", kind.INTS: [1], kind.FLOATS: [1.0]}
    for name, attribute in schema.attributes.items():
        if attribute.required:
            yield name, _ATTRIBUTES.get(name) or plain.get(attribute.type, 1)


def _text(table: dict[str, Any]) -> str:
    """A line for every version of an operator, so that a new onnxruntime shows as a diff."""
    lines = ["{"]
    lines += [f" {json.dumps(key)}: {json.dumps(table[key])}," for key in ("onnxruntime", "provider", "opsets")]
    lines.append(' "operators": {')
    operators = []
    for name, held in table["operators"].items():
        rest = "".join(f"{json.dumps(key)}: {json.dumps(held[key])}, " for key in ("inputs", "outputs") if key in held)
        rows = ",\n".join(f"   {json.dumps(row)}" for row in held["versions"])
        operators.append(f'  {json.dumps(name)}: {{{rest}"versions": [' + (f"\n{rows}\n  " if rows else "") + "]}")
    return "\n".join([*lines, ",\n".join(operators), " }", "}", ""])


if __name__ == "__main__":
    sys.exit(main())
