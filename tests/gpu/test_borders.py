"""Comparing our count with a session's, without a GPU."""

from __future__ import annotations

from compiler.onnx.placement import Copy, HostNode, Placement, Why
from tests.gpu.assigned import Assigned, read_assigned
from tests.gpu.assigned import Copy as RealCopy
from tests.gpu.borders import differences
from tests.onnx.placed_models import parsed

LOG = [
    "2026 [I:onnxruntime:, transformer_memcpy.cc:393 AddCopyNode] Add MemcpyFromHost after a/Det:0",
    "2026 [V:onnxruntime:, session_state.cc:1578 VerifyEachNodeIsAssignedToAnEp] Node placements",
    "2026 [V:onnxruntime:, session_state.cc:1584 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on "
    "[CPUExecutionProvider]. Number of nodes: 1",
    "2026 [V:onnxruntime:, session_state.cc:1586 VerifyEachNodeIsAssignedToAnEp]   GRU (a/GRU)",
    "2026 [V:onnxruntime:, session_state.cc:1584 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on "
    "[CUDAExecutionProvider]. Number of nodes: 2",
    "2026 [V:onnxruntime:, session_state.cc:1586 VerifyEachNodeIsAssignedToAnEp]   Tanh (a/Tanh)",
    "2026 [V:onnxruntime:, session_state.cc:1586 VerifyEachNodeIsAssignedToAnEp]   Relu (a/Relu)",
    "2026 [V:onnxruntime:, session_state.cc:193 CreateGraphInfo] SaveMLValueNameIndexMapping",
]


def test_log_of_a_session() -> None:
    found = read_assigned(LOG, parsed("gru_after"))
    assert found == Assigned([("", "GRU", "a/GRU")], [("", "Tanh", "a/Tanh"), ("", "Relu", "a/Relu")], [])


def test_log_of_a_session_with_all_nodes_on_the_device() -> None:
    line = "2026 [V:onnxruntime:, session_state.cc:1582 VerifyEachNodeIsAssignedToAnEp]  All nodes placed on "
    found = read_assigned([f"{line}[CUDAExecutionProvider]. Number of nodes: 3"], parsed("gru_before"))
    assert (found.on_cpu, [node[1] for node in found.on_cuda]) == ([], ["Tanh", "GRU", "Relu"])


def _placement(nodes: list[str], copies: list[str]) -> Placement:
    host = tuple(HostNode("a", "Pad", name, "", False, Why.UNSUPPORTED) for name in nodes)
    return Placement("1.0", "1.0", 3, host, tuple(Copy("a", v, True, "a/Loop", True, Why.SHAPE, "") for v in copies))


def test_equal() -> None:
    real = Assigned([("", "Pad", "a/Pad")], [("", "Add", "a/Add")], [RealCopy("a/Loop", True, "x")])
    assert list(differences(_placement(["a/Pad"], ["x"]), real)) == []


def test_different() -> None:
    real = Assigned([("", "Pad", "b"), ("", "Pad", "c")], [], [RealCopy("", True, "x")])
    assert list(differences(_placement(["a", "b"], ["x"]), real)) == [
        "a on the CPU only as counted",
        "c on the CPU only in the session",
        "Memcpy to the CPU of x only as counted",
        "Memcpy to the CPU of x only in the session",
    ]
