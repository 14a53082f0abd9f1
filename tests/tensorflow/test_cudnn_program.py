"""Programs for a GPU, without one: which kernel an LSTM gets and why; RETURNN's numbers on a double of cuDNN's op."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.check import check_case
from compiler.program.program import Program, compile_net, make_target
from compiler.tensorflow.device import Device
from compiler.tensorflow.kernels import cudnn_lstm
from returnn_ir import load
from returnn_ir.errors import TargetError
from tests.conformance.gaps import GOLDEN
from tests.tensorflow.cudnn_contract import cudnn_rnn_v3

EXTERN = 'extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}\n'
#: Two bidirectional layers, the second one with units of the other kinds.
NET = (
    EXTERN
    + """
network = {
  "fw1": {"class": "rec", "unit": "nativelstm2", "unit_opts": {"rec_weight_dropout": 0.3}, "n_out": 4, "from": "data"},
  "bw1": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "direction": -1, "from": "data"},
  "fw2": {"class": "rec", "unit": "standardlstm", "n_out": 3, "direction": 1, "from": ["fw1", "bw1"]},
  "bw2": {"class": "rec", "unit": "basiclstm", "n_out": 3, "direction": -1, "from": ["fw1", "bw1"]},
  "top": {
    "class": "rec", "unit": "lstmblock", "n_out": 3, "direction": -1, "initial_state": "ones", "from": ["fw2", "bw2"]},
  "output": {"class": "softmax", "loss": "ce", "target": "classes", "from": "top"}}
"""
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The double stands in the op's place; the attributes of its calls."""
    made: list[dict[str, Any]] = []

    def double(**options: Any) -> tuple[tf.Tensor, ...]:
        made.append(options)
        return cudnn_rnn_v3(**options)

    monkeypatch.setattr(cudnn_lstm, "_cudnn_rnn", double)
    return made


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Program]:
    def compile_text(text: str, **options: Any) -> Program:
        path = tmp_path / "net.py"
        path.write_text(text, encoding="utf-8")
        return compile_net(load(path), target="tf", **{"mode": "train", "device": "gpu", **options})

    return compile_text


def explained(program: Program) -> list[str]:
    """What was said of recurrent layers, without files and lines."""
    return [re.sub(r" \(.*?\)", "", str(d)) for d in program.journal if d.op in ("lstm", "blstm")]


def feed() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    lengths = np.array([4, 0, 6, 1])
    data = rng.standard_normal((4, 6, 3)).astype(np.float32)
    return {"data": data, "data/size1": lengths, "classes": rng.integers(0, 5, (4, 6)), "classes/size1": lengths}


def test_a_training_has_the_numbers_of_the_loops(compiled: Callable[..., Program], calls: list[dict[str, Any]]) -> None:
    """Dropped recurrent weights included: they are the same for all frames."""
    on_gpu, on_cpu = (compiled(NET, device=device) for device in ("gpu", "cpu"))
    params = on_cpu.initial_params()
    inputs = {**feed(), "random/seed": np.asarray(3)}
    found, expected = (made.executable.run_with_gradients(inputs, params) for made in (on_gpu, on_cpu))  # type: ignore[attr-defined]
    np.testing.assert_allclose(found.fetches["objective"], expected.fetches["objective"], rtol=1e-5)
    assert found.gradients.keys() == expected.gradients.keys() and len(expected.gradients) == len(params)
    for name, gradient in expected.gradients.items():
        np.testing.assert_allclose(found.gradients[name], gradient, rtol=1e-4, atol=1e-5, err_msg=name)
    units = [8, 6, 3]  # two directions as one LSTM of twice the units
    assert [(call["direction"], call["input_h"].shape[2]) for call in calls] == [("unidirectional", n) for n in units]
    assert all(call["is_training"] for call in calls)


