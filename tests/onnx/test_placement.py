"""What is said of where nodes run: kernels, causes, the report, and the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from compiler.onnx.placement import HostNode, Placement, Why, count_borders
from compiler.onnx.placement.contract import PLACEMENT, PlacementContract
from compiler.onnx.placement.kernels import Arguments, Kernel, KernelTable, Missing, cuda_kernels
from compiler.onnx.placement.report import placement_lines
from returnn_ir.errors import ProblemList
from tests.onnx.placed_models import parsed


def _placed(name: str) -> Placement:
    placement = count_borders(parsed(name))
    return replace(placement, onnxruntime="1.0", optimizer="1.0")


# ---------------------------------------------------------------- kernels


def _table(*versions: dict[str, Any]) -> KernelTable:
    return KernelTable({"onnxruntime": "1.0", "opsets": [17, 26], "operators": {"Op": {"versions": list(versions)}}})


def _version(since: int, until: int | None, *types: str) -> dict[str, Any]:
    row: dict[str, Any] = {"since": since, "types": [{"T": held} for held in types], "where": {"T": [[0], [0]]}}
    return row if until is None else {**row, "until": until}


def test_an_open_kernel_is_for_its_first_version_alone() -> None:
    """So operators that a new opset changes leave the device until onnxruntime has a kernel for them."""
    table = _table(_version(6, None, "float"), _version(1, 5, "float"))
    arguments = Arguments(["float"], ["float"])
    assert isinstance(table.find("", "Op", 6, arguments), Kernel)
    assert isinstance(table.find("", "Op", 3, arguments), Kernel)
    assert table.find("", "Op", 22, arguments) == Missing("Op of opset 22 has no CUDA kernel")


def test_types_have_to_fit_one_row() -> None:
    row = {"since": 1, "types": [{"T": "float", "I": "int64"}, {"T": "double", "I": "int32 int64"}]}
    table = _table({**row, "where": {"T": [[0], [0]], "I": [[1], []]}, "host_inputs": [1]})
    found = table.find("", "Op", 1, Arguments(["double", "int32"], ["double"]))
    assert found == Kernel(frozenset({1}), frozenset())
    assert table.find("", "Op", 1, Arguments(["float", "int32"], ["float"])) == Missing(
        "Op has no CUDA kernel for int32"
    )
    assert isinstance(table.find("", "Op", 1, Arguments([None, "int64"], [None])), Kernel)


def test_no_such_kernel() -> None:
    assert _table().find("", "Det", 1, Arguments([], [])) == Missing("Det has no CUDA kernel")


def test_the_table_that_is_written() -> None:
    """Types, opsets and memory of some that the exporter relies on."""
    table = cuda_kernels()
    ints, floats = Arguments(["int64", "int64"], ["int64"]), Arguments(["float", "int64"], ["float"])
    assert table.find("", "Pad", 21, ints) == Missing("Pad has no CUDA kernel for int64")
    assert table.find("", "Pad", 21, floats) == Kernel(frozenset({1, 2, 3}), frozenset())
    shape = table.find("", "Shape", 21, Arguments(["float"], ["int64"]))
    assert shape == Kernel(frozenset(), frozenset({0}))
    assert table.find("", "STFT", 17, floats) == Missing("STFT has no CUDA kernel")
    attention = table.find("com.microsoft", "MultiHeadAttention", 1, Arguments(["float"] * 3, ["float"]))
    assert attention == Kernel(frozenset({8}), frozenset())
    for op in ("Elu", "Selu", "MaxPool", "InstanceNormalization", "Dropout"):
        assert table.find("", op, 22, floats) == Missing(f"{op} of opset 22 has no CUDA kernel")


# ---------------------------------------------------------------- causes


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("lstm", []),
        ("lstm_names", []),
        ("lstm_clip", ["LSTM with clip has no CUDA kernel"]),
        ("lstm_relu", ["LSTM with these activations has no CUDA kernel"]),
        ("lstm_coupled", ["LSTM with input_forget has no CUDA kernel"]),
        ("lstm_peepholes", ["LSTM with peepholes has no CUDA kernel"]),
        ("gru_before", []),
        ("gru_after", ["GRU with linear_before_reset = 0 has no CUDA kernel"]),
        ("transposed_uneven", ["ConvTranspose with other padding in front than behind has no CUDA kernel"]),
        ("integers", ["Pad has no CUDA kernel for int64", "ArgMax has no CUDA kernel for int64"]),
        (
            "float",
            ["Div of x and of values in host memory stays there", "Mul of x and of values in host memory stays there"],
        ),
        ("small_constant", []),
        ("large_constant", []),
    ],
)
def test_what_does_not_belong_on_the_cpu(model: str, reasons: list[str]) -> None:
    assert [node.reason for node in _placed(model).on_host if not node.intended] == reasons


def test_a_newer_opset_without_kernels() -> None:
    faults = [f for f in _placed("opset_22").faults if isinstance(f, HostNode)]
    assert [(fault.op, fault.hint) for fault in faults] == [
        (op, "--opset 21") for op in ("Elu", "Selu", "MaxPool", "InstanceNormalization")
    ]
    assert _placed("opset_21").on_host == ()


@pytest.mark.parametrize(
    ("model", "why", "reason"),
    [
        ("mask", Why.MASK, "b/Greater, read by b/Where"),
        ("large_constant", Why.SHAPE, "a/Shape, read by a/Mul"),
        ("large_constant", Why.ARGUMENT, "shape of a/Expand"),
        ("loop", Why.SHARED, "i, read on the CPU by a/body/Mul, on CUDA by a/body/Cast, a/body/Less"),
        ("if", Why.ARGUMENT, "cond of a/If"),
        ("gru_after", Why.UNSUPPORTED, "for a/GRU"),
        ("float", Why.DRAGGED, "for a/Div"),
    ],
)
def test_causes_of_copies(model: str, why: Why, reason: str) -> None:
    assert (why, reason) in [(copy.why, copy.reason) for copy in _placed(model).copies]


# ---------------------------------------------------------------- report


def test_report_of_a_loop() -> None:
    assert placement_lines(_placed("loop")) == [
        "placement (CUDAExecutionProvider of onnxruntime 1.0): 9 nodes on CUDA, 2 on the CPU, 2 Memcpy, "
        "2 of them in each step of a loop",
        "  shape arithmetic and its like: 2 nodes and 2 Memcpy; what belongs on CUDA: 0 nodes and 0 Memcpy",
        "  a/body  on the CPU: Mul, Cast, each step of a/Loop  shape arithmetic",
        "  a/body  Memcpy to CUDA, each step of a/Loop         shape value: a/body/Cast_1, read by a/body/Add",
        "  a/body  Memcpy to CUDA, each step of a/Loop         read on both sides: "
        "i, read on the CPU by a/body/Mul, on CUDA by a/body/Cast, a/body/Less",
    ]


def test_report_of_a_branch() -> None:
    placement = _placed("if")
    assert placement.copies_in_loops() == 0
    assert placement_lines(placement)[2:] == [
        "  a/else  on the CPU: Atan, in a/If  no kernel: Atan has no CUDA kernel",
        "  a/else  Memcpy to CUDA 2, in a/If  no kernel: for a/else/Atan",
        "  a       Memcpy to the CPU          argument in host memory: cond of a/If",
    ]


def test_report_of_what_does_not_belong_there_is_red_on_a_terminal() -> None:
    lines = placement_lines(_placed("lstm_clip"), "step.onnx", coloured=True)
    assert lines[0].startswith("placement (step.onnx, CUDAExecutionProvider of onnxruntime 1.0): 2 nodes on CUDA, 1 on")
    assert lines[1] == (
        "  shape arithmetic and its like: 0 nodes and 0 Memcpy; what belongs on CUDA: 1 node and 2 Memcpy"
    )
    assert lines[2:] == [
        "\x1b[31m  a  on the CPU: LSTM   no kernel: LSTM with clip has no CUDA kernel\x1b[0m",
        "\x1b[31m  a  Memcpy to CUDA     no kernel: for a/LSTM\x1b[0m",
        "\x1b[31m  a  Memcpy to the CPU  no kernel: for a/LSTM\x1b[0m",
    ]


def test_report_where_another_onnxruntime_is_installed() -> None:
    lines = placement_lines(replace(_placed("lstm"), optimizer="1.1"))
    assert lines == [
        "placement (CUDAExecutionProvider of onnxruntime 1.0): 3 nodes on CUDA, 0 on the CPU, 0 Memcpy",
        "  note: onnxruntime 1.1 is installed, which may have other kernels",
    ]


# ---------------------------------------------------------------- contract


def test_contract_describes_the_model() -> None:
    model = parsed("opset_22")
    contract = PlacementContract()
    contract.check({"m.onnx": model})
    meta = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert meta == {PLACEMENT: contract.to_json()["m.onnx"]}
    assert meta[PLACEMENT]["on_host"][0] == {
        "layer": "a",
        "op": "Elu",
        "name": "a/Elu",
        "repeated": False,
        "why": "no kernel",
        "reason": "Elu of opset 22 has no CUDA kernel",
        "hint": "--opset 21",
    }
    assert meta[PLACEMENT]["copies"][0]["to_host"] is False


def test_contract_refuses() -> None:
    contract = PlacementContract(required=True)
    contract.check({"loop": parsed("loop"), "mask": parsed("mask")})
    with pytest.raises(ProblemList) as refused:
        contract.check({"gru": parsed("gru_after"), "lstm": parsed("lstm")})
    assert str(refused.value) == (
        "layer 'a': GRU with linear_before_reset = 0 has no CUDA kernel\n"
        "  expected: on CUDA all but shape arithmetic\n"
        "  received: on the CPU: a/GRU\n"
        "  try: without --require-device it runs on the CPU"
    )
    assert list(contract.placements) == ["loop", "mask", "gru", "lstm"]