def test_directions_apart_where_products_are_large(
    compiled: Callable[..., Program], calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tf.config.experimental.tensor_float_32_execution_enabled()  # of the process, which other tests share
    try:
        for tf32, units in ((False, 256), (True, 512)):
            tf.config.experimental.enable_tensor_float_32_execution(tf32)
            assert cudnn_lstm.faster_as_one(units) and not cudnn_lstm.faster_as_one(units + 1)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
    monkeypatch.setattr(cudnn_lstm, "_UNITS_AS_ONE", {before: 3, not before: 2})
    program = compiled(NET)
    program.gradients({**feed(), "random/seed": np.asarray(3)}, program.initial_params())
    assert [call["direction"] for call in calls] == ["bidirectional", "unidirectional", "unidirectional"]


def test_a_machine_without_a_gpu(compiled: Callable[..., Program]) -> None:
    """The op itself is traced, which needs none."""
    program = compiled(NET)
    with pytest.raises(TargetError) as error:
        program.gradients(feed(), program.initial_params())
    assert str(error.value) == (
        "this program is for a GPU, and TensorFlow lists none here\n  try: compile it for the device 'cpu' or 'both'"
    )


def test_scratch_memory_for_gradients_only_in_training(
    compiled: Callable[..., Program], calls: list[dict[str, Any]]
) -> None:
    program, inputs = compiled(NET, mode="forward"), feed()
    program.run({name: inputs[name] for name in program.input_names()}, program.initial_params())
    assert [call["is_training"] for call in calls] == [False] * 3


def test_what_explain_says(compiled: Callable[..., Program]) -> None:
    assert explained(compiled(NET)) == [
        "layer 'fw1': lstm fused: one node with layer 'bw1'",
        "layer 'fw2': lstm fused: one node with layer 'bw2'",
        "layer 'fw1': blstm fused: cuDNN, both directions at once",
        "layer 'fw2': blstm fused: cuDNN, both directions at once",
        "layer 'top': lstm fused: cuDNN",
    ]
    only = [line for line in explained(compiled(NET, device="cpu")) if "fw1" in line]
    assert only == [
        "layer 'fw1': lstm not fused with its other direction: TensorFlow has no kernel for blstm: only cuDNN has, and "
        "the program is for a CPU",
        "layer 'fw1': lstm fused: lstm, not cuDNN: the program is for a CPU",
    ]


def test_two_directions_that_stay_two(compiled: Callable[..., Program]) -> None:
    program = compiled('fusion = {"blstm": "never"}\n' + NET)
    assert [line.partition(": ")[2] for line in explained(program)] == ["lstm fused: cuDNN"] * 5


ONE = EXTERN + 'network = {"output": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"}}\n'
IN_A_LOOP = (
    EXTERN
    + """
network = {
  "loop": {"class": "rec", "from": "data", "unit": {
    "inner": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "scaled"},
    "scaled": {"class": "combine", "kind": "mul", "from": ["base:data", "prev:output"]},
    "output": {"class": "reduce", "mode": "mean", "axes": "stag:extern_data:data", "from": "inner"}}},
  "output": {"class": "copy", "from": "loop"}}
"""
)
GRADIENTS = (
    EXTERN
    + """
network = {
  "lstm": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"},
  "total": {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "lstm"},
  "output": {"class": "gradient", "y": "total", "x": "data"}}
"""
)


@pytest.mark.parametrize(
    ("text", "device", "reason"),
    [
        pytest.param(ONE, "both", "the program is for CPUs, too", id="both"),
        pytest.param('device = "cpu"\n' + ONE, None, "the program is for a CPU", id="config"),
        pytest.param(
            "deterministic_train = True\n" + ONE,
            "gpu",
            "deterministic results are asked for, and its sums have no fixed order",
            id="deterministic",
        ),
    ],
)
def test_reasons(compiled: Callable[..., Program], text: str, device: str | None, reason: str) -> None:
    program = compiled(text, device=device, mode="forward")
    assert explained(program) == [f"layer 'output': lstm fused: lstm, not cuDNN: {reason}"]


@pytest.mark.parametrize(
    ("text", "layer", "reason"),
    [
        pytest.param(
            IN_A_LOOP,
            "loop/inner",
            "in a loop or a branch TensorFlow would have to keep its scratch memory for every step",
            id="loop",
        ),
        pytest.param(
            GRADIENTS,
            "lstm",
            "the network has gradients of its own, and its kernel cannot be differentiated twice",
            id="gradients",
        ),
    ],
)
def test_reasons_of_the_surroundings(compiled: Callable[..., Program], text: str, layer: str, reason: str) -> None:
    """The program that is made has no call of cuDNN either, which could not be traced here."""
    program = compiled(text, mode="forward")
    assert explained(program) == [f"layer {layer!r}: lstm fused: lstm, not cuDNN: {reason}"]
    inputs = feed()
    program.run({name: inputs[name] for name in program.input_names()}, program.initial_params())


def test_determinism_of_tensorflow(compiled: Callable[..., Program]) -> None:
    from tensorflow.python.framework import config

    tf.config.experimental.enable_op_determinism()
    try:
        assert "deterministic results are asked for" in explained(compiled(ONE, mode="forward"))[0]
    finally:
        config.disable_op_determinism()
    assert explained(compiled(ONE, mode="forward")) == ["layer 'output': lstm fused: cuDNN"]


@pytest.mark.parametrize(
    "case",
    [
        "rec_units/nativelstm2_bidir",
        "rec_units/standardlstm",
        "rec_units/basiclstm",
        "rec_units/lstmblock",
        "rec_units/own_empty_sequence",
        "rec_units/own_initial_states",
        "rec_units/own_last_states",
        "rec_units/own_units_extra_axis",
    ],
)
def test_golden_cases(calls: list[dict[str, Any]], case: str) -> None:
    report = check_case(GOLDEN / f"{case}.py", "tf", device="gpu")
    assert report.ok, report.reason
    assert calls


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetError) as unknown:
        Device.of("gpuu")
    assert str(unknown.value) == "unknown device 'gpuu'\n  expected: cpu, gpu, both\n  try: did you mean 'gpu'?"
    with pytest.raises(TargetError) as useless:
        make_target("reference", device="gpu")
    assert str(useless.value) == "device: target 'reference' has no device\n  received: gpu\n  try: target 'tf' has one"
    assert Device.of(None) == Device("cpu")
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [f"the only {kind}"])
    assert Device.of(None) == Device("gpu")
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: {"is_cuda_build": False})
    assert Device.of(None) == Device("cpu")
